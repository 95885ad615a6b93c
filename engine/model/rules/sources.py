"""The FEEL sources of a process, and where each stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from engine import feel
from engine.model.finding import Placed
from engine.model.script import assignments
from engine.model.times import is_literal
from engine.model.types import Node
from engine.model.view import View

_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
_FEEL_PROPERTIES = ("role", "scope", "person", "due", "reauth", "correlation")


@dataclass(frozen=True)
class Text:
    """One expression of a model: where it stands, what it is called, its source and the names only it sees."""

    place: Placed
    line: int
    what: str
    source: str
    local: frozenset[str] = frozenset()


def texts(view: View) -> Iterator[Text]:
    """Every FEEL source of a process."""
    for flow in view.process.flows:
        if flow.condition:
            yield Text(flow, flow.line, "The condition", flow.condition)
    for named in view.model.named.values():
        if named.payload:
            yield Text(named, named.line, "The payload", named.payload)
    for node in view.process.nodes:
        yield from _node(node)


def _node(node: Node) -> Iterator[Text]:
    for name in _FEEL_PROPERTIES:
        if node.properties.get(name) and not (name == "due" and looks_iso(node.properties[name])):
            yield Text(node, node.line, f"The property {name}", node.properties[name])
    for parameter in node.service.parameters if node.service else ():
        yield Text(node, parameter.line, f"The parameter {parameter.name}", parameter.value)
    if node.payload:
        yield Text(node, node.line, "The payload", node.payload)
    for event in node.events:
        if event.kind == "timer" and event.text and not looks_iso(event.text):
            yield Text(node, event.line, "The timer", event.text)
    for _, source in assignments(node.script):
        if source:
            yield Text(node, node.line, "The script", source)
    if node.loop:
        for what, source in (
            ("The list", node.loop.data_in),
            ("The number of runs", node.loop.cardinality),
            ("The completion condition", node.loop.completion),
        ):
            if source:
                yield Text(node, node.loop.line, what, source, frozenset([node.loop.item_in, node.loop.item_out]))


def looks_iso(text: str) -> bool:
    """Is this time a literal rather than FEEL, or meant to be one?"""
    return is_literal(text.strip()) or bool(re.match(r"\d{4}-\d{2}-\d{2}", text.strip()))


def literal(source: str) -> object:
    """A value that needs no variables, None when it is not known before it runs."""
    try:
        expression = feel.compile(source)
        return None if expression.names else expression.evaluate({}, now=_EPOCH)
    except feel.FeelError:
        return None
