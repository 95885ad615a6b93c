"""The forms of FEEL: literals, names, control, collections, calls, unary tests; each compiles to one closure."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from engine.feel import runtime
from engine.feel.errors import FeelError
from engine.feel.loops import iterate, quantified
from engine.feel.parser import COMPARE, Code, Cursor, expression, join, split
from engine.feel.runtime import DEPTH_LIMIT, Env
from engine.feel.values import Function, Months, Range, kind, parse_temporal

TYPES = ("number", "string", "boolean", "date and time", "date", "time", "days and time duration", "years and months duration",
         "list", "context", "function", "range", "Any", "null")  # fmt: skip


def prefix(c: Cursor) -> Code:
    """What an expression may start with."""
    token = c.here
    if token.kind == "number":
        value = Decimal(c.next().text)
        return lambda _: value
    if token.kind == "string":
        text = c.next().text
        return lambda _: text
    if token.kind == "name":
        return _word(c)
    if token.kind == "symbol":
        return _symbol(c)
    raise FeelError("the expression ends too early", token.at)


def _symbol(c: Cursor) -> Code:
    symbol = c.here.text
    if symbol == "-":
        c.next()
        inner = expression(c, 65)
        return lambda env: runtime.negate(inner(env))
    if symbol == "@":
        return _temporal(c)
    if symbol == "(":
        return _parenthesis(c)
    if symbol in ("[", "]"):
        return _bracket(c)
    if symbol == "{":
        return _context(c)
    if symbol in COMPARE and symbol not in ("=", "!="):
        return _half_open(c)
    raise FeelError(f"unexpected {symbol!r}", c.here.at)


def _temporal(c: Cursor) -> Code:
    at = c.next().at
    if c.here.kind != "string":
        raise FeelError("a date, time or duration in quotes follows @", at)
    value = parse_temporal(c.next().text)
    if value is None:
        raise FeelError("this is no date, time or duration of ISO 8601", at)
    return lambda _: value


def _half_open(c: Cursor) -> Code:
    symbol = c.next().text
    end = expression(c, 45)
    closed = symbol.endswith("=")
    if symbol.startswith("<"):
        return lambda env: Range(None, end(env), False, closed)
    return lambda env: Range(end(env), None, closed, False)


def _parenthesis(c: Cursor) -> Code:
    c.next()
    first = expression(c)
    if c.take(".."):
        return _range_end(c, first, False)
    c.need(")")
    return first


def _range_end(c: Cursor, low: Code, low_in: bool) -> Code:
    high = expression(c)
    closer = c.next()
    if closer.text not in (")", "]", "["):
        raise FeelError("a range ends with ], ) or [", closer.at)
    high_in = closer.text == "]"
    return lambda env: Range(low(env), high(env), low_in, high_in)


def _bracket(c: Cursor) -> Code:
    opener = c.next()
    if opener.text == "]":
        low = expression(c)
        c.need("..")
        return _range_end(c, low, False)
    if c.take("]"):
        return lambda _: []
    first = expression(c)
    if c.take(".."):
        return _range_end(c, first, True)
    items = [first]
    while c.take(","):
        items.append(expression(c))
    c.need("]")

    def build(env: Env) -> list[Any]:
        env.burn(len(items))
        return [item(env) for item in items]

    return build


def _context(c: Cursor) -> Code:
    c.next()
    entries: list[tuple[str, Code]] = []
    c.bind(())
    while not c.sees("}"):
        key = _key(c)
        c.need(":")
        entries.append((key, expression(c)))
        c.bound[-1].add(key)
        if not c.take(","):
            break
    c.need("}")
    c.bound.pop()

    def build(env: Env) -> dict[str, Any]:
        made: dict[str, Any] = {}
        env.scopes.append(made)
        try:
            for name, code in entries:
                env.burn()
                made[name] = code(env)
        finally:
            env.scopes.pop()
        return made

    return build


def _key(c: Cursor) -> str:
    if c.here.kind == "string":
        key = c.next().text
    else:
        words = []
        while c.here.kind != "end" and not c.sees(":"):
            words.append(c.next().text)
        key = join(words)
    if not key:
        raise FeelError("an entry needs a name", c.here.at)
    if " " in key and len(words_of := split(key)) > 1:
        c.wide.add(words_of)
    return key


def _word(c: Cursor) -> Code:
    word = c.here.text
    constant = {"true": True, "false": False, "null": None}
    if word in constant:
        c.next()
        value = constant[word]
        return lambda _: value
    special: dict[str, Callable[[Cursor], Code]] = {
        "if": _if,
        "for": iterate,
        "some": quantified,
        "every": quantified,
        "function": _function,
    }
    if word in special and not (word == "function" and c.ahead().text != "("):
        return special[word](c)
    if word == "not" and c.ahead().text == "(":
        c.next()
        c.need("(")
        inner = expression(c)
        c.need(")")
        return lambda env: {True: False, False: True}.get(v) if isinstance(v := inner(env), bool) else None
    name = c.name()
    if not c.is_bound(name):
        c.free.add(name)
    return lambda env: env.look_up(name)


def _if(c: Cursor) -> Code:
    c.next()
    test = expression(c)
    c.need("then")
    yes = expression(c)
    c.need("else")
    no = expression(c)
    return lambda env: yes(env) if test(env) is True else no(env)


def _function(c: Cursor) -> Code:
    c.next()
    c.need("(")
    names: list[str] = []
    while not c.sees(")"):
        names.append(c.name())
        if c.take(":"):
            _type_name(c)
        if not c.take(","):
            break
    c.need(")")
    c.bind(names)
    body = expression(c)
    c.bound.pop()
    params = tuple(names)

    def make(env: Env) -> Function:
        captured = list(env.scopes)

        def call(*values: Any) -> Any:
            saved, env.scopes = env.scopes, [*captured, dict(zip(params, values, strict=False))]
            try:
                return body(env)
            finally:
                env.scopes = saved

        return Function(params, call)

    return make


def _type_name(c: Cursor) -> str:
    for name in sorted(TYPES, key=len, reverse=True):
        words = name.split()
        if all(c.ahead(i).text == w for i, w in enumerate(words)):
            c.at += len(words)
            if c.take("<"):
                while not c.take(">"):
                    c.next()
            return name
    raise FeelError(f"unknown type {c.here.text!r}", c.here.at)


def postfix(c: Cursor, left: Code) -> Code:
    """A filter, a path or a call behind an expression."""
    symbol = c.next()
    if symbol.text == ".":
        name = c.name()
        return lambda env: runtime.path(left(env), name)
    if symbol.text == "[":
        return _filter(c, left)
    return _call(c, left)


def _filter(c: Cursor, left: Code) -> Code:
    c.bind(("item",))
    test = expression(c)
    c.bound.pop()
    c.need("]")

    def select(env: Env) -> Any:
        value = left(env)
        items = value if isinstance(value, list) else ([] if value is None else [value])
        env.burn(1 + len(items))
        kept = []
        for item in items:
            env.scopes.append({**item, "item": item} if isinstance(item, dict) else {"item": item})
            try:
                verdict = test(env)
            finally:
                env.scopes.pop()
            if isinstance(verdict, Decimal):
                return _nth(items, verdict)
            if verdict is True:
                kept.append(item)
        if not items and isinstance(verdict := _constant(test, env), Decimal):
            return None
        return kept

    return select


def _constant(test: Code, env: Env) -> Any:
    env.scopes.append({"item": None})
    try:
        return test(env)
    finally:
        env.scopes.pop()


def _nth(items: list[Any], index: Decimal) -> Any:
    place = int(index)
    if place > 0:
        return items[place - 1] if place <= len(items) else None
    return items[place] if place < 0 and -place <= len(items) else None


def _call(c: Cursor, left: Code) -> Code:
    at = c.here.at
    positional: list[Code] = []
    named: dict[str, Code] = {}
    while not c.sees(")"):
        mark = c.at
        key = _argument_name(c)
        if key is None:
            c.at = mark
            positional.append(expression(c))
        else:
            named[key] = expression(c)
        if not c.take(","):
            break
    c.need(")")
    if positional and named:
        raise FeelError("give all arguments by name or all by position", at)

    def call(env: Env) -> Any:
        function = left(env)
        if not isinstance(function, Function):
            return None
        env.burn(2)
        env.depth += 1
        if env.depth > DEPTH_LIMIT:
            raise FeelError("functions call each other too deeply", at)
        try:
            if named:
                if not set(named) <= set(function.params):
                    return None
                given = {k: code(env) for k, code in named.items()}
                last = max((i for i, p in enumerate(function.params) if p in given), default=-1)
                return function.call(*[given.get(p) for p in function.params[: last + 1]])
            values = [code(env) for code in positional]
            return function.call(*values)
        finally:
            env.depth -= 1

    return call


def _argument_name(c: Cursor) -> str | None:
    words = []
    while c.here.kind == "name":
        words.append(c.next().text)
    return " ".join(words) if words and c.take(":") else None


def word_operator(c: Cursor, left: Code, power: int) -> Code | None:
    """and, or, between, in, instance of."""
    word = c.here.text
    if word == "or" and power < 10:
        c.next()
        right = expression(c, 10)
        return lambda env: runtime.either(left(env), lambda: right(env))
    if word == "and" and power < 20:
        c.next()
        right = expression(c, 20)
        return lambda env: runtime.both(left(env), lambda: right(env))
    if power >= 40:
        return None
    if word == "between":
        c.next()
        low = expression(c, 40)
        c.need("and")
        high = expression(c, 40)
        return lambda env: runtime.contains(Range(low(env), high(env)), left(env))
    if word == "in":
        c.next()
        test = tests_in_parentheses(c) if c.sees("(") else positive_test(c, 20)
        return lambda env: test(env, left(env))
    if word == "instance":
        c.next()
        c.need("of")
        name = _type_name(c)
        return lambda env: _instance(left(env), name)
    return None


def _instance(value: Any, name: str) -> bool:
    if name == "Any":
        return value is not None
    return kind(value) == name or (name == "years and months duration" and isinstance(value, Months))


Test = Callable[[Env, Any], bool | None]


def positive_test(c: Cursor, power: int = 0) -> Test:
    """One unary test: a comparison, an interval, a value, or an expression over `?`."""
    start = len(c.tokens)
    uses = any(t.kind == "name" and t.text == "?" for t in c.tokens[c.at : start])
    code = expression(c, power)

    def test(env: Env, value: Any) -> bool | None:
        env.scopes.append({"?": value})
        try:
            found = code(env)
        finally:
            env.scopes.pop()
        if uses and (isinstance(found, bool) or found is None):
            return found
        return runtime.matches(value, found)

    return test


def tests_in_parentheses(c: Cursor) -> Test:
    """`(test, test)` after `in`; also an interval that opens with a round bracket."""
    mark = c.at
    c.need("(")
    first = positive_test(c)
    if c.sees(".."):
        c.at = mark
        return positive_test(c)
    found = [first]
    while c.take(","):
        found.append(positive_test(c))
    c.need(")")
    return any_of(found)


def any_of(found: list[Test]) -> Test:
    """True when one test is; null when none is and one cannot be told."""

    def test(env: Env, value: Any) -> bool | None:
        answers = [one(env, value) for one in found]
        if True in answers:
            return True
        return None if None in answers else False

    return test


def unary_tests(c: Cursor) -> Test:
    """A whole cell: `-`, `not(tests)`, or tests separated by commas."""
    if c.sees("-") and c.ahead().kind == "end":
        c.next()
        return lambda _env, _value: True
    if c.sees("not") and c.ahead().text == "(":
        c.next()
        c.need("(")
        inner = [positive_test(c)]
        while c.take(","):
            inner.append(positive_test(c))
        c.need(")")
        some = any_of(inner)
        return lambda env, value: None if (v := some(env, value)) is None else not v
    found = [positive_test(c)]
    while c.take(","):
        found.append(positive_test(c))
    return any_of(found)
