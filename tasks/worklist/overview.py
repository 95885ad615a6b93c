"""Every open task of the cases a coordinator sees: what it is, since when, until when, whose it is. No patient's name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.tables import wait
from tasks.worklist.models import Claim


@dataclass(frozen=True)
class OpenStep:
    """One open task of a case."""

    instance_id: UUID
    task_id: UUID
    name: str
    name_en: str
    form: str
    role: str
    due: datetime | None
    since: datetime
    person: UUID | None
    claimed_by: UUID | None


def steps(session: Session, instances: Sequence[UUID]) -> list[OpenStep]:
    """Open tasks of these instances, the most overdue first."""
    query = (
        select(wait, Claim.account_id)
        .outerjoin(Claim, Claim.task_id == wait.c.task_id)
        .where(wait.c.kind == "user", wait.c.instance_id.in_(instances))
    )
    found = [
        OpenStep(
            r.instance_id, r.task_id, r.name or r.node, r.name_en or r.node, r.form or "", r.role or "", r.due, r.created_at, r.person,
            r.account_id,
        )
        for r in session.execute(query)
    ]  # fmt: skip
    return sorted(found, key=lambda s: (s.due is None, s.due or s.since))
