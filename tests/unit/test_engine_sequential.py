"""One after the other: a thousand cost no more each than ten, whatever is inside, and saving between them changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from toys import Toy

from engine import runner, state
from engine.runner import Run
from engine.spiff import Context, Specs
from engine.spiff_parser import read

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
LIST = (
    "<bpmn:loopDataInputRef>{source}</bpmn:loopDataInputRef>{target}"
    '<bpmn:inputDataItem id="i" name="x"/><bpmn:outputDataItem id="o" name="y"/>'
)
GATHERED = LIST.format(source="xs", target="<bpmn:loopDataOutputRef>ys</bpmn:loopDataOutputRef>")
IN_PLACE = LIST.format(source="xs", target="<bpmn:loopDataOutputRef>xs</bpmn:loopDataOutputRef>")
COUNTED = "<bpmn:loopCardinality>many</bpmn:loopCardinality>"
INSIDE = (
    '<bpmn:startEvent id="is"/><bpmn:userTask id="u"/><bpmn:userTask id="v"/><bpmn:endEvent id="ie"/>'
    '<bpmn:sequenceFlow id="i1" sourceRef="is" targetRef="u"/><bpmn:sequenceFlow id="i2" sourceRef="u" targetRef="v"/>'
    '<bpmn:sequenceFlow id="i3" sourceRef="v" targetRef="ie"/>'
)


def _lent() -> Context:
    return Context(NOW, "case-1")


def _specs(toy: Toy, step: str, loop: str, extra: str = "") -> Specs:
    tag, _, inside = step.partition(">")
    many = f'<bpmn:multiInstanceLoopCharacteristics isSequential="true">{loop}{extra}</bpmn:multiInstanceLoopCharacteristics>'
    activity = f'<bpmn:{tag} id="m">{many}{inside}</bpmn:{tag}>'
    body = f'<bpmn:dataObject id="d" name="xs"/>\n<bpmn:startEvent id="s"/>\n{activity}\n<bpmn:userTask id="after"/>\n<bpmn:endEvent id="e"/>\ns>m\nm>after\nafter>e'
    return read("a", toy("a", a=body).files)


def _begun(specs: Specs, data: dict[str, Any]) -> Run:
    run = runner.create(specs, data, _lent())
    run.to_quiescence()
    return run


def _saved(run: Run, specs: Specs) -> tuple[Run, int]:
    stored = state.dump(run.workflow)
    lent = _lent()
    return runner.resume(state.load(stored, specs, lent), lent), len(stored)


def _waiting(run: Run) -> list[str]:
    return [str(task.task_spec.bpmn_id) for task in runner.open_tasks(run.workflow)]


def _answer(run: Run, **data: Any) -> None:
    run.complete_user(runner.open_tasks(run.workflow)[0].id, data)


def _tasks(run: Run) -> int:
    return sum(len(flow.tasks) for flow in [run.workflow, *run.workflow.subprocesses.values()])


@pytest.mark.parametrize("step", ["userTask>", f"subProcess>{INSIDE}"], ids=["task", "sub-process"])
def test_the_last_costs_what_the_first_does(toy: Toy, step: str) -> None:
    specs = _specs(toy, step, COUNTED)
    run, sizes, counts = _begun(specs, {"many": 300}), [], []
    for _ in range(300 if step == "userTask>" else 600):
        _answer(run, note="x")
        run, size = _saved(run, specs)
        sizes.append(size)
        counts.append(_tasks(run))
    assert _waiting(run) == ["after"]
    assert max(counts[2:-2]) <= max(counts[:6])
    assert max(sizes[20:-2]) <= max(sizes[2:12]) + 8


def test_a_thousand_without_a_wait(toy: Toy) -> None:
    specs = _specs(toy, "scriptTask><bpmn:script>y = x * x</bpmn:script>", GATHERED)
    run = _begun(specs, {"xs": list(range(1000))})
    (task,) = runner.open_tasks(run.workflow)
    assert task.data["ys"] == [n * n for n in range(1000)]
    assert run.held == []


@pytest.mark.parametrize("save", [False, True])
@pytest.mark.parametrize(("loop", "name"), [(GATHERED, "ys"), (IN_PLACE, "xs")])
def test_each_gets_its_item_and_gives_its_own(toy: Toy, loop: str, name: str, save: bool) -> None:
    specs = _specs(toy, "userTask>", loop)
    run, seen = _begun(specs, {"xs": ["a", "b", "c"], "ys": ["left over"]}), []
    while _waiting(run) == ["m"]:
        seen.append(runner.open_tasks(run.workflow)[0].data["x"])
        _answer(run, y=f"{seen[-1]}!")
        if save:
            run, _ = _saved(run, specs)
    assert seen == ["a", "b", "c"]
    assert runner.open_tasks(run.workflow)[0].data[name] == ["a!", "b!", "c!"]


@pytest.mark.parametrize(("data", "asked"), [({"many": 0}, 0), ({"many": 5}, 2)])
def test_none_and_enough(toy: Toy, data: dict[str, Any], asked: int) -> None:
    enough = "<bpmn:completionCondition>ok</bpmn:completionCondition>"
    specs = _specs(toy, "userTask>", COUNTED, enough)
    run = _begun(specs, data)
    for n in range(asked):
        assert _waiting(run) == ["m"]
        _answer(run, ok=n == asked - 1)
        run, _ = _saved(run, specs)
    assert _waiting(run) == ["after"]


def test_what_instances_change_stays(toy: Toy) -> None:
    """Without an output list each instance works on the data the others left."""
    specs = _specs(toy, "scriptTask><bpmn:script>sum = sum + 1</bpmn:script>", COUNTED)
    assert runner.open_tasks(_begun(specs, {"many": 7, "sum": 0}).workflow)[0].data["sum"] == 7


@pytest.mark.parametrize("value", [None, "x", 1.5, True, -1, 2001])
def test_nothing_countable_waits_for_a_person(toy: Toy, value: Any) -> None:
    run = _begun(_specs(toy, "userTask>", COUNTED), {"many": value})
    assert [held.problem.code for held in run.held] == ["loop_count"]


def test_the_rest_is_cancelled_with_the_case(toy: Toy) -> None:
    specs = _specs(toy, "userTask>", COUNTED)
    run, _ = _saved(_begun(specs, {"many": 3}), specs)
    run.cancel()
    assert _waiting(run) == []
