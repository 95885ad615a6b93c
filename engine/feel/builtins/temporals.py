"""Built-ins that make and read dates, times and durations (DMN 1.5, 10.3.4.1 and 10.3.4.7)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from typing import Any

from engine.feel import temporal
from engine.feel.builtins.signature import builtin
from engine.feel.runtime import Run
from engine.feel.temporal import Months
from engine.feel.values import kind

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
          "December")  # fmt: skip


def _whole(*numbers: Decimal) -> list[int]:
    if any(n != n.to_integral_value() for n in numbers):
        raise ValueError
    return [int(n) for n in numbers]


@builtin("date(from: text)")
def date_from_text(_: Run, text: str) -> date | None:
    """`date("2026-11-24")`."""
    return temporal.parse_date(text)


@builtin("date(from: date)")
def date_from_date(_: Run, value: date) -> date:
    """The day of a date and time."""
    return value.date() if isinstance(value, datetime) else value


@builtin("date(year: number, month: number, day: number)")
def date_from_parts(_: Run, *parts: Decimal) -> date:
    """`date(2026, 11, 24)`."""
    return date(*_whole(*parts))


@builtin("time(from: text)")
def time_from_text(_: Run, text: str) -> time | None:
    """`time("08:42:00")`."""
    return temporal.parse_time(text)


@builtin("time(from: date)")
@builtin("time(from: time)")
def time_from_value(_: Run, value: date | time) -> time:
    """The time of day of a date and time; midnight UTC of a date."""
    if isinstance(value, datetime):
        return value.timetz()
    return value if isinstance(value, time) else time(tzinfo=UTC)


@builtin("time(hour: number, minute: number, second: number, offset: days?)")
def time_from_parts(_: Run, hour: Decimal, minute: Decimal, second: Decimal, away: timedelta | None = None) -> time:
    """`time(8, 42, 0, duration("PT8H"))`."""
    h, m = _whole(hour, minute)
    s, micro = divmod(int(second * 1_000_000), 1_000_000)
    return time(h, m, s, micro, None if away is None else temporal.fixed(away))


@builtin("date and time(from: text)")
def instant_from_text(_: Run, text: str) -> datetime | None:
    """`date and time("2026-11-24T08:42:00+08:00")`; of a date, its local midnight."""
    day = temporal.parse_date(text)
    return datetime.combine(day, time()) if day else temporal.parse_datetime(text)


@builtin("date and time(from: date)")
def instant_from_date(_: Run, value: date) -> datetime:
    """Itself; of a date, midnight UTC."""
    return value if isinstance(value, datetime) else datetime.combine(value, time(), UTC)


@builtin("date and time(date: date, time: time)")
def instant_from_both(_: Run, day: date, moment: time) -> datetime:
    """The day and the time of day together."""
    return datetime.combine(date_from_date(_, day), moment)


_SIX = "year: number, month: number, day: number, hour: number, minute: number, second: number"


@builtin(f"date and time({_SIX}, offset: days?)")
def instant_from_parts(_: Run, *parts: Any) -> datetime:
    """`date and time(2026, 11, 24, 8, 42, 0, duration("PT8H"))`."""
    away = parts[6] if len(parts) > 6 else None
    return _instant(parts, None if away is None else temporal.fixed(away))


@builtin(f"date and time({_SIX}, timezone: text)")
def instant_in_zone(_: Run, *parts: Any) -> datetime:
    """`date and time(2026, 11, 24, 8, 42, 0, "Asia/Shanghai")`."""
    return _instant(parts, temporal.zone(parts[6]))


def _instant(parts: tuple[Any, ...], where: tzinfo | None) -> datetime:
    year, month, day, hour, minute = _whole(*parts[:5])
    second, micro = divmod(int(parts[5] * 1_000_000), 1_000_000)
    return datetime(year, month, day, hour, minute, second, micro, where)


@builtin("duration(from: text)")
def duration_from_text(_: Run, text: str) -> timedelta | Months | None:
    """`duration("PT15M")`, `duration("P1Y2M")`."""
    return temporal.parse_duration(text)


@builtin("duration(from: duration)")
def duration_from_value(_: Run, value: timedelta | Months) -> timedelta | Months:
    """Itself."""
    return value


@builtin("years and months duration(from: date, to: date)")
def years_and_months(_: Run, start: date, end: date) -> Months:
    """Whole months between two dates."""
    forward = (start.year, start.month) <= (end.year, end.month)
    count = (end.year - start.year) * 12 + end.month - start.month
    if count and forward and end.day < start.day:
        count -= 1
    elif count and not forward and end.day > start.day:
        count += 1
    return Months(count)


@builtin("day of year(date: date)")
def day_of_year(_: Run, day: date) -> Decimal:
    """1 to 366."""
    return Decimal(day.timetuple().tm_yday)


@builtin("day of week(date: date)")
def day_of_week(_: Run, day: date) -> str:
    """Its English name."""
    return DAYS[day.weekday()]


@builtin("month of year(date: date)")
def month_of_year(_: Run, day: date) -> str:
    """Its English name."""
    return MONTHS[day.month - 1]


@builtin("week of year(date: date)")
def week_of_year(_: Run, day: date) -> Decimal:
    """The ISO 8601 week."""
    return Decimal(day.isocalendar().week)


@builtin("now()")
def now(run: Run) -> datetime:
    """The instant of the evaluation."""
    return run.now


@builtin("today()")
def today(run: Run) -> date:
    """The day of the evaluation, in the zone of its instant."""
    return run.now.date()


@builtin("is(value1: any, value2: any)")
def is_same(run: Run, a: Any, b: Any) -> bool:
    """Alike in kind and value, zones by their spelling."""
    if kind(a) != kind(b):
        return False
    run.weigh(a, b)
    return temporal.same(a, b) if isinstance(a, date | time) else bool(a == b)
