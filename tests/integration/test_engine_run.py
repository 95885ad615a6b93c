"""Commands on toy models, on both databases."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from engine import (
    Bundle,
    Busy,
    Call,
    Database,
    Effect,
    Engine,
    LintRefused,
    NotFound,
    Operation,
    Signature,
    TestClock,
    Type,
    Worker,
    uuid7,
)
from engine import incidents as incident_verbs
from engine.history import verify
from engine.operations import BpmnError, NotDone, Permanent
from engine.results import ResultMismatch
from engine.tables import command_log, definition, history, incident, instance, job, message, wait

Toy = Callable[..., Bundle]
TENANT = uuid7()

EXT = "<bpmn:extensionElements><spiffworkflow:properties>{}</spiffworkflow:properties>{}</bpmn:extensionElements>"


def prop(name: str, value: str) -> str:
    return f'<spiffworkflow:property name="{name}" value="{value}"/>'


def user(node: str, **given: str) -> str:
    return f'<bpmn:userTask id="{node}">{EXT.format("".join(prop(k, v) for k, v in given.items()), "")}</bpmn:userTask>'


def service(node: str, operation: str, result: str = "r", **args: str) -> str:
    rows = "".join(f'<spiffworkflow:parameter id="{k}" type="text" value="{v}"/>' for k, v in args.items())
    call = (
        f'<spiffworkflow:serviceTaskOperator id="{operation}" resultVariable="{result}">'
        f"<spiffworkflow:parameters>{rows}</spiffworkflow:parameters></spiffworkflow:serviceTaskOperator>"
    )
    return f'<bpmn:serviceTask id="{node}">{EXT.format("", call)}</bpmn:serviceTask>'


def sigs(*given: Signature) -> dict[str, Signature]:
    return {one.id: one for one in given}


def start(
    engine: Engine, process: str, data: Mapping[str, Any] | None = None, *, bk: str = "case-1", key: str = "k"
) -> UUID:
    with engine.start(process, tenant=TENANT, business_key=bk, data=data or {}, key=key, actor="t") as tx:
        return tx.instance_id


def release(engine: Engine, bundle: Bundle) -> None:
    """Release a toy without the check, which would ask for drawings and names."""
    with engine.db.transaction() as session:
        engine.definitions.release(session, bundle, actor="t", at=engine.clock.now())


def waits(db: Database, instance_id: UUID | None = None) -> list[Any]:
    with db.read() as session:
        rows = session.execute(sa.select(wait).order_by(wait.c.id)).all()
    return [row for row in rows if instance_id in (None, row.instance_id)]


def nodes(db: Database, instance_id: UUID | None = None) -> list[str]:
    return sorted(row.node for row in waits(db, instance_id))


def status(db: Database, instance_id: UUID) -> str:
    with db.read() as session:
        return str(session.execute(sa.select(instance.c.status).where(instance.c.id == instance_id)).scalar_one())


def rows(db: Database, table: Any) -> list[Any]:
    with db.read() as session:
        return list(session.execute(sa.select(table).order_by(*table.primary_key.columns)).all())


def complete(
    engine: Engine, instance_id: UUID, node: str, data: Mapping[str, Any] | None = None, key: str = ""
) -> None:
    task = next(row.task_id for row in waits(engine.db, instance_id) if row.node == node and row.kind == "user")
    with engine.begin(instance_id, key or str(uuid7()), actor="t") as tx:
        tx.complete(task, data or {})


LOOP = """
<bpmn:startEvent id="s"/>
<bpmn:exclusiveGateway id="m"/>
<bpmn:scriptTask id="inc"><bpmn:script>case.n = case.n + 1</bpmn:script></bpmn:scriptTask>
<bpmn:userTask id="u"/>
<bpmn:exclusiveGateway id="x"/>
<bpmn:endEvent id="e"/>
s>m
m>inc
inc>u
u>x
x>m?again
x>e*
"""


def test_loop_costs_the_same_for_ever(db: Database, clock: TestClock, toy: Toy) -> None:
    engine = Engine(db, {}, clock)
    release(engine, toy("loop", loop=LOOP))
    one = start(engine, "loop", {"case": {"n": 0}})
    sizes = []
    for i in range(60):
        complete(engine, one, "u", {"again": i < 59})
        with db.read() as session:
            sizes.append(len(session.execute(sa.select(instance.c.state)).scalar_one()))
    assert max(sizes[1:-1]) - min(sizes[1:-1]) < 16
    assert status(db, one) == "completed"
    assert waits(db) == []
    with db.read() as session:
        assert verify(session) == []


def test_wait_row_holds_what_the_inbox_needs(db: Database, clock: TestClock, toy: Toy) -> None:
    scope, person = uuid7(), uuid7()
    given = {
        "form": "apply",
        "role": "&quot;expert&quot;",
        "scope": "case.to",
        "person": "case.applicant",
        "due": "PT15M",
        "reauth": "true",
        "name_en": "Apply",
    }
    body = f'<bpmn:startEvent id="s"/>\n{user("u", **given)}\n<bpmn:endEvent id="e"/>\ns>u\nu>e'
    engine = Engine(db, {}, clock)
    release(engine, toy("a", a=body))
    start(engine, "a", {"case": {"to": str(scope), "applicant": str(person)}})
    (row,) = waits(db)
    assert (row.kind, row.form, row.role, row.scope, row.person) == ("user", "apply", "expert", scope, person)
    assert row.due == clock.now() + timedelta(minutes=15)
    assert row.reauth is True
    assert row.name_en == "Apply"


def test_a_repeated_key_gets_the_first_answer(db: Database, clock: TestClock, toy: Toy) -> None:
    engine = Engine(db, {}, clock)
    release(engine, toy("loop", loop=LOOP))
    one = start(engine, "loop", {"case": {"n": 0}})
    assert start(engine, "loop", {"case": {"n": 0}}) == one
    (row,) = waits(db)
    for _ in range(2):
        with engine.begin(one, "twice", actor="t") as tx:
            if not tx.repeated:
                tx.complete(row.task_id, {"again": True})
                tx.reply({"round": 2})
        assert tx.answer == {"round": 2}
    with pytest.raises(NotFound), engine.begin(one, "late", actor="t") as tx:
        tx.complete(row.task_id, {})
    assert len([r for r in rows(db, command_log) if r.key in ("twice", "late")]) == 1


def test_two_hundred_completes_at_once_apply_once(db: Database, clock: TestClock, toy: Toy) -> None:
    engine = Engine(db, {}, clock)
    release(engine, toy("loop", loop=LOOP))
    one = start(engine, "loop", {"case": {"n": 0}})
    (row,) = waits(db)
    outcomes: list[str] = []

    def act(number: int) -> None:
        try:
            with engine.begin(one, f"c{number}", actor="t") as tx:
                tx.complete(row.task_id, {"again": True})
            outcomes.append("done")
        except NotFound:
            outcomes.append("gone")
        except Busy:
            outcomes.append("busy")

    threads = [threading.Thread(target=act, args=(i,)) for i in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["done"] + ["gone"] * 11


def test_instances_do_not_touch_each_other(db: Database, clock: TestClock, toy: Toy) -> None:
    engine = Engine(db, {}, clock)
    release(engine, toy("loop", loop=LOOP))
    a = start(engine, "loop", {"case": {"n": 0}}, key="a")
    b = start(engine, "loop", {"case": {"n": 100}}, key="b", bk="case-2")
    for _ in range(3):
        complete(engine, a, "u", {"again": True})
    assert [row.instance_id for row in waits(db)].count(b) == 1
    with db.read() as session:
        revs = dict(session.execute(sa.select(instance.c.id, instance.c.rev)).all())
    assert revs == {a: 4, b: 1}


STOP = """
<bpmn:message id="m_stop" name="case.stop"><bpmn:extensionElements><spiffworkflow:messageVariable>stop</spiffworkflow:messageVariable></bpmn:extensionElements></bpmn:message>
<bpmn:startEvent id="s"/>
<bpmn:subProcess id="act"><bpmn:startEvent id="is"/><bpmn:userTask id="u1"/><bpmn:callActivity id="call" calledElement="inner"/><bpmn:userTask id="u3"/><bpmn:endEvent id="ie"/><bpmn:sequenceFlow id="i1" sourceRef="is" targetRef="u1"/><bpmn:sequenceFlow id="i2" sourceRef="u1" targetRef="call"/><bpmn:sequenceFlow id="i3" sourceRef="call" targetRef="u3"/><bpmn:sequenceFlow id="i4" sourceRef="u3" targetRef="ie"/></bpmn:subProcess>
<bpmn:boundaryEvent id="b" attachedToRef="act"><bpmn:messageEventDefinition messageRef="m_stop"/></bpmn:boundaryEvent>
<bpmn:userTask id="after"/>
<bpmn:userTask id="closing"/>
<bpmn:endEvent id="e"/>
<bpmn:endEvent id="be"/>
s>act
act>after
after>e
b>closing
closing>be
"""
INNER = """
<bpmn:ioSpecification><bpmn:dataInput id="i" name="case"/><bpmn:dataOutput id="o" name="out"/></bpmn:ioSpecification>
<bpmn:startEvent id="s"/>
<bpmn:userTask id="u2"/>
<bpmn:scriptTask id="set"><bpmn:script>out = case.n + 1&#10;secret = 5</bpmn:script></bpmn:scriptTask>
<bpmn:endEvent id="e"/>
s>u2
u2>set
set>e
"""


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_withdrawal_clears_every_step(db: Database, clock: TestClock, toy: Toy, steps: int) -> None:
    engine = Engine(db, {}, clock)
    release(engine, toy("case", case=STOP, inner=INNER))
    one = start(engine, "case", {"case": {"n": 1}})
    for node in ["u1", "u2"][:steps]:
        complete(engine, one, node)
    assert nodes(db) == sorted(["b", ["u1", "u2", "u3"][steps]])
    with engine.begin(one, "stop", actor="t") as tx:
        assert tx.message("case.stop", {"reason": "withdrawn"})
    assert nodes(db) == ["closing"]
    complete(engine, one, "closing")
    assert status(db, one) == "completed"


def test_call_data_crosses_only_as_declared(db: Database, clock: TestClock, toy: Toy) -> None:
    engine = Engine(db, {}, clock)
    release(engine, toy("case", case=STOP, inner=INNER))
    one = start(engine, "case", {"case": {"n": 1}, "private": 7})
    complete(engine, one, "u1")
    complete(engine, one, "u2")
    compiled = engine.definitions
    with db.read() as session:
        from engine import state
        from engine.spiff import Context

        row = session.execute(sa.select(instance)).one()
        flow = state.load(row.state, compiled.compiled(session, row.definition_id).specs, Context(clock.now(), "x"))
    data = next(t.data for f in flow.subprocesses.values() for t in f.tasks.values() if t.task_spec.name == "u3")
    assert data == {"case": {"n": 1}, "private": 7, "out": 2}


SELF = STOP.replace(
    '<bpmn:userTask id="u1"/>',
    '<bpmn:intermediateThrowEvent id="u1"><bpmn:messageEventDefinition messageRef="m_stop"/></bpmn:intermediateThrowEvent>',
).replace(
    "<spiffworkflow:messageVariable>",
    "<spiffworkflow:messagePayload>{reason: &quot;expired&quot;}</spiffworkflow:messagePayload><spiffworkflow:messageVariable>",
)


def test_a_thrown_message_first_reaches_its_own_instance(db: Database, clock: TestClock, toy: Toy) -> None:
    engine = Engine(db, {}, clock)
    release(engine, toy("case", case=SELF, inner=INNER))
    one = start(engine, "case", {"case": {"n": 1}})
    assert nodes(db, one) == ["closing"]
    assert rows(db, message) == []


THROW = """
<bpmn:message id="m" name="ping"><bpmn:extensionElements><spiffworkflow:messagePayload>{n: case.n}</spiffworkflow:messagePayload></bpmn:extensionElements></bpmn:message>
<bpmn:startEvent id="s"/>
<bpmn:intermediateThrowEvent id="t"><bpmn:messageEventDefinition messageRef="m"/></bpmn:intermediateThrowEvent>
<bpmn:endEvent id="e"/>
s>t
t>e
"""
CATCH = """
<bpmn:message id="m" name="ping"><bpmn:extensionElements><spiffworkflow:messageVariable>got</spiffworkflow:messageVariable></bpmn:extensionElements></bpmn:message>
<bpmn:startEvent id="s"/>
<bpmn:intermediateCatchEvent id="c"><bpmn:messageEventDefinition messageRef="m"/></bpmn:intermediateCatchEvent>
<bpmn:exclusiveGateway id="x"/>
<bpmn:userTask id="u"/>
<bpmn:endEvent id="e"/>
s>c
c>x
x>u?got.n = 3
x>e*
u>e
"""


@pytest.mark.parametrize("first", ["throw", "catch"])
def test_messages_wait_for_their_receiver_and_receivers_for_them(
    db: Database, clock: TestClock, toy: Toy, first: str
) -> None:
    engine = Engine(db, {}, clock)
    release(engine, toy("throw", throw=THROW))
    release(engine, toy("catch", catch=CATCH))
    worker = Worker(engine, {}, name="w")
    for name in [first, {"throw": "catch", "catch": "throw"}[first]]:
        start(engine, name, {"case": {"n": 3}}, key=name)
        worker.run_until_idle()
    assert nodes(db) == ["u"]
    engine.deliver("ping", "nobody", {}, key="d", actor="t")
    engine.deliver("ping", "nobody", {}, key="d", actor="t")
    clock.advance(timedelta(days=15))
    worker.run_until_idle()
    assert [r.state for r in rows(db, message)] == ["delivered", "expired"]


def timer_model(kind: str, text: str, cancel: bool) -> str:
    return f"""
