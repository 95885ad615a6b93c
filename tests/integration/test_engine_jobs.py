"""Jobs on toy models: tried again, never repeated, taken back, handed over to a person."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from toys import Toy, nodes, release, ringing, rows, service, sigs, start, status, waits

from engine import (
    Call,
    Database,
    Effect,
    Engine,
    Operation,
    Signature,
    TestClock,
    Type,
    Worker,
)
from engine import incidents as incident_verbs
from engine.operations import BpmnError, NotDone, Permanent
from engine.promises import ResultMismatch
from engine.tables import history, incident, job

N = {"n": Type.ANY}
ONE_JOB = f"""
<bpmn:startEvent id="s"/>
{service("ring", "t.ring", n="case.n")}
<bpmn:endEvent id="e"/>
s>ring
ring>e
"""


def test_a_failing_job_is_retried_and_then_waits_for_a_person(db: Database, clock: TestClock, toy: Toy) -> None:
    signature = Signature("t.ring", Effect.QUERY, N, result={"n": Type.NUMBER})
    engine = Engine(db, sigs(signature), clock)
    attempts: list[int] = []

    def run(call: Call) -> dict[str, Any]:
        attempts.append(call.attempt)
        raise OSError("peer is down")

    worker = Worker(engine, {"t.ring": Operation(signature, run)}, name="w")
    release(engine, toy("a", a=ONE_JOB))
    one = start(engine, "a", {"case": {"n": 1}})
    for _ in range(10):
        worker.run_until_idle()
        clock.advance(timedelta(hours=2))
    assert attempts == list(range(1, 9))
    (found,) = rows(db, incident)
    assert (found.kind, found.state) == ("job", "open")
    incident_verbs.retry(engine, found.id, actor="op", reason="peer is back")
    worker.run_until_idle()
    assert attempts[-1] == 9
    for _ in range(10):
        clock.advance(timedelta(hours=2))
        worker.run_until_idle()
    second = rows(db, incident)[1]
    with pytest.raises(ResultMismatch):
        incident_verbs.resolve(engine, second.id, actor="op", reason="done by hand", result={"n": "none"})
    incident_verbs.resolve(engine, second.id, actor="op", reason="done by hand", result={"n": 0})
    assert status(db, one) == "completed"
    assert [r.state for r in rows(db, job)] == ["done"]


def test_once_is_never_repeated(db: Database, clock: TestClock, toy: Toy) -> None:
    signature = Signature("t.ring", Effect.ONCE, N)
    engine = Engine(db, sigs(signature), clock)
    calls: list[Call] = []

    def run(call: Call) -> dict[str, Any]:
        calls.append(call)
        raise TimeoutError

    worker = Worker(engine, {"t.ring": Operation(signature, run)}, name="w")
    release(engine, toy("a", a=ONE_JOB))
    start(engine, "a", {"case": {"n": 1}})
    for _ in range(5):
        worker.run_until_idle()
        clock.advance(timedelta(hours=2))
    assert len(calls) == 1
    assert [r.kind for r in rows(db, incident)] == ["unknown_outcome"]


def test_once_is_tried_again_when_it_surely_did_not_happen(db: Database, clock: TestClock, toy: Toy) -> None:
    signature = Signature("t.ring", Effect.ONCE, N)
    engine = Engine(db, sigs(signature), clock)
    calls: list[Call] = []

    def run(call: Call) -> dict[str, Any]:
        calls.append(call)
        if len(calls) == 1:
            raise NotDone("busy")
        return {}

    worker = Worker(engine, {"t.ring": Operation(signature, run)}, name="w")
    release(engine, toy("a", a=ONE_JOB))
    start(engine, "a", {"case": {"n": 1}})
    worker.run_until_idle()
    assert len(calls) == 1
    clock.advance(timedelta(minutes=1))
    worker.run_until_idle()
    assert len({c.job_id for c in calls}) == 1
    assert len(calls) == 2
    assert rows(db, incident) == []


def test_a_long_handler_keeps_its_lease(db: Database, clock: TestClock, toy: Toy) -> None:
    """The clock passes the lease while the handler works: a second worker must not begin the same job."""
    signature = Signature("t.ring", Effect.IDEMPOTENT, N)
    engine = Engine(db, sigs(signature), clock)
    calls: list[str] = []

    def long(call: Call) -> dict[str, Any]:
        calls.append("first")
        for _ in range(3):
            clock.advance(timedelta(seconds=0.3))
            held = _lease(db)
            deadline = time.monotonic() + 10
            while _lease(db) == held and time.monotonic() < deadline:
                pass
            other.run_once()
        return {}

    first = Worker(engine, {"t.ring": Operation(signature, long)}, name="w1", lease=timedelta(seconds=0.4))
    other = Worker(engine, {"t.ring": Operation(signature, lambda _c: calls.append("other") or {})}, name="w2")
    release(engine, toy("a", a=ONE_JOB))
    start(engine, "a", {"case": {"n": 1}})
    first.run_until_idle()
    assert calls == ["first"]


def _lease(db: Database) -> Any:
    return rows(db, job)[0].lease_until


def test_a_late_worker_changes_nothing(db: Database, clock: TestClock, toy: Toy) -> None:
    signature = Signature("t.ring", Effect.IDEMPOTENT, N, result={"by": Type.TEXT})
    engine = Engine(db, sigs(signature), clock)
    release(engine, toy("a", a=ONE_JOB))
    one = start(engine, "a", {"case": {"n": 1}})
    second = Worker(engine, {"t.ring": Operation(signature, lambda call: {"by": "second"})}, name="second")

    def slow(call: Call) -> dict[str, Any]:
        clock.advance(timedelta(hours=1))
        second.run_until_idle()
        return {"by": "slow"}

    Worker(engine, {"t.ring": Operation(signature, slow)}, name="slow").run_once()
    assert status(db, one) == "completed"
    assert rows(db, job)[0].result == {"by": "second"}
    assert [r.kind for r in rows(db, history)].count("job.late") == 1


def test_local_handler_and_completion_are_one(db: Database, clock: TestClock, toy: Toy) -> None:
    signature = Signature("t.ring", Effect.LOCAL, N)
    engine = Engine(db, sigs(signature), clock)
    with db.transaction() as session:
        session.execute(sa.text("create table own (n integer)"))
    fail = [True]

    def run(call: Call) -> dict[str, Any]:
        call.session.execute(sa.text("insert into own values (1)"))
        if fail:
            fail.pop()
            raise ValueError
        return {}

    worker = Worker(engine, {"t.ring": Operation(signature, run)}, name="w")
    release(engine, toy("a", a=ONE_JOB))
    one = start(engine, "a", {"case": {"n": 1}})
    worker.run_until_idle()
    clock.advance(timedelta(minutes=1))
    worker.run_until_idle()
    assert status(db, one) == "completed"
    with db.read() as session:
        assert session.execute(sa.text("select count(*) from own")).scalar_one() == 1


ERROR = f"""
<bpmn:error id="er" errorCode="full"/>
<bpmn:startEvent id="s"/>
{service("ring", "t.ring")}
<bpmn:boundaryEvent id="b" attachedToRef="ring"><bpmn:errorEventDefinition errorRef="er"/></bpmn:boundaryEvent>
<bpmn:userTask id="u"/>
<bpmn:endEvent id="e"/>
s>ring
ring>e
b>u
u>e
"""


@pytest.mark.parametrize(("code", "left"), [("full", ["u"]), ("other", ["ring"])])
def test_bpmn_errors_reach_their_boundary(db: Database, clock: TestClock, toy: Toy, code: str, left: list[str]) -> None:
    signature = Signature("t.ring", Effect.LOCAL, N, errors=frozenset({"full", "other"}))
    engine = Engine(db, sigs(signature), clock)

    def run(call: Call) -> dict[str, Any]:
        raise BpmnError(code)

    worker = Worker(engine, {"t.ring": Operation(signature, run)}, name="w")
    release(engine, toy("a", a=ERROR))
    start(engine, "a")
    worker.run_until_idle()
    assert [n for n in nodes(db) if n != "b"] == left
    assert [r.code for r in rows(db, incident)] == ([] if code == "full" else ["other"])


def test_permanent_is_an_incident_at_once(db: Database, clock: TestClock, toy: Toy) -> None:
    signature = Signature("t.ring", Effect.IDEMPOTENT, N)
    engine = Engine(db, sigs(signature), clock)

    def run(call: Call) -> dict[str, Any]:
        raise Permanent("no such peer")

    release(engine, toy("a", a=ONE_JOB))
    start(engine, "a", {"case": {"n": 1}})
    Worker(engine, {"t.ring": Operation(signature, run)}, name="w").run_until_idle()
    assert [r.code for r in rows(db, incident)] == ["permanent"]


@pytest.mark.parametrize("effect", list(Effect))
def test_a_result_that_breaks_its_promise_is_an_incident_and_changes_nothing(
    db: Database, clock: TestClock, toy: Toy, effect: Effect
) -> None:
    signature = Signature("t.ring", effect, N, result={"n": Type.NUMBER})
    engine = Engine(db, sigs(signature), clock)
    with db.transaction() as session:
        session.execute(sa.text("create table own (n integer)"))
    tried: list[int] = []

    def run(call: Call) -> dict[str, Any]:
        tried.append(call.attempt)
        if call.tx is not None:
            call.tx.execute(sa.text("insert into own values (1)"))
        return {"n": "seven of a patient"}

    release(engine, toy("a", a=ONE_JOB))
    one = start(engine, "a", {"case": {"n": 1}})
    Worker(engine, {"t.ring": Operation(signature, run)}, name="w").run_until_idle()
    (found,) = rows(db, incident)
    assert found.code == ("unknown_outcome" if effect is Effect.ONCE else "result_mismatch")
    assert found.detail["text"] == "t.ring: n is no number"
    assert (tried, status(db, one)) == ([1], "running")
    with db.read() as session:
        assert session.execute(sa.text("select count(*) from own")).scalar() == 0


def test_lanes_run_in_order(db: Database, clock: TestClock, toy: Toy) -> None:
    signature = Signature("t.ring", Effect.IDEMPOTENT, N, lane=("n",))
    engine = Engine(db, sigs(signature), clock)
    done: list[tuple[str, int]] = []

    def run(call: Call) -> dict[str, Any]:
        if call.business_key == "c0" and call.attempt == 1:
            raise OSError
        done.append((call.business_key, call.attempt))
        return {}

    worker = Worker(engine, {"t.ring": Operation(signature, run)}, name="w")
    release(engine, toy("a", a=ONE_JOB))
    for i, n in enumerate([1, 1, 2]):
        start(engine, "a", {"case": {"n": n}}, bk=f"c{i}", key=f"k{i}")
    worker.run_until_idle()
    assert done == [("c2", 1)]
    clock.advance(timedelta(minutes=1))
    worker.run_until_idle()
    assert done == [("c2", 1), ("c0", 2), ("c1", 1)]


def test_cancel_ends_everything(db: Database, clock: TestClock, toy: Toy) -> None:
    engine, worker, calls = ringing(db, clock)
    release(engine, toy("a", a=ONE_JOB))
    one = start(engine, "a", {"case": {"n": 1}})
    with engine.begin(one, "x", actor="t") as tx:
        tx.cancel("void")
    worker.run_until_idle()
    assert calls == []
    assert status(db, one) == "cancelled"
    assert [r.state for r in rows(db, job)] == ["cancelled"]
    assert waits(db) == []
