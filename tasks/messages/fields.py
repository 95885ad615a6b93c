"""An HL7 message as it may be shown: the field at fault marked, and to whom may not see the patient only what names nobody."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from integrations.hl7 import Hl7Refused, Message, parse

OPEN: Final[dict[str, frozenset[int]]] = {
    "MSH": frozenset(range(1, 22)), "MSA": frozenset({1, 2}), "ERR": frozenset({1, 2, 3, 4}), "EVN": frozenset({1, 2}), "PV1": frozenset({1, 2}),
    "PID": frozenset({1}), "ORC": frozenset({1, 5}), "OBR": frozenset({1, 4, 20, 24, 25}), "OBX": frozenset({1, 2, 3, 11}),
}  # fmt: skip
"""Fields that name nobody and tell nothing clinical; all others are covered."""
COVERED: Final = "•••"
LONGEST: Final = 120
_NAMED = re.compile(r"\b([A-Z][A-Z0-9]{2})-(\d{1,2})\b")


@dataclass(frozen=True)
class Field:
    """One field: its number, what may be shown of it, whether it is the one at fault."""

    number: int
    text: str
    guilty: bool = False


@dataclass(frozen=True)
class Segment:
    """One line of the message."""

    name: str
    fields: tuple[Field, ...]

    @property
    def guilty(self) -> bool:
        """Whether a field of it is at fault."""
        return any(f.guilty for f in self.fields)


def shown(raw: bytes, fault: tuple[str, int, int] | None, *, whole: bool) -> list[Segment]:
    """The segments in order; `whole`: the reader may see the patient. Empty for what is no HL7 (an image)."""
    message = _read(raw)
    if message is None:
        return []
    seen: dict[str, int] = {}
    found = []
    for fields in message.fields:
        name = fields[0]
        seen[name] = seen.get(name, 0) + 1
        marked = fault[2] if fault is not None and (name, seen[name]) == fault[:2] else 0
        found.append(
            Segment(name, tuple(Field(n, _text(name, n, t, whole), n == marked) for n, t in enumerate(fields) if n > 0))
        )
    return found


def _text(name: str, number: int, text: str, whole: bool) -> str:
    if text and not whole and number not in OPEN.get(name, ()):
        return COVERED
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def fault(answer: bytes | None, words: str = "") -> tuple[str, int, int] | None:
    """Which field the peer blames, as (segment, which of them, field): by its ERR segment, else by a name like OBX-3 in its words."""
    message = _read(answer or b"")
    for error in message.segments("ERR") if message is not None else ():
        for place in error[1:3]:  # ERR-2 since 2.5; ERR-1 before
            parts = place.split("^")
            if re.fullmatch("[A-Z][A-Z0-9]{2}", parts[0]) and len(parts) > 2 and parts[2].isdecimal():
                return parts[0], int(parts[1]) if parts[1].isdecimal() and int(parts[1]) else 1, int(parts[2])
    said = message["MSA-3"] if message is not None and message.segments("MSA") else ""
    named = _NAMED.search(said) or _NAMED.search(words)
    return (named[1], 1, int(named[2])) if named else None


def _read(raw: bytes) -> Message | None:
    try:
        return parse(raw)
    except Hl7Refused:
        return None
