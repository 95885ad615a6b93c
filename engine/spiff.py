"""The SpiffWorkflow border: our task specifications, which never do I/O and evaluate nothing but FEEL.

Task data is process data (`engine.values`); values become FEEL values only while an expression runs. A specification is
shared between instances, so nothing of an instance may be kept on it: whatever a task needs to remember lies in its
`internal_data` as JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from SpiffWorkflow.bpmn.specs import defaults as base
from SpiffWorkflow.bpmn.specs.bpmn_process_spec import BpmnProcessSpec
from SpiffWorkflow.bpmn.specs.mixins.multiinstance_task import LoopTask
from SpiffWorkflow.bpmn.specs.mixins.unstructured_join import UnstructuredJoin
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.exceptions import WorkflowException
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from engine import feel
from engine.feel.values import from_json, to_json
from engine.merge import merge_branches
from engine.model.script import assignments
from engine.operations import Signature
from engine.promises import unfit
from engine.values import Json

TAKEN = "taken"
"""Internal data of a token that a join has merged: the id of the one that went on."""

HELD = "held"
"""Internal data of a task that waits for a person to settle its incident."""


@dataclass(frozen=True)
class Specs:
    """The executable form of one bundle: the top process and every process and sub-process it can reach."""

    top: BpmnProcessSpec
    processes: Mapping[str, BpmnProcessSpec]
    mutable: bool = False
    """True when running changes the specification itself: such a one is never shared."""


class Stuck(Exception):
    """A task cannot go on by itself: an incident for a person. `inputs` are the values the expression saw."""

    def __init__(self, kind: str, code: str, detail: str, inputs: Mapping[str, Json] | None = None) -> None:
        self.kind = kind
        self.code = code
        self.detail = detail
        self.inputs = dict(inputs or {})
        super().__init__(f"{code}: {detail}")


@dataclass(frozen=True)
class JobRequest:
    """What a service task wants done: the operation's id and its arguments as process data."""

    task_id: UUID
    node: str
    operation: str
    args: dict[str, Json]


@dataclass(frozen=True)
class Published:
    """A thrown message nobody in the instance waited for."""

    task_id: UUID
    name: str
    correlation: str
    payload: Json


@dataclass(frozen=True)
class Decided:
    """A decision that was taken, and the rules that took it."""

    task_id: UUID
    node: str
    decision: str
    rules: tuple[str, ...]


@dataclass(frozen=True)
class Verdict:
    """What a decision gives: the variable it fills, the value, the ids of the rules that fired."""

    variable: str
    value: Json
    rules: tuple[str, ...] = ()


def _nothing_decides(decision: str, data: Mapping[str, Json], now: datetime) -> Verdict:  # noqa: ARG001
    raise Stuck("decision", "decision_missing", f"the bundle holds no decision {decision}")


@dataclass
class Context:
    """What one transaction lends to the tasks of one instance, and what they leave behind for it to write."""

    now: datetime
    business_key: str
    signatures: Mapping[str, Signature] = field(default_factory=dict)
    decide: Callable[[str, Mapping[str, Json], datetime], Verdict] = _nothing_decides
    jobs: list[JobRequest] = field(default_factory=list)
    decided: list[Decided] = field(default_factory=list)
    published: list[Published] = field(default_factory=list)
    problems: list[tuple[Task, Stuck]] = field(default_factory=list)
    occurred: list[Task] = field(default_factory=list)
    """Events that were caught beside a step that goes on."""

    def evaluate(self, task: Task, source: str, external_context: Any = None) -> Any:  # noqa: ARG002 - Spiff's interface
        """A FEEL value for SpiffWorkflow's own needs: multi-instance cardinality and completion conditions."""
        value = evaluate(task, source)
        return int(value) if isinstance(value, Decimal) and value == int(value) else value


def context(task: Task) -> Context:
    """The context the workflow of this task runs in."""
    found: Context = task.workflow.top_workflow.script_engine
    return found


def attach(workflow: BpmnWorkflow, lent: Context) -> None:
    """Let the tasks of this workflow find their context."""
    workflow.script_engine = lent


def workflows(workflow: BpmnWorkflow) -> Iterator[Any]:
    """The workflow and everything nested in it."""
    yield workflow
    yield from list(workflow.subprocesses.values())


def evaluate(task: Task, source: str) -> Any:
    """The FEEL value of an expression over a task's data; Stuck when it has none."""
    names: Mapping[str, Json] = {}
    try:
        expression = feel.compile(source)
        names = inputs(task, expression.names)
        now = context(task).now
        scope = {name: from_json(value, now.tzinfo) for name, value in names.items()}
        return expression.evaluate(scope, now=now)
    except feel.FeelError as error:
        raise Stuck("expression", error.code, f"{source}: {error}", names) from error


