"""State, compaction and the run loop without a database: constant cost, no depth limit, isolation, old states."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine import runner, state
from engine.merge import merge_branches
from engine.model import Bundle
from engine.spiff import Context, Stuck, script_lines
from engine.spiff_parser import ModelBroken, read
from engine.state import StateUnreadable

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
HISTORIES = Path(__file__).parent.parent / "histories"
LOOP = """
<bpmn:startEvent id="s"/>
<bpmn:exclusiveGateway id="m"/>
<bpmn:scriptTask id="inc"><bpmn:script>n = n + 1</bpmn:script></bpmn:scriptTask>
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
Toy = Callable[..., Bundle]


def lent() -> Context:
    return Context(NOW, "case-1")


def test_twelve_hundred_rounds_cost_the_same(toy: Toy) -> None:
    specs = read("loop", toy("loop", loop=LOOP).files)
    run = runner.create(specs, {"n": 0}, lent())
    run.to_quiescence()
    seen = set()
    for i in range(1200):
        stored = state.dump(run.workflow)
        here = lent()
        run = runner.resume(state.load(stored, specs, here), here)
        (task,) = runner.open_tasks(run.workflow)
        run.complete_user(task.id, {"again": i < 1199})
        if 10 < i < 1199:
            seen.add((len(run.workflow.tasks), run.steps, len(stored) // 40))
    assert run.completed
    assert run.workflow.data["n"] == 1200
    assert len({(live, steps) for live, steps, _size in seen}) == 1
    assert max(size for *_, size in seen) * 40 < 1000


def test_one_specification_serves_many_instances(toy: Toy) -> None:
    specs = read("loop", toy("loop", loop=LOOP).files)
    before = {name: (list(spec._inputs), list(spec._outputs)) for name, spec in specs.top.task_specs.items()}
    runs = [runner.create(specs, {"n": i}, lent()) for i in range(3)]
    for run in runs:
        run.to_quiescence()
    values = [runner.open_tasks(run.workflow)[0].data["n"] for run in runs]
    assert values == [1, 2, 3]
    assert before == {name: (list(spec._inputs), list(spec._outputs)) for name, spec in specs.top.task_specs.items()}


def test_broken_bytes_are_refused(toy: Toy) -> None:
    specs = read("loop", toy("loop", loop=LOOP).files)
    for stored in (b"", b"[1", b"\x78\x9cgarbage", b'["L9",[]]'):
        with pytest.raises(StateUnreadable):
            state.load(stored, specs, lent())


def test_a_broken_model_is_named(toy: Toy) -> None:
    with pytest.raises(ModelBroken, match=r"a\.bpmn"):
        read("a", toy("a", a='<bpmn:startEvent id="s"/>\n<bpmn:complexGateway id="g"/>\ns>g').files)


@pytest.mark.parametrize("saved", sorted(HISTORIES.glob("*.json")), ids=lambda path: path.stem)
def test_every_saved_state_loads_and_finishes(saved: Path) -> None:
    """A file holds the models, the state as hex, and for each user task what to answer."""
    kept = json.loads(saved.read_text())
    specs = read(kept["top"], {name: text.encode() for name, text in kept["files"].items()})
    here = Context(NOW, kept["business_key"])
    run = runner.resume(state.load(bytes.fromhex(kept["state"]), specs, here), here)
    for node, data in kept["answers"]:
        task = next(t for t in runner.open_tasks(run.workflow) if t.task_spec.bpmn_id == node)
        run.complete_user(task.id, data)
    assert run.completed
    assert run.workflow.data == kept["result"]


def test_script_lines() -> None:
    assert script_lines("a = 1\ncase.b = if a = 1\n  then 2 else 3") == [
        (("a",), "1"),
        (("case", "b"), "if a = 1\n  then 2 else 3"),
    ]
    with pytest.raises(Stuck):
        script_lines("a == 1")


def test_merge_takes_what_changed() -> None:
    origin = {"a": 1, "c": {"x": 1, "y": 1}, "l": [1, 1]}
    first = {"a": 2, "c": {"x": 2, "y": 1}, "l": [1, 1]}
    second = {"a": 1, "c": {"x": 1, "y": 3}, "l": [1, 1], "n": True}
    merged = {"a": 2, "c": {"x": 2, "y": 3}, "l": [1, 1], "n": True}
    assert merge_branches(origin, [first, second]) == merged
    assert merge_branches(origin, [second, first]) == merged
