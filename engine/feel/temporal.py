"""Dates, times and durations: their ISO 8601 texts in and out, and what FEEL calls equal and earlier (DMN 1.5, 10.3.2.3)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from zoneinfo import ZoneInfo

DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)", re.ASCII)
TIME = re.compile(
    r"(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:(Z)|([+-])(\d\d):(\d\d)(?::(\d\d))?|@([A-Za-z][\w+\-/]*))?", re.ASCII
)
DAYS = re.compile(r"(-)?P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d*)?)S)?)?", re.ASCII)
MONTHS = re.compile(r"(-)?P(?:(\d+)Y)?(?:(\d+)M)?", re.ASCII)
WIDEST_OFFSET = timedelta(hours=18)
MOST_DIGITS = 18
"""Digits one part of a duration may have."""


@dataclass(frozen=True, order=True)
class Months:
    """A years-and-months duration, counted in months."""

    count: int


Temporal = date | time | datetime | timedelta | Months


@lru_cache(maxsize=2048)
def parse_temporal(text: str) -> Temporal | None:
    """The temporal value an `@"…"` literal names; None when there is none."""
    for read in (parse_date, parse_datetime, parse_time, parse_duration):
        value = read(text)
        if value is not None:
            return value
    return None


def parse_date(text: str) -> date | None:
    """`2026-11-24`."""
    m = DATE.fullmatch(text)
    try:
        return date(*map(int, m.groups())) if m else None
    except ValueError:
        return None


def parse_time(text: str) -> time | None:
    """`08:42:00`, also with a fraction, `Z`, an offset up to 18 hours or `@Asia/Shanghai`."""
    m = TIME.fullmatch(text)
    if m is None:
        return None
    hour, minute, second, fraction, utc, sign, *offset, zone = m.groups()
    try:
        where = _zone(utc, sign, offset, zone)
        return time(int(hour), int(minute), int(second), int((fraction or "").ljust(6, "0")[:6]), where)
    except ValueError:
        return None


def _zone(utc: str | None, sign: str | None, offset: list[str | None], name: str | None) -> tzinfo | None:
    if utc:
        return UTC
    if name:
        return zone(name)
    if not sign:
        return None
    hours, minutes, seconds = (int(part or 0) for part in offset)
    if minutes > 59 or seconds > 59:
        raise ValueError("no such offset")
    return fixed(timedelta(hours=hours, minutes=minutes, seconds=seconds) * (-1 if sign == "-" else 1))


def fixed(offset: timedelta) -> tzinfo:
    """The zone of a fixed offset; ValueError beyond 18 hours."""
    if abs(offset) > WIDEST_OFFSET:
        raise ValueError("no such offset")
    return timezone(offset) if offset else UTC


def zone(name: str) -> tzinfo:
    """A zone of the IANA database; ValueError when it has none of this name."""
    try:
        return ZoneInfo(name)
    except (LookupError, OSError) as problem:
        raise ValueError(name) from problem


def parse_datetime(text: str) -> datetime | None:
    """`2026-11-24T08:42:00+08:00`; without a zone it is a local date and time."""
    day, separator, rest = text.partition("T")
    d, t = parse_date(day), parse_time(rest) if separator else None
    return datetime.combine(d, t) if d is not None and t is not None else None


def parse_duration(text: str) -> timedelta | Months | None:
    """ISO 8601 duration, days and time or years and months; None when it is neither, or mixes them."""
    if (m := DAYS.fullmatch(text)) and any(m.groups()[1:]) and not text.endswith("T"):
        sign, days, hours, minutes, seconds = m.groups()
        try:
            micro = int(Decimal(seconds or 0) * 1_000_000)
            value = timedelta(days=int(days or 0), hours=int(hours or 0), minutes=int(minutes or 0), microseconds=micro)
        except (OverflowError, InvalidOperation, ValueError):
            return None
        return -value if sign else value
    if (m := MONTHS.fullmatch(text)) and any(m.groups()[1:]) and len(text) < MOST_DIGITS:
        count = int(m.group(2) or 0) * 12 + int(m.group(3) or 0)
        return Months(-count if m.group(1) else count)
    return None


def duration_text(value: timedelta | Months) -> str:
    """ISO 8601 form of a duration."""
    if isinstance(value, Months):
        years, months = divmod(abs(value.count), 12)
        body = (f"{years}Y" if years else "") + (f"{months}M" if months or not years else "")
        return ("-" if value.count < 0 else "") + "P" + body
    total = abs(value)
    hours, rest = divmod(total.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    fraction = f".{total.microseconds:06}".rstrip("0") if total.microseconds else ""
    clock = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    clock += f"{seconds}{fraction}S" if seconds or fraction else ""
    day = f"{total.days}D" if total.days else ""
    body = day + (f"T{clock}" if clock else "")
    return ("-" if value < timedelta(0) else "") + "P" + (body or "T0S")


def text(value: date | time) -> str:
    """The FEEL text of a date, time, or date and time; a named zone stays named."""
    if not isinstance(value, time | datetime):
        return value.isoformat()
    body = value.replace(tzinfo=None).isoformat()
    body = body.rstrip("0") if value.microsecond else body
    if value.tzinfo is None:
        return body
    name = zone_name(value)
    if name:
        return f"{body}@{name}"
    return body + offset_text(offset(value) or timedelta(0))


def offset_text(value: timedelta) -> str:
    """`Z`, `+08:00`, `-02:45:55`."""
    if not value:
        return "Z"
    minutes, seconds = divmod(abs(int(value.total_seconds())), 60)
    body = f"{minutes // 60:02}:{minutes % 60:02}" + (f":{seconds:02}" if seconds else "")
    return ("-" if value < timedelta(0) else "+") + body


def zone_name(value: time | datetime) -> str | None:
    """The IANA name of a value's zone, None for a local value and for a fixed offset."""
    return value.tzinfo.key if isinstance(value.tzinfo, ZoneInfo) else None


def offset(value: time | datetime) -> timedelta | None:
    """Its distance from UTC; of a time in a named zone, the distance at the start of 1970 (a time alone has no season)."""
    if isinstance(value, time) and isinstance(value.tzinfo, ZoneInfo):
        return datetime.combine(date(1970, 1, 1), value).utcoffset()
    return value.utcoffset()


def clock_key(value: time | datetime) -> tuple[bool, timedelta]:
    """What orders times of day among each other: has it a zone, and the milliseconds since midnight UTC."""
    away = offset(value)
    at = timedelta(hours=value.hour, minutes=value.minute, seconds=value.second, milliseconds=value.microsecond // 1000)
    return (away is not None, at - (away or timedelta(0)))


def instant_key(value: datetime) -> tuple[bool, datetime]:
    """What orders dates and times: has it a zone, and the instant in milliseconds. OverflowError at the ends of time."""
    whole = value.replace(microsecond=value.microsecond // 1000 * 1000)
    away = whole.utcoffset()
    return (away is not None, whole.replace(tzinfo=None) - (away or timedelta(0)))


def same(a: date | time, b: date | time) -> bool:
    """Exactly alike, the zone's spelling included (the FEEL function `is`)."""
    if isinstance(a, time | datetime) and isinstance(b, time | datetime):
        return a.replace(tzinfo=None) == b.replace(tzinfo=None) and _spelt(a) == _spelt(b)
    return a == b


def _spelt(value: time | datetime) -> object:
    return zone_name(value) or (value.tzinfo is not None, value.utcoffset())
