"""Built-ins over lists (DMN 1.5, 10.3.4.4)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import cmp_to_key, reduce
from typing import Any

from engine.feel.builtins.signature import builtin
from engine.feel.operators import equal, less
from engine.feel.runtime import Run, call
from engine.feel.values import MATH, Function

HALF = Decimal("0.5")


def _numbers(run: Run, items: list[Any]) -> list[Decimal]:
    run.burn(len(items))
    if not all(isinstance(one, Decimal) for one in items):
        raise TypeError
    return items


def _spread(declaration: str) -> Callable[[Callable[[Run, list[Any]], Any]], Callable[..., Any]]:
    """A function of one list that also takes the elements one by one."""
    name, kind = declaration.split(": ")

    def keep(function: Callable[[Run, list[Any]], Any]) -> Callable[..., Any]:
        @builtin(f"{name}(list: list)")
        def whole(run: Run, items: list[Any]) -> Any:
            return function(run, items)

        @builtin(f"{name}(c: {kind}...)")
        def each(run: Run, *items: Any) -> Any:
            return function(run, list(items))

        whole.__dict__["signatures"] += each.__dict__["signatures"]
        return whole

    return keep


# -- looking at a list ----------------------------------------------------------------------------------------------
@builtin("list contains(list: list, element: any)")
def list_contains(run: Run, items: list[Any], element: Any) -> bool:
    """Is one of them equal to the element?"""
    return any(equal(run, item, element) is True for item in _paid(run, items))


def _paid(run: Run, items: list[Any]) -> list[Any]:
    run.burn(len(items))
    return items


@builtin("count(list: list)")
def count(_: Run, items: list[Any]) -> Decimal:
    """How many."""
    return Decimal(len(items))


def _extreme(run: Run, items: list[Any], smaller: bool) -> Any:
    best = None
    for item in _paid(run, items):
        verdict = True if best is None else less(item, best) if smaller else less(best, item)
        if verdict is None or item is None or less(item, item) is None:
            return None
        best = item if verdict else best
    return best


@_spread("min: any")
def smallest(run: Run, items: list[Any]) -> Any:
    """The least; null of an empty list and of elements that cannot be compared."""
    return _extreme(run, items, True)


@_spread("max: any")
def greatest(run: Run, items: list[Any]) -> Any:
    """The greatest; null of an empty list and of elements that cannot be compared."""
    return _extreme(run, items, False)


@_spread("sum: number")
def total(run: Run, items: list[Any]) -> Decimal | None:
    """The sum; null of an empty list."""
    return reduce(MATH.add, _numbers(run, items)) if items else None


@_spread("product: number")
def product(run: Run, items: list[Any]) -> Decimal | None:
    """The product; null of an empty list."""
    return reduce(MATH.multiply, _numbers(run, items)) if items else None


@_spread("mean: number")
def mean(run: Run, items: list[Any]) -> Decimal | None:
    """The arithmetic mean; null of an empty list."""
    whole = total(run, items)
    return None if whole is None else MATH.divide(whole, Decimal(len(items)))


@_spread("median: number")
def median(run: Run, items: list[Any]) -> Decimal | None:
    """The middle one, or the mean of the two middle ones; null of an empty list."""
    kept = sorted(_numbers(run, items))
    if not kept:
        return None
    middle = len(kept) // 2
    return kept[middle] if len(kept) % 2 else MATH.multiply(MATH.add(kept[middle - 1], kept[middle]), HALF)


@_spread("stddev: number")
def deviation(run: Run, items: list[Any]) -> Decimal | None:
    """The standard deviation of a sample; null of fewer than two."""
    average = mean(run, items)
    if average is None or len(items) < 2:
        return None
    squares = Decimal(0)
    for one in items:
        off = MATH.subtract(one, average)
        squares = MATH.add(squares, MATH.multiply(off, off))
    return MATH.sqrt(MATH.divide(squares, Decimal(len(items) - 1)))


@_spread("mode: number")
def mode(run: Run, items: list[Any]) -> list[Decimal]:
    """The most frequent ones, in order."""
    counts: dict[Decimal, int] = {}
    for one in _numbers(run, items):
        counts[one] = counts.get(one, 0) + 1
    most = max(counts.values(), default=0)
    return sorted(one for one, times in counts.items() if times == most)


def _judge(run: Run, items: list[Any], decisive: bool) -> bool | None:
    if not all(one is None or isinstance(one, bool) for one in _paid(run, items)):
        return None
    if decisive in items:
        return decisive
    return None if None in items else not decisive


@_spread("all: any")
def every(run: Run, items: list[Any]) -> bool | None:
    """Are all true?"""
    return _judge(run, items, False)


@_spread("any: any")
def some(run: Run, items: list[Any]) -> bool | None:
    """Is one true?"""
    return _judge(run, items, True)


@builtin("index of(list: list, match: any)")
def index_of(run: Run, items: list[Any], match: Any) -> list[Decimal]:
    """The 1-based places of equal elements."""
    return [Decimal(i) for i, item in enumerate(_paid(run, items), 1) if equal(run, item, match) is True]


# -- making lists ---------------------------------------------------------------------------------------------------
def _place(items: list[Any], position: Decimal) -> int:
    """The 0-based place of a position; IndexError when there is none."""
    at = int(position)
    if at != position or not at or abs(at) > len(items):
        raise IndexError(at)
    return at - 1 if at > 0 else len(items) + at


@builtin("sublist(list: list, start position: number, length: number?)")
def sublist(run: Run, items: list[Any], start: Decimal, length: Decimal | None = None) -> list[Any] | None:
    """A part from the position, counted from the end when negative; null when it reaches beyond the list."""
    first = _place(_paid(run, items), start)
    last = len(items) if length is None else first + int(length)
    return items[first:last] if first <= last <= len(items) else None


@builtin("append(list: list, item: any...)")
def append(run: Run, items: list[Any], *more: Any) -> list[Any]:
    """With more elements at the end."""
    return [*_paid(run, items), *more]


@builtin("concatenate(list: list...)")
def concatenate(run: Run, *lists: list[Any]) -> list[Any]:
    """The lists behind each other."""
    return [item for items in lists for item in _paid(run, items)]


@builtin("insert before(list: list, position: number, newItem: any)")
def insert_before(run: Run, items: list[Any], position: Decimal, item: Any) -> list[Any]:
    """With an element before the position."""
    at = _place(_paid(run, items), position)
    return [*items[:at], item, *items[at:]]


@builtin("remove(list: list, position: number)")
def remove(run: Run, items: list[Any], position: Decimal) -> list[Any]:
    """Without the element at the position."""
    at = _place(_paid(run, items), position)
    return [*items[:at], *items[at + 1 :]]


@builtin("list replace(list: list, position: number, newItem: any)")
def replace_at(run: Run, items: list[Any], position: Decimal, item: Any) -> list[Any]:
    """With another element at the position."""
    at = _place(_paid(run, items), position)
    return [*items[:at], item, *items[at + 1 :]]


@builtin("list replace(list: list, match: function, newItem: any)")
def replace_matching(run: Run, items: list[Any], match: Function, item: Any) -> list[Any] | None:
    """With another element wherever `match(element, newItem)` is true; null when it is no boolean."""
    verdicts = [call(run, match, one, item) for one in _paid(run, items)]
    if len(match.params) != 2 or not all(isinstance(one, bool) for one in verdicts):
        return None
    return [item if verdict else one for one, verdict in zip(items, verdicts, strict=True)]


@builtin("reverse(list: list)")
def reverse(run: Run, items: list[Any]) -> list[Any]:
    """From the end."""
    return _paid(run, items)[::-1]


@builtin("distinct values(list: list)")
def distinct(run: Run, items: list[Any]) -> list[Any]:
    """Every element once."""
    kept: list[Any] = []
    for item in items:
        if not list_contains(run, kept, item):
            kept.append(item)
    return kept


@builtin("union(list: list...)")
def union(run: Run, *lists: list[Any]) -> list[Any]:
    """Every element of any of the lists once."""
    return distinct(run, concatenate(run, *lists))


@builtin("flatten(list: list)")
def flatten(run: Run, items: list[Any]) -> list[Any]:
    """The elements of lists in lists, in one."""
    run.weigh(items)
    flat: list[Any] = []
    for item in items:
        flat.extend(flatten(run, item) if isinstance(item, list) else [item])
    return flat


@builtin("sort(list: list, precedes: function?)")
def sort(run: Run, items: list[Any], precedes: Function | None = None) -> list[Any]:
    """In the order a function `precedes(x, y)` gives, stable; without one, ascending."""

    def before(x: Any, y: Any) -> bool:
        run.burn()
        verdict = less(x, y) if precedes is None else call(run, precedes, x, y)
        if not isinstance(verdict, bool):
            raise TypeError
        return verdict

    return sorted(items, key=cmp_to_key(lambda x, y: -1 if before(x, y) else 1 if before(y, x) else 0))
