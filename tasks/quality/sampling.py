"""Which reports are scored, and which of them twice: fixed shares, and a draw that anybody can repeat. Pure rules."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

YEAR = timedelta(days=365)
SECOND = 10
"""Per cent of the scored reports that get a blind second score: enough to know how far two scorers agree."""
NEW_AUTHOR = 30
"""The first reports of an author are all scored."""
GOOD_AVERAGE, FEW_RETURNS = 80.0, 0.05
"""Points an author's reports should reach on average, and the share that may come back."""


@dataclass(frozen=True)
class Reading:
    """What the draw asks of a report: its case, its marks, and its author's record so far.

    `first_year` says that the hub has taken consultations for less than a year; `hints` counts unresolved ones; `average` is
    None before the author's first score; `returned` is a share from 0 to 1.
    """

    kind: str
    urgency: str
    critical: bool
    hints: int
    first_year: bool
    reports: int
    average: float | None
    returned: float


def share(reading: Reading) -> tuple[int, str]:
    """Per cent of such reports that are scored, and the reason: the strictest rule that applies."""
    return max(_rules(reading), key=lambda found: found[0])


def _rules(r: Reading) -> Iterator[tuple[int, str]]:
    if r.critical or r.urgency == "E":
        yield 100, "urgent"
    if r.hints:
        yield 100, "hints"
    if r.kind == "RC":
        yield (100, "first_year") if r.first_year else (20, "consultation")
    if r.reports < NEW_AUTHOR:
        yield 100, "new_author"
    if (r.average is not None and r.average < GOOD_AVERAGE) or r.returned > FEW_RETURNS:
        yield 30, "weak_author"
    yield 3, "routine"


def drawn(case: UUID, purpose: str, percent: int) -> bool:
    """Whether this case is among the given per cent: by the hash of its id, so that asking again answers the same.

    Different purposes draw independently of each other.
    """
    place = int.from_bytes(hashlib.sha256(f"{purpose}:{case}".encode()).digest()[:8], "big")
    return place % 10_000 < percent * 100
