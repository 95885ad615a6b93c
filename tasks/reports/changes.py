"""What changed between two versions of a report, section by section, sentence by sentence, then sign by sign. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby
from typing import Final, Literal

from tasks.reports.content import SECTIONS

Kind = Literal["same", "ins", "del"]
SENTENCE: Final = re.compile(r"[^。！？；\n]*[。！？；\n]|[^。！？；\n]+")
SIGN: Final = re.compile(r"[A-Za-z]+|\d+(?:\.\d+)?|\s+|.", re.S)
SHORT: Final = 3
"""A stretch of so few signs between two changes is read as part of them, unless a clause ends in it."""
STOP: Final = frozenset("，。；：、！？,;")


@dataclass(frozen=True)
class Piece:
    """A stretch of text that stayed, came or went."""

    kind: Kind
    text: str


@dataclass(frozen=True)
class Section:
    """One section in both versions; `places` counts where they differ, 0: unchanged."""

    key: str
    zh: str
    en: str
    old: str
    new: str
    pieces: tuple[Piece, ...]
    places: int


def sections(old: Mapping[str, str], new: Mapping[str, str]) -> list[Section]:
    """Every section that has text in one of the two."""
    found = []
    for key, zh, en, _ in SECTIONS:
        before, after = str(old.get(key) or "").strip(), str(new.get(key) or "").strip()
        if before or after:
            parts = pieces(before, after)
            found.append(Section(key, zh, en, before, after, parts, places(parts)))
    return found


def pieces(old: str, new: str) -> tuple[Piece, ...]:
    """The new text with what went and what came; joined without what went it is the new text, without what came the old."""
    return tuple(_joined(_differences(old, new)))


def places(parts: tuple[Piece, ...]) -> int:
    """How many stretches differ; what went and what came in its place are one."""
    return sum(1 for changed, _ in groupby(p.kind != "same" for p in parts) if changed)


def _differences(old: str, new: str) -> Iterator[Piece]:
    a, b = SENTENCE.findall(old), SENTENCE.findall(new)
    for tag, i, j, k, m in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if tag == "equal":
            yield Piece("same", "".join(a[i:j]))
        else:
            yield from _within("".join(a[i:j]), "".join(b[k:m]))


def _within(old: str, new: str) -> Iterator[Piece]:
    a, b = SIGN.findall(old), SIGN.findall(new)
    match = SequenceMatcher(None, a, b, autojunk=False)
    if match.ratio() < 0.4:  # another sentence: letters that happen to be alike say nothing
        yield from (Piece("del", old), Piece("ins", new))
        return
    codes = match.get_opcodes()
    for place, (tag, i, j, k, m) in enumerate(codes):
        inside = 0 < place < len(codes) - 1
        if tag == "equal" and not (inside and j - i <= SHORT and not STOP & set(a[i:j])):
            yield Piece("same", "".join(a[i:j]))
        else:
            yield Piece("del", "".join(a[i:j]))
            yield Piece("ins", "".join(b[k:m]))


def _joined(parts: Iterator[Piece]) -> Iterator[Piece]:
    """Neighbours of one kind as one; in a stretch that differs what went stands before what came."""
    for changed, group in groupby((p for p in parts if p.text), key=lambda p: p.kind != "same"):
        run = list(group)
        kinds: tuple[Kind, ...] = ("del", "ins") if changed else ("same",)
        for kind in kinds:
            text = "".join(p.text for p in run if p.kind == kind)
            if text:
                yield Piece(kind, text)
