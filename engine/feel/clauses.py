"""The clauses of FEEL: if, for, some, every, function, types after `instance of`, and unary tests."""

from __future__ import annotations

from collections.abc import Callable

from engine.feel.cursor import Cursor, split
from engine.feel.errors import FeelError
from engine.feel.nodes import Definition, For, If, Interval, Literal, Node, Test, Tests, mentioned
from engine.feel.types import ANY, BASIC, Type

COMPARE = 40
CONTINUES = frozenset(["*", "/", "+", "-", "**", "[", ".", "(", ".."])


def condition(c: Cursor) -> Node:
    """`if test then yes else no`."""
    c.next()
    test = c.expression()
    c.need("then")
    yes = c.expression()
    c.need("else")
    return If(test, yes, c.expression())


def loop(c: Cursor) -> Node:
    """`for x in list, y in 1..3 return body`, `some x in list satisfies body`, `every …`."""
    kind = c.next().text
    bindings: list[tuple[str, Node]] = []
    with c.binding():
        while True:
            name = c.new("in")
            c.need("in")
            source = c.expression(COMPARE)
            if c.take(".."):
                source = Interval(source, c.expression(COMPARE), True, True, "..")
            bindings.append((name, source))
            c.bind(name)
            if not c.take(","):
                break
        c.need("return" if kind == "for" else "satisfies")
        if kind == "for":
            c.bind("partial")
        return For(kind, tuple(bindings), c.expression())


def function(c: Cursor) -> Node:
    """`function(a, b: number) body`."""
    c.next()
    c.need("(")
    params: list[tuple[str, Type]] = []
    while not c.sees(")"):
        name = c.new(":", ",", ")")
        params.append((name, type_name(c) if c.take(":") else ANY))
        if not c.take(","):
            break
    c.need(")")
    if c.sees("external"):
        c.next()
        c.expression()
        return Definition(tuple(params), None)
    with c.binding(*(name for name, _ in params)):
        return Definition(tuple(params), c.expression())


CLAUSES: dict[str, Callable[[Cursor], Node]] = {
    "if": condition, "for": loop, "some": loop, "every": loop, "function": function,
}  # fmt: skip


# -- types ----------------------------------------------------------------------------------------------------------
def type_name(c: Cursor) -> Type:
    """`number`, `date and time`, `list<T>`, `range<T>`, `context<a: T>`, `function<T, U> -> V`, or a declared type."""
    c.depth += 1
    if c.depth > 50:
        raise FeelError("the type is nested too deeply", c.here.at)
    found = _generic(c) if c.ahead().text == "<" and c.here.kind == "name" else _plain(c)
    c.depth -= 1
    return found


def _plain(c: Cursor) -> Type:
    for name, found in sorted({**BASIC, **c.types}.items(), key=lambda one: -len(one[0])):
        words = split(name)
        if all(c.ahead(i).text == word for i, word in enumerate(words)):
            c.at += len(words)
            return found
    raise FeelError(f"unknown type {c.found()}", c.here.at)


def _generic(c: Cursor) -> Type:
    word = c.next()
    c.need("<")
    if word.text in ("list", "range"):
        item = type_name(c)
        c.need(">")
        return Type(word.text, item=item)
    if word.text == "context":
        fields: list[tuple[str, Type]] = []
        while not c.sees(">"):
            name = c.new(":")
            c.need(":")
            fields.append((name, type_name(c)))
            if not c.take(","):
                break
        c.need(">")
        return Type("context", fields=tuple(fields))
    if word.text == "function":
        params: list[Type] = []
        while not c.sees(">"):
            params.append(type_name(c))
            if not c.take(","):
                break
        c.need(">")
        c.need("->")
        return Type("function", params=tuple(params), result=type_name(c))
    raise FeelError(f"unknown type {word.text!r}", word.at)


# -- unary tests ----------------------------------------------------------------------------------------------------
def unary_tests(c: Cursor) -> Tests:
    """A whole cell: `-`, `not(tests)`, or tests separated by commas."""
    if c.here.kind == "end" or (c.sees("-") and c.ahead().kind == "end"):
        c.next()
        return Tests(())
    if c.sees("not") and c.ahead().text == "(":
        before = c.at
        c.at += 2
        inner = _several(c)
        if c.take(")") and c.here.kind == "end":
            return Tests(inner, negated=True)
        c.at = before
    return Tests(_several(c))


def in_tests(c: Cursor) -> Tests:
    """What follows `in`: `(test, test)` or one test."""
    if c.sees("("):
        before = c.at
        c.next()
        with c.closed():
            inner = _several(c)
        if c.take(")") and not c.sees(*CONTINUES):
            return Tests(inner)
        c.at = before
    return Tests((_positive(c, COMPARE),))


def _several(c: Cursor) -> tuple[Test, ...]:
    found = [_positive(c, 0)]
    while c.take(","):
        found.append(_positive(c, 0))
    return tuple(found)


def comparison(c: Cursor) -> Node | None:
    """`< 10` and its like, which are tests and so values, where parentheses or a cell begin; None when there is none."""
    if not c.sees("<", "<=", ">", ">=", "=", "!="):
        return None
    symbol = c.next().text
    end = c.expression(COMPARE)
    if symbol in ("<", "<="):
        return Interval(None, end, False, symbol == "<=", symbol)
    if symbol in (">", ">="):
        return Interval(end, None, symbol == ">=", False, symbol)
    return Interval(end, end, True, True, symbol)


def _positive(c: Cursor, power: int) -> Test:
    node = comparison(c) or c.expression(power)
    return Test(node, asks=not isinstance(node, Literal) and "?" in mentioned(node))
