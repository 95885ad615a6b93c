"""Due timers: found on the `wait` index, fired by a command of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

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
            .where(wait.c.kind == "timer", wait.c.due <= now)
            .order_by(wait.c.due)
            .limit(BATCH)
        ).all()
    fired = False
    for instance_id, row in {row.instance_id: row for row in due}.items():
        with engine.begin(instance_id, f"timer:{row.id}:{row.due.isoformat()}", actor="clock") as tx:
            if not tx.repeated and tx.timers():
                fired = True
    return fired
