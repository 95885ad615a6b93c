"""The built-in functions of FEEL (DMN 1.5, section 10.3.4). A wrong kind of argument gives null, never an exception."""

from __future__ import annotations

import re
import statistics
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Decimal,
)
from typing import Any

from engine.feel import values
from engine.feel.runtime import TEXT_LIMIT, Env, equal, less, path
from engine.feel.safe_regex import compile_pattern
from engine.feel.values import Function, Months

Impl = Callable[..., Any]
TABLE: dict[str, tuple[tuple[str, ...], Impl]] = {}


def feel(name: str, *params: str) -> Callable[[Impl], Impl]:
    """Register a built-in under its FEEL name with its parameter names."""

    def keep(function: Impl) -> Impl:
        TABLE[name] = (params, function)
        return function

    return keep


def names() -> Iterable[str]:
    """Every built-in name, the clock's included."""
    return [*TABLE, "now", "today"]


def _guard(function: Impl) -> Impl:
    def call(*arguments: Any) -> Any:
        try:
            return function(*arguments)
        except (TypeError, ValueError, ArithmeticError, IndexError, AttributeError, KeyError):
            return None

    return call


def _texts(*given: Any) -> None:
    if not all(isinstance(v, str) for v in given):
        raise TypeError


def _number(value: Any) -> Decimal:
    if not isinstance(value, Decimal):
        raise TypeError
    return value


def _list(*given: Any) -> list[Any]:
    if len(given) == 1 and isinstance(given[0], list):
        return given[0]
    return list(given)


# -- conversion -----------------------------------------------------------------------------------------------------
@feel("date", "from")
def _date(*given: Any) -> Any:
    if len(given) == 3:
        return date(*map(int, given))
    (value,) = given
    if isinstance(value, datetime):
        return value.date()
    return values.parse_date(value) if isinstance(value, str) else value if isinstance(value, date) else None


@feel("time", "from")
def _time(*given: Any) -> Any:
    if len(given) >= 3:
        return time(int(given[0]), int(given[1]), int(given[2]))
    (value,) = given
    if isinstance(value, datetime):
        return value.timetz()
    return values.parse_time(value) if isinstance(value, str) else value if isinstance(value, time) else None


@feel("date and time", "from")
def _date_and_time(*given: Any) -> Any:
    if len(given) == 2:
        day, moment = given
        found = datetime.combine(day.date() if isinstance(day, datetime) else day, moment)
        return found if found.tzinfo else values.parse_datetime(found.isoformat())
    (value,) = given
    if isinstance(value, str):
        return values.parse_datetime(value) or (
            (d := values.parse_date(value)) and values.parse_datetime(f"{d}T00:00:00")
        )
    return value if isinstance(value, datetime) else None


@feel("duration", "from")
def _duration(value: Any) -> Any:
    return values.parse_duration(value) if isinstance(value, str) else None


@feel("years and months duration", "from", "to")
def _years_and_months(start: Any, end: Any) -> Any:
    count = (end.year - start.year) * 12 + end.month - start.month
    if count > 0 and end.day < start.day:
        count -= 1
    elif count < 0 and end.day > start.day:
        count += 1
    return Months(count)


@feel("number", "from", "grouping separator", "decimal separator")
def _to_number(text: Any, grouping: Any = None, point: Any = None) -> Any:
    _texts(text)
    if grouping:
        text = text.replace(grouping, "")
    if point:
        text = text.replace(point, ".")
    return values.number(text)


@feel("string", "from")
def _string(value: Any) -> Any:
    return None if value is None else _text(value)


def _text(value: Any, inside: bool = False) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"' if inside else value
    if isinstance(value, Decimal):
        shown = format(value, "f")
        return (shown.rstrip("0").rstrip(".") if "." in shown else shown) or "0"
    if isinstance(value, timedelta | Months):
        return values.duration_text(value)
    if isinstance(value, list):
        return "[" + ", ".join(_text(v, True) for v in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {_text(v, True)}" for k, v in value.items()) + "}"
    return str(value.isoformat()) if isinstance(value, date | time) else str(value)


# -- strings --------------------------------------------------------------------------------------------------------
@feel("substring", "string", "start position", "length")
def _substring(text: Any, start: Any, length: Any = None) -> Any:
    _texts(text)
    first = int(_number(start))
    begin = first - 1 if first > 0 else max(0, len(text) + first)
    return text[begin:] if length is None else text[begin : begin + int(_number(length))]


@feel("string length", "string")
def _string_length(text: Any) -> Any:
    _texts(text)
    return Decimal(len(text))


@feel("upper case", "string")
def _upper(text: Any) -> Any:
    _texts(text)
    return text.upper()


