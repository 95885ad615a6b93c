"""What a scorer cites: one sentence a line, perhaps after the dimension it is about, perhaps with a remark behind it. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

LABELS: Final = {
    "描述逻辑性": "logic", "描述规范性": "standard", "描述完整性": "completeness", "诊断逻辑性": "reasoning", "诊断准确性": "accuracy",
    "Descriptive logic": "logic", "Standard language": "standard", "Completeness": "completeness", "Diagnostic logic": "reasoning",
    "Accuracy": "accuracy",
}  # fmt: skip
"""What the form calls the dimensions, in both languages."""
REMARK: Final = re.compile(r"\s*[｜|]\s*")
COLON: Final = re.compile(r"[：:]\s*")


@dataclass(frozen=True)
class Cited:
    """A sentence of the report, the dimension it speaks for (empty: none named), and what the scorer says to it."""

    dimension: str
    words: str
    remark: str


def cited(text: str) -> list[Cited]:
    """The lines of a citation: `dimension: sentence | remark`, the first and the last part only where they are given."""
    found = []
    for line in text.splitlines():
        said, _, remark = _parted(REMARK, line.strip())
        label, _, words = _parted(COLON, said)
        dimension = LABELS.get(label.strip(), "") if words else ""
        whole = words if dimension else said
        if whole.strip():
            found.append(Cited(dimension, whole.strip(), remark.strip()))
    return found


def _parted(sign: re.Pattern[str], text: str) -> tuple[str, str, str]:
    found = sign.search(text)
    return (text, "", "") if found is None else (text[: found.start()], found.group(), text[found.end() :])


def marked(text: str, citations: list[Cited]) -> list[tuple[str, tuple[Cited, ...]]]:
    """The text cut into stretches, each with the citations that name it; joined they are the text."""
    places = sorted({(at, at + len(c.words)) for c in citations if (at := text.find(c.words)) >= 0})
    found: list[tuple[str, tuple[Cited, ...]]] = []
    done = 0
    for start, end in places:
        if start < done:
            continue
        if start > done:
            found.append((text[done:start], ()))
        found.append((text[start:end], tuple(c for c in citations if c.words == text[start:end])))
        done = end
    return [*found, *([(text[done:], ())] if done < len(text) else [])]
