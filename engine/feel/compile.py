"""Source to a reusable expression, with the limits that make a model's text harmless."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from engine.feel import builtins, syntax
from engine.feel.errors import FeelError
from engine.feel.parser import Code, Cursor, expression
from engine.feel.runtime import FUEL
from engine.feel.syntax import Test

SOURCE_LIMIT = 2048
"""Bytes of one expression in a model."""


class Expression:
    """A compiled expression. `names` are the names it takes from the scope."""

    __slots__ = ("_code", "names", "source")

    def __init__(self, source: str, code: Code, names: frozenset[str]) -> None:
        self.source = source
        self._code = code
        self.names = names

    def evaluate(self, scope: Mapping[str, Any], *, now: datetime, fuel: int = FUEL) -> Any:
        """The FEEL value over process data (JSON, tagged temporals). FeelError when the work exceeds the fuel."""
        try:
            return self._code(builtins.environment(scope, now, fuel))
        except RecursionError:
            raise FeelError("the expression recurses too deeply") from None


class UnaryTests:
    """A compiled decision-table cell."""

    __slots__ = ("_test", "source")

    def __init__(self, source: str, test: Test) -> None:
        self.source = source
        self._test = test

    def holds(self, value: Any, scope: Mapping[str, Any], *, now: datetime, fuel: int = FUEL) -> bool | None:
        """Does a FEEL value pass? null counts as no, and is kept apart so that a caller may say so."""
        return self._test(builtins.environment(scope, now, fuel), value)


def _cursor(source: str, names: tuple[str, ...], limit: int) -> Cursor:
    if len(source.encode()) > limit:
        raise FeelError(f"an expression may have {limit} bytes; move the work into a decision table or an operation")
    return Cursor(source, [*builtins.names(), *names])


@lru_cache(maxsize=4096)
def _compile(source: str, names: tuple[str, ...], limit: int) -> Expression:
    cursor = _cursor(source, names, limit)
    code = expression(cursor)
    if cursor.here.kind != "end":
        raise FeelError(f"unexpected {cursor.here.text!r}", cursor.here.at)
    return Expression(source, code, frozenset(cursor.free - set(builtins.names())))


@lru_cache(maxsize=4096)
def _compile_unary(source: str, names: tuple[str, ...], limit: int) -> UnaryTests:
    if not source.strip():
        source = "-"
    cursor = _cursor(source, names, limit)
    test = syntax.unary_tests(cursor)
    if cursor.here.kind != "end":
        raise FeelError(f"unexpected {cursor.here.text!r}", cursor.here.at)
    return UnaryTests(source, test)


def compile(source: str, names: Iterable[str] = (), limit: int = SOURCE_LIMIT) -> Expression:
    """Compile an expression; `names` are those with spaces or signs that may occur. FeelError names the position."""
    return _compile(source, tuple(names), limit)


def compile_unary(source: str, names: Iterable[str] = (), limit: int = SOURCE_LIMIT) -> UnaryTests:
    """Compile a decision-table cell; an empty one is `-`."""
    return _compile_unary(source, tuple(names), limit)
