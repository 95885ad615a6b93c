"""Splits FEEL source into tokens (DMN 1.5, section 10.3.1.2). Names with spaces are joined by the parser, which knows the scope."""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.feel.errors import FeelError

START = (
    r"?A-Z_a-z\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u02FF\u0370-\u037D\u037F-\u1FFF\u200C\u200D\u2070-\u218F\u2C00-\u2FEF"
    r"\u3005-\u3007\u3021-\uD7FF\uF900-\uFDCF\uFDF0-\uFEFE\uFF10-\uFF19\uFF21-\uFF3A\uFF41-\uFF5A\uFF66-\uFFEF\U00010000-\U000EFFFF"
)
PART = START + r"0-9\u00B7\u0300-\u036F\u203F-\u2040"
TOKEN = re.compile(
    rf"""(?P<space>[\s\u200B\uFEFF\u180E]+|//[^\n]*|/\*.*?\*/)
  | (?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|\.[0-9]+(?:[eE][+-]?[0-9]+)?)
  | (?P<string>"(?:[^"\\]|\\.)*")
  | (?P<name>[{START}][{PART}]*)
  | (?P<symbol>\*\*|\.\.|->|<=|>=|!=|[-+*/=<>(){{}}\[\],.:@|'])""",
    re.VERBOSE | re.DOTALL,
)
ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{6})|([nrt\"'\\]))")
PLAIN = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "'": "'", "\\": "\\"}
WIDE = dict(zip("，。：；（）［］｛｝＋－＊／＝＜＞“”‘’「」、．", ',.:;()[]{}+-*/=<>""\'\'"",.', strict=True))
"""Full-width signs that Chinese keyboards give, and the ones FEEL knows."""


@dataclass(frozen=True, slots=True)
class Token:
    """One token: kind is number, string, name, symbol or end."""

    kind: str
    text: str
    at: int


def tokens(source: str) -> list[Token]:
    """All tokens of a source, the last of kind end. FeelError at the first character that starts none."""
    found: list[Token] = []
    at = 0
    while at < len(source):
        match = TOKEN.match(source, at)
        if match is None:
            raise FeelError(_unexpected(source[at]), at)
        kind, text = match.lastgroup or "", match.group()
        if kind != "space":
            found.append(Token(kind, unescape(text, at) if kind == "string" else text, at))
        at = match.end()
    found.append(Token("end", "", at))
    return found


def _unexpected(sign: str) -> str:
    if sign in WIDE:
        return f"full-width {sign!r}: write {WIDE[sign]!r}"
    if sign == '"':
        return "the text is not closed"
    return f"unexpected character {sign!r}"


def unescape(quoted: str, at: int) -> str:
    """The value of a quoted string; an unknown escape stays as written, as patterns use them."""
    body = quoted[1:-1]
    if "\\" not in body:
        return body

    def one(match: re.Match[str]) -> str:
        short, long, plain = match.groups()
        if plain:
            return PLAIN[plain]
        code = int(short or long, 16)
        if code > 0x10FFFF:
            raise FeelError("there is no such character", at)
        return chr(code)

    text = ESCAPE.sub(one, body)
    try:  # two \\u escapes may be the halves of one character; half a character is none
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise FeelError("half a character of a surrogate pair", at) from None
