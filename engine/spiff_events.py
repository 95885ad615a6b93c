"""Timers, messages, errors and escalations on the SpiffWorkflow border.

A timer's instant is computed once, when its wait arises, and is absolute from then on. A thrown message is first offered
to whoever waits in the same instance; only if nobody does, it leaves the instance.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from dateutil.relativedelta import relativedelta
from SpiffWorkflow.bpmn.specs import defaults as base
from SpiffWorkflow.bpmn.specs.control import BoundaryEventSplit
from SpiffWorkflow.bpmn.specs.event_definitions.base import EventDefinition
from SpiffWorkflow.bpmn.util import BpmnEvent
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from engine.feel import compile
from engine.feel.temporal import Months, parse_duration
from engine.model.times import cycle, is_literal, moment
from engine.spiff import (
    HELD,
    Holding,
    Node,
    Published,
    Stuck,
    SubProcess,
    context,
    evaluate,
    evaluate_json,
    inputs,
    so_far,
)
from engine.values import Json

KEY_LENGTH = 200
"""Characters of a correlation key."""


class Definition(EventDefinition):
    """An event definition told apart by the element it stands in; what it remembers is keyed by that element."""

    def __init__(self, node: str, name: str | None = None) -> None:
        super().__init__(name=name)
        self.node = node

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return hash((type(self), self.node))

    def catches(self, my_task: Task, event: BpmnEvent) -> bool:  # noqa: ARG002 - the interface
        """Nothing that is thrown is caught unless a kind says so."""
        return False

    def remember(self, task: Task, value: Json) -> None:
        """Keep a JSON value with the task."""
        task.internal_data[self.node] = value

    def memory(self, task: Task) -> Any:
        """The value kept with the task."""
        return task.internal_data.get(self.node)


class Timer(Definition):
    """A date, a duration or a cycle. Memory: {"due": instant, "left": firings still to come, "every": ISO duration}."""

    def __init__(self, node: str, source: str, cycle: bool = False) -> None:
        super().__init__(node)
        self.source = source.strip()
        self.cycle = cycle

    def due(self, task: Task) -> datetime | None:
        """When it fires (next); computed at the first asking. None when a cycle is spent."""
        kept = self.memory(task)
        if kept is None:
            kept = self._begin(task)
            self.remember(task, kept)
        return datetime.fromisoformat(kept["due"]) if kept["left"] != 0 else None

    def _begin(self, task: Task) -> dict[str, Json]:
        now = context(task).now
        value: Any = self.source if is_literal(self.source) else evaluate(task, self.source)
        if isinstance(value, str) and (found := cycle(value)):
            left, first, every = found
            return {"due": instant(first, now).isoformat(), "left": left, "every": every}
        return {"due": instant(value, now).isoformat(), "left": 1, "every": None}

    def advance(self, task: Task) -> bool:
        """If due, count every firing that lies in the past as one and move on; True when it fired."""
        now, due = context(task).now, self.due(task)
        if due is None or due > now:
            return False
        left, every = self.memory(task)["left"], self.memory(task)["every"]
        passed = 1 if every is None else _passed(due, every, now)
        due = due if every is None else _after(due, every, passed)
        self.remember(
            task, {"due": due.isoformat(), "left": max(left - passed, 0) if left > 0 else left, "every": every}
        )
        return True

    def has_fired(self, my_task: Task) -> bool:
        """Whether its instant has come."""
        due = self.due(my_task)
        return due is None or due <= context(my_task).now


def _passed(due: datetime, every: str, now: datetime) -> int:
    """How many firings of a cycle lie in the past, the one that is due included."""
    length = parse_duration(every)
    if isinstance(length, timedelta):
        return int((now - due) / length) + 1
    count = 1
    while _after(due, every, count) <= now:
        count += 1
    return count


def _after(due: datetime, every: str, count: int) -> datetime:
    length = parse_duration(every)
    return instant(Months(length.count * count) if isinstance(length, Months) else (length or timedelta()) * count, due)


def instant(value: Any, start: datetime) -> datetime:
    """The aware UTC instant a date-and-time, or a duration counted from `start`, names; Stuck when neither."""
    if isinstance(value, str):
        value = moment(value)
    try:
        if isinstance(value, timedelta):
            return start + value
        if isinstance(value, Months):
            return start + relativedelta(months=value.count)
        if isinstance(value, datetime):
            return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
        if isinstance(value, date):
            return datetime.combine(value, time(), UTC)
    except (OverflowError, ValueError) as error:
        raise Stuck("expression", "timer_value", f"{value} leads out of the calendar") from error
    raise Stuck("expression", "timer_value", f"{value!r} is neither a date and time nor a duration")


class Message(Definition):
    """A message by name, correlated by the instance's business key unless the model says otherwise."""

    def __init__(
        self, node: str, name: str, payload: str | None, variable: str | None, correlation: str | None
    ) -> None:
        super().__init__(node, name)
        self.payload = payload
        self.variable = variable
        self.correlation = correlation

    def key(self, task: Task) -> str:
        """The correlation key; computed once when the wait arises. Stuck when it is no text: null would match null."""
        lent = context(task)
        if self.correlation is None:
            return lent.business_key
        kept = task.internal_data.get(f"{self.node}#")
        if kept is None:
            value = evaluate_json(task, self.correlation)
            kept = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
            if not 0 < len(kept) <= KEY_LENGTH:
                seen = inputs(task, compile(self.correlation).names)
                raise Stuck("expression", "correlation", f"{self.correlation} is {value!r}, no key of a message", seen)
            task.internal_data[f"{self.node}#"] = kept
        return str(kept)

    def catches(self, my_task: Task, event: BpmnEvent) -> bool:
        """Same name, same correlation. One whose own key has no value catches nothing; it is held when waits are written."""
        thrown = event.event_definition
        if not isinstance(thrown, Sent) or thrown.name != self.name or HELD in my_task.internal_data:
            return False
        try:
            return thrown.correlation == self.key(my_task)
        except Stuck:
            return False

    def catch(self, my_task: Task, event: BpmnEvent | None = None) -> None:
        """Remember that it came and what it brought."""
        self.remember(my_task, {"payload": event.payload if event else None})

    def has_fired(self, my_task: Task) -> bool:
        """Whether it came."""
        return self.memory(my_task) is not None

    def update_task_data(self, my_task: Task) -> None:
        """Put the payload where the model wants it."""
        kept = self.memory(my_task)
        if self.variable and kept is not None:
            my_task.data = {**my_task.data, self.variable: kept["payload"]}

    def throw(self, my_task: Task) -> None:
        """Offer it inside first; what nobody takes is published."""
        payload = evaluate_json(my_task, self.payload) if self.payload else {}
        if not send(my_task.workflow.top_workflow, self.name, self.key(my_task), payload):
            context(my_task).published.append(Published(my_task.id, self.name, self.key(my_task), payload))


