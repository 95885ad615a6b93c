"""Reads a section of a report as findings: what, in which organ, on which side, and whether it is there. Pure, no model.

A sentence is cut into parts at commas and conjunctions; a part without a finding belongs to its neighbour. A denial reaches to the
end of its part, and over the following parts that only go on with the list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tasks.quality import lexicon

SENTENCE = re.compile(r"[。；;！!？?\n]|(?<=[A-Za-z0-9)])\.(?=\s|$)")
PART = re.compile(
    r"[，,：:]|(?<=[\u4e00-\u9fff])(?:及|并|伴|而|但|且)(?!发|行|列|存)|\b(?:and|but|while|whereas|with|however)\b",
    re.IGNORECASE,
)
ANY_LESION = re.compile("|".join(p.pattern for p in lexicon.LESIONS.values()), re.IGNORECASE)
LIST = re.compile(r"、|\bor\b|/")


@dataclass(frozen=True)
class Mention:
    """One finding of a text. `organs` and `sides` (L, R) may be empty; both sides for a bilateral one."""

    lesion: str
    organs: frozenset[str]
    sides: frozenset[str]
    denied: bool
    qualified: bool
    text: str


def mentions(text: str) -> list[Mention]:
    """Every finding of a section, in its order."""
    return [m for sentence in SENTENCE.split(text) if sentence.strip() for m in _sentence(sentence)]


def affirmed(word: str, text: str) -> bool:
    """Whether some part of the text has the word without denying it before; a Latin word begins one."""
    begins = re.compile((r"\b" if word.isascii() else "") + re.escape(word), re.IGNORECASE)
    for part in re.split(r"[，。；！？,;!?\n]|\.(?=\s|$)", text):
        for found in begins.finditer(part):
            if not lexicon.BEFORE.search(part[: found.start()]):
                return True
    return False


def _sentence(sentence: str) -> Iterator[Mention]:
    running, place = False, _Place()
    for part in _parts(sentence):
        plain = lexicon.NO_SIDE.sub(" ", part)
        denials = [m.start() for m in lexicon.BEFORE.finditer(plain)]
        if running and (lexicon.AGAIN.search(plain) or _sides(plain)) and not denials:
            running = False
        place = place.moved(_organs(plain), _sides(plain))
        qualified = bool(lexicon.QUALIFIED.search(plain))
        for lesion, where in _lesions(plain):
            before = running or any(at < where.start() for at in denials)
            after = lexicon.AFTER.search(plain, where.end()) is not None
            yield Mention(lesion, place.organs, place.sides, before or after, qualified, part.strip())
        running = running or bool(denials and ANY_LESION.search(plain, denials[-1]))


@dataclass(frozen=True)
class _Place:
    """Where a sentence is at: a part that names no organ or side of its own speaks of the last one."""

    organs: frozenset[str] = frozenset()
    sides: frozenset[str] = frozenset()

    def moved(self, organs: frozenset[str], sides: frozenset[str]) -> _Place:
        if organs and sides:
            return _Place(organs, sides)
        if sides:
            return _Place(self.organs, sides)
        if organs:  # another organ is on no known side
            return _Place(organs, self.sides if organs & self.organs else frozenset())
        return self


def _parts(sentence: str) -> list[str]:
    """The parts of a sentence, each with a finding or a denial; what has neither goes to its neighbour."""
    merged: list[str] = []
    held = ""
    for piece in PART.split(sentence):
        whole = f"{held} {piece}" if held else piece
        if ANY_LESION.search(piece) or lexicon.BEFORE.search(piece):
            merged.append(whole)
            held = ""
        elif lexicon.CALM.search(piece):
            held = ""
        elif merged and not _sides(piece):
            merged[-1] += f" {piece}"
        else:
            held = whole
    if held and merged and not _sides(merged[-1]):
        merged[-1] += f" {held}"
    return merged or ([held] if held else [])


def _lesions(part: str) -> list[tuple[str, re.Match[str]]]:
    """The findings of a part. A word that only describes another one is not counted beside it: a nodular density is a nodule."""
    found = [(name, m) for name, pattern in lexicon.LESIONS.items() if (m := pattern.search(part))]
    names = {name for name, _ in found}
    if names & {"nodule", "mass", "calcification", "low", "high"}:
        found = [
            (name, m)
            for name, m in found
            if name != "opacity" or not re.fullmatch(r"densit\w+", m.group().strip(), re.IGNORECASE)
        ]
    return found


def _organs(part: str) -> frozenset[str]:
    return frozenset(name for name, pattern in lexicon.ORGANS.items() if pattern.search(part))


def _sides(part: str) -> frozenset[str]:
    if lexicon.BOTH.search(part):
        return frozenset("LR")
    return frozenset(side for side, pattern in (("L", lexicon.LEFT), ("R", lexicon.RIGHT)) if pattern.search(part))
