"""Every open task of the cases a coordinator sees: what it is, since when, until when, whose it is. No patient's name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.tables import wait
from tasks.cases.service import ClinicalCase, visible_cases
from tasks.people.service import Actor
from tasks.worklist.models import Claim

Group = Literal["over", "free", "paused", "rest"]
GROUPS: Final[tuple[Group, ...]] = ("over", "free", "rest", "paused")
"""In the order in which they want somebody."""
SOON: Final = timedelta(hours=1)
MOST: Final = 300


@dataclass(frozen=True)
class OpenStep:
    """One open task of a case."""

    instance_id: UUID
    task_id: UUID
    name: str
    name_en: str
    form: str
    role: str
    scope: UUID | None
    due: datetime | None
    since: datetime
    person: UUID | None
    claimed_by: UUID | None
    paused: bool

    def group(self, at: datetime) -> Group:
        """Overdue, in nobody's hands, waiting for the applying side while the clock stands, or going its way."""
        if self.paused:
            return "paused"
        if self.due is not None and self.due <= at:
            return "over"
        return "rest" if self.person or self.claimed_by else "free"

    def soon(self, at: datetime) -> bool:
        """Whether its time is over within an hour."""
        return not self.paused and self.due is not None and at < self.due <= at + SOON


def steps(session: Session, actor: Actor, at: datetime) -> tuple[list[OpenStep], list[ClinicalCase]]:
    """The most urgent open tasks of the cases the actor sees, at most `MOST`, and those cases."""
    query = (
        select(wait, Claim.account_id, ClinicalCase)
        .join(ClinicalCase, ClinicalCase.instance_id == wait.c.instance_id)
        .outerjoin(Claim, Claim.task_id == wait.c.task_id)
        .where(wait.c.kind == "user", visible_cases(actor, at))
        .order_by(wait.c.due.is_(None), wait.c.due, wait.c.created_at)
        .limit(MOST)
    )
    rows = session.execute(query).all()
    found = [
        OpenStep(
            r.instance_id, r.task_id, r.name or r.node, r.name_en or r.node, r.form or "", r.role or "", r.scope, r.due, r.created_at,
            r.person, r.account_id, r.ClinicalCase.paused_at is not None,
        )
        for r in rows
    ]  # fmt: skip
    return found, list({r.ClinicalCase.id: r.ClinicalCase for r in rows}.values())


def step(session: Session, actor: Actor, task_id: UUID, at: datetime) -> OpenStep | None:
    """One open task of a case the actor may give to somebody else; None otherwise."""
    query = (
        select(wait, Claim.account_id, ClinicalCase.paused_at)
        .join(ClinicalCase, ClinicalCase.instance_id == wait.c.instance_id)
        .outerjoin(Claim, Claim.task_id == wait.c.task_id)
        .where(
            wait.c.kind == "user", wait.c.task_id == task_id, visible_cases(actor, at, kind="case", action="reassign")
        )
    )
    r = session.execute(query).first()
    if r is None:
        return None
    return OpenStep(
        r.instance_id, r.task_id, r.name or r.node, r.name_en or r.node, r.form or "", r.role or "", r.scope, r.due, r.created_at, r.person,
        r.account_id, r.paused_at is not None,
    )  # fmt: skip
