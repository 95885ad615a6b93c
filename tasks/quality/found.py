"""What was found so far, as the gates and the pages read it. No permission is checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tasks.quality.models import QualityCheck, ReportHint, ReportScore
from tasks.worklist.service import Worklist


def checks(session: Session, case_id: UUID) -> list[QualityCheck]:
    """The newest pre-QC report."""
    newest = select(func.max(QualityCheck.round)).where(QualityCheck.case_id == case_id).scalar_subquery()
    query = select(QualityCheck).where(QualityCheck.case_id == case_id, QualityCheck.round == newest)
    return list(session.scalars(query.order_by(QualityCheck.place)))


IDENTIFYING = frozenset({"Q01", "Q02", "Q04", "Q06", "Q07"})
"""Rules whose values tell who the patient is."""


@dataclass(frozen=True)
class Shown:
    """A row of the pre-QC report as one reader may see it."""

    rule: str
    severity: str
    row: Mapping[str, Any]


def shown(rows: Iterable[QualityCheck], *, named: bool) -> list[Shown]:
    """The rows; what they compare is left out where it is the patient's name, number or birth and the reader may not know it."""
    hidden = {"here": "", "there": ""}
    return [
        Shown(c.rule, c.severity, c.row if named or c.rule not in IDENTIFYING else {**c.row, **hidden}) for c in rows
    ]


def hints(session: Session, worklist: Worklist, case_id: UUID) -> list[ReportHint]:
    """The hints on the newest draft."""
    drafts = worklist.submissions(session, case_id, "report")
    if not drafts:
        return []
    return list(session.scalars(select(ReportHint).where(ReportHint.submission_id == drafts[-1].id)))


def scores(session: Session, case_id: UUID) -> list[ReportScore]:
    """Every scoring by round, the blind second one after the first."""
    query = select(ReportScore).where(ReportScore.case_id == case_id)
    return list(session.scalars(query.order_by(ReportScore.round, ReportScore.place)))


def round_of(session: Session, case_id: UUID) -> int:
    """The last round that was scored; 0 before the first."""
    return int(session.scalar(select(func.max(ReportScore.round)).where(ReportScore.case_id == case_id)) or 0)
