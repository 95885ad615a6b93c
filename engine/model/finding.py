"""What lint says: one finding is one thing at one place, under a rule id that never changes its meaning."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from difflib import SequenceMatcher
from typing import Protocol

from engine.errors import LianyiError


@dataclass(frozen=True, order=True)
class Finding:
    """`severity` is error (never released) or warning. Lines count from 1; `element` is a BPMN id or empty."""

    file: str
    line: int
    element: str
    rule: str
    severity: str
    message: str
    advice: str

    def as_dict(self) -> dict[str, str | int]:
        """The JSON object of the command line and the editor."""
        return asdict(self)


class Placed(Protocol):
    """Anything of a model that has an id and a line."""

    @property
    def id(self) -> str: ...
    @property
    def line(self) -> int: ...


@dataclass(frozen=True)
class Rule:
    """A rule: its stable id, the message and what to do about it, both with places for words."""

    id: str
    message: str
    advice: str
    severity: str = "error"

    def at(self, file: str, place: Placed | None = None, line: int | None = None, **words: object) -> Finding:
        """The finding of this rule at a place."""
        found = (place.line if place else 1) if line is None else line
        text, advice = self.message.format(**words), self.advice.format(**words)
        return Finding(file, found, place.id if place else "", self.id, self.severity, text, advice)


def choice(wrong: str, known: Iterable[str]) -> str:
    """The words there are instead of a wrong one, for an advice: the likest first."""
    by_likeness = sorted(known, key=lambda word: (-SequenceMatcher(None, wrong, word).ratio(), word))
    return ", ".join(by_likeness) or "none"


class LintRefused(LianyiError):
    """The model has errors and is not released."""

    code = "lint_refused"
    status = 422
    advice = "Correct every finding of severity error; each names file, line, element and what to do."

    def __init__(self, findings: list[Finding]) -> None:
        self.findings = findings
        errors = [one for one in findings if one.severity == "error"]
        super().__init__(
            "; ".join(f"{one.file}:{one.line} {one.element}: {one.message} {one.advice}" for one in errors[:5])
        )
