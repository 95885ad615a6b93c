"""FEEL values in Python, and their passage from and to process data.

number = Decimal, string = str, boolean = bool, null = None, list = list, context = dict, date = date, time = time,
date and time = datetime, days and time duration = timedelta, years and months duration = Months, range = Range.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Context, Decimal, DecimalException
from typing import Any

from engine.feel.errors import FeelError
from engine.feel.temporal import Months, duration_text, parse_date, parse_datetime, parse_duration, parse_time

MATH = Context(prec=34, Emax=6144, Emin=-6143)
"""IEEE 754 decimal128, FEEL's arithmetic."""
DEEPEST = 64
"""Lists and contexts within each other."""
INT64 = 2**63
NUMBER = re.compile(r"-?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)


@dataclass(frozen=True)
class Range:
    """An interval; `low_in` and `high_in` say whether the ends belong to it; None is an open end.

    `test` is the comparison a unary test such as `< 10` was written with; it is unlike the interval it equals.
    """

    low: Any
    high: Any
    low_in: bool = True
    high_in: bool = True
    test: str = ""


@dataclass(frozen=True)
class Function:
    """A function value: parameter names, and what it does with a `runtime.Run` and their values given by position.

    `named` takes values by name where a function has several signatures; `types` and `result` (a `types.Type` each) are
    what it declares of its parameters and result.
    """

    params: tuple[str, ...]
    call: Callable[..., Any] = field(compare=False)
    named: Callable[[Any, dict[str, Any]], Any] | None = field(default=None, compare=False)
    types: tuple[Any, ...] = ()
    result: Any = None


def _instant(text: str) -> Any:
    value = parse_datetime(text) or _lenient(text)
    return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


def _lenient(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


TAGS: dict[str, Callable[[str], Any]] = {
    "dt": _instant, "d": parse_date, "t": parse_time, "dur": parse_duration, "ym": parse_duration,
    "dec": lambda text: number(text),
}  # fmt: skip


def from_json(value: Any, zone: tzinfo | None = None, depth: int = 0) -> Any:
    """Process data to FEEL values, deep. Numbers become Decimal, tagged objects temporals; an instant is told in the zone
    given, else in its own (UTC where it has none)."""
    if value is None or isinstance(value, bool | str | Decimal):
        return value
    if isinstance(value, int):
        return Decimal(value) if -INT64 <= value < INT64 else decimal(str(value)) if value.bit_length() < 9000 else None
    if isinstance(value, float):
        return number(repr(value))
    if isinstance(value, list | tuple | Mapping) and depth >= DEEPEST:
        raise FeelError("the data is nested too deeply")
    if isinstance(value, list | tuple):
        return [from_json(v, zone, depth + 1) for v in value]
    if isinstance(value, Mapping):
        if len(value) == 2 and "@" in value and "v" in value and value["@"] in TAGS:
            made = TAGS[value["@"]](str(value["v"]))
            return made.astimezone(zone) if zone is not None and isinstance(made, datetime) else made
        return {str(k): from_json(v, zone, depth + 1) for k, v in value.items()}
    return value


def to_json(value: Any) -> Any:
    """FEEL values to process data. Integral numbers become int, others float when that is exact; else they are tagged.

    A local date and time leaves as UTC, for process data knows instants only; ranges and functions do not leave.
    """
    if isinstance(value, Decimal):
        return _number_to_json(value)
    if isinstance(value, datetime):
        return {"@": "dt", "v": (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()}
    if isinstance(value, date):
        return {"@": "d", "v": value.isoformat()}
    if isinstance(value, time):
        return {"@": "t", "v": value.isoformat()}
    if isinstance(value, timedelta | Months):
        return {"@": "ym" if isinstance(value, Months) else "dur", "v": duration_text(value)}
    if isinstance(value, list | tuple):
        return [to_json(v) for v in value]
    if isinstance(value, Mapping):
        return {str(k): to_json(v) for k, v in value.items()}
    if isinstance(value, Range | Function):
        return None
    return value


def _number_to_json(value: Decimal) -> Any:
    if abs(value) < INT64 and value == value.to_integral_value():
        return int(value)
    near = float(value)
    return near if abs(near) != float("inf") and Decimal(repr(near)) == value else {"@": "dec", "v": str(value)}


def number(text: str) -> Decimal | None:
    """A number from its FEEL text; None when it is none."""
    return decimal(text) if NUMBER.fullmatch(text) else None


def decimal(text: str) -> Decimal | None:
    """A number of 34 digits; None when it is beyond what FEEL holds."""
    try:
        value = MATH.create_decimal(text)
    except DecimalException:
        return None
    return value if value.is_finite() else None


KINDS: dict[type, str] = {
    bool: "boolean", Decimal: "number", str: "string", datetime: "date and time", date: "date", time: "time",
    timedelta: "days and time duration", Months: "years and months duration", list: "list", dict: "context",
    Range: "range", Function: "function", type(None): "null",
}  # fmt: skip


def kind(value: Any) -> str:
    """The FEEL type name of a value."""
    return KINDS.get(type(value), "any")


def kind_of(value: Any) -> str:
    """The FEEL type name of a value of a subclass too (a datetime of another library)."""
    return next((name for python, name in KINDS.items() if isinstance(value, python)), "any")
