"""A Pratt parser from FEEL source to its tree (DMN 1.5, section 10.3.1.2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from engine.feel import clauses
from engine.feel.cursor import Cursor, join
from engine.feel.errors import FeelError
from engine.feel.nodes import (
    Between,
    Call,
    Chain,
    ContextOf,
    Filter,
    In,
    InstanceOf,
    Interval,
    ListOf,
    Literal,
    Name,
    Negate,
    Node,
    Path,
    Tests,
)
from engine.feel.temporal import parse_temporal
from engine.feel.types import Type
from engine.feel.values import decimal

OR, AND, COMPARE, ADD, MULTIPLY, POWER, INSTANCE, NEGATE, POSTFIX = 10, 20, 40, 50, 60, 70, 72, 74, 90
STRENGTH = {
    "or": OR, "and": AND, "=": COMPARE, "!=": COMPARE, "<": COMPARE, "<=": COMPARE, ">": COMPARE, ">=": COMPARE, "+": ADD,
    "-": ADD, "*": MULTIPLY, "/": MULTIPLY, "**": POWER, "between": COMPARE, "in": COMPARE, "instance": INSTANCE,
    ".": POSTFIX, "[": POSTFIX, "(": POSTFIX,
}  # fmt: skip
CONSTANTS = {"true": True, "false": False, "null": None}


Types = Mapping[str, Type]


def parse(source: str, known: Iterable[str], functions: Iterable[str], types: Types) -> tuple[Node, Cursor]:
    """The tree of an expression, and the cursor, which knows the names it uses."""
    c = Cursor(source, known, functions, types, _expression)
    node = c.expression()
    _end(c)
    return node, c


def parse_tests(source: str, known: Iterable[str], functions: Iterable[str], types: Types) -> tuple[Tests, Cursor]:
    """The tree of a decision-table cell."""
    c = Cursor(source, known, functions, types, _expression)
    c.bind("?")
    tests = clauses.unary_tests(c)
    _end(c)
    return tests, c


def _end(c: Cursor) -> None:
    if c.here.kind != "end":
        hint = "; a name with spaces must be declared" if c.here.kind == "name" else ""
        raise FeelError(f"unexpected {c.here.text!r}{hint}", c.here.at)


def _expression(c: Cursor, power: int) -> Node:
    node = _prefix(c)
    while True:
        token = c.here
        strength = STRENGTH.get(token.text, 0) if token.kind in ("symbol", "name") else 0
        if strength <= power or (token.text == "[" and c.bracket_ends):
            return node
        node = _infix(c, node, strength)


def _prefix(c: Cursor) -> Node:
    token = c.here
    if token.kind == "number":
        value = decimal(c.next().text)
        if value is None:
            raise FeelError("the number is too large", token.at)
        return Literal(value)
    if token.kind == "string":
        return Literal(c.next().text)
    if token.kind == "name":
        return _word(c)
    if token.kind == "symbol":
        return _symbol(c)
    raise FeelError("the expression ends too early", token.at)


def _symbol(c: Cursor) -> Node:
    token = c.here
    if token.text == "-":
        c.next()
        return Negate(c.expression(NEGATE))
    if token.text == "@":
        return _temporal(c)
    if token.text == "(":
        return _parenthesis(c)
    if token.text in ("[", "]"):
        return _bracket(c)
    if token.text == "{":
        return _context(c)
    raise FeelError(f"unexpected {token.text!r}", token.at)


def _temporal(c: Cursor) -> Node:
    at = c.next().at
    if c.here.kind != "string":
        raise FeelError("a date, time or duration in quotes follows @", at)
    value = parse_temporal(c.next().text)
    if value is None:
        raise FeelError("this is no date, time or duration of ISO 8601", at)
    return Literal(value)


def _parenthesis(c: Cursor) -> Node:
    c.next()
    with c.closed():
        first = clauses.comparison(c) or c.expression()
    if c.take(".."):
        return _interval(c, first, False)
    c.need(")")
    return first


def _bracket(c: Cursor) -> Node:
    opener = c.next()
    with c.closed():
        if opener.text == "]":
            low = c.expression()
            c.need("..")
            return _interval(c, low, False)
        if c.take("]"):
            return ListOf(())
        first = c.expression()
        if c.take(".."):
            return _interval(c, first, True)
        items = [first]
        while c.take(","):
            items.append(c.expression())
        c.need("]")
    return ListOf(tuple(items))


def _interval(c: Cursor, low: Node, low_in: bool) -> Node:
    """What follows the two dots. A `[` behind the upper end closes the interval, unless it turns out to be a filter."""

    def filtered() -> Node | None:
        with c.closed():
            node = c.expression()
        return node if c.sees("]", ")", "[") else None

    high = c.attempt(filtered)
    if high is None:
        outer, c.bracket_ends = c.bracket_ends, True
        high = c.expression()
        c.bracket_ends = outer
    closer = c.next()
    if closer.text not in (")", "]", "["):
        raise FeelError("an interval ends with ], ) or [", closer.at)
    return Interval(low, high, low_in, closer.text == "]")


def _context(c: Cursor) -> Node:
    c.next()
    entries: dict[str, Node] = {}
    with c.binding(), c.closed():
        while not c.sees("}"):
            at = c.here.at
            if c.here.kind == "string":
                key = c.next().text
                c.learn(key)
            else:
                key = c.new(":")
            c.need(":")
            if key in entries:
                raise FeelError(f"the entry {key!r} is given twice", at)
            entries[key] = c.expression()
            c.bind(key)
            if not c.take(","):
                break
        c.need("}")
    return ContextOf(tuple(entries.items()))


def _word(c: Cursor) -> Node:
    token = c.here
    name = c.known()
    if name is None:
        if token.text in CONSTANTS:
            c.next()
            return Literal(CONSTANTS[token.text])
        clause = clauses.CLAUSES.get(token.text)
        if clause is not None and (token.text != "function" or c.ahead().text == "("):
            return clause(c)
        name = c.variable()
    if not c.sees("(") or name not in c.functions:
        c.mention(name)
    return Name(name, token.at)


def _infix(c: Cursor, left: Node, strength: int) -> Node:
    token = c.here
    if strength == POSTFIX:
        return _postfix(c, left)
    if token.text == "between":
        c.next()
        low = c.expression(COMPARE)
        c.need("and")
        return Between(left, low, c.expression(COMPARE))
    if token.text == "in":
        c.next()
        return In(left, clauses.in_tests(c))
    if token.text == "instance":
        c.next()
        c.need("of")
        return InstanceOf(left, clauses.type_name(c))
    rest: list[tuple[str, Node]] = []
    while c.here.kind == token.kind and STRENGTH.get(c.here.text) == strength and c.here.text not in ("between", "in"):
        rest.append((c.next().text, c.expression(strength)))
    return Chain(left, tuple(rest))


def _postfix(c: Cursor, left: Node) -> Node:
    symbol = c.next()
    if symbol.text == ".":
        return Path(left, c.member())
    if symbol.text == "[":
        with c.filtering():
            test = c.expression()
            c.need("]")
        return Filter(left, test)
    return _call(c, left)


def _call(c: Cursor, left: Node) -> Node:
    at = c.here.at
    arguments: list[Node] = []
    names: list[str] = []
    with c.closed():
        while not c.sees(")"):
            name = _argument_name(c)
            if name is not None:
                if name in names:
                    raise FeelError(f"the argument {name!r} is given twice", c.here.at)
                names.append(name)
            arguments.append(c.expression())
            if not c.take(","):
                break
        c.need(")")
    if names and len(names) != len(arguments):
        raise FeelError("give all arguments by name or all by position", at)
    return Call(left, tuple(arguments), tuple(names), at)


def _argument_name(c: Cursor) -> str | None:
    """`name:`, taken; nothing but names can stand before a colon here."""
    count = 0
    while (token := c.ahead(count)).kind in ("name", "number") or (count and token.text in "./-'+*" and token.text):
        count += 1
    if not count or c.ahead(count).text != ":" or c.here.kind != "name":
        return None
    words = [c.next().text for _ in range(count)]
    c.next()
    return join(words)