class Sent(EventDefinition):
    """A message on its way, with its correlation key."""

    def __init__(self, name: str, correlation: str) -> None:
        super().__init__(name=name)
        self.correlation = correlation


def send(workflow: Any, name: str, correlation: str, payload: Json) -> bool:
    """Offer a message to every open catch of the instance; True if at least one took it."""
    event = BpmnEvent(Sent(name, correlation), payload=payload)
    return int(workflow.event_manager.catch(event, internal=False)) > 0


class Fault(Definition):
    """An error or an escalation, caught by the nearest enclosing boundary event with its code, or with none."""

    def __init__(self, node: str, kind: str, code: str | None) -> None:
        super().__init__(node, code)
        self.kind = kind
        self.code = code

    def has_fired(self, my_task: Task) -> bool:
        """Whether it was caught here."""
        return self.memory(my_task) is not None

    def catch(self, my_task: Task, event: BpmnEvent | None = None) -> None:
        """Remember that it came."""
        self.remember(my_task, {"code": event.event_definition.code if event else None})

    def throw(self, my_task: Task) -> None:
        """From inside a process: the boundary lies on the activity that holds it."""
        parent = (
            my_task.workflow.top_workflow.get_task_from_id(my_task.workflow.parent_task_id)
            if my_task.workflow.parent_task_id
            else None
        )
        caught = parent is not None and raise_fault(parent, self.kind, self.code or "")
        if not caught and self.kind == "error":
            raise Stuck("error_uncaught", self.code or "error", f"nobody catches the error {self.code}")


def raise_fault(task: Task, kind: str, code: str) -> bool:
    """Look for a boundary event from the task outwards; True when one caught it."""
    current: Task | None = task
    while current is not None:
        for boundary in boundaries(current):
            definition = boundary.task_spec.event_definition
            if not (isinstance(definition, Fault) and definition.kind == kind and definition.code in (code, None)):
                continue
            event = BpmnEvent(Fault("", kind, code))
            boundary.task_spec.catch(boundary, event)
            boundary.task_spec._update(boundary)
            return True
        outer = current.workflow.parent_task_id
        current = current.workflow.top_workflow.get_task_from_id(outer) if outer else None
    return False


def boundaries(task: Task) -> Iterator[Task]:
    """The open boundary events of an activity (of the whole multi-instance when the task is one instance of it)."""
    host = task.parent
    while host is not None and not isinstance(host.task_spec, BoundaryEventSplit) and host.has_state(TaskState.STARTED):
        host = host.parent
    if host is None or not isinstance(host.task_spec, BoundaryEventSplit):
        return
    for child in host.children:
        if isinstance(child.task_spec, BoundaryEvent) and child.state == TaskState.WAITING:
            yield child


