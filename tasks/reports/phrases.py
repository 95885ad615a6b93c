"""Sentences a report often needs: a list of the house's own, kept as data in `phrases.json`, offered by section, modality and part."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True)
class Phrase:
    """One sentence; empty `modality` or `part`: for all of them."""

    section: str
    modality: tuple[str, ...]
    part: tuple[str, ...]
    zh: str
    en: str


@cache
def every() -> tuple[Phrase, ...]:
    """The whole list, in the order of the file."""
    text = resources.files("tasks.reports").joinpath("phrases.json").read_text("utf-8")
    rows = json.loads(text)
    return tuple(Phrase(r["section"], tuple(r["modality"]), tuple(r["part"]), r["zh"], r["en"]) for r in rows)


def fitting(modality: str, part: str) -> list[Phrase]:
    """The sentences that suit an examination, those made for it before the general ones."""
    fits = [p for p in every() if _suits(p.modality, modality) and _suits(p.part, part)]
    return sorted(fits, key=lambda p: -(bool(p.part) + bool(p.modality)))


def _suits(wanted: tuple[str, ...], value: str) -> bool:
    return not wanted or value in wanted
