"""FEEL types (DMN 1.5, 10.3.2.10): which values conform, and the conversions a typed place makes by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any

from engine.feel.values import Function, Range, kind_of


@dataclass(frozen=True)
class Type:
    """A type by name; `item` of a list or range, `fields` of a context, `params`/`result` of a function.

    `allowed` narrows it: a test of a value that conforms otherwise.
    """

    name: str
    item: Type | None = None
    fields: tuple[tuple[str, Type], ...] | None = None
    params: tuple[Type, ...] | None = None
    result: Type | None = None
    allowed: Callable[[Any], bool] | None = field(default=None, compare=False)


ANY = Type("Any")
BASIC = {
    name: Type(name)
    for name in (
        "number", "string", "boolean", "date", "time", "date and time", "days and time duration",
        "years and months duration", "context", "list", "function", "range", "Null",
    )
}  # fmt: skip
BASIC["Any"] = ANY
ALIASES = {
    "dateTime": "date and time", "dayTimeDuration": "days and time duration", "any": "Any", "null": "Null",
    "yearMonthDuration": "years and months duration",
}  # fmt: skip
BASIC.update({alias: BASIC[name] for alias, name in ALIASES.items()})


def list_of(item: Type) -> Type:
    """The type of lists of one type."""
    return Type("list", item=item)


def conforms(value: Any, wanted: Type, narrow: bool = True) -> bool:
    """Is the value of the type, within its allowed values if `narrow`? null is of every type."""
    if value is None:
        return True
    return _shaped(value, wanted, narrow) and (not narrow or wanted.allowed is None or wanted.allowed(value))


def _shaped(value: Any, wanted: Type, narrow: bool) -> bool:
    if wanted.name == "Any":
        return True
    if kind_of(value) != wanted.name:
        return False
    if isinstance(value, list) and wanted.item:
        return all(conforms(one, wanted.item, narrow) for one in value)
    if isinstance(value, dict) and wanted.fields is not None:
        return all(name in value and conforms(value[name], inner, narrow) for name, inner in wanted.fields)
    if isinstance(value, Range) and wanted.item:
        return all(end is None or conforms(end, wanted.item, narrow) for end in (value.low, value.high))
    if isinstance(value, Function):
        return _fits(value, wanted)
    return True


def _fits(value: Function, wanted: Type) -> bool:
    """Is the function of the type? Parameters may be wider than asked, the result narrower; unknown types fit."""
    if wanted.params is None:
        return True
    if len(value.params) != len(wanted.params):
        return False
    given = value.types or (ANY,) * len(value.params)
    if not all(within(asked, own) for asked, own in zip(wanted.params, given, strict=True)):
        return False
    return wanted.result is None or value.result is None or within(value.result, wanted.result)


def within(narrow: Type, wide: Type) -> bool:
    """Is every value of one type a value of the other?"""
    if wide.name == "Any" or narrow.name == "Null":
        return True
    if narrow.name != wide.name:
        return False
    if wide.item and not (narrow.item and within(narrow.item, wide.item)):
        return False
    if wide.fields is not None:
        own = dict(narrow.fields or ())
        return all(name in own and within(own[name], inner) for name, inner in wide.fields)
    return True


def instance(value: Any, wanted: Type) -> bool:
    """`value instance of wanted`, by shape alone: null is an instance of nothing but Null."""
    if value is None:
        return wanted.name == "Null"
    return conforms(value, wanted, narrow=False)


def coerce(value: Any, wanted: Type) -> Any:
    """The value as a typed place takes it: itself, its only element, a list of it, midnight of a date; null otherwise."""
    if conforms(value, wanted):
        return value
    if isinstance(value, list) and len(value) == 1 and wanted.name != "list":
        return coerce(value[0], wanted) if not isinstance(value[0], list) else None
    if wanted.name == "list":
        return _list(value, wanted)
    if wanted.name == "date and time" and type(value) is date:
        made = datetime.combine(value, time(), UTC)
        return made if conforms(made, wanted) else None
    if isinstance(value, dict) and wanted.fields is not None:
        made_up = {**value, **{name: coerce(value[name], inner) for name, inner in wanted.fields if name in value}}
        return made_up if conforms(made_up, wanted) else None
    return None


def _list(value: Any, wanted: Type) -> Any:
    if isinstance(value, list):
        return None
    made = [value]
    return made if conforms(made, wanted) else None
