"""Messages between instances and from outside: stored first, delivered to whoever waits now or within their time."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from engine import incidents
from engine.history import PLATFORM, record
from engine.ids import uuid7
from engine.tables import instance, message, wait
from engine.values import Json

if TYPE_CHECKING:
    from engine.api import Engine


BATCH = 50


def store(
    session: Session,
    name: str,
    correlation: str,
    payload: Json,
    *,
    key: str,
    actor: str,
    now: datetime,
    ttl: timedelta,
    tenant: UUID | None = None,
) -> None:
    """Keep a message until it is delivered or `ttl` has passed; a key seen before changes nothing."""
    if tenant is None:
        owner = select(instance.c.tenant).where(instance.c.business_key == correlation).limit(1)
        tenant = session.execute(owner).scalar() or PLATFORM
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    session.execute(
        dialect.insert(message)
        .values(
            id=uuid7(),
            tenant=tenant,
            name=name,
            correlation=correlation,
            payload=payload,
            key=key,
            actor=actor,
            state="new",
            created_at=now,
            expires_at=now + ttl,
        )
        .on_conflict_do_nothing(index_elements=["key"])
    )


def relay(engine: Engine) -> bool:
    """Deliver the oldest message somebody waits for, and let expired ones go; False when there was nothing to do."""
    now = engine.clock.now()
    with engine.db.read() as session:
        found = session.execute(
            select(message.c.id, wait.c.instance_id, wait.c.id.label("wait_id"))
            .join(wait, and_(wait.c.message == message.c.name, wait.c.correlation == message.c.correlation))
            .where(wait.c.kind == "message", message.c.state == "new", message.c.expires_at > now)
            .where(~incidents.left_alone(wait.c.instance_id))
            .order_by(message.c.id, wait.c.id)
            .limit(BATCH)
        ).all()
        late = session.execute(select(message.c.id).where(*_expired(now)).limit(1)).first()
    if late is not None:
        _let_go(engine, now)
    tries = (incidents.guarded(engine, row.instance_id, "message", partial(_deliver, engine, row)) for row in found)
    return any(tries) or late is not None


def _expired(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return message.c.state == "new", message.c.expires_at <= now


def _let_go(engine: Engine, now: datetime) -> None:
    """Nobody waited for these in their time; the history of the sender's hospital says so."""
    with engine.db.transaction() as session:
        rows = session.execute(select(message).where(*_expired(now)).limit(BATCH).with_for_update(skip_locked=True))
        for row in rows.all():
            session.execute(update(message).where(message.c.id == row.id).values(state="expired"))
            data = {"name": row.name, "correlation": row.correlation, "message": str(row.id)}
            record(session, tenant=row.tenant, kind="message.expired", actor="clock", at=now, data=data)


def _deliver(engine: Engine, found: Any) -> bool:
    key = f"message:{found.id}:{found.wait_id}"
    with engine.begin(found.instance_id, key, actor="message") as tx:
        row = tx.session.execute(select(message).where(message.c.id == found.id).with_for_update()).one()
        if tx.repeated or row.state != "new":
            return False
        if not tx.offer(row.name, row.correlation, row.payload):
            return False
        tx.session.execute(
            update(message).where(message.c.id == row.id).values(state="delivered", delivered_to=found.instance_id)
        )
        return True
