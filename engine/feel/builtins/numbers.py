"""Built-ins over numbers (DMN 1.5, 10.3.4.5)."""

from __future__ import annotations

from datetime import timedelta
from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Context,
    Decimal,
)
from typing import Any

from engine.feel import values
from engine.feel.builtins.signature import builtin
from engine.feel.runtime import Run
from engine.feel.temporal import Months
from engine.feel.values import MATH

SCALES = range(-6111, 6177)
WIDE = Context(prec=13000, Emax=20000, Emin=-20000)
"""Wide enough to take a remainder of any two numbers exactly."""


def _rounded(n: Decimal, scale: Decimal, mode: str) -> Decimal | None:
    places = int(scale)
    if places not in SCALES:
        return None
    exponent = n.as_tuple().exponent
    if isinstance(exponent, int) and -exponent <= places:
        return n
    return MATH.plus(n.quantize(Decimal((0, (1,), -places)), mode, WIDE))


@builtin("decimal(n: number, scale: number)")
def half_even(_: Run, n: Decimal, scale: Decimal) -> Decimal | None:
    """Rounded to so many decimal places, halves to the even neighbour."""
    return _rounded(n, scale, ROUND_HALF_EVEN)


@builtin("floor(n: number)")
@builtin("floor(n: number, scale: number)")
def floor(_: Run, n: Decimal, scale: Decimal = Decimal(0)) -> Decimal | None:
    """The greatest number of so many places that is not above."""
    return _rounded(n, scale, ROUND_FLOOR)


@builtin("ceiling(n: number)")
@builtin("ceiling(n: number, scale: number)")
def ceiling(_: Run, n: Decimal, scale: Decimal = Decimal(0)) -> Decimal | None:
    """The least number of so many places that is not below."""
    return _rounded(n, scale, ROUND_CEILING)


@builtin("round up(n: number, scale: number)")
def round_up(_: Run, n: Decimal, scale: Decimal) -> Decimal | None:
    """Rounded away from zero."""
    return _rounded(n, scale, ROUND_UP)


@builtin("round down(n: number, scale: number)")
def round_down(_: Run, n: Decimal, scale: Decimal) -> Decimal | None:
    """Rounded towards zero."""
    return _rounded(n, scale, ROUND_DOWN)


@builtin("round half up(n: number, scale: number)")
def round_half_up(_: Run, n: Decimal, scale: Decimal) -> Decimal | None:
    """Rounded to the nearest, halves away from zero."""
    return _rounded(n, scale, ROUND_HALF_UP)


@builtin("round half down(n: number, scale: number)")
def round_half_down(_: Run, n: Decimal, scale: Decimal) -> Decimal | None:
    """Rounded to the nearest, halves towards zero."""
    return _rounded(n, scale, ROUND_HALF_DOWN)


@builtin("abs(n: number)")
@builtin("abs(n: duration)")
def absolute(_: Run, n: Any) -> Any:
    """Without its sign."""
    if isinstance(n, Months):
        return Months(abs(n.count))
    return abs(n) if isinstance(n, timedelta) else MATH.abs(n)


@builtin("modulo(dividend: number, divisor: number)")
def modulo(_: Run, dividend: Decimal, divisor: Decimal) -> Decimal | None:
    """The remainder with the sign of the divisor."""
    if not divisor:
        return None
    rest = WIDE.remainder(dividend, divisor)
    return MATH.plus(WIDE.add(rest, divisor) if rest and (rest < 0) != (divisor < 0) else rest)


@builtin("sqrt(number: number)")
def square_root(_: Run, number: Decimal) -> Decimal | None:
    """The square root; null of a negative number."""
    return MATH.sqrt(number) if number >= 0 else None


@builtin("log(number: number)")
def logarithm(_: Run, number: Decimal) -> Decimal | None:
    """The natural logarithm; null unless positive."""
    return MATH.ln(number) if number > 0 else None


@builtin("exp(number: number)")
def exponential(_: Run, number: Decimal) -> Decimal:
    """e to this power."""
    return MATH.exp(number)


@builtin("odd(number: number)")
def odd(_: Run, number: Decimal) -> bool:
    """Does two leave a rest of one?"""
    return abs(WIDE.remainder(number, Decimal(2))) == 1


@builtin("even(number: number)")
def even(_: Run, number: Decimal) -> bool:
    """Does two divide it?"""
    return not WIDE.remainder(number, Decimal(2))


@builtin("number(from: text, grouping separator: text?, decimal separator: text?)")
def number(_: Run, text: str, *separators: str | None) -> Decimal | None:
    """The number a text names; both separators or none are given."""
    if len(separators) == 1:
        return None
    grouping, point = separators or (None, None)
    if (
        grouping not in (None, " ", ",", ".")
        or point not in (None, ",", ".")
        or (grouping and grouping == (point or "."))
    ):
        return None
    if grouping:
        text = text.replace(grouping, "")
    if point == ",":
        if "." in text:
            return None
        text = text.replace(",", ".")
    return values.number(text)


@builtin("not(negand: boolean)")
def negation(_: Run, negand: bool) -> bool:
    """The other truth value; null of anything else."""
    return not negand