def inputs(task: Task, names: Iterable[str]) -> dict[str, Json]:
    """Those of the names a task's data holds, with their values: what an incident shows."""
    return {name: task.data[name] for name in names if name in task.data}


def evaluate_json(task: Task, source: str) -> Json:
    """The value of an expression as process data."""
    value: Json = to_json(evaluate(task, source))
    return value


def decide(task: Task, source: str) -> bool:
    """A condition; anything but exactly true or false is Stuck, never the default flow."""
    value = evaluate(task, source)
    if value is True or value is False:
        return bool(value)
    raise Stuck(
        "expression",
        "condition_not_boolean",
        f"{source} is {to_json(value)!r}, neither true nor false",
        inputs(task, feel.compile(source).names),
    )


class Condition:
    """A strict FEEL condition on a sequence flow."""

    def __init__(self, source: str) -> None:
        self.source = source

    def _matches(self, task: Task) -> bool:
        return decide(task, self.source)


class Node:
    """What every task specification of ours adds: properties of the model, and failing without changing state."""

    properties: dict[str, str] = {}  # noqa: RUF012 - set once by the parser

    def _run(self, my_task: Task) -> bool | None:
        result: bool | None = self._run_hook(my_task)  # type: ignore[attr-defined]
        return result

    def connect_outgoing_if(self, condition: str | None, taskspec: Any) -> None:
        """Connect a flow with its condition (SpiffWorkflow's parser calls this)."""
        if condition is None:
            self.connect(taskspec)  # type: ignore[attr-defined]
        else:
            self.connect_if(Condition(condition), taskspec)  # type: ignore[attr-defined]


class Holding(Node):
    """A task that evaluates already when a token reaches it; if that has no value, it waits there for a person."""

    def _update_hook(self, my_task: Task) -> bool | None:
        if HELD in my_task.internal_data:
            return None
        if my_task.has_state(
            TaskState.PREDICTED_MASK
        ):  # behind a boundary event it was one of two ways; now it is the way
            my_task._set_state(TaskState.FUTURE)
        try:
            return self._reached(my_task)
        except Stuck as problem:
            stuck = problem
        except WorkflowException as error:
            stuck = Stuck("expression", "multi_instance", str(error))
        my_task._set_state(TaskState.WAITING)
        my_task.internal_data[HELD] = stuck.code
        context(my_task).problems.append((my_task, stuck))
        return None

    def _reached(self, my_task: Task) -> bool | None:
        ready: bool | None = super()._update_hook(my_task)  # type: ignore[misc]
        return ready


class UserTask(Node, base.UserTask):
    """Waits for a person; who and until when is evaluated when the wait arises."""


class ManualTask(Node, base.ManualTask):
    """Waits for a person, like a user task without a form."""


class NoneTask(Node, base.NoneTask):
    """An abstract task: nothing to do, the token goes on."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.manual = False


class SubProcess(Node, base.SubWorkflowTask):
    """An embedded sub-process; it shares its parent's data."""

    def copy_data(self, my_task: Task, subworkflow: Any) -> None:
        """Lend the data to the inside (values are never changed in place)."""
        subworkflow.task_tree.data = dict(my_task.data)

    def update_data(self, my_task: Task, subworkflow: Any) -> None:
        """Take over what the inside made of it."""
        my_task.data = dict(result_data(subworkflow))


def so_far(flow: Any) -> dict[str, Json]:
    """What an embedded sub-process has made of the data up to now: what stands at its tokens, brought together."""
    ends = [task for task in flow.tasks.values() if _is_token(task)]
    ends.sort(key=lambda task: (not task.has_state(TaskState.FINISHED_MASK), float(task.last_state_change)))
    return merge_branches(flow.task_tree.data, [_token_data(task) for task in ends])


def _is_token(task: Task) -> bool:
    """Whether a token stands here: nothing behind the task was reached, and no join has taken it."""
    if task.has_state(TaskState.PREDICTED_MASK | TaskState.FUTURE) or TAKEN in task.internal_data:
        return False
    if task.state == TaskState.CANCELLED and not isinstance(task.task_spec, UnstructuredJoin):
        return False
    if isinstance(task.task_spec, LoopTask):
        return bool(task.state == TaskState.STARTED)
    reached = [child for child in task.children if not child.has_state(TaskState.PREDICTED_MASK | TaskState.FUTURE)]
    one_of_many = task.parent is not None and isinstance(task.parent.task_spec, LoopTask)
    return not reached and not one_of_many


