"""Conditions of forms: a small JSON tree over the fields, the same on the server and in the browser.

`{"field": "urgency", "eq": "E"}`; operators eq ne in gt gte lt lte empty; combined by all, any, not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from forms.errors import FormError, choice

Condition = Mapping[str, Any]
DEPTH = 10


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def test(value: Any, other: Any) -> bool:
        try:
            return value is not None and bool(compare(value, other))
        except TypeError:
            return False

    return test


OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda value, other: value == other,
    "ne": lambda value, other: value != other,
    "in": lambda value, other: any(v in other for v in value) if isinstance(value, list) else value in other,
    "gt": _ordered(lambda a, b: a > b),
    "gte": _ordered(lambda a, b: a >= b),
    "lt": _ordered(lambda a, b: a < b),
    "lte": _ordered(lambda a, b: a <= b),
    "empty": lambda value, other: (value in (None, "", [])) is bool(other),
}


def evaluate(condition: Condition | None, data: Mapping[str, Any]) -> bool:
    """Does the condition hold for these values? No condition always holds."""
    if not condition:
        return True
    if "all" in condition:
        return all(evaluate(part, data) for part in condition["all"])
    if "any" in condition:
        return any(evaluate(part, data) for part in condition["any"])
    if "not" in condition:
        return not evaluate(condition["not"], data)
    value = data.get(condition["field"])
    return all(OPERATORS[name](value, other) for name, other in condition.items() if name != "field")


def fields(condition: Condition | None) -> set[str]:
    """The names of the fields a condition looks at."""
    if not condition:
        return set()
    for word in ("all", "any"):
        if word in condition:
            return set().union(*(fields(part) for part in condition[word]))
    return fields(condition["not"]) if "not" in condition else {condition["field"]}


def check(condition: Any, known: set[str], depth: int = 0) -> None:
    """Refuse a malformed condition; FormError says what is wrong with it."""
    if depth > DEPTH:
        raise FormError("A condition is nested too deeply.")
    if not isinstance(condition, Mapping):
        raise FormError(f"A condition is an object, not {condition!r}.")
    words = [w for w in ("all", "any", "not", "field") if w in condition]
    if len(words) != 1:
        raise FormError("A condition has exactly one of all, any, not, field.")
    if words[0] in ("all", "any"):
        parts = condition[words[0]]
        if not isinstance(parts, list) or not parts or len(condition) != 1:
            raise FormError(f"{words[0]} takes a list of conditions and nothing beside it.")
        for part in parts:
            check(part, known, depth + 1)
    elif words[0] == "not":
        check(condition["not"], known, depth + 1)
    else:
        if condition["field"] not in known:
            there = choice(condition["field"], known)
            raise FormError(f"A condition looks at the unknown field {condition['field']!r}; there are: {there}.")
        wrong = set(condition) - set(OPERATORS) - {"field"}
        if wrong or len(condition) < 2:
            raise FormError(f"A condition on {condition['field']!r} needs one of {', '.join(OPERATORS)}.")
        if not isinstance(condition.get("in", []), list):
            raise FormError(f"A condition on {condition['field']!r} compares by in with a list of values.")
