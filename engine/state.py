"""The stored form of a running instance: format "L1", a compact JSON of the live tasks, deflated above 2 kB.

`["L1", [flow, ...]]`, the top process first, each nested one after its holder. A flow is
`[spec, holder task id or null, completed, data, tasks]`; a task is
`[spec, parent index, state, data change, internal data, id or null, triggered, order]`. Data is kept as the difference
to the parent task. Tasks that are only predicted have no id: nobody can refer to them. Every format ever written stays
readable; `tests/histories` keeps one of each.
"""

from __future__ import annotations

import zlib
from typing import Any
from uuid import UUID

import orjson
from SpiffWorkflow.bpmn.util.subworkflow import BpmnSubWorkflow
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from engine.errors import LianyiError
from engine.spiff import Context, Specs

FORMAT = "L1"
DEFLATE_ABOVE = 2048


class StateUnreadable(LianyiError):
    """The stored state of the case cannot be read by this version."""

    code = "state_unreadable"
    advice = "Run the version that wrote it, or report the case's number; nothing was changed."


def dump(top: BpmnWorkflow) -> bytes:
    """The bytes to store; the first byte tells plain JSON from deflated."""
    flows = [_dump_flow(top, None)]
    placed = {id(top)}
    pending = dict(top.subprocesses)
    while pending:
        ready = [(i, flow) for i, flow in pending.items() if id(flow.parent_workflow) in placed]
        for task_id, flow in ready:
            flows.append(_dump_flow(flow, task_id))
            placed.add(id(flow))
            del pending[task_id]
        if not ready:
            break
    raw = orjson.dumps([FORMAT, flows], option=orjson.OPT_NON_STR_KEYS)
    return zlib.compress(raw, 6) if len(raw) > DEFLATE_ABOVE else raw


def load(state: bytes, specs: Specs, lent: Context) -> BpmnWorkflow:
    """The live workflow of stored bytes; StateUnreadable when they are none of ours."""
    try:
        kind, flows = orjson.loads(state if state[:1] == b"[" else zlib.decompress(state))
    except (ValueError, zlib.error) as error:
        raise StateUnreadable(str(error)) from error
    if kind != FORMAT:
        raise StateUnreadable(f"format {kind}")
    top = BpmnWorkflow(specs.top, dict(specs.processes), script_engine=lent, deserializing=True)
    _load_tasks(top, flows[0])
    for flow in flows[1:]:
        _load_nested(top, specs, flow)
    return top


def _dump_flow(flow: Any, holder: UUID | None) -> list[Any]:
    rows: list[list[Any]] = []
    index: dict[UUID, int] = {}
    stack: list[Task] = [flow.task_tree]
    while stack:
        task = stack.pop()
        index[task.id] = len(rows)
        rows.append(_dump_task(task, index))
        stack.extend(flow.tasks[child] for child in reversed(task._children))
    return [flow.spec.name, holder.hex if holder else None, int(flow.completed), flow.data, rows]


def _dump_task(task: Task, index: dict[UUID, int]) -> list[Any]:
    parent = task.parent
    predicted = task.has_state(TaskState.PREDICTED_MASK)
    order = round(task.last_state_change, 6) if task.has_state(TaskState.FINISHED_MASK) else 0
    row: list[Any] = [
        task.task_spec.name,
        index[parent.id] if parent is not None else -1,
        task.state,
        _change(parent.data if parent is not None else {}, task.data),
        task.internal_data or 0,
        None if predicted else task.id.hex,
        int(task.triggered),
        order,
    ]
    while len(row) > 3 and not row[-1]:
        row.pop()
    return row


def _change(before: dict[str, Any], after: dict[str, Any]) -> Any:
    changed = {
        key: value
        for key, value in after.items()
        if key not in before or (before[key] is not value and _differ(before[key], value))
    }
    gone = [key for key in before if key not in after]
    if gone:
        return [changed, gone]
    return [changed] if changed else 0


def _differ(a: Any, b: Any) -> bool:
    return type(a) is not type(b) or bool(a != b)


def _load_tasks(flow: Any, stored: list[Any]) -> None:
    _name, _holder, completed, flow.data, rows = stored
    flow.completed = bool(completed)
    tasks: list[Task] = []
    row: list[Any]
    for row in rows:
        spec, parent_index, state, change, internal, task_id, triggered, order = row + [0] * (8 - len(row))
        task_spec = flow.spec.task_specs.get(spec)
        if task_spec is None:
            raise StateUnreadable(f"the model has no {spec}")
        parent = tasks[parent_index] if parent_index >= 0 else None
        task = Task(flow, task_spec, parent=parent, state=state, id=UUID(hex=str(task_id)) if task_id else None)
        task.data = _applied(parent.data if parent is not None else {}, change)
        task.internal_data = internal or {}
        task.triggered = bool(triggered)
        task.last_state_change = order
        tasks.append(task)
        if state == TaskState.WAITING and hasattr(task_spec, "event_definition"):
            flow.top_workflow.event_manager.add_task(task)
    flow.task_tree = tasks[0]


def _applied(before: dict[str, Any], change: Any) -> dict[str, Any]:
    data = dict(before)
    if change:
        data.update(change[0])
        for key in change[1] if len(change) > 1 else ():
            data.pop(key, None)
    return data


def _load_nested(top: BpmnWorkflow, specs: Specs, stored: list[Any]) -> None:
    holder_id = UUID(hex=stored[1])
    spec = specs.processes.get(stored[0])
    if spec is None:
        raise StateUnreadable(f"the model has no process {stored[0]}")
    flow = BpmnSubWorkflow(spec, parent_task_id=holder_id, top_workflow=top, deserializing=True)
    top.subprocesses[holder_id] = flow
    _load_tasks(flow, stored)
    holder = top.get_task_from_id(holder_id)
    flow.completed_event.connect(holder.task_spec._on_subworkflow_completed, holder)
