"""Where a model needs a value of one kind, what it writes there gives that kind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.feel.kinds import OF_TYPE
from engine.model import worth
from engine.model.finding import Finding, Placed, Rule
from engine.model.rules.sources import literal, looks_iso
from engine.model.types import Node
from engine.model.view import View

KIND = Rule(
    "value_kind",
    "{what} is a {given} ({source}), where a {wanted} is needed.",
    "Give it a {wanted}; number(…) and string(…) make one of the other.",
)


@dataclass(frozen=True)
class _Place:
    """A source and the kinds that are right there."""

    place: Placed
    line: int
    what: str
    source: str
    wanted: tuple[str, ...]


_PROPERTIES = {
    "role": ("text",), "scope": ("text",), "person": ("text",), "due": ("datetime", "date", "duration"), "reauth": ("boolean",),
}  # fmt: skip


def check(view: View) -> Iterator[Finding]:
    """Findings over values of the wrong kind; those of literals are named by the rules of their places."""
    for one in _places(view):
        if not one.source or looks_iso(one.source) or literal(one.source) is not None:
            continue
        given = worth.kind(view, one.source)
        if given is not None and given not in one.wanted:
            wanted = " or ".join(one.wanted)
            yield KIND.at(view.file, one.place, one.line, what=one.what, given=given, source=one.source, wanted=wanted)
    for node in view.process.nodes:
        if node.kind == "businessRuleTask":
            yield from _table(view, node)


def _places(view: View) -> Iterator[_Place]:
    for flow in view.process.flows:
        yield _Place(flow, flow.line, "The condition", flow.condition or "", ("boolean",))
    for node in view.process.nodes:
        for name, wanted in _PROPERTIES.items() if node.kind == "userTask" else ():
            yield _Place(node, node.line, f"The property {name}", node.properties.get(name, "").strip(), wanted)
        yield from _parameters(view, node)
        if node.loop:
            yield _Place(node, node.loop.line, "The completion condition", node.loop.completion, ("boolean",))
            yield _Place(node, node.loop.line, "The number of runs", node.loop.cardinality, ("number",))
            yield _Place(node, node.loop.line, "The list", node.loop.data_in, ("list",))


def _parameters(view: View, node: Node) -> Iterator[_Place]:
    signature = view.around.signatures.get(node.service.operation) if node.service else None
    for one in node.service.parameters if node.service else ():
        wanted = signature.params.get(one.name) if signature else None
        if wanted is not None and wanted.value != "any":
            yield _Place(node, one.line, f"The parameter {one.name}", one.value, (wanted.value,))


def _table(view: View, node: Node) -> Iterator[Finding]:
    """The columns of a decision table against what whoever asks for it has in them."""
    file = view.around.decisions.get(node.decision)
    decision = file.decisions.get(node.decision) if file else None
    for column in decision.table.inputs if decision and decision.table else ():
        wanted, given = OF_TYPE.get(column.type), worth.kind(view, column.expression)
        if wanted is not None and given is not None and given != wanted:
            what = f"The column {column.label or column.expression} of {node.decision}"
            yield KIND.at(view.file, node, what=what, given=given, source=column.expression, wanted=wanted)
