"""What kind of value an expression gives, as far as its text alone says: for checks before anything runs.

A kind is `text number boolean datetime date time duration list context`; None where the text does not say. Whether the
value may be null is not asked: nearly every operation of FEEL can give that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from engine.feel import nodes, values
from engine.feel.builtins import FUNCTIONS
from engine.feel.parser import parse

Kind = str | None
Known = Callable[[tuple[str, ...]], Kind]
"""The kind of a variable, or of an entry of one: `("case", "id")`."""

OF_TYPE: Final = {
    "string": "text", "number": "number", "boolean": "boolean", "date and time": "datetime", "dateTime": "datetime", "date": "date",
    "time": "time", "days and time duration": "duration", "years and months duration": "duration", "list": "list", "context": "context",
}  # fmt: skip
"""The kinds of FEEL's types, by their names in expressions and decision tables."""
_GIVES: Final[dict[str, str]] = {
    **dict.fromkeys(
        ("string", "substring", "upper case", "lower case", "substring before", "substring after", "replace",
         "string join", "day of week", "month of year"), "text",
    ),
    **dict.fromkeys(
        ("number", "count", "sum", "mean", "median", "string length", "floor", "ceiling", "decimal",
         "modulo", "sqrt", "round up", "round down", "day of year", "week of year"), "number",
    ),
    **dict.fromkeys(
        ("not", "contains", "starts with", "ends with", "matches", "list contains", "all", "any", "odd", "even", "is"),
        "boolean",
    ),
    **dict.fromkeys(
        ("append", "concatenate", "flatten", "union", "distinct values", "reverse", "sort", "sublist", "split",
         "insert before", "remove", "get entries", "index of"), "list",
    ),
    **dict.fromkeys(("context", "context put", "context merge"), "context"),
    **dict.fromkeys(("duration", "years and months duration"), "duration"),
    "now": "datetime", "date and time": "datetime", "today": "date", "date": "date", "time": "time",
}  # fmt: skip
_SUMS: Final[dict[tuple[str, str, str], str]] = {
    ("number", "+", "number"): "number", ("number", "-", "number"): "number", ("text", "+", "text"): "text",
    ("datetime", "+", "duration"): "datetime", ("datetime", "-", "duration"): "datetime",
    ("duration", "+", "datetime"): "datetime", ("datetime", "-", "datetime"): "duration",
    ("duration", "+", "duration"): "duration", ("duration", "-", "duration"): "duration",
    ("date", "+", "duration"): "date", ("date", "-", "duration"): "date", ("date", "-", "date"): "duration",
    ("time", "+", "duration"): "time", ("time", "-", "duration"): "time", ("time", "-", "time"): "duration",
    ("number", "*", "number"): "number", ("number", "/", "number"): "number", ("number", "**", "number"): "number",
    ("duration", "*", "number"): "duration", ("number", "*", "duration"): "duration",
    ("duration", "/", "number"): "duration", ("duration", "/", "duration"): "number",
}  # fmt: skip
_ANSWERS: Final = frozenset(["=", "!=", "<", "<=", ">", ">=", "and", "or"])


def kind_of(source: str, known: Known) -> Kind:
    """The kind of what an expression gives, its names as `known` has them. FeelError when it does not parse."""
    tree, _ = parse(source, (), FUNCTIONS, {})
    return _kind(tree, known)


def kind_of_value(value: Any) -> Kind:
    """The kind of a FEEL value."""
    return OF_TYPE.get(values.kind_of(value))


def _kind(node: nodes.Node, known: Known) -> Kind:
    match node:
        case nodes.Literal(value):
            return kind_of_value(value)
        case nodes.Name() | nodes.Path():
            path = _path(node)
            return known(path) if path else None
        case nodes.Chain(first, rest):
            return _chain(_kind(first, known), rest, known)
        case nodes.Negate(of):
            return _kind(of, known)
        case nodes.Between() | nodes.In() | nodes.InstanceOf():
            return "boolean"
        case nodes.For(kind=kind):
            return "list" if kind == "for" else "boolean"
        case nodes.ListOf():
            return "list"
        case nodes.ContextOf():
            return "context"
        case nodes.If(yes=yes, no=no):
            return _either(yes, no, known)
        case nodes.Call(nodes.Name(name)):
            return _GIVES.get(name)
    return None


def _chain(kind: Kind, rest: tuple[tuple[str, nodes.Node], ...], known: Known) -> Kind:
    for operator, other in rest:
        if operator in _ANSWERS:
            kind = "boolean"
        else:
            right = _kind(other, known)
            kind = _SUMS.get((kind, operator, right)) if kind and right else None
    return kind


def _either(yes: nodes.Node, no: nodes.Node, known: Known) -> Kind:
    """What both branches give; null in one of them says nothing against the other."""
    given = [one for one in (yes, no) if one != nodes.Literal(None)]
    found = {_kind(one, known) for one in given}
    return found.pop() if len(found) == 1 else None


def _path(node: nodes.Node) -> tuple[str, ...]:
    """The names of `a.b.c`, empty when it does not begin with one."""
    names: list[str] = []
    while isinstance(node, nodes.Path):
        names.append(node.name)
        node = node.of
    return (node.name, *reversed(names)) if isinstance(node, nodes.Name) else ()
