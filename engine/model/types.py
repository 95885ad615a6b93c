"""A model as plain frozen values: what lint judges, pages draw and the runner is built from.

Nothing here is checked: a missing attribute is an empty string, a dangling reference stays one. Lines count from 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

MOST_PARALLEL: Final = 200
"""More instances of one activity at a time would make every step of the case slow."""
MOST_SEQUENTIAL: Final = 2_000


@dataclass(frozen=True)
class Event:
    """One event definition. `ref` is the id of a message, error, escalation or signal; timers have form and text, a link has its
    name as text."""

    kind: str
    line: int
    id: str = ""
    ref: str = ""
    form: str = ""
    text: str = ""


@dataclass(frozen=True)
class Loop:
    """Loop characteristics: kind is standard, parallel or sequential."""

    kind: str
    line: int
    cardinality: str = ""
    data_in: str = ""
    data_out: str = ""
    item_in: str = ""
    item_out: str = ""
    completion: str = ""
    condition: str = ""
    maximum: str = ""
    behavior: str = ""


@dataclass(frozen=True)
class Parameter:
    """One argument of an operation, its value in FEEL."""

    name: str
    value: str
    line: int


@dataclass(frozen=True)
class Service:
    """The operation a service task calls."""

    operation: str
    result: str
    parameters: tuple[Parameter, ...]
    line: int


@dataclass(frozen=True)
class Node:
    """One flow node. `kind` is the BPMN element name; `scope` the id of the process or sub-process that holds it."""

    id: str
    kind: str
    line: int
    scope: str
    name: str = ""
    properties: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    event_refs: tuple[str, ...] = ()
    loop: Loop | None = None
    service: Service | None = None
    decision: str = ""
    script: str = ""
    payload: str = ""
    variable: str = ""
    completion: str = ""
    lane: str = ""

    @property
    def is_gateway(self) -> bool:
        """Does it route tokens rather than do something?"""
        return self.kind.endswith("Gateway")

    @property
    def is_event(self) -> bool:
        """Start, end, boundary or intermediate."""
        return self.kind.endswith("Event")

    @property
    def is_scope(self) -> bool:
        """Does it hold nodes of its own?"""
        return self.kind in ("subProcess", "transaction", "adHocSubProcess")

    @property
    def attached_to(self) -> str:
        """The host of a boundary event."""
        return self.attributes.get("attachedToRef", "")

    @property
    def interrupting(self) -> bool:
        """Does a boundary event end its host?"""
        return self.attributes.get("cancelActivity", "true") != "false"

    @property
    def default(self) -> str:
        """The id of the default flow."""
        return self.attributes.get("default", "")

    @property
    def called(self) -> str:
        """The process a call activity calls."""
        return self.attributes.get("calledElement", "")


@dataclass(frozen=True)
class Flow:
    """A sequence flow; `condition` is None when there is none."""

    id: str
    source: str
    target: str
    line: int
    scope: str
    name: str = ""
    condition: str | None = None
    properties: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Named:
    """A message, error, escalation or signal: what events refer to. `code` is the error or escalation code."""

    id: str
    kind: str
    line: int
    name: str = ""
    code: str = ""
    payload: str = ""
    variable: str = ""


@dataclass(frozen=True)
class Strange:
    """An element found where a process does not expect it."""

    tag: str
    namespace: str
    id: str
    line: int


@dataclass(frozen=True)
class Data:
    """A declared input or output; the variable is `name`."""

    id: str
    name: str
    line: int


@dataclass(frozen=True)
class Process:
    """One process with every node and flow of its sub-processes, in document order."""

    id: str
    line: int
    name: str = ""
    executable: bool = False
    properties: Mapping[str, str] = field(default_factory=dict)
    nodes: tuple[Node, ...] = ()
    flows: tuple[Flow, ...] = ()
    inputs: tuple[Data, ...] = ()
    outputs: tuple[Data, ...] = ()
    declares_data: bool = False
    strange: tuple[Strange, ...] = ()
    artifacts: tuple[Data, ...] = ()

    def node(self, id: str) -> Node | None:
        """The node of this id."""
        return next((node for node in self.nodes if node.id == id), None)


@dataclass(frozen=True)
class Shape:
    """A drawn element: of a node with bounds (x, y, width, height), of a flow with its number of waypoints."""

    element: str
    line: int
    bounds: tuple[float, float, float, float] | None = None
    waypoints: int = 0


@dataclass(frozen=True)
class Model:
    """One BPMN file."""

    file: str
    processes: tuple[Process, ...] = ()
    named: Mapping[str, Named] = field(default_factory=dict)
    shapes: tuple[Shape, ...] = ()
    diagrams: int = 0
    ids: tuple[tuple[str, int], ...] = ()
    strange: tuple[Strange, ...] = ()
    pools: int = 0
