"""What the scorings of a report said, for those who go on working on it: never whose they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from tasks.quality import found
from tasks.quality.citations import Cited, cited
from tasks.worklist.service import Worklist


@dataclass(frozen=True)
class Judged:
    """One scoring as its reader gets it; place 1 counts, 2 is the blind second one. It knows no scorer."""

    round: int
    place: int
    total: int
    grade: str
    failed: bool
    veto: bool
    scores: Mapping[str, int]
    cited: list[Cited]
    image: int | None
    errors: tuple[str, ...]
    comment: str
    at: datetime


@dataclass(frozen=True)
class Ruled:
    """What one person decided where two scorers lay apart or the rounds were used up."""

    decision: str
    reason: str
    at: datetime


def judged(session: Session, worklist: Worklist, case_id: UUID) -> list[Judged]:
    """Every scoring by round and place."""
    forms = {s.id: s.data for s in worklist.submissions(session, case_id, "score")}
    told = []
    for row in found.scores(session, case_id):
        form = forms.get(row.submission_id, {})
        told.append(
            Judged(
                row.round, row.place, row.total, row.grade, row.failed, row.veto, row.scores, cited(str(form.get("citation") or "")),
                form.get("cited_image"), tuple(form.get("errors") or ()), str(form.get("comment") or ""), row.created_at,
            )
        )  # fmt: skip
    return told


def ruled(session: Session, worklist: Worklist, case_id: UUID) -> list[Ruled]:
    """Every ruling, in order."""
    handed_in = worklist.submissions(session, case_id, "arbitrate")
    return [Ruled(str(s.data.get("decision")), str(s.data.get("reason") or ""), s.submitted_at) for s in handed_in]
