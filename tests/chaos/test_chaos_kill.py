"""kill -9 at every arrow of the transaction: nothing lost, local effects exactly once, once-effects never twice."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from engine import Bundle, Database, Effect, Engine, Signature, SystemClock, Type, uuid7
from engine.db import CRASH_POINTS
from engine.history import verify
from engine.tables import incident, instance, job

HERE = Path(__file__).parent
FAST = ["effected", "before_commit"]
SLOW = [point for point in CRASH_POINTS if point not in FAST]
POINTS = [*FAST, *(pytest.param(point, marks=pytest.mark.slow) for point in SLOW)]


def _service(node: str, operation: str) -> str:
    return (
        f'<bpmn:serviceTask id="{node}"><bpmn:extensionElements><spiffworkflow:serviceTaskOperator id="{operation}" '
        f'resultVariable="{node}"/></bpmn:extensionElements></bpmn:serviceTask>'
    )


def _body() -> str:
    kinds = [effect.value for effect in Effect]
    flow = "\n".join(f"{a}>{b}" for a, b in zip(["s", *kinds], [*kinds, "e"], strict=True))
    services = "\n".join(_service(kind, f"t.{kind}") for kind in kinds)
    return f'<bpmn:startEvent id="s"/>\n{services}\n<bpmn:endEvent id="e"/>\n{flow}'


def _child(url: str, point: str, after: int, effects: Path) -> int:
    command = [sys.executable, str(HERE / "chaos_worker.py"), url, point, str(after), str(effects)]
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent.parent)}
    return subprocess.run(command, check=False, env=environment, timeout=60).returncode


def test_every_arrow_has_its_name_and_every_name_its_arrow() -> None:
    source = "".join(path.read_text() for path in (HERE.parent.parent / "engine").glob("*.py"))
    assert set(re.findall(r'crash_point\("(\w+)"\)', source)) == set(CRASH_POINTS)


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_every_arrow(
    db: Database, db_url: str, toy: Callable[..., Bundle], tmp_path: Path, point: str
) -> None:
    signatures = {
        f"t.{effect.value}": Signature(f"t.{effect.value}", effect, result={"ok": Type.BOOLEAN}) for effect in Effect
    }
    engine = Engine(db, signatures, SystemClock())
    with db.transaction() as session:
        session.execute(sa.text("create table effect (job text)"))
    with db.transaction() as session:
        engine.definitions.release(session, toy("all", all=_body()), actor="t", at=engine.clock.now())
    with engine.start("all", tenant=uuid7(), business_key="c", data={}, key="k", actor="t") as tx:
        one = tx.instance_id
    effects = tmp_path / "effects"
    effects.touch()
    killed = 0
    for after in (1, 2, 3, 5):
        code = _child(db_url, point, after, effects)
        killed += code == -signal.SIGKILL
        assert code in (0, -signal.SIGKILL)
    assert killed >= 1
    assert _child(db_url, "none", 1, effects) == 0
    _check(db, one, effects)


def _check(db: Database, one: object, effects: Path) -> None:
    outside = Counter(effects.read_text().split())
    with db.read() as session:
        jobs = {row.operation: row for row in session.execute(sa.select(job))}
        local = Counter(session.execute(sa.text("select job from effect")).scalars())
        open_incidents = session.execute(sa.select(incident.c.kind)).scalars().all()
        state = session.execute(sa.select(instance.c.status).where(instance.c.id == one)).scalar_one()
        assert verify(session) == []
    assert all(count == 1 for count in local.values())
    once = jobs.get("t.once")
    if once is not None:
        assert outside[str(once.id)] <= 1
    if open_incidents:
        assert open_incidents == ["unknown_outcome"]
        assert once is not None
        assert once.state == "incident"
    else:
        assert state == "completed"
        assert set(local) == {str(jobs["t.local"].id)}
        assert {row.state for row in jobs.values()} == {"done"}
