"""Running an instance to quiescence: one task at a time, boundary events first and from the outside in.

A task that cannot go on is held where it stands and becomes an incident; the others go on. A model that loops without
ever waiting is stopped after STEP_LIMIT tasks of one transaction, its tokens held, instead of holding the worker.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.exceptions import WorkflowException
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from engine.compact import compact
from engine.errors import NotFound, Refused, Stale
from engine.spiff import (
    HELD,
    Context,
    ServiceTask,
    Specs,
    Stuck,
    attach,
    workflows,
)
from engine.spiff_events import BoundaryEvent, listening, raise_fault, send
from engine.values import Json

STEP_LIMIT = 10_000
COMPACT_EVERY = 50


class ModelStuck(Refused):
    """The case cannot take this step: its model has no answer to it."""

    code = "model_stuck"
    advice = "Nothing was changed. Tell the coordinator the case's number and the step; the model needs correction."


@dataclass(frozen=True)
class Finished:
    """A task that finished in this transaction."""

    task_id: UUID
    node: str
    process: str
    kind: str


@dataclass(frozen=True)
class Held:
    """A task that cannot go on."""

    task_id: UUID
    node: str
    process: str
    problem: Stuck


@dataclass
class Run:
    """A loaded instance and what happens to it in one transaction."""

    workflow: BpmnWorkflow
    lent: Context
    finished: list[Finished] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    steps: int = 0

    def to_quiescence(self) -> None:
        """Run until every token waits for somebody, or is held."""
        self._run()
        for task, problem in self.lent.problems:
            self._hold(task, problem)
        self.lent.problems.clear()

    def _run(self) -> None:
        self._note_occurred()
        while (task := self._next()) is not None:
            if self.steps >= STEP_LIMIT:
                self._hold_all()
                break
            self._step(task)
            self._note_occurred()
            if self.steps % COMPACT_EVERY == 0:
                compact(self.workflow)
        compact(self.workflow)

    def _step(self, task: Task) -> None:
        self.steps += 1
        try:
            task.run()
        except Stuck as problem:
            if task.state == TaskState.COMPLETED:
                raise ModelStuck(str(problem), node=task.task_spec.name) from problem
            self._hold(task, problem)
            return
        if task.state == TaskState.COMPLETED:
            self._note(task)

    def _note_occurred(self) -> None:
        """Events caught beside a step that goes on; nobody runs them, so nobody else notes them."""
        for event in self.lent.occurred:
            self._note(event)
        self.lent.occurred.clear()

    def _note(self, task: Task) -> None:
        node = task.task_spec.bpmn_id
        if node is not None:
            kind = type(task.task_spec).__name__
            self.finished.append(Finished(task.id, node, task.workflow.spec.name, kind))

    def _next(self) -> Task | None:
        best: Task | None = None
        rank = (2, 0)
        for flow in workflows(self.workflow):
            if flow.completed:
                continue
            for task in flow.tasks.values():
                if task.state != TaskState.READY or task.task_spec.manual or HELD in task.internal_data:
                    continue
                ours = (0, flow.depth) if isinstance(task.task_spec, BoundaryEvent) else (1, 0)
                if ours < rank:
                    best, rank = task, ours
        return best

    def _hold(self, task: Task, problem: Stuck) -> None:
        task.internal_data[HELD] = problem.code
        node = task.task_spec.bpmn_id or task.task_spec.name
        self.held.append(Held(task.id, node, task.workflow.spec.name, problem))

    def _hold_all(self) -> None:
        problem = Stuck("step_limit", "step_limit", f"{STEP_LIMIT} tasks ran without a wait: the model loops")
        while (task := self._next()) is not None:
            self._hold(task, problem)

    def find(self, task_id: UUID) -> Task | None:
        """The live task of this id."""
        for flow in workflows(self.workflow):
            task = flow.tasks.get(task_id)
            if task is not None:
                found: Task = task
                return found
        return None

    def complete_user(self, task_id: UUID, data: Mapping[str, Json]) -> str:
        """Complete a waiting user task; the node's id. NotFound when it does not wait (any more)."""
        task = self.find(task_id)
        if task is None or not (task.task_spec.manual and task.state == TaskState.READY):
            raise NotFound("The task is not waiting any more.", task=str(task_id))
        self._finish(task, data)
        return str(task.task_spec.bpmn_id)

    def complete_job(self, task_id: UUID, result: Json) -> bool:
        """The result of a service task; False when nobody waits for it any more."""
        task = self.find(task_id)
        if task is None or not isinstance(task.task_spec, ServiceTask) or task.state != TaskState.STARTED:
            return False
        variable = task.task_spec.result_variable
        self._finish(task, {variable: result} if variable else {})
        return True

    def _finish(self, task: Task, data: Mapping[str, Json]) -> None:
        task.data = {**task.data, **data}
        try:
            task.complete()
        except (Stuck, WorkflowException) as problem:
            raise ModelStuck(str(problem), node=task.task_spec.name) from problem
        self._note(task)
        self.to_quiescence()

    def job_error(self, task_id: UUID, code: str) -> bool | None:
        """A BPMN error of a service task; None when nobody waits any more, False when no boundary event catches it."""
        task = self.find(task_id)
        if task is None or not isinstance(task.task_spec, ServiceTask) or task.state != TaskState.STARTED:
            return None
        if not raise_fault(task, "error", code):
            return False
        self.to_quiescence()
        return True

    def message(self, name: str, correlation: str, payload: Json) -> bool:
        """Offer a message; True when something caught it."""
        if not send(self.workflow, name, correlation, payload):
            return False
        self.to_quiescence()
        return True

    def timers(self) -> bool:
        """Let every due timer fire; True when one did."""
        fired = False
        due = [
            task
            for task in list(self.workflow.event_manager.tasks.values())
            if HELD not in task.internal_data
            and any(one.due is not None and one.due <= self.lent.now for one in listening(task))
        ]
        for task in due:
            spec: Any = task.task_spec
            if task.state == TaskState.WAITING and self.find(task.id) is task:
                spec._update(task)
                self.to_quiescence()
                fired = True
        return fired

    def release(self, task_id: UUID, data: Mapping[str, Json]) -> None:
        """Let a held task try again, with some of its variables changed. Stale when it is not held any more."""
        task = self.find(task_id)
        if task is None or HELD not in task.internal_data:
            raise Stale("The step is not held any more.", task=str(task_id))
        del task.internal_data[HELD]
        task.data = {**task.data, **data}
        spec: Any = task.task_spec
        if task.state == TaskState.WAITING:
            if task.parent is not None:  # a waiting task takes its data from there anew
                task.parent.data = {**task.parent.data, **data}
            spec._update(task)
        self.to_quiescence()

    def cancel(self) -> None:
        """End the instance where it stands."""
        self.workflow.cancel()

    @property
    def completed(self) -> bool:
        """Whether the top process has ended."""
        return bool(self.workflow.completed)


def create(specs: Specs, data: Mapping[str, Json], lent: Context) -> Run:
    """A new instance with its first token; nothing has run yet."""
    workflow = BpmnWorkflow(specs.top, dict(specs.processes), script_engine=lent)
    workflow.task_tree.data = dict(data)
    return Run(workflow, lent)


def resume(workflow: BpmnWorkflow, lent: Context) -> Run:
    """A loaded instance."""
    attach(workflow, lent)
    return Run(workflow, lent)


def open_tasks(workflow: BpmnWorkflow) -> list[Task]:
    """Every task that waits for somebody: a person, a job's result, an event."""
    found: list[Task] = []
    for flow in workflows(workflow):
        if flow.completed:
            continue
        found.extend(task for task in flow.tasks.values() if is_open(task))
    return found


def is_open(task: Task) -> bool:
    """Whether a task waits for somebody."""
    spec = task.task_spec
    return (
        (task.state == TaskState.READY and bool(spec.manual))
        or (task.state == TaskState.STARTED and isinstance(spec, ServiceTask))
        or (task.state == TaskState.WAITING and hasattr(spec, "event_definition"))
    )
