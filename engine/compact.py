"""Cutting the finished past out of a live task tree, so that a step costs the same for ever.

The tree of an instance grows by every step. What is finished is in the history; the tree needs only what open tokens
still look back at: the node where they parted and the joins that have not fired. From the root downwards everything that
is finished and leads to a single open subtree is removed. A finished side branch goes with it unless it ended in a join
that still has to take its data. Of an activity done one after the other the finished instances go.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from SpiffWorkflow.bpmn.specs.mixins.unstructured_join import UnstructuredJoin
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from engine.spiff import TAKEN, workflows
from engine.spiff_instances import SequentialInstances


def sweep(top: BpmnWorkflow) -> None:
    """Forget nested processes and listeners whose task is gone or finished."""
    changed = True
    while changed:
        changed = False
        known = {task_id: task for flow in workflows(top) for task_id, task in flow.tasks.items()}
        for task_id in list(top.subprocesses):
            holder = known.get(task_id)
            if holder is None or holder.has_state(TaskState.FINISHED_MASK):
                del top.subprocesses[task_id]
                changed = True
    for task_id in list(top.event_manager.tasks):
        if known.get(task_id) is None or known[task_id].state != TaskState.WAITING:
            del top.event_manager.tasks[task_id]


def compact(top: BpmnWorkflow) -> int:
    """Cut every tree of the instance; the number of tasks removed."""
    sweep(top)
    return sum(_cut(flow) + _cut_instances(flow) for flow in workflows(top) if not flow.completed)


def _cut(flow: Any) -> int:
    live = _live(flow)
    root: Task = flow.task_tree
    if not live.get(root.id):
        return 0
    removed: list[UUID] = []
    keep = root
    while (child := _only_open_child(flow, keep, live)) is not None:
        for other in keep._children:
            if other != child.id:
                removed += [task.id for task in _subtree(flow, flow.tasks[other])]
        if keep is not root:
            removed.append(keep.id)
        keep = child
    if keep is root:
        return 0
    root._children = [keep.id]
    keep._parent = root.id
    for task_id in removed:
        flow.tasks.pop(task_id, None)
    if flow.last_task is not None and flow.last_task.id not in flow.tasks:
        flow.last_task = None
    return len(removed)


def _cut_instances(flow: Any) -> int:
    """Cut off the finished instances of what is done one after the other: they have given what they had to give."""
    holders = [
        t for t in flow.tasks.values() if t.state == TaskState.STARTED and isinstance(t.task_spec, SequentialInstances)
    ]
    removed = 0
    for holder in holders:
        done = [c for c in holder._children if flow.tasks[c].has_state(TaskState.FINISHED_MASK)]
        for task in [task for child in done for task in _subtree(flow, flow.tasks[child])]:
            del flow.tasks[task.id]
            removed += 1
        holder._children = [c for c in holder._children if c not in done]
    return removed


def _only_open_child(flow: Any, node: Task, live: dict[UUID, bool]) -> Task | None:
    """The one child to go on with: finished itself, the only open branch, and no sibling's join left unfired."""
    if not node.has_state(TaskState.FINISHED_MASK):
        return None
    open_children = [child for child in node._children if live[child]]
    if len(open_children) != 1:
        return None
    child: Task = flow.tasks[open_children[0]]
    if not child.has_state(TaskState.FINISHED_MASK):
        return None
    dead = [task for c in node._children if c != child.id for task in _subtree(flow, flow.tasks[c])]
    joins = [task for task in dead if isinstance(task.task_spec, UnstructuredJoin)]
    if joins:
        fired = {t.task_spec.name for t in _subtree(flow, child) if t.state == TaskState.COMPLETED}
        if not all(_settled(flow, task, fired) for task in joins):
            return None
    return child


def _settled(flow: Any, token: Task, fired: set[str]) -> bool:
    """Whether a join has merged what this token brings; one that took no notice of who takes is told by its name."""
    taker = token.internal_data.get(TAKEN)
    if taker is None:
        return token.task_spec.name in fired
    task = flow.tasks.get(UUID(hex=taker))
    return task is None or bool(task.has_state(TaskState.FINISHED_MASK))


def _subtree(flow: Any, task: Task) -> list[Task]:
    found = [task]
    for one in found:
        found.extend(flow.tasks[child] for child in one._children)
    return found


def _live(flow: Any) -> dict[UUID, bool]:
    order = _subtree(flow, flow.task_tree)
    live: dict[UUID, bool] = {}
    for task in reversed(order):
        live[task.id] = not task.has_state(TaskState.FINISHED_MASK) or any(live[c] for c in task._children)
    return live
