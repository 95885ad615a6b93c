"""Step cost and state size of the engine, beside SpiffWorkflow's own whole-state serialisation of the same model.

A step is load, complete a user task, run to its next wait, dump: what one command does beside the database's own work.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from house_record import Record, record
from lxml import etree
from SpiffWorkflow.bpmn.parser import BpmnParser
from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.util.task import TaskState

from engine import runner, state
from engine.spiff import Context
from engine.spiff_parser import read

KEPT = Path(__file__).resolve().parents[1] / "histories/L1_loop.json"
NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
AT = (2, 100, 200, 1200, 2000)
PEER = "SpiffWorkflow whole-state JSON"
PEER_LAST = 220
"""Their tree stops finding its ready tasks after some thousand levels: 250 rounds of this loop."""


def steps() -> list[Record]:
    """Median ms of a step around the rounds of a loop named, and the bytes stored there."""
    kept = json.loads(KEPT.read_text())
    files = {name: text.encode() for name, text in kept["files"].items()}
    times, sizes = _run(_ours(kept["top"], files), max(AT) + 25)
    their_times, their_sizes = _run(_theirs(kept["top"], files), PEER_LAST)
    found: list[Record] = []
    for at in AT:
        known = at + 20 <= PEER_LAST
        peer = PEER if known else None
        theirs = _near(their_times, at) if known else None
        found.append(record(f"loop step at iteration {at}", "ms", _near(times, at), peer=peer, peer_value=theirs))
        size = float(their_sizes[at]) if known else None
        found.append(record(f"loop state at iteration {at}", "bytes", float(sizes[at]), peer=peer, peer_value=size))
    return found


def _near(times: list[float], at: int) -> float:
    return statistics.median(times[max(0, at - 20) : at + 20])


def _run(step: Callable[[], int], count: int) -> tuple[list[float], list[int]]:
    times, sizes = [], []
    for _ in range(count):
        began = time.perf_counter()
        sizes.append(step())
        times.append((time.perf_counter() - began) * 1000)
    return times, sizes


def _ours(top: str, files: dict[str, bytes]) -> Callable[[], int]:
    specs = read(top, files)
    run = runner.create(specs, {"case": {"n": 0}}, Context(NOW, "case-1"))
    run.to_quiescence()
    stored = [state.dump(run.workflow)]

    def step() -> int:
        lent = Context(NOW, "case-1")
        again = runner.resume(state.load(stored[0], specs, lent), lent)
        again.complete_user(runner.open_tasks(again.workflow)[0].id, {"again": True})
        stored[0] = state.dump(again.workflow)
        return len(stored[0])

    return step


def _theirs(top: str, files: dict[str, bytes]) -> Callable[[], int]:
    text = files[f"{top}.bpmn"].replace(b"case.n = case.n + 1", b"case = {'n': case['n'] + 1}")
    parser = BpmnParser()
    parser.add_bpmn_xml(etree.fromstring(text))
    serializer = BpmnWorkflowSerializer(BpmnWorkflowSerializer.configure())
    workflow = BpmnWorkflow(parser.get_spec(top))
    workflow.task_tree.data["case"] = {"n": 0}
    workflow.do_engine_steps()
    stored = [serializer.serialize_json(workflow)]

    def step() -> int:
        again = serializer.deserialize_json(stored[0])
        task = next(task for task in again.get_tasks(state=TaskState.READY) if task.task_spec.manual)
        task.data["again"] = True
        task.run()
        again.do_engine_steps()
        stored[0] = serializer.serialize_json(again)
        return len(stored[0])

    return step
