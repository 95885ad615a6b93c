"""By which words messages find their case and jobs their lane."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from toys import Toy, release, rows, service, status

from engine import Database, Effect, Engine, Operation, Signature, TestClock, Type, Worker, messages, uuid7
from engine import incidents as verbs
from engine.tables import incident, message, wait

ASKING = """
<bpmn:message id="m" name="answer"/>
<bpmn:message id="n" name="other"/>
<bpmn:startEvent id="s"/>
<bpmn:parallelGateway id="g"/>
<bpmn:intermediateCatchEvent id="c"><bpmn:extensionElements><spiffworkflow:properties><spiffworkflow:property name="correlation" value="case.order"/></spiffworkflow:properties></bpmn:extensionElements><bpmn:messageEventDefinition messageRef="m"/></bpmn:intermediateCatchEvent>
<bpmn:userTask id="u"/>
<bpmn:intermediateThrowEvent id="t"><bpmn:messageEventDefinition messageRef="m"/></bpmn:intermediateThrowEvent>
<bpmn:endEvent id="e"/>
<bpmn:endEvent id="e2"/>
s>g
g>c
g>u
u>t
t>e2
c>e
"""


@pytest.mark.parametrize("order", [None, "", True, {"a": 1}, "x" * 201])
def test_a_message_without_a_key_waits_for_a_person_and_for_nobody_elses_answer(
    db: Database, clock: TestClock, toy: Toy, order: Any
) -> None:
    engine = Engine(db, {}, clock)
    release(engine, toy("a", a=ASKING))
    with engine.start("a", tenant=uuid7(), business_key="k", data={"case": {"order": order}}, key="k", actor="t") as tx:
        one = tx.instance_id
    (found,) = rows(db, incident)
    assert (found.code, found.node, found.detail["inputs"]) == ("correlation", "c", {"case": {"order": order}})
    engine.deliver("answer", "None", {}, key="m", actor="t")
    Worker(engine, {}, name="w").run_until_idle()
    (task,) = [row.task_id for row in rows(db, wait) if row.kind == "user"]
    with engine.begin(one, "u", actor="t") as tx:  # the throw beside it is not held up
        tx.complete(task, {})
    assert [row.state for row in rows(db, incident)] == ["open"]
    verbs.retry(engine, found.id, actor="op", reason="asked", data={"case": {"order": "A7"}})
    assert [(row.node, row.correlation) for row in rows(db, wait)] == [("c", "A7")]
    engine.deliver("answer", "A7", {}, key="m2", actor="t")
    Worker(engine, {}, name="w").run_until_idle()
    assert status(db, one) == "completed"


def test_a_lane_of_long_words_is_still_a_lane(db: Database, clock: TestClock, toy: Toy) -> None:
    signature = Signature("t.ring", Effect.LOCAL, params={"n": Type.ANY}, lane=("n",))
    engine = Engine(db, {"t.ring": signature}, clock)
    body = f'<bpmn:startEvent id="s"/>\n{service("ring", "t.ring", n="n")}\n<bpmn:endEvent id="e"/>\ns>ring\nring>e'
    release(engine, toy("a", a=body))
    with engine.start("a", tenant=uuid7(), business_key="k", data={"n": "x" * 300}, key="k", actor="t") as tx:
        one = tx.instance_id
    Worker(engine, {"t.ring": Operation(signature, lambda _: {})}, name="w").run_until_idle()
    assert status(db, one) == "completed"


def test_expired_messages_are_found_by_their_time(db: Database, clock: TestClock) -> None:
    engine = Engine(db, {}, clock, ttl=timedelta(days=1))
    for key in ("a", "b"):
        engine.deliver("ping", key, {}, key=key, actor="t")
        clock.advance(timedelta(hours=13))
    Worker(engine, {}, name="w").run_until_idle()
    assert [(row.key, row.state) for row in rows(db, message)] == [("a", "expired"), ("b", "new")]
    if db.dialect == "sqlite":  # PostgreSQL plans by the number of rows, and here are two
        late = sa.select(message.c.id).where(*messages._expired(clock.now())).limit(1)
        asked = str(late.compile(db.sql, compile_kwargs={"literal_binds": True})).replace(":", r"\:")
        with db.read() as session:
            plan = " ".join(str(row) for row in session.execute(sa.text(f"explain query plan {asked}")))
        assert "ix_message_expiry" in plan
