"""A full disk: what could not be written did not happen, nothing else is harmed, and it goes on when there is room."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from toys import Toy, complete, nodes, release, ringing, rows, service, sigs, start, status

from engine import Call, Database, Effect, Engine, Operation, Signature, TestClock, Type, Worker
from engine.history import verify
from engine.tables import incident, job

BODY = f"""
<bpmn:startEvent id="s"/>
<bpmn:userTask id="u"/>
{service("ring", "t.ring", n="note")}
<bpmn:endEvent id="e"/>
s>u
u>ring
ring>e
"""


BIG = "x" * 20_000
"""More than what is left of the last page."""


@pytest.fixture
def limit(db: Database) -> Iterator[Callable[[bool], None]]:
    """Says whether the disk is full from now on."""
    if db.dialect != "sqlite":
        pytest.skip("a full disk is played by SQLite's limit of pages; PostgreSQL has none")
    most = {"pages": 1_000_000}
    sa.event.listen(db.sql, "checkout", lambda raw, *_: raw.execute(f"PRAGMA max_page_count={most['pages']}").close())

    def set_to(full: bool) -> None:
        with db.sql.connect() as connection:
            used = int(connection.exec_driver_sql("PRAGMA page_count").scalar_one())
        most["pages"] = used if full else 1_000_000

    yield set_to
    set_to(False)


def test_a_command_that_could_not_be_written_did_not_happen(
    db: Database, clock: TestClock, toy: Toy, limit: Callable[[bool], None]
) -> None:
    engine, worker, _ = ringing(db, clock)
    release(engine, toy("a", a=BODY))
    case = start(engine, "a")
    limit(True)
    with pytest.raises(OperationalError, match="full"):
        complete(engine, case, "u", {"note": BIG}, key="handed in")
    assert nodes(db, case) == ["u"]
    limit(False)
    complete(engine, case, "u", {"note": BIG}, key="handed in")
    worker.run_until_idle()
    assert status(db, case) == "completed"
    with db.read() as session:
        assert verify(session) == []


@pytest.mark.parametrize("effect", [Effect.IDEMPOTENT, Effect.ONCE])
def test_a_result_that_could_not_be_written_is_not_forgotten(
    db: Database, clock: TestClock, toy: Toy, limit: Callable[[bool], None], effect: Effect
) -> None:
    """The effect is out in the world: an idempotent one is had again under its key, the other becomes a person's question."""
    signature = Signature("t.ring", effect, {"n": Type.ANY}, {"n": Type.TEXT})
    engine, calls = Engine(db, sigs(signature), clock), []

    def run(call: Call) -> Mapping[str, Any]:
        calls.append(call.job_id)
        return {"n": BIG}

    worker = Worker(engine, {"t.ring": Operation(signature, run)}, name="w")
    release(engine, toy("a", a=BODY))
    case = start(engine, "a")
    complete(engine, case, "u")
    limit(True)
    with pytest.raises(OperationalError, match="full"):
        worker.run_until_idle()
    assert calls
    limit(False)
    clock.advance(worker.lease * 2)
    worker.run_until_idle()
    if effect is Effect.ONCE:
        assert len(calls) == 1
        assert [(row.kind, row.state) for row in rows(db, incident)] == [("unknown_outcome", "open")]
    else:
        assert len(calls) == 2
        assert set(calls) == {rows(db, job)[0].id}
        assert status(db, case) == "completed"
