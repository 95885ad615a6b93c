"""What is rewritten before it runs does what the drawing says, and nothing that was added shows in the history."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from toys import Toy

from engine import runner
from engine.model import lint
from engine.runner import Run
from engine.spiff import Context
from engine.spiff_parser import read

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
LINKS = (
    '<bpmn:intermediateThrowEvent id="{0}"><bpmn:linkEventDefinition name="{1}"/></bpmn:intermediateThrowEvent>',
    '<bpmn:intermediateCatchEvent id="{0}"><bpmn:linkEventDefinition name="{1}"/></bpmn:intermediateCatchEvent>',
)
THROW, CATCH = LINKS


def _run(toy: Toy, body: str, data: dict[str, Any] | None = None) -> Run:
    run = runner.create(read("a", toy("a", a=body).files), data or {}, Context(NOW, "case-1"))
    run.to_quiescence()
    return run


def _waiting(run: Run) -> list[str]:
    return sorted(str(task.task_spec.bpmn_id) for task in runner.open_tasks(run.workflow))


def _complete(run: Run, node: str) -> None:
    run.complete_user(next(t.id for t in runner.open_tasks(run.workflow) if t.task_spec.bpmn_id == node), {})


def _passed(run: Run) -> list[str]:
    return sorted(one.node for one in run.finished)


USERS = "\n".join(f'<bpmn:userTask id="{name}"/>' for name in "uvw")
SPLITS = {
    "start": f'<bpmn:startEvent id="s"/>\n{USERS}\n<bpmn:endEvent id="e"/>\ns>u\ns>v\nu>e\nv>e\nw>e',
    "task": f'<bpmn:startEvent id="s"/>\n<bpmn:scriptTask id="x"><bpmn:script>n = 1</bpmn:script></bpmn:scriptTask>\n{USERS}\n<bpmn:endEvent id="e"/>\ns>x\nx>u\nx>v\nu>e\nv>e\nw>e',
    "sub-process": (
        f'<bpmn:startEvent id="s"/>\n<bpmn:subProcess id="p"><bpmn:startEvent id="is"/><bpmn:endEvent id="ie"/>'
        f'<bpmn:sequenceFlow id="i" sourceRef="is" targetRef="ie"/></bpmn:subProcess>\n{USERS}\n<bpmn:endEvent id="e"/>\ns>p\np>u\np>v\nu>e\nv>e\nw>e'
    ),
}


@pytest.mark.parametrize("body", SPLITS.values(), ids=SPLITS)
def test_several_flows_are_taken_at_once(toy: Toy, body: str) -> None:
    run = _run(toy, body)
    assert _waiting(run) == ["u", "v"]
    _complete(run, "v")
    assert not run.completed
    _complete(run, "u")
    assert run.completed
    assert all("." not in node for node in _passed(run))


def test_inside_a_sub_process_and_joined_again(toy: Toy) -> None:
    inside = (
        '<bpmn:startEvent id="is"/><bpmn:userTask id="u"/><bpmn:userTask id="v"/><bpmn:parallelGateway id="j"/><bpmn:userTask id="w"/>'
        '<bpmn:endEvent id="ie"/>'
    )
    pairs = [("is", "u"), ("is", "v"), ("u", "j"), ("v", "j"), ("j", "w"), ("w", "ie")]
    flows = "".join(f'<bpmn:sequenceFlow id="i{n}" sourceRef="{a}" targetRef="{b}"/>' for n, (a, b) in enumerate(pairs))
    body = f'<bpmn:startEvent id="s"/>\n<bpmn:subProcess id="p">{inside}{flows}</bpmn:subProcess>\n<bpmn:endEvent id="e"/>\ns>p\np>e'
    run = _run(toy, body)
    assert _waiting(run) == ["u", "v"]
    _complete(run, "u")
    assert _waiting(run) == ["v"]
    _complete(run, "v")
    assert _waiting(run) == ["w"]


def test_a_link_is_a_flow(toy: Toy) -> None:
    """Two throwing events may lead to one catching event."""
    body = (
        f'<bpmn:startEvent id="s"/>\n<bpmn:exclusiveGateway id="x"/>\n{THROW.format("t1", "on")}\n{THROW.format("t2", "on")}\n'
        f'{CATCH.format("c", "on")}\n<bpmn:userTask id="u"/>\n<bpmn:endEvent id="e"/>\ns>x\nx>t1?first\nx>t2*\nc>u\nu>e'
    )
    for first, passed in ((True, "t1"), (False, "t2")):
        run = _run(toy, body, {"first": first})
        assert _waiting(run) == ["u"]
        assert _passed(run) == sorted(["c", "s", passed, "x"])
        _complete(run, "u")
        assert run.completed


LINK_FAULTS = {
    "no catching end": f'{THROW.format("t", "on")}\n<bpmn:userTask id="u"/>\ns>t\nu>e',
    "two catching ends": f"{THROW.format('t', 'on')}\n{CATCH.format('c', 'on')}\n{CATCH.format('d', 'on')}\ns>t\nc>e\nd>e",
    "no name": f"{THROW.format('t', '')}\n{CATCH.format('c', '')}\ns>t\nc>e",
    "a flow leaves": f"{THROW.format('t', 'on')}\n{CATCH.format('c', 'on')}\ns>t\nt>e\nc>e",
    "a flow enters": f"{THROW.format('t', 'on')}\n{CATCH.format('c', 'on')}\ns>t\ns>c\nc>e",
    "no throwing end": f'{CATCH.format("c", "on")}\n<bpmn:userTask id="u"/>\ns>u\nu>e\nc>e',
    "an end event": '<bpmn:endEvent id="t"><bpmn:linkEventDefinition name="on"/></bpmn:endEvent>\ns>t',
}


@pytest.mark.parametrize("body", LINK_FAULTS.values(), ids=LINK_FAULTS)
def test_half_a_link_is_refused(toy: Toy, body: str) -> None:
    found = lint(toy("a", a=f'<bpmn:startEvent id="s"/>\n<bpmn:endEvent id="e"/>\n{body}'), {})
    assert "link_event" in {one.rule for one in found}


def test_whole_links_and_several_flows_are_accepted(toy: Toy) -> None:
    body = f'<bpmn:startEvent id="s"/>\n{THROW.format("t", "on")}\n{CATCH.format("c", "on")}\n<bpmn:endEvent id="e"/>\n<bpmn:endEvent id="f"/>\ns>t\nc>e\nc>f'
    wrong = {one.rule for one in lint(toy("a", a=body), {})} - {"no_shape", "no_diagram", "no_name", "lost_shape"}
    assert wrong == set()


@pytest.mark.parametrize("id", ["a.split", "a.flow"])
def test_ids_of_what_is_added_are_taken(toy: Toy, id: str) -> None:
    body = f'<bpmn:startEvent id="s"/>\n<bpmn:userTask id="{id}"/>\n<bpmn:endEvent id="e"/>\n'
    found = lint(toy("a", a=body), {})
    assert id in {one.element for one in found if one.rule in ("reserved_id", "reserved_suffix")}
