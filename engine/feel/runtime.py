"""What a compiled expression runs on: scope chain, clock, fuel; and the operators with FEEL's null rules (DMN 1.5, 10.3.2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Context, Decimal, DecimalException
from typing import Any

from engine.feel.errors import FeelError
from engine.feel.values import Function, Months, Range, from_json, kind

FUEL = 100_000
"""Steps one evaluation may take: iterations, calls and values built, by size."""
TEXT_LIMIT = 100_000
DEPTH_LIMIT = 64
MATH = Context(prec=34, Emax=6144, Emin=-6143)


class Env:
    """The names in reach, the instant that `now()` tells, and what is left of the fuel."""

    __slots__ = ("depth", "fuel", "functions", "now", "scopes")

    def __init__(
        self, scope: Mapping[str, Any], now: datetime, functions: Mapping[str, Function], fuel: int = FUEL
    ) -> None:
        self.scopes: list[Mapping[str, Any]] = [scope]
        self.now = now
        self.functions = functions
        self.fuel = fuel
        self.depth = 0

    def burn(self, amount: int = 1) -> None:
        """Pay for work; FeelError when the expression costs too much."""
        self.fuel -= amount
        if self.fuel < 0:
            raise FeelError("the expression does too much work; simplify it or move the work into an operation")

    def look_up(self, name: str) -> Any:
        """The value of a name, innermost scope first; null when nobody set it."""
        for scope in reversed(self.scopes):
            if name in scope:
                value = scope[name]
                if scope is self.scopes[0]:
                    self.burn(_size(value))
                    return from_json(value)
                return value
        if name == "now":
            return Function((), lambda: self.now, "now")
        if name == "today":
            return Function((), lambda: self.now.date(), "today")
        return self.functions.get(name)


def _size(value: Any) -> int:
    if isinstance(value, Mapping):
        return 1 + sum(map(_size, value.values()))
    if isinstance(value, list | tuple):
        return 1 + sum(map(_size, value))
    return 1


def _math(op: Callable[[Decimal, Decimal], Decimal], a: Decimal, b: Decimal) -> Decimal | None:
    try:
        value = op(a, b)
    except DecimalException:
        return None
    return value if value.is_finite() else None


def add(env: Env, a: Any, b: Any) -> Any:
    """a + b."""
    if isinstance(a, Decimal) and isinstance(b, Decimal):
        return _math(MATH.add, a, b)
    if isinstance(a, str) and isinstance(b, str):
        if len(a) + len(b) > TEXT_LIMIT:
            raise FeelError(f"a text may not grow beyond {TEXT_LIMIT} characters")
        env.burn(1 + (len(a) + len(b)) // 64)
        return a + b
    if isinstance(a, Months) and isinstance(b, Months):
        return Months(a.count + b.count)
    try:
        if isinstance(a, timedelta) and isinstance(b, timedelta):
            return a + b
        if isinstance(b, date | time) and isinstance(a, timedelta | Months):
            a, b = b, a
        return _shift(a, b)
    except (OverflowError, ValueError):
        return None


def _shift(moment: Any, by: Any) -> Any:
    if isinstance(by, timedelta):
        if isinstance(moment, datetime):
            return moment + by
        if isinstance(moment, date):
            return moment + timedelta(days=by // timedelta(days=1))
        if isinstance(moment, time):
            whole = datetime(2000, 1, 2, moment.hour, moment.minute, moment.second, tzinfo=moment.tzinfo) + by
            return whole.timetz()
    if isinstance(by, Months) and isinstance(moment, date):
        year, month = divmod(moment.year * 12 + moment.month - 1 + by.count, 12)
        day = moment.day
        while day > 28:
            try:
                return moment.replace(year=year, month=month + 1, day=day)
            except ValueError:
                day -= 1
        return moment.replace(year=year, month=month + 1, day=day)
    return None


def subtract(env: Env, a: Any, b: Any) -> Any:
    """a - b."""
    if isinstance(a, Decimal) and isinstance(b, Decimal):
        return _math(MATH.subtract, a, b)
    if isinstance(b, Months):
        return Months(a.count - b.count) if isinstance(a, Months) else add(env, a, Months(-b.count))
    try:
        if isinstance(b, timedelta):
            return a - b if isinstance(a, timedelta) else add(env, a, -b)
        if isinstance(a, datetime) and isinstance(b, datetime):
            return a - b
        if type(a) is date and type(b) is date:
            return a - b
        if isinstance(a, time) and isinstance(b, time):
            anchor = date(2000, 1, 1)
            return datetime.combine(anchor, a) - datetime.combine(anchor, b)
    except (OverflowError, TypeError):
        return None
    return None


def multiply(_: Env, a: Any, b: Any) -> Any:
    """a * b."""
    if isinstance(a, Decimal) and isinstance(b, Decimal):
        return _math(MATH.multiply, a, b)
    if isinstance(a, Decimal):
        a, b = b, a
    try:
        if isinstance(a, timedelta) and isinstance(b, Decimal):
            return a * float(b) if b != b.to_integral_value() else a * int(b)
        if isinstance(a, Months) and isinstance(b, Decimal):
            return Months(int(a.count * b))
    except OverflowError:
        return None
    return None


def divide(_: Env, a: Any, b: Any) -> Any:
    """a / b; null when b is zero."""
    if isinstance(a, Decimal) and isinstance(b, Decimal):
        return _math(MATH.divide, a, b) if b else None
    if isinstance(a, timedelta) and isinstance(b, Decimal):
        return a / float(b) if b else None
    if isinstance(a, timedelta) and isinstance(b, timedelta):
        return Decimal(str(a / b)) if b else None
    if isinstance(a, Months) and isinstance(b, Decimal):
        return Months(int(a.count / b)) if b else None
    if isinstance(a, Months) and isinstance(b, Months):
        return Decimal(a.count) / Decimal(b.count) if b.count else None
    return None


def power(_: Env, a: Any, b: Any) -> Any:
    """a ** b in 34-digit decimal arithmetic, so it stays bounded."""
    return _math(MATH.power, a, b) if isinstance(a, Decimal) and isinstance(b, Decimal) else None


def negate(a: Any) -> Any:
    """-a."""
    if isinstance(a, Decimal | timedelta):
        return -a
    return Months(-a.count) if isinstance(a, Months) else None


def equal(a: Any, b: Any) -> bool | None:
    """a = b; null when the kinds differ (null itself equals only null)."""
    if a is None or b is None:
        return a is None and b is None
    if kind(a) != kind(b):
        return None
    if isinstance(a, list):
        return len(a) == len(b) and all(equal(x, y) is True for x, y in zip(a, b, strict=True))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(equal(v, b[k]) is True for k, v in a.items())
    return bool(a == b)


def less(a: Any, b: Any) -> bool | None:
    """a < b; null when they cannot be compared."""
    comparable = (Decimal, str, date, time, timedelta, Months)
    if kind(a) != kind(b) or not isinstance(a, comparable) or isinstance(a, bool):
        return None
    try:
        return bool(a < b)
    except TypeError:
        return None


def less_equal(a: Any, b: Any) -> bool | None:
    """a <= b; null when they cannot be compared."""
    below = less(a, b)
    return None if below is None else below or equal(a, b) is True


def both(a: Any, b: Callable[[], Any]) -> bool | None:
    """Three-valued and."""
    if a is False:
        return False
    other = b()
    if other is False:
        return False
    return True if a is True and other is True else None


def either(a: Any, b: Callable[[], Any]) -> bool | None:
    """Three-valued or."""
    if a is True:
        return True
    other = b()
    if other is True:
        return True
    return False if a is False and other is False else None


def contains(interval: Range, value: Any) -> bool | None:
    """Is the value inside the interval?"""
    if value is None:
        return None
    low = True if interval.low is None else (less_equal if interval.low_in else less)(interval.low, value)
    high = True if interval.high is None else (less_equal if interval.high_in else less)(value, interval.high)
    return both(low, lambda: high)


def matches(value: Any, test: Any) -> bool | None:
    """One positive unary test: an interval holds the value, a list holds it or one of its tests does, else equality."""
    if isinstance(test, Range):
        return contains(test, value)
    if isinstance(test, list):
        if equal(value, test) is True:
            return True
        found = [matches(value, item) for item in test]
        return True if True in found else (None if None in found and False not in found else False)
    return equal(value, test)


def path(value: Any, name: str) -> Any:
    """value.name: entries of contexts, properties of temporals; over a list, of each element."""
    if isinstance(value, dict):
        return value.get(name)
    if isinstance(value, list):
        return [path(item, name) for item in value]
    if isinstance(value, Range):
        return {
            "start": value.low, "end": value.high, "start included": value.low_in, "end included": value.high_in,
        }.get(name)  # fmt: skip
    return _property(value, name)


def _property(value: Any, name: str) -> Any:
    if isinstance(value, date) and name in ("year", "month", "day"):
        return Decimal(getattr(value, name))
    if isinstance(value, date) and name == "weekday":
        return Decimal(value.isoweekday())
    if isinstance(value, datetime | time):
        if name in ("hour", "minute", "second"):
            return Decimal(getattr(value, name))
        if name == "time offset":
            return value.utcoffset()
        if name == "timezone":
            return getattr(value.tzinfo, "key", None)
    if isinstance(value, timedelta) and name in ("days", "hours", "minutes", "seconds"):
        total = abs(value)
        parts = {
            "days": total.days, "hours": total.seconds // 3600, "minutes": total.seconds % 3600 // 60,
            "seconds": total.seconds % 60,
        }  # fmt: skip
        return Decimal(-parts[name] if value < timedelta(0) else parts[name])
    if isinstance(value, Months) and name in ("years", "months"):
        years, months = divmod(abs(value.count), 12)
        found = years if name == "years" else months
        return Decimal(-found if value.count < 0 else found)
    return None
