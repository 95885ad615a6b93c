"""What the engine need not remember for ever: answers to commands of cases long ended, messages long delivered.

History, jobs and cases are kept. A key that was forgotten can only be sent again to a case that has ended, which takes no
command; the keys that started cases are kept.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, exists, select, tuple_

from engine.db import Database
from engine.tables import command_log, instance, message

KEPT = timedelta(days=90)
BATCH = 2000


def sweep(db: Database, now: datetime, kept: timedelta = KEPT) -> int:
    """Forget what is older than `kept`, a batch a transaction; the number of rows that went."""
    gone = 0
    for one in (_commands, _messages):
        while (count := one(db, now - kept)) > 0:
            gone += count
    return gone


def _commands(db: Database, before: datetime) -> int:
    ended = exists().where(instance.c.id == command_log.c.instance_id, instance.c.ended_at < before)
    own = command_log.c.scope == command_log.c.instance_id
    old = select(command_log.c.scope, command_log.c.key).where(own, command_log.c.at < before, ended).limit(BATCH)
    key = tuple_(command_log.c.scope, command_log.c.key)
    with db.transaction() as session:
        return int(session.execute(delete(command_log).where(key.in_(old))).rowcount)  # type: ignore[attr-defined]


def _messages(db: Database, before: datetime) -> int:
    """A message may be forgotten once it was delivered or expired, and its key can come no more."""
    old = select(message.c.id).where(message.c.state != "new", message.c.expires_at < before).limit(BATCH)
    with db.transaction() as session:
        return int(session.execute(delete(message).where(message.c.id.in_(old))).rowcount)  # type: ignore[attr-defined]