def _token_data(task: Task) -> Mapping[str, Json]:
    if isinstance(task.task_spec, SubProcess):
        nested = task.workflow.top_workflow.subprocesses.get(task.id)
        return task.data if nested is None else so_far(nested)
    waits = isinstance(task.task_spec, UnstructuredJoin) and task.state != TaskState.COMPLETED
    data: Mapping[str, Json] = task.parent.data if waits else task.data
    return data


class CallActivity(Node, base.CallActivity):
    """Calls another process; data crosses only by that process's ioSpecification."""

    def copy_data(self, my_task: Task, subworkflow: Any) -> None:
        """Hand over the declared inputs; one that does not exist is null."""
        subworkflow.task_tree.data = {name: my_task.data.get(name) for name in subworkflow.spec.takes}

    def update_data(self, my_task: Task, subworkflow: Any) -> None:
        """Take back the declared outputs; one that was never set is null."""
        result = result_data(subworkflow)
        my_task.data = {**my_task.data, **{name: result.get(name) for name in subworkflow.spec.gives}}


def result_data(workflow: Any) -> dict[str, Json]:
    """The data a finished process ends with (SpiffWorkflow keeps there what the last end event held)."""
    data: dict[str, Json] = workflow.data
    return data


class ServiceTask(Node, base.ServiceTask):
    """Leaves a job in the transaction and waits for its result; never does anything itself."""

    operation: str = ""
    parameters: dict[str, str] = {}  # noqa: RUF012 - set once by the parser
    result_variable: str | None = None

    def _run_hook(self, my_task: Task) -> bool | None:
        args = {name: evaluate_json(my_task, source) for name, source in self.parameters.items()}
        lent = context(my_task)
        if lent.signatures:
            self._check(my_task, lent.signatures.get(self.operation), args)
        lent.jobs.append(JobRequest(my_task.id, self.name, self.operation, args))
        return None

    def _check(self, my_task: Task, signature: Signature | None, args: Mapping[str, Json]) -> None:
        """Stuck when the operation is unknown or the arguments are not what it takes: then nothing is sent anywhere."""
        if signature is None:
            raise Stuck("job", "operation_unknown", f"no operation {self.operation} is offered")
        wrong = unfit(signature, args)
        if wrong:
            sources = [
                source for name, source in self.parameters.items() if any(one.startswith(f"{name} ") for one in wrong)
            ]
            seen = inputs(my_task, [name for source in sources for name in feel.compile(source).names])
            raise Stuck("expression", "argument", f"{self.operation}: {'; '.join(wrong)}", seen)


class BusinessRuleTask(Node, base.ServiceTask):
    """Decides by a DMN table of the same bundle."""

    decision: str = ""

    def _run_hook(self, my_task: Task) -> bool | None:
        lent = context(my_task)
        verdict = lent.decide(self.decision, my_task.data, lent.now)
        lent.decided.append(Decided(my_task.id, self.bpmn_id, self.decision, verdict.rules))
        my_task.data = {**my_task.data, verdict.variable: verdict.value}
        return True


def script_lines(source: str) -> list[tuple[tuple[str, ...], str]]:
    """The assignments of a script: dotted target and FEEL source. Stuck where a line is none."""
    found = assignments(source)
    for line in [text for text, value in found if not value]:
        raise Stuck("expression", "script_line", f"{line!r} is not of the form name = expression")
    return [(tuple(target.split(".")), value) for target, value in found]


class ScriptTask(Node, base.ScriptTask):
    """`name = FEEL` lines, one after the other; either all of them happen or none."""

    def _run_hook(self, my_task: Task) -> bool | None:
        before = my_task.data
        try:
            for target, source in script_lines(self.script):
                my_task.data = assigned(my_task.data, target, evaluate_json(my_task, source))
        except Stuck:
            my_task.data = before
            raise
        return True


def assigned(data: Mapping[str, Json], target: tuple[str, ...], value: Json) -> dict[str, Json]:
    """The data with one value set at a dotted target; Stuck when something on the way is no context."""
    first, *rest = target
    if not rest:
        return {**data, first: value}
    inner = data.get(first)
    if inner is not None and not isinstance(inner, Mapping):
        raise Stuck("expression", "script_target", f"{first} is no context, so .{rest[0]} cannot be set")
    return {**data, first: assigned(inner or {}, tuple(rest), value)}
