"""Do two names mean the same person? Chinese characters, pinyin with its heteronyms, and Latin spellings in any order."""

from __future__ import annotations

import itertools
import re
import unicodedata
from typing import Literal

from pypinyin import Style, pinyin

Likeness = Literal["same", "similar", "different"]
READINGS = 64
"""Combinations of readings looked at; a name of four characters with two readings each has sixteen."""


def likeness(a: str, b: str) -> Likeness:
    """same: equal characters, or characters and one of their readings. similar: same sound, other characters, or initials only."""
    left, right = _forms(a), _forms(b)
    if left["hanzi"] and right["hanzi"]:
        if left["hanzi"] == right["hanzi"]:
            return "same"
        return "similar" if _readings(left["hanzi"]) & _readings(right["hanzi"]) else "different"
    if left["latin"] and right["latin"] and not (left["hanzi"] or right["hanzi"]):
        return _latin(left["latin"], right["latin"])
    hanzi, latin = (left["hanzi"], right["latin"]) if left["hanzi"] else (right["hanzi"], left["latin"])
    if not hanzi or not latin:
        return "different"
    tokens = "".join(sorted(_tokens(latin)))
    spoken = _readings(hanzi)
    if any(tokens == "".join(sorted(reading)) or "".join(_tokens(latin)) in _orders(reading) for reading in spoken):
        return "same"
    initials = {"".join(sorted(part[0] for part in reading)) for reading in spoken}
    return "similar" if "".join(sorted(t[0] for t in _tokens(latin))) in initials and _short(latin) else "different"


def _forms(name: str) -> dict[str, str]:
    text = unicodedata.normalize("NFKC", name)
    hanzi = "".join(re.findall(r"[\u3400-\u9fff\U00020000-\U0003ffff]", text))
    latin = " ".join(re.findall(r"[^\W\d_\u3400-\u9fff\U00020000-\U0003ffff]+", text.split("=")[0]))
    return {"hanzi": hanzi, "latin": latin.lower().strip()}


def _readings(hanzi: str) -> set[tuple[str, ...]]:
    options = [sorted({_plain(r) for r in found}) for found in pinyin(hanzi, style=Style.NORMAL, heteronym=True)]
    return set(itertools.islice(itertools.product(*options), READINGS))


def _plain(reading: str) -> str:
    return reading.replace("ü", "u").replace("v", "u")


def _tokens(latin: str) -> list[str]:
    return [_plain(unicodedata.normalize("NFKD", t).encode("ascii", "ignore").decode() or t) for t in latin.split()]


def _orders(reading: tuple[str, ...]) -> set[str]:
    return {"".join(reading), "".join((*reading[1:], reading[0]))}


def _latin(a: str, b: str) -> Likeness:
    left, right = "".join(_tokens(a)), "".join(_tokens(b))
    if left == right or sorted(_tokens(a)) == sorted(_tokens(b)):
        return "same"
    return "similar" if sorted(left) == sorted(right) else "different"


def _short(latin: str) -> bool:
    return any(len(t) == 1 for t in _tokens(latin))
