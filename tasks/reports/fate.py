"""What became of each signed version of a report: it holds, or the quality control after it sent it back. Pure rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class Version(Protocol):
    """What these rules need of a version."""

    version: int
    signed_at: datetime | None


class Judged(Protocol):
    """What these rules need of a score."""

    round: int
    place: int
    failed: bool
    created_at: datetime


@dataclass(frozen=True)
class Returned:
    """A signed version that does not hold: `by` is the number of the version in its place, None while that is being written;
    `to_rule` while somebody has yet to decide whether it holds."""

    by: int | None
    to_rule: bool = False


def fates(
    versions: Sequence[Version], scores: Sequence[Judged], ruling: tuple[datetime, bool] | None, *, to_rule: bool
) -> Mapping[int, Returned]:
    """The versions that were sent back, by number. Nothing but that control asks again for what is signed, so that a
    signed version with a later one was returned; the newest was, when the last score of its first scorer failed, unless
    somebody decided since (`ruling`: when, and whether it holds) otherwise. `to_rule`: that decision is open."""
    signed = sorted((v for v in versions if v.signed_at is not None), key=lambda v: v.version)
    newest = max((v.version for v in versions), default=0)
    found = {v.version: Returned(v.version + 1) for v in signed if v.version < newest}
    if not signed or signed[-1].version < newest:
        return found
    last = next(
        (s for s in scores if s.place == 1 and s.round == len(signed)), None
    )  # each round scores one signed version
    if last is not None:
        ruled = ruling if ruling is not None and ruling[0] >= last.created_at else None
        if to_rule or (not ruled[1] if ruled else last.failed):
            found[signed[-1].version] = Returned(None, to_rule)
    return found
