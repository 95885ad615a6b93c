"""for … return, some and every … satisfies."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from engine.feel.parser import Code, Cursor, expression
from engine.feel.runtime import Env
from engine.feel.values import Range

Binding = tuple[str, Code]


def _bindings(c: Cursor) -> list[Binding]:
    c.next()
    found: list[Binding] = []
    while True:
        name = c.name()
        c.need("in")
        low = expression(c, 45)
        if c.take(".."):
            high = expression(c, 45)
            found.append((name, _interval(low, high)))
        else:
            found.append((name, low))
        c.bind((name,))
        if not c.take(","):
            return found


def _interval(low: Code, high: Code) -> Code:
    return lambda env: Range(low(env), high(env))


def _items(env: Env, value: Any) -> Iterator[Any]:
    if isinstance(value, Range) and isinstance(value.low, Decimal) and isinstance(value.high, Decimal):
        step = 1 if value.high >= value.low else -1
        now = int(value.low)
        while (now <= value.high) if step > 0 else (now >= value.high):
            env.burn()
            yield Decimal(now)
            now += step
        return
    for item in value if isinstance(value, list) else ([] if value is None else [value]):
        env.burn()
        yield item


def _runs(env: Env, bindings: list[Binding], scope: dict[str, Any]) -> Iterator[None]:
    if not bindings:
        yield
        return
    (name, source), rest = bindings[0], bindings[1:]
    for item in _items(env, source(env)):
        scope[name] = item
        yield from _runs(env, rest, scope)


def iterate(c: Cursor) -> Code:
    """`for x in list, y in 1..3 return expression`; `partial` holds the results so far."""
    bindings = _bindings(c)
    c.need("return")
    c.bind(("partial",))
    body = expression(c)
    del c.bound[-len(bindings) - 1 :]

    def run(env: Env) -> list[Any]:
        made: list[Any] = []
        scope: dict[str, Any] = {"partial": made}
        env.scopes.append(scope)
        try:
            made.extend(body(env) for _ in _runs(env, bindings, scope))
        finally:
            env.scopes.pop()
        return made

    return run


def quantified(c: Cursor) -> Code:
    """`some x in list satisfies test`, `every x in list satisfies test`, three-valued."""
    word = c.here.text
    bindings = _bindings(c)
    c.need("satisfies")
    body = expression(c)
    del c.bound[-len(bindings) :]
    decisive = word == "some"

    def run(env: Env) -> bool | None:
        scope: dict[str, Any] = {}
        env.scopes.append(scope)
        unknown = False
        try:
            for _ in _runs(env, bindings, scope):
                verdict = body(env)
                if verdict is decisive:
                    return bool(decisive)
                unknown = unknown or not isinstance(verdict, bool)
        finally:
            env.scopes.pop()
        return None if unknown else not decisive

    return run
