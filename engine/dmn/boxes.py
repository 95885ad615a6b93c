"""Reads the boxed expressions of DMN (1.5, chapters 8 and 10.2)."""

from __future__ import annotations

from collections.abc import Callable, Generator

from lxml import etree

from engine.dmn.errors import DmnError
from engine.dmn.model import (
    Box,
    Conditional,
    Context,
    Definition,
    Entry,
    Filter,
    Input,
    Invocation,
    Items,
    Iterator,
    Literal,
    Output,
    Relation,
    Rule,
    Table,
)
from engine.dmn.xml import child, children, line, own_text, text_of, type_ref

POLICIES = ("UNIQUE", "FIRST", "PRIORITY", "ANY", "COLLECT", "RULE ORDER", "OUTPUT ORDER")
AGGREGATIONS = ("", "SUM", "MIN", "MAX", "COUNT")
DEEPEST = 30


def inside(element: etree._Element, owner: str, depth: int = 0) -> Box | None:
    """The boxed expression inside an element; None when it holds none. `owner` names the decision in messages."""
    return next(_all(element, owner, depth), None)


def _all(element: etree._Element, owner: str, depth: int) -> Generator[Box, None, None]:
    if depth > DEEPEST:
        raise DmnError(f"Decision {owner} is nested too deeply (line {line(element)}).")
    for one in children(element, *_READERS):
        yield _READERS[etree.QName(one).localname](one, owner, depth + 1)


def _need(element: etree._Element, owner: str, depth: int) -> Box:
    box = inside(element, owner, depth)
    if box is None:
        raise DmnError(f"Decision {owner}: an expression is missing (line {line(element)}).")
    return box


def _part(element: etree._Element, name: str, owner: str, depth: int) -> Box:
    found = child(element, name)
    if found is None:
        raise DmnError(f"Decision {owner}: {name} is missing (line {line(element)}).")
    return _need(found, owner, depth)


def _literal(element: etree._Element, _owner: str, _depth: int) -> Box:
    return Literal(own_text(element), type_ref(element), line(element))


def _context(element: etree._Element, owner: str, depth: int) -> Box:
    entries = []
    for one in children(element, "contextEntry"):
        variable = child(one, "variable")
        name, kind = (variable.get("name", ""), type_ref(variable)) if variable is not None else ("", "")
        entries.append(Entry(name, kind, inside(one, owner, depth)))
    return Context(tuple(entries))


def _invocation(element: etree._Element, owner: str, depth: int) -> Box:
    bindings = []
    for one in children(element, "binding"):
        parameter = child(one, "parameter")
        bindings.append(
            Entry(parameter.get("name", "") if parameter is not None else "", "", inside(one, owner, depth))
        )
    return Invocation(_need(element, owner, depth), tuple(bindings))


def definition(element: etree._Element, owner: str, depth: int = 0) -> Definition:
    """A function definition, also that of a business knowledge model."""
    params = tuple(Entry(one.get("name", ""), type_ref(one)) for one in children(element, "formalParameter"))
    foreign = element.get("kind", "FEEL") != "FEEL"
    return Definition(params, None if foreign else inside(element, owner, depth), foreign)


def _items(element: etree._Element, owner: str, depth: int) -> Box:
    return Items(tuple(_all(element, owner, depth)))


def _relation(element: etree._Element, owner: str, depth: int) -> Box:
    columns = tuple(one.get("name", "") for one in children(element, "column"))
    rows = tuple(tuple(_all(row, owner, depth)) for row in children(element, "row"))
    if any(len(row) != len(columns) for row in rows):
        raise DmnError(
            f"Decision {owner}: a row has another number of cells than there are columns (line {line(element)})."
        )
    return Relation(columns, rows)


def _conditional(element: etree._Element, owner: str, depth: int) -> Box:
    test, yes, no = (_part(element, name, owner, depth) for name in ("if", "then", "else"))
    return Conditional(test, yes, no)


def _filter(element: etree._Element, owner: str, depth: int) -> Box:
    return Filter(_part(element, "in", owner, depth), _part(element, "match", owner, depth))


def _iterator(element: etree._Element, owner: str, depth: int) -> Box:
    kind = etree.QName(element).localname
    body = _part(element, "return" if kind == "for" else "satisfies", owner, depth)
    return Iterator(kind, element.get("iteratorVariable", ""), _part(element, "in", owner, depth), body)


def _table(element: etree._Element, owner: str, _depth: int) -> Box:
    policy, aggregation = element.get("hitPolicy", "UNIQUE").upper(), element.get("aggregation", "").upper()
    if policy not in POLICIES:
        raise DmnError(f"Decision {owner} has the unknown hit policy {policy} (line {line(element)}).")
    if aggregation not in AGGREGATIONS:
        raise DmnError(f"Decision {owner} has the unknown aggregation {aggregation} (line {line(element)}).")
    inputs = tuple(map(_input, children(element, "input")))
    outputs = tuple(map(_output, children(element, "output")))
    rules = tuple(_rule(one, number, owner) for number, one in enumerate(children(element, "rule"), 1))
    for rule in rules:
        if len(rule.inputs) != len(inputs) or len(rule.outputs) != len(outputs):
            raise DmnError(f"Rule {rule.id} has another number of cells than the table has columns (line {rule.line}).")
    return Table(policy, aggregation, inputs, outputs, rules)


def _input(element: etree._Element) -> Input:
    asked = child(element, "inputExpression")
    kind = type_ref(asked) if asked is not None else ""
    return Input(text_of(element, "inputExpression"), element.get("label", ""), text_of(element, "inputValues"), kind)


def _output(element: etree._Element) -> Output:
    values, default = text_of(element, "outputValues"), text_of(element, "defaultOutputEntry")
    return Output(element.get("name", ""), element.get("label", ""), values, default, type_ref(element))


def _rule(element: etree._Element, number: int, owner: str) -> Rule:
    note = child(element, "description")
    return Rule(
        element.get("id") or f"{owner}_{number}",
        tuple(map(own_text, children(element, "inputEntry"))),
        tuple(map(own_text, children(element, "outputEntry"))),
        line(element),
        (note.text or "").strip() if note is not None else "",
    )


_READERS: dict[str, Callable[[etree._Element, str, int], Box]] = {
    "literalExpression": _literal, "decisionTable": _table, "context": _context, "invocation": _invocation,
    "functionDefinition": definition, "list": _items, "relation": _relation, "conditional": _conditional,
    "filter": _filter, "for": _iterator, "some": _iterator, "every": _iterator,
}  # fmt: skip
