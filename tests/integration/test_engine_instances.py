"""An activity done several times at once: as often as there are elements, and never as often as nobody can count."""

from __future__ import annotations

from typing import Any

import pytest
from toys import Toy, complete, nodes, release, rows, start, status

from engine import (
    Database,
    Engine,
    TestClock,
)
from engine import incidents as incident_verbs
from engine.tables import incident


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


AGAIN = """
<bpmn:dataObject id="d" name="xs"/>
<bpmn:dataObject id="d2" name="answers"/>
<bpmn:startEvent id="s"/>
<bpmn:exclusiveGateway id="m"/>
<bpmn:userTask id="u"><bpmn:multiInstanceLoopCharacteristics><bpmn:loopDataInputRef>xs</bpmn:loopDataInputRef><bpmn:loopDataOutputRef>answers</bpmn:loopDataOutputRef><bpmn:inputDataItem id="i" name="x"/><bpmn:outputDataItem id="o" name="answer"/></bpmn:multiInstanceLoopCharacteristics></bpmn:userTask>
<bpmn:userTask id="v"/>
<bpmn:exclusiveGateway id="g"/>
<bpmn:userTask id="both"/>
<bpmn:userTask id="other"/>
<bpmn:exclusiveGateway id="k"/>
<bpmn:endEvent id="e"/>
s>m
m>u
u>v
v>g
g>m?again
g>k*
k>both?answers = [3, 4]
k>other*
both>e
other>e
"""


@pytest.mark.parametrize("before", [None, [], ["left over"], {"a": 1}, "x"])
def test_a_second_round_gathers_anew(db: Database, clock: TestClock, toy: Toy, before: Any) -> None:
    engine = Engine(db, {}, clock)
    release(engine, toy("a", a=AGAIN))
    one = start(engine, "a", {"xs": ["a", "b"], "answers": before})
    for first, again in ((1, True), (3, False)):
        for answer in (first, first + 1):
            complete(engine, one, "u", {"answer": answer})
        complete(engine, one, "v", {"again": again})
    assert rows(db, incident) == []
    assert nodes(db) == ["both"]


@pytest.mark.parametrize("value", [None, "x", "", 1.5, True, -1, 201, {"a": 1}, list(range(201))])
@pytest.mark.parametrize("kind", ["number", "list"])
def test_several_instances_of_nothing_countable_wait_for_a_person(
    db: Database, clock: TestClock, toy: Toy, kind: str, value: Any
) -> None:
    if kind == "number":
        loop = "<bpmn:loopCardinality>case.n</bpmn:loopCardinality>"
        data, right = {"case": {"n": value}}, {"case": {"n": 2}}
    else:
        loop = '<bpmn:loopDataInputRef>xs</bpmn:loopDataInputRef><bpmn:inputDataItem id="i" name="x"/>'
        data, right = {"xs": value}, {"xs": [1, 2]}
    many = f'<bpmn:userTask id="u"><bpmn:multiInstanceLoopCharacteristics>{loop}</bpmn:multiInstanceLoopCharacteristics></bpmn:userTask>'
    body = f'<bpmn:dataObject id="d" name="xs"/>\n<bpmn:startEvent id="s"/>\n{many}\n<bpmn:endEvent id="e"/>\ns>u\nu>e'
    engine = Engine(db, {}, clock)
    release(engine, toy("a", a=body))
    one = start(engine, "a", data)
    (found,) = rows(db, incident)
    assert (found.code, found.node, found.detail["inputs"]) == ("loop_count", "u", data)
    assert nodes(db) == []
    incident_verbs.retry(engine, found.id, actor="op", reason="counted", data=right)
    assert nodes(db) == ["u", "u"]
    for _ in range(2):
        complete(engine, one, "u")
    assert status(db, one) == "completed"