@feel("lower case", "string")
def _lower(text: Any) -> Any:
    _texts(text)
    return text.lower()


@feel("substring before", "string", "match")
def _before(text: Any, match: Any) -> Any:
    _texts(text, match)
    return text.split(match, 1)[0] if match and match in text else ""


@feel("substring after", "string", "match")
def _after(text: Any, match: Any) -> Any:
    _texts(text, match)
    if not match:
        return text
    return text.split(match, 1)[1] if match in text else ""


@feel("contains", "string", "match")
def _contains(text: Any, match: Any) -> Any:
    _texts(text, match)
    return match in text


@feel("starts with", "string", "match")
def _starts(text: Any, match: Any) -> Any:
    _texts(text, match)
    return text.startswith(match)


@feel("ends with", "string", "match")
def _ends(text: Any, match: Any) -> Any:
    _texts(text, match)
    return text.endswith(match)


@feel("matches", "input", "pattern", "flags")
def _matches(text: Any, pattern: Any, flags: Any = "") -> Any:
    _texts(text, pattern)
    return compile_pattern(pattern, flags or "").search(text) is not None


@feel("replace", "input", "pattern", "replacement", "flags")
def _replace(text: Any, pattern: Any, replacement: Any, flags: Any = "") -> Any:
    _texts(text, pattern, replacement)
    made = compile_pattern(pattern, flags or "").sub(re.sub(r"\$(\d)", r"\\\1", replacement), text)
    return made if len(made) <= TEXT_LIMIT else None


@feel("split", "string", "delimiter")
def _split(text: Any, delimiter: Any) -> Any:
    _texts(text, delimiter)
    return compile_pattern(delimiter, "").split(text)


@feel("string join", "list", "delimiter")
def _join(items: Any, delimiter: Any = "") -> Any:
    found = [v for v in items if v is not None]
    _texts(*found)
    made = (delimiter or "").join(found)
    return made if len(made) <= TEXT_LIMIT else None


# -- numbers --------------------------------------------------------------------------------------------------------
def _rounding(name: str, mode: str) -> None:
    @feel(name, "n", "scale")
    def rounded(n: Any, scale: Any = Decimal(0)) -> Any:
        return _number(n).quantize(Decimal(1).scaleb(-int(_number(scale))), rounding=mode)


for _name, _mode in (
    ("decimal", ROUND_HALF_EVEN), ("floor", ROUND_FLOOR), ("ceiling", ROUND_CEILING), ("round up", ROUND_UP),
    ("round down", ROUND_DOWN), ("round half up", ROUND_HALF_UP), ("round half down", ROUND_HALF_DOWN),
):  # fmt: skip
    _rounding(_name, _mode)


@feel("abs", "n")
def _abs(n: Any) -> Any:
    return Months(abs(n.count)) if isinstance(n, Months) else abs(n)


@feel("modulo", "dividend", "divisor")
def _modulo(a: Any, b: Any) -> Any:
    a, b = _number(a), _number(b)
    return a - b * (a / b).to_integral_value(rounding=ROUND_FLOOR)


@feel("sqrt", "number")
def _sqrt(n: Any) -> Any:
    return _number(n).sqrt()


@feel("log", "number")
def _log(n: Any) -> Any:
    return _number(n).ln()


@feel("exp", "number")
def _exp(n: Any) -> Any:
    return _number(n).exp()


@feel("odd", "number")
def _odd(n: Any) -> Any:
    return _number(n) % 2 != 0


@feel("even", "number")
def _even(n: Any) -> Any:
    return _number(n) % 2 == 0


# -- lists ----------------------------------------------------------------------------------------------------------
@feel("list contains", "list", "element")
def _list_contains(items: Any, element: Any) -> Any:
    return any(equal(item, element) is True for item in items)


@feel("count", "list")
def _count(items: Any) -> Any:
    return Decimal(len(items if isinstance(items, list) else [items]))


def _extreme(items: list[Any], smaller: bool) -> Any:
    best = items[0]
    for item in items[1:]:
        verdict = less(item, best) if smaller else less(best, item)
        if verdict is None:
            return None
        best = item if verdict else best
    return best


@feel("min", "list")
def _min(*given: Any) -> Any:
    return _extreme(_list(*given), True)


@feel("max", "list")
def _max(*given: Any) -> Any:
    return _extreme(_list(*given), False)


@feel("sum", "list")
def _sum(*given: Any) -> Any:
    items = [_number(v) for v in _list(*given)]
    return sum(items, Decimal(0)) if items else None


@feel("product", "list")
def _product(*given: Any) -> Any:
    total = Decimal(1)
    for item in _list(*given):
        total *= _number(item)
    return total


