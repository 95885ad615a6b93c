"""A worker process of the kill test: runs until idle, killing itself at the crash point named on the command line.

Arguments: database URL, crash point, after how many passes, file the outside effects are appended to.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from engine import Call, Effect, Engine, Operation, Signature, SystemClock, Type, Worker, connect
from engine.db import arm
from engine.values import Json

SIGNATURES = {
    f"t.{effect.value}": Signature(f"t.{effect.value}", effect, result={"ok": Type.BOOLEAN}) for effect in Effect
}


def main(url: str, point: str, after: int, effects: Path) -> None:
    """Run to the crash or to the end."""

    def outside(call: Call) -> Mapping[str, Json]:
        with effects.open("a") as file:
            file.write(f"{call.job_id}\n")
            os.fsync(file.fileno())
        return {"ok": True}

    def local(call: Call) -> Mapping[str, Json]:
        call.session.execute(sa.text("insert into effect (job) values (:job)"), {"job": str(call.job_id)})
        return {"ok": True}

    db = connect(url)
    engine = Engine(db, SIGNATURES, SystemClock())
    operations = {i: Operation(s, local if s.effect is Effect.LOCAL else outside) for i, s in SIGNATURES.items()}
    worker = Worker(engine, operations, name=str(os.getpid()), lease=timedelta(0))
    if point != "none":
        arm(point, after)
    worker.run_until_idle()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]))
