"""One case in trouble, a lock that does not come, clocks that disagree: the others go on and nothing is done twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from toys import Toy, release, rows, status

from engine import (
    Busy,
    Call,
    Database,
    Effect,
    Engine,
    Operation,
    Permanent,
    Signature,
    Stale,
    TestClock,
    Tx,
    Type,
    Worker,
    uuid7,
)
from engine import incidents as verbs
from engine.claims import claim
from engine.runner import ModelStuck, Run
from engine.tables import history, incident, instance, job, message, wait

Handler = Callable[[Call], Mapping[str, Any]]

TIMER = """
<bpmn:startEvent id="s"/>
<bpmn:intermediateCatchEvent id="t"><bpmn:timerEventDefinition><bpmn:timeDuration>PT1H</bpmn:timeDuration></bpmn:timerEventDefinition></bpmn:intermediateCatchEvent>
<bpmn:endEvent id="e"/>
s>t
t>e
"""
CATCH = """
<bpmn:message id="m" name="ping"/>
<bpmn:startEvent id="s"/>
<bpmn:intermediateCatchEvent id="c"><bpmn:messageEventDefinition messageRef="m"/></bpmn:intermediateCatchEvent>
<bpmn:endEvent id="e"/>
s>c
c>e
"""
JOB = """
<bpmn:startEvent id="s"/>
<bpmn:serviceTask id="ring"><bpmn:extensionElements><spiffworkflow:serviceTaskOperator id="t.ring" resultVariable="r"><spiffworkflow:parameters><spiffworkflow:parameter id="n" type="text" value="n"/></spiffworkflow:parameters></spiffworkflow:serviceTaskOperator></bpmn:extensionElements></bpmn:serviceTask>
<bpmn:endEvent id="e"/>
s>ring
ring>e
"""


def start(engine: Engine, process: str, key: str) -> UUID:
    with engine.start(process, tenant=uuid7(), business_key=key, data={"n": 1}, key=key, actor="t") as tx:
        return tx.instance_id


def ringing(
    db: Database, clock: TestClock, toy: Toy, effect: Effect, run: Handler, **result: Type
) -> tuple[Engine, Worker]:
    signature = Signature("t.ring", effect, params={"n": Type.NUMBER}, result=result, lane=("n",))
    engine = Engine(db, {"t.ring": signature}, clock)
    release(engine, toy("a", a=JOB))
    return engine, Worker(engine, {"t.ring": Operation(signature, run)}, name="a")


@contextmanager
def broken(db: Database, one: UUID) -> Iterator[None]:
    """The stored state of an instance, unreadable for a while."""
    kept = next(row.state for row in rows(db, instance) if row.id == one)
    for state in (b"[", kept):
        with db.transaction() as session:
            session.execute(sa.update(instance).where(instance.c.id == one).values(state=state))
        if state != kept:
            yield


@pytest.mark.parametrize("model", ["timer", "catch"])
def test_a_case_that_cannot_go_on_stops_no_other(db: Database, clock: TestClock, toy: Toy, model: str) -> None:
    engine = Engine(db, {}, clock)
    release(engine, toy(model, **{model: {"timer": TIMER, "catch": CATCH}[model]}))
    bad, good = start(engine, model, "bad"), start(engine, model, "good")
    clock.advance(timedelta(hours=2))
    for key in ("bad", "good"):
        engine.deliver("ping", key, {}, key=key, actor="t")
    with broken(db, bad):
        Worker(engine, {}, name="w").run_until_idle()
        assert status(db, good) == "completed"
        (found,) = rows(db, incident)
        assert (found.kind, found.code, found.instance_id) == ("instance", "state_unreadable", bad)
    Worker(engine, {}, name="w").run_until_idle()
    assert status(db, bad) == "running"
    verbs.retry(engine, found.id, actor="op", reason="the right version runs again")
    Worker(engine, {}, name="w").run_until_idle()
    assert status(db, bad) == "completed"


@pytest.mark.parametrize("effect", list(Effect))
def test_a_lock_that_does_not_come_repeats_no_effect(
    db: Database, clock: TestClock, toy: Toy, effect: Effect, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Call] = []
    busy: list[int] = []

    def run(call: Call) -> Mapping[str, Any]:
        calls.append(call)
        busy.extend([0] * 3 if effect is not Effect.LOCAL else [])
        return {}

    engine, worker = ringing(db, clock, toy, effect, run)
    one = start(engine, "a", "k")
    begin = engine.begin

    def begin_when_free(instance_id: UUID, key: str, *, actor: str) -> Any:
        if busy:
            busy.pop()
            raise Busy()
        return begin(instance_id, key, actor=actor)

    busy.extend([0] * 3 if effect is Effect.LOCAL else [])
    monkeypatch.setattr(engine, "begin", begin_when_free)
    worker.run_until_idle()
    assert (len(calls), status(db, one), rows(db, incident)) == (1, "completed", [])


@pytest.mark.parametrize("effect", [Effect.IDEMPOTENT, Effect.QUERY, Effect.ONCE])
def test_a_result_the_model_cannot_take_is_kept_and_not_asked_for_again(
    db: Database, clock: TestClock, toy: Toy, effect: Effect, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Call] = []

    def run(call: Call) -> Mapping[str, Any]:
        calls.append(call)
        return {"sid": "SM1"}

    def stuck(self: Run, task_id: UUID, result: Any) -> bool:
        raise ModelStuck("no way on")

    engine, worker = ringing(db, clock, toy, effect, run, sid=Type.TEXT)
    one = start(engine, "a", "k")
    with monkeypatch.context() as patch:
        patch.setattr(Run, "complete_job", stuck)
        for _ in range(3):
            worker.run_until_idle()
            clock.advance(timedelta(hours=2))
    (found,) = rows(db, incident)
    assert (len(calls), found.kind, found.code) == (1, "job", "model_stuck")
    assert rows(db, job)[0].result == {"sid": "SM1"}
    verbs.resolve(engine, found.id, actor="op", reason="the model is mended", result={"sid": "SM1"})
    assert status(db, one) == "completed"


@pytest.mark.parametrize("effect", [Effect.IDEMPOTENT, Effect.QUERY, Effect.ONCE])
def test_a_worker_whose_clock_runs_ahead_takes_a_living_lease_and_nothing_happens_twice(
    db: Database, clock: TestClock, toy: Toy, effect: Effect
) -> None:
    ahead = TestClock(clock.now() + timedelta(minutes=10))
    calls: list[tuple[UUID, int]] = []

    def run(call: Call) -> Mapping[str, Any]:
        calls.append((call.job_id, call.attempt))
        if call.attempt == 1:
            other.run_until_idle()
        return {"attempt": call.attempt}

    engine, worker = ringing(db, clock, toy, effect, run, attempt=Type.NUMBER)
    other = Worker(Engine(db, engine.signatures, ahead), worker.operations, name="b")
    one = start(engine, "a", "k")
    worker.run_until_idle()
    late = [row for row in rows(db, history) if row.kind == "job.late"]
    assert len(late) == 1
    assert '"attempt":1' in late[0].data
    if effect is Effect.ONCE:
        assert len(calls) == 1
        assert [(row.kind, row.state) for row in rows(db, incident)] == [("unknown_outcome", "open")]
        assert status(db, one) == "running"
    else:
        assert calls == [(calls[0][0], 1), (calls[0][0], 2)]  # the same key, so that the peer knows it
        assert rows(db, job)[0].result == {"attempt": 2}
        assert status(db, one) == "completed"


def test_a_lane_is_never_in_two_hands(db: Database, clock: TestClock, toy: Toy) -> None:
    engine, _ = ringing(db, clock, toy, Effect.IDEMPOTENT, lambda _: {})
    for key in ("first", "second"):
        start(engine, "a", key)
    first, second = sorted(rows(db, job), key=lambda row: str(row.position))
    with db.transaction() as session:  # what was written later came into sight first, and is being done
        session.execute(sa.update(job).where(job.c.id == second.id).values(state="leased"))
    assert claim(db, "a", clock.now(), timedelta(minutes=5)) is None
    with db.transaction() as session:
        session.execute(sa.update(job).where(job.c.id == second.id).values(state="done"))
    found = claim(db, "a", clock.now(), timedelta(minutes=5))
    assert found is not None
    assert found.id == first.id


def test_two_hands_reaching_for_one_lane_get_one_job(db: Database, clock: TestClock, toy: Toy) -> None:
    if db.dialect == "sqlite":
        pytest.skip("SQLite has one writer: two claims never overlap")
    engine, _ = ringing(db, clock, toy, Effect.IDEMPOTENT, lambda _: {})
    start(engine, "a", "first")
    lane = sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended("t.ring:1", 0)))
    with db.transaction() as other:
        other.execute(lane)
        assert claim(db, "a", clock.now(), timedelta(minutes=5)) is None
    assert claim(db, "a", clock.now(), timedelta(minutes=5)) is not None


def test_a_message_nobody_waited_for_is_in_the_history(db: Database, clock: TestClock) -> None:
    engine = Engine(db, {}, clock)
    engine.deliver("ping", "nobody", {}, key="k", actor="t")
    clock.advance(engine.ttl)
    Worker(engine, {}, name="w").run_until_idle()
    assert [row.state for row in rows(db, message)] == ["expired"]
    assert [row.kind for row in rows(db, history)] == ["message.expired"]
    assert rows(db, wait) == []


def test_a_lease_renewed_in_time_is_not_taken_back(db: Database, clock: TestClock, toy: Toy) -> None:
    """Between the look and the lock of the one who takes back, its worker renewed the lease."""
    engine, worker = ringing(db, clock, toy, Effect.ONCE, lambda _: {})
    start(engine, "a", "k")
    held = claim(db, "a", clock.now(), timedelta(minutes=5))
    assert held is not None
    seen = rows(db, job)[0]
    clock.advance(timedelta(minutes=6))
    worker._renew(held)
    assert not worker._take_back(seen, clock.now())
    assert rows(db, job)[0].state == "leased"


def test_the_block_of_a_command_is_one_transaction(db: Database, clock: TestClock, toy: Toy) -> None:
    engine, _ = ringing(db, clock, toy, Effect.ONCE, lambda _: {})

    def act(tx: Tx) -> None:
        tx.note("seen", {})
        tx.publish("ping", "x", {})
        raise KeyError("the caller fails")

    one = start(engine, "a", "k")
    before = len(rows(db, history))
    with pytest.raises(KeyError), engine.begin(one, "c", actor="t") as tx:
        act(tx)
    assert (len(rows(db, history)), rows(db, message)) == (before, [])


def test_two_people_who_say_different_things_of_one_incident_are_not_both_told_it_was_done(
    db: Database, clock: TestClock, toy: Toy
) -> None:
    def run(_: Call) -> Mapping[str, Any]:
        raise Permanent("no")

    engine, worker = ringing(db, clock, toy, Effect.IDEMPOTENT, run)
    one = start(engine, "a", "k")
    worker.run_until_idle()
    (found,) = rows(db, incident)
    for _ in range(2):  # a double click is heard once
        verbs.resolve(engine, found.id, actor="ann", reason="it went out", result={})
    with pytest.raises(Stale):
        verbs.retry(engine, found.id, actor="bob", reason="it did not")
    with pytest.raises(Stale):
        verbs.resolve(engine, found.id, actor="bob", reason="it went out", result={})
    assert status(db, one) == "completed"