@feel("mean", "list")
def _mean(*given: Any) -> Any:
    items = [_number(v) for v in _list(*given)]
    return sum(items, Decimal(0)) / len(items)


@feel("median", "list")
def _median(*given: Any) -> Any:
    return statistics.median([_number(v) for v in _list(*given)])


@feel("mode", "list")
def _mode_of(*given: Any) -> Any:
    items = _list(*given)
    return sorted(statistics.multimode([_number(v) for v in items])) if items else []


@feel("stddev", "list")
def _stddev(*given: Any) -> Any:
    return statistics.stdev([_number(v) for v in _list(*given)])


@feel("all", "list")
def _all(*given: Any) -> Any:
    items = _list(*given)
    return False if False in items else (True if all(v is True for v in items) else None)


@feel("any", "list")
def _any(*given: Any) -> Any:
    items = _list(*given)
    return True if True in items else (False if all(v is False for v in items) else None)


@feel("sublist", "list", "start position", "length")
def _sublist(items: Any, start: Any, length: Any = None) -> Any:
    first = int(_number(start))
    begin = first - 1 if first > 0 else len(items) + first
    return items[begin:] if length is None else items[begin : begin + int(_number(length))]


@feel("append", "list", "item")
def _append(items: Any, *more: Any) -> Any:
    return [*items, *more]


@feel("concatenate", "list")
def _concatenate(*lists: Any) -> Any:
    return [item for items in lists for item in items]


@feel("insert before", "list", "position", "new item")
def _insert(items: Any, position: Any, item: Any) -> Any:
    at = int(position) - 1 if position > 0 else len(items) + int(position)
    return [*items[:at], item, *items[at:]]


@feel("remove", "list", "position")
def _remove(items: Any, position: Any) -> Any:
    at = int(position) - 1 if position > 0 else len(items) + int(position)
    return [*items[:at], *items[at + 1 :]]


@feel("reverse", "list")
def _reverse(items: Any) -> Any:
    return items[::-1]


@feel("index of", "list", "match")
def _index_of(items: Any, match: Any) -> Any:
    return [Decimal(i) for i, item in enumerate(items, 1) if equal(item, match) is True]


@feel("distinct values", "list")
def _distinct(items: Any) -> Any:
    kept: list[Any] = []
    for item in items:
        if not _list_contains(kept, item):
            kept.append(item)
    return kept


@feel("union", "list")
def _union(*lists: Any) -> Any:
    return _distinct(_concatenate(*lists))


@feel("flatten", "list")
def _flatten(items: Any) -> Any:
    flat: list[Any] = []
    for item in items:
        flat.extend(_flatten(item) if isinstance(item, list) else [item])
    return flat


@feel("sort", "list", "precedes")
def _sort(items: Any, precedes: Any = None) -> Any:
    kept: list[Any] = []
    for item in items:
        place = len(kept)
        for i, other in enumerate(kept):
            before = precedes.call(item, other) if isinstance(precedes, Function) else less(item, other)
            if before is True:
                place = i
                break
        kept.insert(place, item)
    return kept


# -- contexts, temporals --------------------------------------------------------------------------------------------
@feel("get value", "m", "key")
def _get_value(m: Any, key: Any) -> Any:
    return path(m, key)


@feel("get entries", "m")
def _get_entries(m: Any) -> Any:
    return [{"key": k, "value": v} for k, v in m.items()]


@feel("context put", "context", "key", "value")
def _context_put(m: Any, key: Any, value: Any) -> Any:
    return {**m, key: value}


@feel("context merge", "contexts")
def _context_merge(contexts: Any) -> Any:
    return {k: v for m in contexts for k, v in m.items()}


@feel("day of week", "date")
def _day_of_week(day: Any) -> Any:
    return ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")[day.weekday()]


@feel("day of year", "date")
def _day_of_year(day: Any) -> Any:
    return Decimal(day.timetuple().tm_yday)


@feel("week of year", "date")
def _week_of_year(day: Any) -> Any:
    return Decimal(day.isocalendar().week)


@feel("month of year", "date")
def _month_of_year(day: Any) -> Any:
    return day.strftime("%B")


@feel("is", "value1", "value2")
def _is(a: Any, b: Any) -> Any:
    return type(a) is type(b) and a == b


FUNCTIONS = {name: Function(params, _guard(function), name) for name, (params, function) in TABLE.items()}


def environment(scope: Any, now: datetime, fuel: int) -> Env:
    """A fresh environment for one evaluation; `now()` and `today()` tell the instant given."""
    return Env(scope, now, FUNCTIONS, fuel)
