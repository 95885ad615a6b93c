"""HL7 v2 messages in ER7 encoding, without loss: bytes in, the same bytes out, fields by path, text unescaped on request.

`message["PID-3[2].4.1"]` is repetition 2, component 4, subcomponent 1 of PID-3 in the first PID segment. Chapter 2 of HL7 v2.5.1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from integrations import IntegrationError

SEGMENT = re.compile(r"[A-Z][A-Z0-9]{2}(?=[^A-Za-z0-9]|$)")
PATH = re.compile(r"([A-Z][A-Z0-9]{2})(?:\((\d+)\))?-(\d+)(?:\[(\d+)\])?(?:\.(\d+))?(?:\.(\d+))?")
CHARSETS = {
    "UNICODE UTF-8": "utf-8", "UTF-8": "utf-8", "UNICODE": "utf-8", "GB 18030-2000": "gb18030", "GB18030": "gb18030", "GBK": "gb18030",
    "GB2312": "gb18030", "BIG-5": "big5", "ASCII": "ascii", "8859/1": "latin-1", "": "",
}  # fmt: skip
LIMIT = 16 * 1024 * 1024


class Hl7Refused(IntegrationError):
    """The message is not usable HL7 v2."""

    code = "hl7_refused"
    advice = "Correct the sender's interface: a message starts with MSH and its delimiters, segments end with CR."


@dataclass(frozen=True)
class Delimiters:
    """Field, component, repetition, escape and subcomponent characters of MSH-1 and MSH-2."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"


@dataclass(frozen=True)
class Message:
    """A parsed message. `notes` tells oddities that were borne."""

    raw: bytes
    text: str
    encoding: str
    delimiters: Delimiters
    lines: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def __bytes__(self) -> bytes:
        return self.raw

    @cached_property
    def fields(self) -> tuple[tuple[str, ...], ...]:
        """Every segment as its fields; index n is field n, MSH-1 is the field delimiter itself."""
        found = []
        for line in self.lines:
            parts = line.split(self.delimiters.field)
            found.append((parts[0], self.delimiters.field, *parts[1:]) if parts[0] == "MSH" else tuple(parts))
        return tuple(found)

    def segments(self, name: str) -> list[tuple[str, ...]]:
        """All segments of a name."""
        return [fields for fields in self.fields if fields[0] == name]

    def __getitem__(self, path: str) -> str:
        return self.get(path)

    def get(self, path: str, segment: tuple[str, ...] | None = None) -> str:
        """The unescaped text at a path without NUL, empty when there is nothing. `segment` reads in a given segment."""
        match = PATH.fullmatch(path)
        if match is None:
            raise KeyError(path)
        name, which, field, repeat, component, sub = match.groups()
        found = [segment] if segment is not None else self.segments(name)
        place = int(which or 1) - 1
        if place >= len(found):
            return ""
        fields, number = found[place], int(field)
        raw = fields[number] if number < len(fields) else ""
        if name == "MSH" and number in (1, 2):
            return raw
        d = self.delimiters
        raw = _part(raw, d.repetition, repeat)
        if component is not None:
            raw = _part(raw, d.component, component)
            raw = _part(raw, d.subcomponent, sub)
        return unescape(raw, d).replace("\x00", "")  # no database keeps it in a text

    @property
    def control_id(self) -> str:
        """MSH-10."""
        return self["MSH-10"]

    @property
    def kind(self) -> str:
        """Message code and trigger, `ADT^A04`."""
        return "^".join(p for p in (self["MSH-9.1"], self["MSH-9.2"]) if p)


def _part(raw: str, delimiter: str, number: str | None) -> str:
    parts = raw.split(delimiter) if delimiter else [raw]
    place = int(number or 1) - 1
    return parts[place] if place < len(parts) else ""


def parse(raw: bytes, default: str = "") -> Message:
    """Read a message. The encoding is MSH-18, else `default`, else UTF-8, else GB18030. Hl7Refused when it is no message."""
    if len(raw) > LIMIT:
        raise Hl7Refused(f"It has more than {LIMIT} bytes.")
    body = raw.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n \x0b")
    if not body.startswith(b"MSH") or len(body) < 8:
        raise Hl7Refused("It does not start with MSH.")
    field = body[3:4].decode("latin-1")
    text, encoding, notes = _decode(body, field, default)
    if field.isalnum() or field in "\r\n":
        raise Hl7Refused("The field delimiter is a letter or a line end.")
    lines, joined = _lines(text, field)
    signs = lines[0].split(field)[1] if field in lines[0] else ""
    signs = (signs + "^~\\&"[len(signs) :])[:4] if len(signs) < 4 else signs[:4]
    if len({field, *signs}) < 5:
        raise Hl7Refused("Delimiters repeat in MSH-1 and MSH-2.")
    if joined:
        notes.append("broken_lines_joined")
    return Message(raw, text, encoding, Delimiters(field, *signs), tuple(lines), tuple(notes))


def _decode(body: bytes, field: str, default: str) -> tuple[str, str, list[str]]:
    head = re.split(rb"[\r\n]", body, maxsplit=1)[0].decode("latin-1").split(field)
    declared = head[17].split(head[1][1:2] or "~")[0].strip().upper() if len(head) > 17 else ""
    notes: list[str] = []
    wanted = CHARSETS.get(declared)
    if wanted is None:
        notes.append("charset_unknown")
    tries = [c for c in (wanted, default, "utf-8", "gb18030") if c]
    for encoding in dict.fromkeys(tries):
        try:
            text = body.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
        if wanted and encoding != wanted:
            notes.append("charset_mismatch")
        return text, encoding, notes
    raise Hl7Refused("Its bytes fit none of UTF-8, GB18030 and the declared character set.")


def _lines(text: str, field: str) -> tuple[list[str], bool]:
    found: list[str] = []
    joined = False
    for line in re.split(r"\r\n|\r|\n", text):
        if not line:
            continue
        if SEGMENT.match(line) and (len(line) == 3 or line[3] == field):
            found.append(line)
        elif found:
            found[-1] += line
            joined = True
    return found, joined


def unescape(text: str, d: Delimiters = Delimiters()) -> str:
    """Escape sequences to the characters they stand for; those that only format (`.br`, `.sp`) become line breaks."""
    if not d.escape or d.escape not in text:
        return text
    signs = {
        "F": d.field,
        "S": d.component,
        "T": d.subcomponent,
        "R": d.repetition,
        "E": d.escape,
        "H": "",
        "N": "",
        ".br": "\n",
    }
    e = re.escape(d.escape)

    def one(match: re.Match[str]) -> str:
        word = match.group(1)
        if word in signs:
            return signs[word]
        if re.fullmatch(r"X(?:[0-9A-Fa-f]{2})+", word):
            return bytes.fromhex(word[1:]).decode("utf-8", "replace")
        if breaks := re.fullmatch(r"\.sp(\d*)", word):
            return "\n" * min(int(breaks.group(1) or 1), 20)
        return match.group(0)

    return re.sub(f"{e}([^{e}]{{1,64}}){e}", one, text)


def escape(text: str, d: Delimiters = Delimiters()) -> str:
    """Text made safe to stand in a field: delimiters and line ends become escape sequences, control characters vanish."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    table = {d.escape: "E", d.field: "F", d.component: "S", d.subcomponent: "T", d.repetition: "R", "\n": ".br"}
    out = []
    for sign in text:
        if sign in table:
            out.append(f"{d.escape}{table[sign]}{d.escape}")
        elif sign >= " ":
            out.append(sign)
    return "".join(out)
