"""One process as the rules look at it: who follows whom, and what stands around it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import orjson

from engine import dmn
from engine.model.bundle import Bundle
from engine.model.script import assignments
from engine.model.types import Flow, Model, Node, Process
from engine.operations import Signature, Type

Contexts = Mapping[str, Mapping[str, Type]]


@dataclass(frozen=True)
class Field:
    """What a field of a form gives the model: the kind of value, and all the values of a choice of one."""

    kind: str | None = None
    values: frozenset[str] | None = None


Fields = Mapping[str, Field]
"""Fields of a form by name."""

_KINDS = {
    **dict.fromkeys(("text", "textarea", "rich", "choice", "date", "person", "hospital", "vocab"), "text"),
    **dict.fromkeys(("int", "decimal", "score"), "number"),
    "bool": "boolean", "datetime": "datetime", "multichoice": "list",
}  # fmt: skip
"""What reaches the process of a field of each type."""


@dataclass(frozen=True)
class Around:
    """What a whole bundle is judged against. `roles` is None when they are not known; `contexts` are the variables every case
    has from its start, with the names in them and what these hold."""

    bundle: Bundle
    signatures: Mapping[str, Signature]
    roles: frozenset[str] | None = None
    contexts: Contexts = field(default_factory=dict)

    @cached_property
    def processes(self) -> dict[str, Process]:
        """Every process by id; of two with one id the first file's."""
        found: dict[str, Process] = {}
        for model in self.bundle.models.values():
            for process in model.processes:
                found.setdefault(process.id, process)
        return found

    @cached_property
    def entries(self) -> dict[str, frozenset[str]]:
        """What scripts anywhere in the bundle add to a variable: its name, and the names they set in it."""
        found: dict[str, frozenset[str]] = {}
        for process in self.processes.values():
            for target in (target for node in process.nodes for target, _ in assignments(node.script)):
                name, _, entry = target.partition(".")
                found[name] = found.get(name, frozenset()) | {entry.partition(".")[0]}
        return found

    @cached_property
    def forms(self) -> dict[str, Fields]:
        """Form id to the fields that reach the model; an unreadable form is missing."""
        found = {}
        for name, content in self.bundle.files.items():
            if name.endswith(".form.json"):
                fields = _process_fields(content)
                if fields is not None:
                    found[name.removesuffix(".form.json")] = fields
        return found

    @cached_property
    def decisions(self) -> dict[str, dmn.File]:
        """Decision files by stem; an unreadable one is missing."""
        found = {}
        for name, content in self.bundle.files.items():
            if name.endswith(".dmn"):
                try:
                    found[name.removesuffix(".dmn")] = dmn.load(content)
                except dmn.DmnError:
                    continue
        return found


def _process_fields(content: bytes) -> Fields | None:
    try:
        form: Any = orjson.loads(content)
        fields = [field for section in form["sections"] for field in section["fields"]]
        return {str(field["name"]): _field(field) for field in fields if field.get("process")}
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _field(field: Any) -> Field:
    one = field.get("type") == "choice" and field.get("choices")
    values = frozenset(str(choice["value"]) for choice in one) if one else None
    return Field("list" if field.get("multiple") is True else _KINDS.get(str(field.get("type"))), values)


@dataclass(frozen=True)
class View:
    """One process in its file and bundle."""

    around: Around
    model: Model
    process: Process

    @property
    def file(self) -> str:
        """The file the process stands in."""
        return self.model.file

    @cached_property
    def nodes(self) -> dict[str, Node]:
        """Nodes by id."""
        return {node.id: node for node in self.process.nodes}

    @cached_property
    def out(self) -> dict[str, list[Flow]]:
        """Flows by the id of their source."""
        return _group((flow.source, flow) for flow in self._ways)

    @cached_property
    def into(self) -> dict[str, list[Flow]]:
        """Flows by the id of their target."""
        return _group((flow.target, flow) for flow in self._ways)

    @cached_property
    def _ways(self) -> list[Flow]:
        """The flows, and those that links stand for."""
        throws = [(node, event) for node in self.process.nodes for event in node.events if event.kind == "link"]
        jumps = [
            Flow("", node.id, target.id, node.line, node.scope)
            for node, event in throws
            if node.kind == "intermediateThrowEvent"
            for target in self.links(node.scope, event.text)[0]
        ]
        return [*self.process.flows, *jumps]

    def links(self, scope: str, name: str) -> tuple[list[Node], list[Node]]:
        """The catching and the throwing link events of a name in a scope."""
        found = [n for n in self.scopes.get(scope, []) for e in n.events if e.kind == "link" and e.text == name]
        kinds = ("intermediateCatchEvent", "intermediateThrowEvent")
        return tuple([n for n in found if n.kind == kind] for kind in kinds)  # type: ignore[return-value]

    @cached_property
    def boundaries(self) -> dict[str, list[Node]]:
        """Boundary events by the id of their host."""
        return _group((node.attached_to, node) for node in self.process.nodes if node.kind == "boundaryEvent")

    @cached_property
    def scopes(self) -> dict[str, list[Node]]:
        """Nodes by the id of what holds them, the process itself included even when empty."""
        found = _group((node.scope, node) for node in self.process.nodes)
        for holder in [self.process.id, *(node.id for node in self.process.nodes if node.is_scope)]:
            found.setdefault(holder, [])
        return found

    def next(self, node: Node) -> Iterator[Node]:
        """The nodes a token can be on after this one, over boundary events too."""
        for flow in self.out.get(node.id, []):
            if flow.target in self.nodes:
                yield self.nodes[flow.target]
        yield from self.boundaries.get(node.id, [])

    def within(self, scope: str) -> Iterator[Node]:
        """Every node of a scope, at any depth (ids that repeat or circle are walked once)."""
        waiting, seen = [scope], {scope}
        while waiting:
            for node in self.scopes.get(waiting.pop(), []):
                yield node
                if node.is_scope and node.id not in seen:
                    seen.add(node.id)
                    waiting.append(node.id)


def _group(pairs: Iterator[tuple[str, Any]]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for key, value in pairs:
        found[key].append(value)
    return dict(found)
