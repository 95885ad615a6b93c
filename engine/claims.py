"""Taking a job from the queue: which may run now, and whose it is then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, exists, func, or_, select, update
from sqlalchemy.orm import Session

from engine.db import Database
from engine.ids import uuid7
from engine.operations import Effect
from engine.tables import job
from engine.values import Json


@dataclass(frozen=True)
class Claimed:
    """A job in one worker's hands."""

    id: UUID
    instance_id: UUID
    task_id: UUID
    tenant: UUID
    business_key: str
    operation: str
    effect: Effect
    attempt: int
    args: Mapping[str, Json]
    token: str


def claim(db: Database, owner: str, now: datetime, lease: timedelta) -> Claimed | None:
    """Lease the next job that may run; the attempt is counted here, before anything is tried."""
    with db.transaction() as session:
        row = session.execute(_next(now)).first()
        if row is None or not _alone(session, row, now):
            return None
        held = {"state": "leased", "attempt": row.attempt + 1, "owner": owner, "lease_until": now + lease}
        session.execute(update(job).where(job.c.id == row.id).values(**held))
    return Claimed(
        row.id,
        row.instance_id,
        row.task_id,
        row.tenant,
        row.business_key,
        row.operation,
        Effect(row.effect),
        row.attempt + 1,
        row.args,
        uuid7().hex,
    )


def _next(now: datetime) -> Any:
    """The next job that may run: due, the first unfinished one of its lane, and none of the lane in anybody's hands."""
    other = job.alias("other")
    blocked = exists().where(
        other.c.lane == job.c.lane,
        other.c.id != job.c.id,
        or_(
            and_(other.c.position < job.c.position, other.c.state.not_in(("done", "cancelled"))),
            other.c.state.in_(("leased", "sent")),
        ),
    )
    return (
        select(job)
        .where(job.c.state == "ready", job.c.run_at <= now, or_(job.c.lane.is_(None), ~blocked))
        .order_by(job.c.run_at, job.c.position)
        .limit(1)
        .with_for_update(skip_locked=True, of=job)
    )


def _alone(session: Session, row: Any, now: datetime) -> bool:
    """Whether nobody takes another job of the same lane at this moment (SQLite has one writer anyhow)."""
    if row.lane is None or session.get_bind().dialect.name != "postgresql":
        return True
    lane = func.hashtextextended(row.lane, 0)
    if not session.execute(select(func.pg_try_advisory_xact_lock(lane))).scalar_one():
        return False
    return session.execute(_next(now).where(job.c.id == row.id)).first() is not None