<bpmn:startEvent id="s"/>
<bpmn:userTask id="u"/>
<bpmn:boundaryEvent id="b" attachedToRef="u" cancelActivity="{str(cancel).lower()}"><bpmn:timerEventDefinition><bpmn:{kind}>{text}</bpmn:{kind}></bpmn:timerEventDefinition></bpmn:boundaryEvent>
{service("ring", "t.ring")}
<bpmn:endEvent id="e"/>
<bpmn:endEvent id="be"/>
s>u
u>e
b>ring
ring>be
"""


def ringing(db: Database, clock: TestClock, effect: Effect = Effect.IDEMPOTENT) -> tuple[Engine, Worker, list[Call]]:
    calls: list[Call] = []
    signature = Signature("t.ring", effect, result={"n": Type.NUMBER})
    engine = Engine(db, sigs(signature), clock)

    def run(call: Call) -> dict[str, Any]:
        calls.append(call)
        return {"n": len(calls)}

    return engine, Worker(engine, {"t.ring": Operation(signature, run)}, name="w"), calls


def test_cycle_reminds_until_the_task_is_done(
    db: Database, clock: TestClock, toy: Toy, advance: Callable[..., datetime]
) -> None:
    engine, worker, calls = ringing(db, clock)
    release(engine, toy("a", a=timer_model("timeCycle", "R3/PT10M", False)))
    one = start(engine, "a")
    for minutes, expected in ((5, 0), (5, 1), (5, 1), (5, 2), (10, 3), (10, 3)):
        worker.run_until_idle()
        advance(minutes=minutes)
        worker.run_until_idle()
        assert len(calls) == expected
    assert "u" in nodes(db)
    complete(engine, one, "u")
    worker.run_until_idle()
    assert status(db, one) == "completed"
    assert waits(db) == []


def test_deadline_interrupts(db: Database, clock: TestClock, toy: Toy, advance: Callable[..., datetime]) -> None:
    engine, worker, calls = ringing(db, clock)
    release(engine, toy("a", a=timer_model("timeDuration", "PT10M", True)))
    one = start(engine, "a")
    advance(minutes=9, seconds=59)
    assert worker.run_until_idle() == 0
    advance(seconds=1)
    worker.run_until_idle()
    assert len(calls) == 1
    assert status(db, one) == "completed"


ONE_JOB = f"""
<bpmn:startEvent id="s"/>
{service("ring", "t.ring", n="case.n")}
<bpmn:endEvent id="e"/>
s>ring
ring>e
"""


def test_a_failing_job_is_retried_and_then_waits_for_a_person(db: Database, clock: TestClock, toy: Toy) -> None:
    signature = Signature("t.ring", Effect.QUERY, result={"n": Type.NUMBER})
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
    signature = Signature("t.ring", Effect.ONCE)
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
    signature = Signature("t.ring", Effect.ONCE)
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
    signature = Signature("t.ring", Effect.IDEMPOTENT)
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
    signature = Signature("t.ring", Effect.IDEMPOTENT, result={"by": Type.TEXT})
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
    signature = Signature("t.ring", Effect.LOCAL)
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
    signature = Signature("t.ring", Effect.LOCAL, errors=frozenset({"full", "other"}))
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
    signature = Signature("t.ring", Effect.IDEMPOTENT)
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
    signature = Signature("t.ring", effect, result={"n": Type.NUMBER})
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


GATE = """
<bpmn:startEvent id="s"/>
<bpmn:exclusiveGateway id="x"/>
<bpmn:userTask id="yes"/>
<bpmn:userTask id="no"/>
<bpmn:endEvent id="e"/>
s>x
x>yes?case.ok
x>no*
yes>e
no>e
"""


def test_a_condition_without_answer_is_an_incident_with_its_inputs(db: Database, clock: TestClock, toy: Toy) -> None:
    engine = Engine(db, {}, clock)
    release(engine, toy("g", g=GATE))
    start(engine, "g", {"case": {"ok": "perhaps"}})
    assert waits(db) == []
    (found,) = rows(db, incident)
    assert found.code == "condition_not_boolean"
    assert found.detail["inputs"] == {"case": {"ok": "perhaps"}}
    incident_verbs.retry(engine, found.id, actor="op", reason="typed wrongly", data={"case": {"ok": True}})
    assert nodes(db) == ["yes"]


def test_a_model_that_never_waits_is_stopped(
    db: Database, clock: TestClock, toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.runner.STEP_LIMIT", 3000)
    body = LOOP.replace('<bpmn:userTask id="u"/>', '<bpmn:task id="u"/>')
    engine = Engine(db, {}, clock)
    release(engine, toy("loop", loop=body))
    start(engine, "loop", {"case": {"n": 0}, "again": True})
    assert [r.code for r in rows(db, incident)] == ["step_limit"]


PARALLEL = """
<bpmn:startEvent id="s"/>
<bpmn:exclusiveGateway id="m"/>
<bpmn:parallelGateway id="p"/>
<bpmn:userTask id="a"/>
<bpmn:userTask id="b"/>
<bpmn:parallelGateway id="j"/>
<bpmn:userTask id="u"/>
<bpmn:exclusiveGateway id="x"/>
<bpmn:endEvent id="e"/>
s>m
m>p
p>a
p>b
a>j
b>j
j>u
u>x
x>m?again
x>e*
"""


def test_joined_tokens_keep_each_others_changes(db: Database, clock: TestClock, toy: Toy) -> None:
    engine = Engine(db, {}, clock)
    release(engine, toy("p", p=PARALLEL))
    one = start(engine, "p", {"v": {"a": 0, "b": 0}})
    for i in range(1, 8):
        complete(engine, one, "a" if i % 2 else "b", {"v": {"a": i, "b": 0}})
        complete(engine, one, "b" if i % 2 else "a", {"w": i})
        complete(engine, one, "u", {"again": i < 7, "seen": i})
        assert len(waits(db)) == (2 if i < 7 else 0)
    assert status(db, one) == "completed"


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


def test_lanes_run_in_order(db: Database, clock: TestClock, toy: Toy) -> None:
    signature = Signature("t.ring", Effect.IDEMPOTENT, lane=("n",))
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


EVENTS = """
<bpmn:message id="m" name="ping"/>
<bpmn:startEvent id="s"/>
<bpmn:eventBasedGateway id="g"/>
<bpmn:intermediateCatchEvent id="c"><bpmn:messageEventDefinition messageRef="m"/></bpmn:intermediateCatchEvent>
<bpmn:intermediateCatchEvent id="t1"><bpmn:timerEventDefinition><bpmn:timeDuration>PT1H</bpmn:timeDuration></bpmn:timerEventDefinition></bpmn:intermediateCatchEvent>
<bpmn:intermediateCatchEvent id="t2"><bpmn:timerEventDefinition><bpmn:timeDuration>PT10M</bpmn:timeDuration></bpmn:timerEventDefinition></bpmn:intermediateCatchEvent>
<bpmn:userTask id="uc"/>
<bpmn:userTask id="u1"/>
<bpmn:userTask id="u2"/>
<bpmn:endEvent id="e"/>
s>g
g>c
g>t1
g>t2
c>uc
t1>u1
t2>u2
uc>e
u1>e
u2>e
"""


@pytest.mark.parametrize(("minutes", "left"), [(0, "uc"), (11, "u2")])
def test_the_first_event_wins(db: Database, clock: TestClock, toy: Toy, minutes: int, left: str) -> None:
    engine = Engine(db, {}, clock)
    release(engine, toy("g", g=EVENTS))
    one = start(engine, "g")
    assert sorted(r.kind for r in waits(db)) == ["message", "timer"]
    clock.advance(timedelta(minutes=minutes))
    Worker(engine, {}, name="w").run_until_idle()
    if not minutes:
        with engine.begin(one, "m", actor="t") as tx:
            assert tx.message("ping", {})
    assert nodes(db) == [left]
    complete(engine, one, left)
    assert status(db, one) == "completed"


def multi(sequential: bool) -> str:
    return f"""
