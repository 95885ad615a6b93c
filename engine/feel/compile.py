"""Source to a reusable expression, with the limits that make a model's text harmless."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from engine.feel import nodes
from engine.feel.builtins import FUNCTIONS
from engine.feel.closures import build, build_tests
from engine.feel.errors import FeelError
from engine.feel.parser import parse, parse_tests
from engine.feel.runtime import FUEL, Check, Code, Frame, Run
from engine.feel.types import Type
from engine.feel.values import from_json

SOURCE_LIMIT = 2048
"""Bytes of one expression in a model."""


class Expression:
    """A compiled expression.

    `names` are the names it may take from the scope; `certain` those of them it takes for sure: not inside a filter, where
    a name may be an entry of the element, and not a built-in function used as a value.
    """

    __slots__ = ("certain", "code", "names", "source")

    def __init__(self, source: str, code: Code, names: frozenset[str], certain: frozenset[str]) -> None:
        self.source = source
        self.code = code
        self.names = names
        self.certain = certain

    def evaluate(self, scope: Mapping[str, Any], *, now: datetime, fuel: int = FUEL) -> Any:
        """The FEEL value over process data (JSON, tagged temporals). FeelError when the work exceeds the fuel."""
        return _evaluate(self.code, self.names, scope, Run(now, fuel))


class UnaryTests:
    """A compiled decision-table cell; `names` as in `Expression`."""

    __slots__ = ("check", "names", "source")

    def __init__(self, source: str, check: Check, names: frozenset[str]) -> None:
        self.source = source
        self.check = check
        self.names = names

    def holds(self, value: Any, scope: Mapping[str, Any], *, now: datetime, fuel: int = FUEL) -> bool | None:
        """Does a FEEL value pass? null counts as no, and is kept apart so that a caller may say so."""
        found: bool | None = _evaluate(lambda frame: self.check(frame, value), self.names, scope, Run(now, fuel))
        return found


def _evaluate(code: Code, names: Iterable[str], scope: Mapping[str, Any], run: Run) -> Any:
    known = {name: from_json(scope[name], run.now.tzinfo) for name in names if name in scope}
    run.weigh(*known.values())
    try:
        value = code(Frame(known, None, run))
    except RecursionError:  # the limits keep far from it, unless the caller stands deep already
        raise FeelError("the expression recurses too deeply") from None
    run.weigh(value)
    return value


def _bounded(source: str, limit: int) -> None:
    if len(source) > limit or len(source.encode(errors="surrogatepass")) > limit:
        raise FeelError(f"an expression may have {limit} bytes; move the work into a decision table or an operation")


def prepare(source: str, names: Iterable[str], types: Mapping[str, Type], limit: int) -> Expression:
    """Compile without the cache, with the types that `instance of` may name."""
    _bounded(source, limit)
    node, cursor = parse(source, names, FUNCTIONS, types)
    return Expression(source, build(node)[0], frozenset(cursor.free), frozenset(cursor.certain - FUNCTIONS.keys()))


def prepare_unary(source: str, names: Iterable[str], types: Mapping[str, Type], limit: int) -> UnaryTests:
    """The same for a cell."""
    _bounded(source, limit)
    tests, cursor = parse_tests(source, names, FUNCTIONS, types)
    return UnaryTests(source, build_tests(tests)[0], frozenset(cursor.free))


def members(source: str) -> frozenset[tuple[str, str]]:
    """Every `name.entry` by which an expression looks into a name it takes from its scope for sure; for checks."""
    node, cursor = parse(source, (), FUNCTIONS, {})
    return frozenset(pair for pair in nodes.members(node) if pair[0] in cursor.certain)


def compared(source: str) -> frozenset[tuple[str, str]]:
    """Every name of the scope and a text an expression compares it with; for checks."""
    node, cursor = parse(source, (), FUNCTIONS, {})
    return frozenset(pair for pair in nodes.compared(node) if pair[0] in cursor.certain)


@lru_cache(maxsize=4096)
def _compile(source: str, names: tuple[str, ...], limit: int) -> Expression:
    return prepare(source, names, {}, limit)


@lru_cache(maxsize=4096)
def _compile_unary(source: str, names: tuple[str, ...], limit: int) -> UnaryTests:
    return prepare_unary(source, names, {}, limit)


def compile(source: str, names: Iterable[str] = (), limit: int = SOURCE_LIMIT) -> Expression:
    """Compile an expression; `names` are those with spaces or signs that may occur. FeelError names the position."""
    return _compile(source, tuple(names), limit)


def compile_unary(source: str, names: Iterable[str] = (), limit: int = SOURCE_LIMIT) -> UnaryTests:
    """Compile a decision-table cell; an empty one is `-`."""
    return _compile_unary(source, tuple(names), limit)
