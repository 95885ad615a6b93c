"""Messages between instances and from outside: stored first, delivered to whoever waits now or within their time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import and_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from engine.history import PLATFORM
from engine.ids import uuid7
from engine.tables import instance, message, wait
from engine.values import Json

if TYPE_CHECKING:
    from engine.api import Engine


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
            .order_by(message.c.id, wait.c.id)
            .limit(1)
        ).first()
        late = session.execute(
            select(message.c.id).where(message.c.state == "new", message.c.expires_at <= now).limit(1)
        ).first()
    if late is not None:
        with engine.db.transaction() as session:
            expired = message.c.state == "new", message.c.expires_at <= now
            session.execute(update(message).where(*expired).values(state="expired"))
    if found is None:
        return late is not None
    return _deliver(engine, found.id, found.instance_id, found.wait_id) or late is not None


def _deliver(engine: Engine, message_id: UUID, instance_id: UUID, wait_id: UUID) -> bool:
    with engine.begin(instance_id, f"message:{message_id}:{wait_id}", actor="message") as tx:
        row = tx.session.execute(select(message).where(message.c.id == message_id).with_for_update()).one()
        if tx.repeated or row.state != "new":
            return False
        if not tx.offer(row.name, row.correlation, row.payload):
            return False
        tx.session.execute(
            update(message).where(message.c.id == message_id).values(state="delivered", delivered_to=instance_id)
        )
        return True