<bpmn:startEvent id="s"/>
<bpmn:userTask id="u"><bpmn:multiInstanceLoopCharacteristics isSequential="{str(sequential).lower()}"><bpmn:loopDataInputRef>experts</bpmn:loopDataInputRef><bpmn:loopDataOutputRef>answers</bpmn:loopDataOutputRef><bpmn:inputDataItem id="expert" name="expert"/><bpmn:outputDataItem id="answer" name="answer"/></bpmn:multiInstanceLoopCharacteristics></bpmn:userTask>
<bpmn:exclusiveGateway id="x"/>
<bpmn:userTask id="all"/>
<bpmn:endEvent id="e"/>
s>u
u>x
x>all?count(answers) = 3
x>e*
all>e
"""


@pytest.mark.parametrize("sequential", [False, True])
def test_multi_instance(db: Database, clock: TestClock, toy: Toy, sequential: bool) -> None:
    engine = Engine(db, {}, clock)
    release(engine, toy("m", m=multi(sequential)))
    one = start(engine, "m", {"experts": ["a", "b", "c"]})
    assert nodes(db) == (["u"] if sequential else ["u", "u", "u"])
    for i in range(3):
        complete(engine, one, "u", {"answer": i})
    assert nodes(db) == ["all"]


def test_release_is_refused_by_the_check_and_idempotent(db: Database, clock: TestClock, toy: Toy) -> None:
    engine = Engine(db, {}, clock)
    with pytest.raises(LintRefused) as refused:
        engine.release(toy("loop", loop=LOOP), actor="t")
    assert refused.value.status == 422
    release(engine, toy("loop", loop=LOOP))
    release(engine, toy("loop", loop=LOOP))
    assert [row.version for row in rows(db, definition)] == [1]


@pytest.mark.parametrize("inside", [True, False])
def test_a_timer_without_instant_waits_for_a_person(db: Database, clock: TestClock, toy: Toy, inside: bool) -> None:
    body = timer_model("timeDate", "case.deadline", True)
    if inside:
        body = body.replace("s>u", '<bpmn:userTask id="first"/>\ns>first\nfirst>u')
    engine, worker, calls = ringing(db, clock)
    release(engine, toy("a", a=body))
    one = start(engine, "a", {"case": {"deadline": None}})
    if inside:
        complete(engine, one, "first")
    (found,) = rows(db, incident)
    assert (found.code, found.node) == ("timer_value", "b")
    assert nodes(db) == ["u"]
    at = {"@": "dt", "v": (clock.now() + timedelta(hours=1)).isoformat()}
    incident_verbs.retry(engine, found.id, actor="op", reason="agreed by phone", data={"case": {"deadline": at}})
    assert nodes(db) == ["b", "u"]
    clock.advance(timedelta(hours=1))
    worker.run_until_idle()
    assert len(calls) == 1
    assert status(db, one) == "completed"
