"""Due timers: found on the `wait` index, fired by a command of their own."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from engine import incidents
from engine.tables import wait

if TYPE_CHECKING:
    from engine.api import Engine

BATCH = 50


def poll(engine: Engine) -> bool:
    """Fire what is due, at most BATCH instances; False when nothing was."""
    now = engine.clock.now()
    with engine.db.read() as session:
        due = session.execute(
            select(wait.c.id, wait.c.instance_id, wait.c.due)
            .where(wait.c.kind == "timer", wait.c.due <= now, ~incidents.left_alone(wait.c.instance_id))
            .order_by(wait.c.due)
            .limit(BATCH)
        ).all()
    fired = False
    for instance_id, row in {row.instance_id: row for row in due}.items():
        fired = incidents.guarded(engine, instance_id, "clock", partial(_fire, engine, row)) or fired
    return fired


class _TooEarly(Exception):
    """The clock stands before the instant again: nothing happened, and nothing may be remembered of it."""


def _fire(engine: Engine, row: Any) -> bool:
    try:
        with engine.begin(row.instance_id, f"timer:{row.id}:{row.due.isoformat()}", actor="clock") as tx:
            if not tx.repeated and not tx.timers():
                raise _TooEarly
            return not tx.repeated
    except _TooEarly:
        return False
