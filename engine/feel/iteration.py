"""for … return, some and every … satisfies, and filters, over lists, contexts and intervals."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from engine.feel.operators import less, less_equal
from engine.feel.runtime import Code, Frame, Run
from engine.feel.values import Range

Walk = tuple[str, Code]


class _Wrong(Exception):
    """What is walked over is neither a list nor an interval of whole steps."""


def walk(run: Run, value: Any) -> Iterator[Any]:
    """The elements of a list, the steps of an interval of numbers or dates (down too when written `3..1`), or the value."""
    if isinstance(value, Range):
        yield from _steps(run, value)
        return
    if value is None:
        raise _Wrong
    for item in value if isinstance(value, list) else [value]:
        run.burn()
        yield item


def _steps(run: Run, value: Range) -> Iterator[Any]:
    low, high = value.low, value.high
    step: Any
    if isinstance(low, Decimal) and isinstance(high, Decimal):
        step = Decimal(1)
        if low != low.to_integral_value() or high != high.to_integral_value():
            raise _Wrong
    elif isinstance(low, date) and isinstance(high, date) and type(low) is type(high) and not isinstance(low, datetime):
        step = timedelta(days=1)
    else:
        raise _Wrong
    down = value.test == ".." and less(high, low) is True
    at, step = low, -step if down else step
    try:
        at = at if value.low_in else at + step
        while (less_equal(high, at) if down else less_equal(at, high)) is True:
            if at == high and not value.high_in:
                return
            run.burn()
            yield at
            at += step
    except OverflowError:
        return


def _runs(frame: Frame, walks: list[Walk], at: int, names: dict[str, Any]) -> Iterator[None]:
    if at == len(walks):
        yield
        return
    name, source = walks[at]
    for item in walk(frame.run, source(frame)):
        names[name] = item
        yield from _runs(frame, walks, at + 1, names)


def collect(frame: Frame, walks: list[Walk], body: Code, partial: bool) -> list[Any] | None:
    """`for`: the values of the body; `partial` lends those so far. Each round has its own names, for functions keep them."""
    made: list[Any] = []
    names: dict[str, Any] = {}
    try:
        for _ in _runs(frame.inner(names), walks, 0, names):
            own = dict(names)
            if partial:
                frame.run.burn(len(made))
                own["partial"] = list(made)
            made.append(body(frame.inner(own)))
    except _Wrong:
        return None
    return made


def quantify(frame: Frame, walks: list[Walk], body: Code, decisive: bool) -> bool | None:
    """`some` (decisive true) and `every` (decisive false), three-valued."""
    names: dict[str, Any] = {}
    unknown = False
    try:
        for _ in _runs(frame.inner(names), walks, 0, names):
            verdict = body(frame.inner(dict(names)))
            if verdict is decisive:
                return bool(verdict)
            unknown = unknown or not isinstance(verdict, bool)
    except _Wrong:
        return None
    return None if unknown else not decisive


def nth(frame: Frame, value: Any, test: Code) -> Any:
    """`list[2]`, `list[-1]`: the element at a place, null when there is none."""
    items = value if isinstance(value, list) else ([] if value is None else [value])
    return at_place(items, test(frame))


def at_place(items: list[Any], index: Decimal) -> Any:
    """The element at a place, from the end when negative; null when there is none."""
    if index != index.to_integral_value() or abs(index) > len(items) or not index:
        return None
    return items[int(index) - 1 if index > 0 else int(index)]


def select(frame: Frame, value: Any, test: Code) -> Any:
    """`list[test]`: the elements that pass; when the test turns out a number, the element at that place."""
    items = value if isinstance(value, list) else ([] if value is None else [value])
    run = frame.run
    run.burn(1 + len(items))
    kept = []
    for item in items or [None]:
        verdict = test(frame.inner({"item": item, **item} if isinstance(item, dict) else {"item": item}))
        if isinstance(verdict, Decimal):
            return at_place(items, verdict)
        if verdict is True and items:
            kept.append(item)
    return kept
