"""FEEL values in Python, and their passage from and to process data.

number = Decimal, string = str, boolean = bool, null = None, list = list, context = dict, date = date, time = time,
date and time = datetime, days and time duration = timedelta, years and months duration = Months, range = Range.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

DAYS = re.compile(r"(-)?P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?", re.ASCII)
MONTHS = re.compile(r"(-)?P(?:(\d+)Y)?(?:(\d+)M)?", re.ASCII)


@dataclass(frozen=True, order=True)
class Months:
    """A years-and-months duration, counted in months."""

    count: int


@dataclass(frozen=True)
class Range:
    """An interval; `low_in` and `high_in` say whether the ends belong to it; None is an open end."""

    low: Any
    high: Any
    low_in: bool = True
    high_in: bool = True


@dataclass(frozen=True)
class Function:
    """A function value: parameter names and what it does with their values."""

    params: tuple[str, ...]
    call: Callable[..., Any]
    name: str = "function"


def parse_duration(text: str) -> timedelta | Months | None:
    """ISO 8601 duration, days and time or years and months; None when it is neither."""
    if (m := DAYS.fullmatch(text)) and any(m.groups()[1:]):
        sign, days, hours, minutes, seconds = m.groups()
        try:
            value = timedelta(
                days=int(days or 0), hours=int(hours or 0), minutes=int(minutes or 0), seconds=float(seconds or 0)
            )
        except OverflowError:
            return None
        return -value if sign else value
    if (m := MONTHS.fullmatch(text)) and any(m.groups()[1:]):
        count = int(m.group(2) or 0) * 12 + int(m.group(3) or 0)
        return Months(-count if m.group(1) else count)
    return None


def parse_temporal(text: str) -> date | time | datetime | timedelta | Months | None:
    """The temporal value an `@"…"` literal names; None when there is none."""
    for read in (parse_date, parse_datetime, parse_time, parse_duration):
        value = read(text)
        if value is not None:
            return value
    return None


def parse_date(text: str) -> date | None:
    """`2026-11-24`."""
    try:
        return date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else None
    except ValueError:
        return None


def parse_datetime(text: str) -> datetime | None:
    """`2026-11-24T08:42:00+08:00`; an instant without a zone is taken as UTC, since process instants are absolute."""
    if not re.match(r"\d{4}-\d\d-\d\dT\d", text):
        return None
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def parse_time(text: str) -> time | None:
    """`08:42:00`, with or without a zone."""
    try:
        return time.fromisoformat(text) if re.match(r"\d\d:\d\d", text) else None
    except ValueError:
        return None


def duration_text(value: timedelta | Months) -> str:
    """ISO 8601 form of a duration."""
    if isinstance(value, Months):
        years, months = divmod(abs(value.count), 12)
        body = (f"{years}Y" if years else "") + (f"{months}M" if months or not years else "")
        return ("-" if value.count < 0 else "") + "P" + body
    total = abs(value)
    seconds = total.seconds
    parts = [("D", total.days), ("H", seconds // 3600), ("M", seconds % 3600 // 60), ("S", seconds % 60)]
    day = f"{parts[0][1]}D" if parts[0][1] else ""
    rest = "".join(f"{n}{unit}" for unit, n in parts[1:] if n)
    if total.microseconds:
        rest = rest.rstrip("S") if parts[3][1] else rest
        whole = f"{parts[3][1]}." + f"{total.microseconds:06}".rstrip("0")
        rest = (rest[: -len(str(parts[3][1]))] if parts[3][1] else rest) + whole + "S"
    body = day + ("T" + rest if rest else "")
    return ("-" if value < timedelta(0) else "") + "P" + (body or "T0S")


TAGS: dict[str, Callable[[str], Any]] = {
    "dt": parse_datetime,
    "d": parse_date,
    "t": parse_time,
    "dur": parse_duration,
    "ym": parse_duration,
    "dec": Decimal,
}


def from_json(value: Any) -> Any:
    """Process data to FEEL values, deep. Numbers become Decimal, tagged objects temporals."""
    if isinstance(value, bool) or value is None or isinstance(value, str | Decimal):
        return value
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, list | tuple):
        return [from_json(v) for v in value]
    if isinstance(value, Mapping):
        if len(value) == 2 and "@" in value and "v" in value and value["@"] in TAGS:
            return TAGS[value["@"]](str(value["v"]))
        return {str(k): from_json(v) for k, v in value.items()}
    return value


def to_json(value: Any) -> Any:
    """FEEL values to process data. Integral numbers become int, other numbers float when exact enough, else tagged."""
    if isinstance(value, Decimal):
        if value == value.to_integral_value():
            return int(value)
        near = float(value)
        return near if Decimal(repr(near)) == value else {"@": "dec", "v": str(value)}
    if isinstance(value, datetime):
        return {"@": "dt", "v": value.isoformat()}
    if isinstance(value, date):
        return {"@": "d", "v": value.isoformat()}
    if isinstance(value, time):
        return {"@": "t", "v": value.isoformat()}
    if isinstance(value, timedelta):
        return {"@": "dur", "v": duration_text(value)}
    if isinstance(value, Months):
        return {"@": "ym", "v": duration_text(value)}
    if isinstance(value, list | tuple):
        return [to_json(v) for v in value]
    if isinstance(value, Mapping):
        return {str(k): to_json(v) for k, v in value.items()}
    if isinstance(value, Range | Function):
        return None
    return value


def number(text: str) -> Decimal | None:
    """A number from text; None when it is none."""
    try:
        return Decimal(text) if re.fullmatch(r"-?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", text.strip()) else None
    except InvalidOperation:
        return None


def kind(value: Any) -> str:
    """The FEEL type name of a value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    table: tuple[tuple[type, str], ...] = (
        (Decimal, "number"), (str, "string"), (datetime, "date and time"), (date, "date"), (time, "time"),
        (timedelta, "days and time duration"), (Months, "years and months duration"), (list, "list"), (dict, "context"),
        (Range, "range"), (Function, "function"),
    )  # fmt: skip
    return next((name for python, name in table if isinstance(value, python)), "any")
