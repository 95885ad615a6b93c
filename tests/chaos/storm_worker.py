"""A process of the storm: a worker that carries out jobs, or a web process that completes tasks; killed at any moment.

Arguments: role (worker or web), database URL, folder of the outside world. There `effects` gets a line `effect job` for every
effect that reached the peer, `accepted` one for every command a person was told had been accepted, `up` the process id of everybody who has begun to work.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from engine import Busy, Call, Effect, Engine, LianyiError, Operation, Signature, SystemClock, Type, Worker, connect
from engine.db import Database
from engine.tables import wait
from engine.values import Json

SIGNATURES = {
    f"t.{effect.value}": Signature(f"t.{effect.value}", effect, {"n": Type.NUMBER}, {"ok": Type.BOOLEAN}, lane=("n",))
    for effect in Effect
}
LEASE = timedelta(seconds=1)


def say(path: Path, line: str) -> None:
    """Append a line that outlives this process."""
    with path.open("a") as file:
        file.write(line + "\n")
        file.flush()


def operations(world: Path) -> dict[str, Operation]:
    """One operation of each effect class; the peer of the idempotent and the asked one knows the job's key."""

    def happen(call: Call, effect: Effect) -> Mapping[str, Json]:
        say(world / "effects", f"{effect.value} {call.job_id}")
        return {"ok": True}

    def local(call: Call) -> Mapping[str, Json]:
        call.session.execute(sa.text("insert into effect (job) values (:job)"), {"job": str(call.job_id)})
        return {"ok": True}

    def ask(call: Call) -> Mapping[str, Json] | None:
        return {"ok": True} if f"query {call.job_id}" in (world / "effects").read_text().splitlines() else None

    made = {Effect.LOCAL: Operation(SIGNATURES["t.local"], local)}
    for effect in (Effect.IDEMPOTENT, Effect.QUERY, Effect.ONCE):
        signature = SIGNATURES[f"t.{effect.value}"]
        made[effect] = Operation(
            signature, lambda call, e=effect: happen(call, e), ask if effect is Effect.QUERY else None
        )
    return {one.signature.id: one for one in made.values()}


def worker(db: Database, world: Path) -> None:
    """Work for ever."""
    engine = Engine(db, SIGNATURES, SystemClock())
    Worker(engine, operations(world), name=f"w{os.getpid()}", lease=LEASE).run_forever(threading.Event())


def web(db: Database, world: Path) -> None:
    """Complete every task there is, for ever, each under the key of its form, twice at times as a double click does."""
    engine = Engine(db, SIGNATURES, SystemClock())
    pause = threading.Event()
    while True:
        try:
            with db.read() as session:
                tasks = session.execute(
                    sa.select(wait.c.instance_id, wait.c.task_id).where(wait.c.kind == "user")
                ).all()
            for row in tasks:
                for _ in range(2):
                    with engine.begin(row.instance_id, f"task:{row.task_id}", actor="web") as tx:
                        if not tx.repeated:
                            tx.complete(row.task_id, {})
                    say(world / "accepted", f"{row.instance_id} task:{row.task_id}")
        except (Busy, LianyiError, sa.exc.DBAPIError):
            pass
        pause.wait(0.05)


if __name__ == "__main__":
    say(Path(sys.argv[3]) / "up", str(os.getpid()))
    {"worker": worker, "web": web}[sys.argv[1]](connect(sys.argv[2]), Path(sys.argv[3]))
