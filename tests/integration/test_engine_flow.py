"""How tokens go through toy models: calls, messages, conditions, joins, first events, several instances."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from toys import LOOP, Toy, complete, nodes, release, rows, start, status, waits

from engine import (
    Database,
    Engine,
    TestClock,
    Worker,
)
from engine import incidents as incident_verbs
from engine.tables import history, incident, instance, message

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


REMARK = """
<bpmn:message id="m" name="remark"/>
<bpmn:startEvent id="s"/>
<bpmn:userTask id="u"/>
<bpmn:boundaryEvent id="b" attachedToRef="u" cancelActivity="false"><bpmn:messageEventDefinition messageRef="m"/></bpmn:boundaryEvent>
<bpmn:userTask id="note"/>
<bpmn:endEvent id="e"/>
<bpmn:endEvent id="noted"/>
s>u
u>e
b>note
note>noted
"""


def test_a_message_that_does_not_interrupt_is_caught_every_time(db: Database, clock: TestClock, toy: Toy) -> None:
    engine = Engine(db, {}, clock)
    release(engine, toy("a", a=REMARK))
    one = start(engine, "a")
    for count in range(1, 4):
        with engine.begin(one, f"m{count}", actor="t") as tx:
            assert tx.message("remark", {})
        assert nodes(db) == ["b", *["note"] * count, "u"]
        assert [row.node for row in rows(db, history) if row.kind == "step"].count("b") == count
    for node in ("u", "note", "note", "note"):
        assert status(db, one) == "running"
        complete(engine, one, node)
    assert status(db, one) == "completed"
