"""How much waits for somebody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.tables import wait
from tasks.worklist.models import Claim


def waiting(session: Session, accounts: Sequence[UUID]) -> Mapping[UUID, int]:
    """Open tasks by person: those in his hands, and those named for him that nobody has taken."""
    whose = func.coalesce(Claim.account_id, wait.c.person)
    query = (
        select(whose, func.count())
        .select_from(wait)
        .outerjoin(Claim, Claim.task_id == wait.c.task_id)
        .where(wait.c.kind == "user", whose.in_(accounts))
        .group_by(whose)
    )
    return {UUID(str(who)): int(number) for who, number in session.execute(query)}
