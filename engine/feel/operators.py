"""The operators of FEEL with their null rules (DMN 1.5, 10.3.2): arithmetic, equality, order, three-valued logic, paths."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_DOWN, Decimal, DecimalException
from typing import Any

from engine.feel import temporal
from engine.feel.runtime import Run
from engine.feel.temporal import Months
from engine.feel.values import MATH, Range, kind

ANCHOR = date(1970, 1, 1)


def _math(op: Callable[[Decimal, Decimal], Decimal], a: Decimal, b: Decimal) -> Decimal | None:
    try:
        value = op(a, b)
    except DecimalException:
        return None
    return value if value.is_finite() else None


# -- arithmetic -----------------------------------------------------------------------------------------------------
def add(run: Run, a: Any, b: Any) -> Any:
    """a + b."""
    if isinstance(a, Decimal) and isinstance(b, Decimal):
        return _math(MATH.add, a, b)
    if isinstance(a, str) and isinstance(b, str):
        return run.text(a + b)
    if isinstance(a, timedelta | Months) and isinstance(b, date | time):
        a, b = b, a
    try:
        if isinstance(a, timedelta) and isinstance(b, timedelta):
            return a + b
        if isinstance(a, Months) and isinstance(b, Months):
            return Months(a.count + b.count)
        if isinstance(b, timedelta):
            return _later(a, b)
        return _months_later(a, b.count) if isinstance(b, Months) and isinstance(a, date) else None
    except (OverflowError, ValueError):
        return None


def _later(moment: Any, by: timedelta) -> Any:
    if isinstance(moment, datetime):
        return moment + by
    if isinstance(moment, date):
        return moment + timedelta(days=by // timedelta(days=1))
    if isinstance(moment, time):
        return (datetime.combine(ANCHOR, moment) + by % timedelta(days=1)).timetz()
    return None


def _months_later(moment: date, count: int) -> Any:
    year, month = divmod(moment.year * 12 + moment.month - 1 + count, 12)
    day = moment.day
    while day > 28:
        try:
            return moment.replace(year=year, month=month + 1, day=day)
        except ValueError:
            day -= 1
    return moment.replace(year=year, month=month + 1, day=day)


def subtract(run: Run, a: Any, b: Any) -> Any:
    """a - b."""
    if isinstance(a, Decimal) and isinstance(b, Decimal):
        return _math(MATH.subtract, a, b)
    if isinstance(b, timedelta | Months):
        return add(run, a, negate(b)) if not isinstance(a, timedelta | Months) or type(a) is type(b) else None
    try:
        if isinstance(a, date) and isinstance(b, date):
            return _apart(a, b)
        if isinstance(a, time) and isinstance(b, time):
            (zoned, x), (other, y) = temporal.clock_key(a), temporal.clock_key(b)
            return x - y if zoned == other else None
    except (OverflowError, TypeError):
        return None
    return None


def _apart(a: date, b: date) -> timedelta | None:
    if type(a) is date and type(b) is date:
        return a - b
    x, y = (v if isinstance(v, datetime) else datetime.combine(v, time(), UTC) for v in (a, b))
    return x - y if (x.utcoffset() is None) == (y.utcoffset() is None) else None


def multiply(_: Run, a: Any, b: Any) -> Any:
    """a * b."""
    if isinstance(a, Decimal) and isinstance(b, Decimal):
        return _math(MATH.multiply, a, b)
    if isinstance(a, Decimal):
        a, b = b, a
    return _scale(MATH.multiply, a, b) if isinstance(b, Decimal) else None


def _scale(op: Callable[[Decimal, Decimal], Decimal], a: Any, by: Decimal) -> Any:
    """A duration multiplied or divided, cut to the microsecond or the month."""
    try:
        if isinstance(a, timedelta):
            micro = op(Decimal(a // timedelta(microseconds=1)), by)
            return timedelta(microseconds=int(micro.to_integral_value(ROUND_DOWN)))
        if isinstance(a, Months):
            return Months(int(op(Decimal(a.count), by).to_integral_value(ROUND_DOWN)))
    except (OverflowError, DecimalException, ValueError):
        return None
    return None


def divide(_: Run, a: Any, b: Any) -> Any:
    """a / b; null when b is zero."""
    if isinstance(b, Decimal):
        if not b:
            return None
        return _math(MATH.divide, a, b) if isinstance(a, Decimal) else _scale(MATH.divide, a, b)
    if isinstance(a, timedelta) and isinstance(b, timedelta):
        unit = timedelta(microseconds=1)
        return MATH.divide(Decimal(a // unit), Decimal(b // unit)) if b else None
    if isinstance(a, Months) and isinstance(b, Months):
        return MATH.divide(Decimal(a.count), Decimal(b.count)) if b.count else None
    return None


def power(_: Run, a: Any, b: Any) -> Any:
    """a ** b in 34-digit decimal arithmetic, so it stays bounded."""
    return _math(MATH.power, a, b) if isinstance(a, Decimal) and isinstance(b, Decimal) else None


def negate(a: Any) -> Any:
    """-a."""
    if isinstance(a, Decimal):
        return MATH.minus(a)
    if isinstance(a, timedelta):
        return -a if a > timedelta.min else None
    return Months(-a.count) if isinstance(a, Months) else None


# -- equality and order ---------------------------------------------------------------------------------------------
def equal(run: Run, a: Any, b: Any) -> bool | None:
    """a = b; null when the kinds differ (null itself equals only null)."""
    if a is None or b is None:
        return a is b
    if isinstance(a, list | dict | Range):
        run.weigh(a, b)
    return _equal(a, b)


def _equal(a: Any, b: Any) -> bool | None:
    if a is None or b is None:
        return a is b
    if kind(a) != kind(b):
        return None
    if isinstance(a, list):
        return len(a) == len(b) and all(_equal(x, y) is True for x, y in zip(a, b, strict=True))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_equal(v, b[k]) is True for k, v in a.items())
    if isinstance(a, Range):
        ends = ((a.low, b.low), (a.high, b.high))
        alike = (a.low_in, a.high_in, a.test) == (b.low_in, b.high_in, b.test)
        return alike and all(_equal(x, y) is True for x, y in ends)
    if isinstance(a, time):
        return temporal.clock_key(a) == temporal.clock_key(b)
    if isinstance(a, datetime):
        return _instants(a, b, lambda x, y: x == y, False)
    return bool(a == b)


def _instants(a: datetime, b: datetime, compare: Callable[[Any, Any], bool], otherwise: bool | None) -> bool | None:
    try:
        (zoned, x), (other, y) = temporal.instant_key(a), temporal.instant_key(b)
    except OverflowError:
        return compare(a, b) if (a.tzinfo is None) == (b.tzinfo is None) else otherwise
    return compare(x, y) if zoned == other else otherwise


def less(a: Any, b: Any) -> bool | None:
    """a < b; null when they cannot be compared."""
    if kind(a) != kind(b):
        if isinstance(a, date) and isinstance(b, date):
            a, b = (v if isinstance(v, datetime) else datetime.combine(v, time(), UTC) for v in (a, b))
            return _instants(a, b, lambda x, y: x < y, None)
        return None
    if isinstance(a, time):
        (zoned, x), (other, y) = temporal.clock_key(a), temporal.clock_key(b)
        return x < y if zoned == other else None
    if isinstance(a, datetime):
        return _instants(a, b, lambda x, y: x < y, None)
    if isinstance(a, Decimal | str | date | timedelta | Months):
        return bool(a < b)
    return None


def less_equal(a: Any, b: Any) -> bool | None:
    """a <= b; null when they cannot be compared."""
    above = less(b, a)
    return None if above is None else not above


def contains(interval: Range, value: Any) -> bool | None:
    """Is the value inside the interval? null when it cannot be compared with an end."""
    if value is None:
        return None
    if interval.test == "!=":
        found = _equal(value, interval.low)
        return None if found is None else not found
    if interval.test == "=":
        return _equal(value, interval.low)
    if (interval.low is None or interval.high is None) and (interval.test == "" or interval.low is interval.high):
        return None
    low = True if interval.low is None else (less_equal if interval.low_in else less)(interval.low, value)
    high = True if interval.high is None else (less_equal if interval.high_in else less)(value, interval.high)
    return both(low, high)


def matches(run: Run, value: Any, test: Any) -> bool | None:
    """One positive unary test: an interval holds the value, a list holds it or one of its tests does, else equality."""
    run.weigh(test)
    return _matches(value, test)


def _matches(value: Any, test: Any) -> bool | None:
    if isinstance(test, Range):
        if isinstance(value, Range):
            return _equal(value, test)
        if value is None and test.test in ("=", "!="):
            return (test.low is None) == (test.test == "=")
        return contains(test, value)
    if isinstance(test, list):
        return _equal(value, test) is True or any(_holds(item, value) for item in test)
    return _equal(value, test)


def _holds(item: Any, value: Any) -> bool:
    inside = isinstance(item, Range) and not isinstance(value, Range)
    return (contains(item, value) if inside else _equal(value, item)) is True


# -- logic ----------------------------------------------------------------------------------------------------------
def both(a: Any, b: Any) -> bool | None:
    """Three-valued and."""
    if a is False or b is False:
        return False
    return True if a is True and b is True else None


# -- paths ----------------------------------------------------------------------------------------------------------
def path(run: Run, value: Any, name: str) -> Any:
    """value.name: entries of contexts, properties of temporals and ranges; over a list, of each element."""
    if isinstance(value, dict):
        return value.get(name)
    if isinstance(value, list):
        run.burn(len(value))
        return [path(run, item, name) if not isinstance(item, list) else None for item in value]
    if isinstance(value, Range):
        return None if value.test == "!=" else {
            "start": value.low, "end": value.high, "start included": value.low_in, "end included": value.high_in,
        }.get(name)  # fmt: skip
    reader = _PROPERTIES.get(type(value), {}).get(name)
    return reader(value) if reader else None


def _part(name: str) -> Callable[[Any], Any]:
    return lambda value: Decimal(getattr(value, name))


def _of_duration(unit: timedelta, whole: timedelta | None) -> Callable[[timedelta], Decimal]:
    def read(value: timedelta) -> Decimal:
        size = abs(value) % whole if whole else abs(value)
        return Decimal(size // unit * (-1 if value < timedelta(0) else 1))

    return read


def _seconds(value: timedelta) -> Decimal:
    size = abs(value) % timedelta(minutes=1)
    return (Decimal(size // timedelta(microseconds=1)) / 1_000_000).normalize() * (-1 if value < timedelta(0) else 1)


def _of_months(value: Months, years: bool) -> Decimal:
    found = divmod(abs(value.count), 12)[0 if years else 1]
    return Decimal(-found if value.count < 0 else found)


_DATE: dict[str, Callable[[Any], Any]] = {
    "year": _part("year"), "month": _part("month"), "day": _part("day"), "weekday": lambda v: Decimal(v.isoweekday()),
}  # fmt: skip
_TIME: dict[str, Callable[[Any], Any]] = {
    "hour": _part("hour"), "minute": _part("minute"), "second": _part("second"), "time offset": temporal.offset,
    "timezone": temporal.zone_name,
}  # fmt: skip
_PROPERTIES: dict[type, dict[str, Callable[[Any], Any]]] = {
    date: _DATE,
    time: _TIME,
    datetime: {**_DATE, **_TIME},
    timedelta: {
        "days": _of_duration(timedelta(days=1), None),
        "hours": _of_duration(timedelta(hours=1), timedelta(days=1)),
        "minutes": _of_duration(timedelta(minutes=1), timedelta(hours=1)),
        "seconds": _seconds,
    },
    Months: {"years": lambda v: _of_months(v, True), "months": lambda v: _of_months(v, False)},
}