class FirstOf(Definition):
    """The events behind an event-based gateway; memory: the index of the one that came first."""

    def __init__(self, node: str) -> None:
        super().__init__(node)
        self.event_definitions: list[Definition] = []

    def catches(self, my_task: Task, event: BpmnEvent) -> bool:
        """Whether any of them does."""
        return self.memory(my_task) is None and any(d.catches(my_task, event) for d in self.event_definitions)

    def catch(self, my_task: Task, event: BpmnEvent | None = None) -> None:
        """The first that catches wins."""
        for index, definition in enumerate(self.event_definitions):
            if event is not None and definition.catches(my_task, event):
                definition.catch(my_task, event)
                self.remember(my_task, index)
                return

    def has_fired(self, my_task: Task) -> bool:
        """Whether one came; of several due timers the earliest wins."""
        if self.memory(my_task) is None:
            timers = [(d.due(my_task), i) for i, d in enumerate(self.event_definitions) if isinstance(d, Timer)]
            due = sorted((at, i) for at, i in timers if at is not None and at <= context(my_task).now)
            if due:
                self.remember(my_task, due[0][1])
        return self.memory(my_task) is not None


class _Catching(Holding):
    """Forgetting after firing is not needed: a task fires once."""

    def _run_hook(self, my_task: Task) -> bool | None:
        self.event_definition.update_task_data(my_task)  # type: ignore[attr-defined]
        return True


class CatchEvent(_Catching, base.IntermediateCatchEvent):
    """Waits for a timer or a message."""


class ReceiveTask(_Catching, base.ReceiveTask):
    """Waits for a message."""


class StartEvent(_Catching, base.StartEvent):
    """Where a process begins."""


class ThrowEvent(Node, base.IntermediateThrowEvent):
    """Throws a message or an escalation."""


class SendTask(Node, base.SendTask):
    """Throws a message."""


class EndEvent(Node, base.EndEvent):
    """Where a token ends, perhaps throwing."""


class BoundaryEvent(_Catching, base.BoundaryEvent):
    """An event on an activity. A non-interrupting one stays open and starts its flow once for every occurrence."""

    def _predict_hook(self, my_task: Task) -> None:
        if self.cancel_activity:
            super()._predict_hook(my_task)

    def _reached(self, my_task: Task) -> bool | None:
        if self.cancel_activity:
            return super()._reached(my_task)
        my_task._inherit_data()
        if my_task.state != TaskState.WAITING:
            my_task._set_state(TaskState.WAITING)
        my_task.workflow.top_workflow.event_manager.add_task(my_task)
        definition = self.event_definition
        if isinstance(definition, Timer):
            if definition.advance(my_task):
                self._occur(my_task)
        elif definition.has_fired(my_task):
            self._occur(my_task)
            my_task.internal_data.pop(definition.node, None)
        return None

    def _run_hook(self, my_task: Task) -> bool | None:
        """What an interrupted sub-process has done to the data it shares stays."""
        inside = [child for child in my_task.parent.children if isinstance(child.task_spec, SubProcess)]
        flows = [my_task.workflow.top_workflow.subprocesses.get(child.id) for child in inside]
        if self.cancel_activity and flows and flows[0] is not None:
            my_task.data = so_far(flows[0])
        return super()._run_hook(my_task)

    def _occur(self, my_task: Task) -> None:
        fired = my_task.parent._add_child(self, TaskState.FUTURE)
        fired._set_state(TaskState.COMPLETED)
        fired.data = dict(my_task.data)
        fired.internal_data = dict(my_task.internal_data)
        self.event_definition.update_task_data(fired)
        context(my_task).occurred.append(fired)
        for spec in self.outputs:
            if spec.name.endswith(".BoundaryEventJoin"):
                continue
            child = fired._add_child(spec, TaskState.FUTURE)
            child.task_spec._predict(child, mask=TaskState.NOT_FINISHED_MASK)
            child.task_spec._update(child)


class EventBasedGateway(_Catching, base.EventBasedGateway):
    """Waits for the first of several events."""

    def _run_hook(self, my_task: Task) -> bool | None:
        index = self.event_definition.memory(my_task)
        self.event_definition.event_definitions[index].update_task_data(my_task)
        spec = my_task.workflow.spec.task_specs[self._outputs[index]]
        my_task._sync_children([spec], TaskState.FUTURE)
        for child in my_task.children:
            child.task_spec._predict(child, mask=TaskState.FUTURE | TaskState.PREDICTED_MASK)
        return True


@dataclass(frozen=True)
class Listening:
    """What an open catch waits for."""

    kind: str
    due: datetime | None = None
    message: str | None = None
    correlation: str | None = None


def listening(task: Task) -> list[Listening]:
    """What a waiting catching event waits for, as rows of `wait`."""
    definition = task.task_spec.event_definition
    parts = definition.event_definitions if isinstance(definition, FirstOf) else [definition]
    found: list[Listening] = []
    dues = [due for d in parts if isinstance(d, Timer) and (due := d.due(task)) is not None]
    if dues:
        found.append(Listening("timer", due=min(dues)))
    found += [Listening("message", None, d.name, d.key(task)) for d in parts if isinstance(d, Message)]
    return found
