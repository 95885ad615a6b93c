"""How points and intervals lie to each other (DMN 1.5, 10.3.4.9; after Allen's interval algebra)."""

from __future__ import annotations

from typing import Any

from engine.feel.builtins.signature import builtin
from engine.feel.errors import FeelError
from engine.feel.nodes import Call, Interval, Literal, Name, Negate, Node
from engine.feel.operators import both, equal, less, negate
from engine.feel.runtime import Run
from engine.feel.values import Range

Truth = bool | None
MAKERS = ("date", "time", "date and time", "duration")


def _either(a: Truth, b: Truth) -> Truth:
    if a is True or b is True:
        return True
    return False if a is False and b is False else None


def _all(*parts: Truth) -> Truth:
    verdict: Truth = True
    for part in parts:
        verdict = both(verdict, part)
    return verdict


def _same(run: Run, a: Any, b: Any) -> Truth:
    return None if a is None or b is None else equal(run, a, b)


def _as_range(value: Any) -> Range:
    return value if isinstance(value, Range) else Range(value, value)


@builtin("before(point1: point, point2: point)")
@builtin("before(point: point, range: range)")
@builtin("before(range: range, point: point)")
@builtin("before(range1: range, range2: range)")
def before(run: Run, a: Any, b: Any) -> Truth:
    """Does the first end before the second begins?"""
    x, y = _as_range(a), _as_range(b)
    return _either(less(x.high, y.low), both(_same(run, x.high, y.low), not (x.high_in and y.low_in)))


@builtin("after(point1: point, point2: point)")
@builtin("after(point: point, range: range)")
@builtin("after(range: range, point: point)")
@builtin("after(range1: range, range2: range)")
def after(run: Run, a: Any, b: Any) -> Truth:
    """Does the first begin after the second ends?"""
    return before(run, b, a)


@builtin("meets(range1: range, range2: range)")
def meets(run: Run, x: Range, y: Range) -> Truth:
    """Does the first end exactly where the second begins, both ends included?"""
    return _all(x.high_in, y.low_in, _same(run, x.high, y.low))


@builtin("met by(range1: range, range2: range)")
def met_by(run: Run, x: Range, y: Range) -> Truth:
    """`meets` the other way round."""
    return meets(run, y, x)


def _reaches(run: Run, x: Range, y: Range) -> Truth:
    """Does x end at or behind the begin of y?"""
    return _either(less(y.low, x.high), both(_same(run, x.high, y.low), x.high_in and y.low_in))


@builtin("overlaps(range1: range, range2: range)")
def overlaps(run: Run, x: Range, y: Range) -> Truth:
    """Do they share a point?"""
    return both(_reaches(run, x, y), _reaches(run, y, x))


def _begins_first(run: Run, x: Range, y: Range) -> Truth:
    return _either(less(x.low, y.low), both(_same(run, x.low, y.low), x.low_in and not y.low_in))


def _begins_by(run: Run, x: Range, y: Range) -> Truth:
    return _either(less(x.low, y.low), both(_same(run, x.low, y.low), x.low_in or not y.low_in))


def _ends_by(run: Run, x: Range, y: Range) -> Truth:
    return _either(less(x.high, y.high), both(_same(run, x.high, y.high), not x.high_in or y.high_in))


@builtin("overlaps before(range1: range, range2: range)")
def overlaps_before(run: Run, x: Range, y: Range) -> Truth:
    """Does the first begin earlier, and end within the second?"""
    return _all(_begins_first(run, x, y), _reaches(run, x, y), _ends_by(run, x, y))


@builtin("overlaps after(range1: range, range2: range)")
def overlaps_after(run: Run, x: Range, y: Range) -> Truth:
    """Does the first begin within the second, and end later?"""
    return overlaps_before(run, y, x)


@builtin("finishes(point: point, range: range)")
@builtin("finishes(range1: range, range2: range)")
def finishes(run: Run, a: Any, y: Range) -> Truth:
    """Does the first end where the second ends, and begin within it?"""
    x = _as_range(a)
    alike = both(x.high_in == y.high_in, _same(run, x.high, y.high))
    return both(alike, _begins_by(run, y, x)) if isinstance(a, Range) else alike


@builtin("finished by(range: range, point: point)")
@builtin("finished by(range1: range, range2: range)")
def finished_by(run: Run, a: Range, b: Any) -> Truth:
    """`finishes` the other way round."""
    return finishes(run, b, a)


@builtin("includes(range: range, point: point)")
@builtin("includes(range1: range, range2: range)")
def includes(run: Run, x: Range, b: Any) -> Truth:
    """Does the first hold all of the second?"""
    y = _as_range(b)
    return both(_begins_by(run, x, y), _ends_by(run, y, x))


@builtin("during(point: point, range: range)")
@builtin("during(range1: range, range2: range)")
def during(run: Run, a: Any, y: Range) -> Truth:
    """`includes` the other way round."""
    return includes(run, y, a)


@builtin("starts(point: point, range: range)")
@builtin("starts(range1: range, range2: range)")
def starts(run: Run, a: Any, y: Range) -> Truth:
    """Does the first begin where the second begins, and end within it?"""
    x = _as_range(a)
    alike = both(x.low_in == y.low_in, _same(run, x.low, y.low))
    return both(alike, _ends_by(run, x, y)) if isinstance(a, Range) else alike


@builtin("started by(range: range, point: point)")
@builtin("started by(range1: range, range2: range)")
def started_by(run: Run, a: Range, b: Any) -> Truth:
    """`starts` the other way round."""
    return starts(run, b, a)


@builtin("coincides(point1: point, point2: point)")
@builtin("coincides(range1: range, range2: range)")
def coincides(run: Run, a: Any, b: Any) -> Truth:
    """Are they the same?"""
    x, y = _as_range(a), _as_range(b)
    ends = (x.low_in, x.high_in) == (y.low_in, y.high_in)
    return _all(ends, _same(run, x.low, y.low), _same(run, x.high, y.high))


@builtin("range(from: text)")
def from_text(run: Run, text: str) -> Range | None:
    """`range("[1..3]")`: ends are literals or `date("…")` and its like; null when the ends are not in order."""
    from engine.feel.parser import parse

    run.burn(len(text))
    try:
        node, _ = parse(text, (), MAKERS, {})
    except FeelError:
        return None
    if not isinstance(node, Interval) or node.test:
        return None
    low, high = _end(run, node.low), _end(run, node.high)
    if low is not None and high is not None and (less(low, high) is None or less(high, low) is True):
        return None
    return Range(low, high, node.low_in, node.high_in)


def _end(run: Run, node: Node | None) -> Any:
    """The value of a literal end; ValueError when it is no literal."""
    from engine.feel.builtins import FUNCTIONS

    value = None
    if isinstance(node, Literal):
        value = node.value
    elif isinstance(node, Negate) and isinstance(node.of, Literal):
        value = negate(node.of.value)
    elif isinstance(node, Call) and isinstance(node.function, Name) and node.function.name in MAKERS:
        given = [one.value for one in node.arguments if isinstance(one, Literal)]
        if len(given) == len(node.arguments) and not node.names:
            value = FUNCTIONS[node.function.name].call(run, *given)
    if value is None:
        raise ValueError(node)
    return value
