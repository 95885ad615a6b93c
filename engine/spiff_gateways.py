"""Where tokens part and meet: gateways, and the end of a process. What joins is merged by what each branch changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from SpiffWorkflow.bpmn.specs import control
from SpiffWorkflow.bpmn.specs import defaults as base
from SpiffWorkflow.bpmn.specs.bpmn_process_spec import BpmnProcessSpec
from SpiffWorkflow.specs.MultiChoice import MultiChoice
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from engine.merge import merge_branches
from engine.spiff import TAKEN, Node, Stuck
from engine.values import Json

ARRIVED = "arrived"
"""Internal data of a token that waits at a join: since when."""


class ExclusiveGateway(Node, base.ExclusiveGateway):
    """The first flow whose condition is true, in document order, else the default."""

    def _run_hook(self, my_task: Task) -> bool | None:
        chosen = self.default_task_spec
        for condition, name in self.cond_task_specs:
            if condition is not None and condition._matches(my_task):
                chosen = name
                break
        if chosen is None:
            raise Stuck("expression", "no_flow", f"no condition of {self.name} is true and it has no default flow")
        _take(my_task, [chosen])
        return True


class _Merging(Node):
    """Joins tokens by what each branch changed since they parted, so that no branch undoes another's change."""

    def _run_hook(self, my_task: Task) -> bool | None:
        others = sorted(
            self._others(my_task), key=lambda task: float(task.internal_data.get(ARRIVED, task.last_state_change))
        )
        branches = [*(task.parent.data for task in others if task.parent), my_task.parent.data]
        if len(branches) == 1:
            my_task.data = dict(branches[0])
        else:
            my_task.data = merge_branches(_parted(my_task, others), branches)
        return True

    def _others(self, my_task: Task) -> list[Task]:
        """The tokens that arrived before the one that goes on, and were not merged in an earlier round of a loop."""
        path = _ancestors(my_task)
        others = [
            task
            for task in my_task.workflow.tasks.values()
            if task.task_spec is self
            and task is not my_task
            and task.has_state(TaskState.FINISHED_MASK)
            and TAKEN not in task.internal_data
            and task.id not in path
        ]
        for task in others:
            task.internal_data[TAKEN] = my_task.id.hex
        return others


class _EndJoin(_Merging, control._EndJoin):
    """Where the tokens of a process end; fires when no other is left."""


class _Joining(_Merging):
    """A token that waits for the others is a waiting task; those that are joined are taken and cancelled, and what came too
    early waits for the next time."""

    def _update_hook(self, my_task: Task) -> bool | None:
        came: dict[str, list[Task]] = {}
        for task in my_task.workflow.tasks.values():
            if task.task_spec is self and task.parent is not None and (task is my_task or _waits(task)):
                came.setdefault(task.parent.task_spec.name, []).append(task)
        if not self._complete(my_task, came):
            if my_task.state != TaskState.WAITING:
                my_task._set_state(TaskState.WAITING)
                my_task.internal_data[ARRIVED] = my_task.last_state_change
            return False
        mine = my_task.parent.task_spec.name
        for name, tokens in came.items():
            if name != mine:
                first = min(tokens, key=lambda task: float(task.internal_data.get(ARRIVED, task.last_state_change)))
                first.internal_data[TAKEN] = my_task.id.hex
                first.cancel()
        my_task._inherit_data()
        return True

    def _complete(self, my_task: Task, came: Mapping[str, list[Task]]) -> bool:
        """Whether nothing more is to be waited for; `came` are the tokens by the element they came from."""
        raise NotImplementedError

    def _others(self, my_task: Task) -> list[Task]:
        return [
            task
            for task in my_task.workflow.tasks.values()
            if task.task_spec is self and task.internal_data.get(TAKEN) == my_task.id.hex
        ]


class ParallelGateway(_Joining, base.ParallelGateway):
    """Splits, and joins one token of every incoming flow."""

    def _complete(self, my_task: Task, came: Mapping[str, list[Task]]) -> bool:  # noqa: ARG002 - the interface
        return all(spec.name in came for spec in self.inputs)


class InclusiveGateway(_Joining, base.InclusiveGateway):
    """Every flow whose condition is true; joins what can still arrive."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._behind: dict[str, frozenset[str]] = {}

    def _complete(self, my_task: Task, came: Mapping[str, list[Task]]) -> bool:
        """BPMN 2.0.2, 13.4.3: no token can still come by an empty flow, unless it could come by one that has a token too."""
        empty = [spec for spec in self.inputs if spec.name not in came]
        if not empty:
            return True
        full = [spec for spec in self.inputs if spec.name in came]
        tokens = {task.task_spec.name for task in my_task.workflow.tasks.values() if _moves(task)} - {self.name}
        late = frozenset().union(*map(self._sources, empty)) - frozenset().union(*map(self._sources, full))
        return not tokens & late

    def _sources(self, spec: Any) -> frozenset[str]:
        """From where one gets to an incoming flow without passing this gateway."""
        if spec.name not in self._behind:
            found, waiting = {spec.name}, [spec]
            while waiting:
                for before in waiting.pop().inputs:
                    if before is not self and before.name not in found:
                        found.add(before.name)
                        waiting.append(before)
            self._behind[spec.name] = frozenset(found)
        return self._behind[spec.name]

    def _run_hook(self, my_task: Task) -> bool | None:
        super()._run_hook(my_task)
        matches, defaults = MultiChoice._get_matching_outputs(self, my_task)
        if not matches and not defaults:
            raise Stuck("expression", "no_flow", f"no condition of {self.name} is true and it has no default flow")
        _take(my_task, [spec.name for spec in matches or defaults])
        return True


def _moves(task: Task) -> bool:
    """Whether a token stands at a task, or comes to it at this moment."""
    if task.has_state(TaskState.READY | TaskState.WAITING | TaskState.STARTED):
        return True
    on_the_way = task.has_state(TaskState.NOT_FINISHED_MASK) and task.parent is not None
    return bool(on_the_way and task.parent.state == TaskState.COMPLETED)


def _waits(token: Task) -> bool:
    """Whether a token waits at its join; states of earlier versions cancelled all but the last that came."""
    if token.state == TaskState.WAITING:
        return True
    left = token.state == TaskState.CANCELLED and TAKEN not in token.internal_data
    return left and token.parent.state == TaskState.COMPLETED


def _take(my_task: Task, names: list[str]) -> None:
    specs = [my_task.workflow.spec.task_specs[name] for name in names]
    my_task._sync_children(specs, TaskState.FUTURE)
    for child in my_task.children:
        child.task_spec._predict(child, mask=TaskState.FUTURE | TaskState.PREDICTED_MASK)


def _ancestors(task: Task) -> dict[UUID, Task]:
    found: dict[UUID, Task] = {}
    parent = task.parent
    while parent is not None:
        found[parent.id] = parent
        parent = parent.parent
    return found


def _parted(task: Task, others: list[Task]) -> Mapping[str, Json]:
    common = _ancestors(task)
    for other in others:
        theirs = _ancestors(other)
        common = {key: value for key, value in common.items() if key in theirs}
    return next(iter(common.values())).data if common else {}


class ProcessSpec(BpmnProcessSpec):
    """A process; `takes` and `gives` are the variables its ioSpecification declares."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.takes: tuple[str, ...] = ()
        self.gives: tuple[str, ...] = ()
        end = self.task_specs.pop("End")
        name = f"{self.name}.EndJoin"
        del self.task_specs[name]
        self.end: Any = _EndJoin(self, name)
        self.task_specs["End"] = end
        end._inputs.clear()
        self.end.connect(end)
