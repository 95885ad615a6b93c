"""Turns a syntax tree into nested Python closures, once; each takes the frame it runs in and gives the value."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from engine.feel import iteration, operators, types
from engine.feel.builtins import FUNCTIONS
from engine.feel.errors import FeelError
from engine.feel.nodes import (
    Between,
    Call,
    Chain,
    ContextOf,
    Definition,
    Filter,
    For,
    If,
    In,
    InstanceOf,
    Interval,
    ListOf,
    Literal,
    Name,
    Negate,
    Node,
    Path,
    Test,
    Tests,
    mentioned,
)
from engine.feel.runtime import Check, Code, Frame, Run
from engine.feel.values import Function, Range

HEIGHT = 120
"""Closures within each other in one expression."""
ARITHMETIC: dict[str, Callable[[Run, Any, Any], Any]] = {
    "+": operators.add, "-": operators.subtract, "*": operators.multiply, "/": operators.divide, "**": operators.power,
}  # fmt: skip
Built = tuple[Code, int]


def _unequal(run: Run, a: Any, b: Any) -> bool | None:
    same = operators.equal(run, a, b)
    return None if same is None else not same


COMPARISON: dict[str, Callable[[Run, Any, Any], Any]] = {
    "=": operators.equal,
    "!=": _unequal,
    "<": lambda _, a, b: operators.less(a, b),
    "<=": lambda _, a, b: operators.less_equal(a, b),
    ">": lambda _, a, b: operators.less(b, a),
    ">=": lambda _, a, b: operators.less_equal(b, a),
}
APPLY = {**ARITHMETIC, **COMPARISON}


def build(node: Node) -> Built:
    """The closure of a tree, and how many closures lie within each other in it."""
    code, height = _BUILDERS[type(node)](node)
    if height > HEIGHT:
        raise FeelError("the expression is nested too deeply")
    return code, height


def _literal(node: Literal) -> Built:
    value = node.value
    return (lambda _: value), 1


def _name(node: Name) -> Built:
    name, builtin = node.name, FUNCTIONS.get(node.name)
    if builtin is None:
        return (lambda frame: frame.get(name)), 1
    return (lambda frame: frame.get(name, builtin)), 1


def _path(node: Path) -> Built:
    of, height = build(node.of)
    name = node.name

    def step(frame: Frame) -> Any:
        value = of(frame)
        return value.get(name) if type(value) is dict else operators.path(frame.run, value, name)

    return step, height + 1


def _chain(node: Chain) -> Built:
    first, height = build(node.first)
    rest = [(symbol, *build(one)) for symbol, one in node.rest]
    height = max(height, *(h for _, _, h in rest)) + 1
    if node.rest[0][0] in ("and", "or"):
        return _logic([first, *(code for _, code, _ in rest)], node.rest[0][0] == "or"), height
    if len(rest) == 1:
        (symbol, second, _) = rest[0]
        one = APPLY[symbol]
        return (lambda frame: one(frame.run, first(frame), second(frame))), height
    steps = [(APPLY[symbol], code) for symbol, code, _ in rest]

    def fold(frame: Frame) -> Any:
        value = first(frame)
        for apply, code in steps:
            value = apply(frame.run, value, code(frame))
        return value

    return fold, height


def _logic(parts: list[Code], decisive: bool) -> Code:
    def decide(frame: Frame) -> bool | None:
        known = True
        for part in parts:
            value = part(frame)
            if value is decisive:
                return bool(value)
            known = known and isinstance(value, bool)
        return (not decisive) if known else None

    return decide


def _negate(node: Negate) -> Built:
    of, height = build(node.of)
    if isinstance(node.of, Literal):
        value = operators.negate(node.of.value)
        return (lambda _: value), 1
    return (lambda frame: operators.negate(of(frame))), height + 1


def _between(node: Between) -> Built:
    (value, a), (low, b), (high, c) = build(node.value), build(node.low), build(node.high)

    def between(frame: Frame) -> bool | None:
        one, least, most = value(frame), low(frame), high(frame)
        return operators.both(operators.less_equal(least, one), operators.less_equal(one, most))

    return between, max(a, b, c) + 1


def _in(node: In) -> Built:
    value, a = build(node.value)
    check, b = build_tests(node.tests)
    return (lambda frame: check(frame, value(frame))), max(a, b) + 1


def _instance(node: InstanceOf) -> Built:
    value, height = build(node.value)
    wanted = node.type

    def check(frame: Frame) -> bool:
        found = value(frame)
        frame.run.weigh(found)
        return types.instance(found, wanted)

    return check, height + 1


def _if(node: If) -> Built:
    (test, a), (yes, b), (no, c) = build(node.test), build(node.yes), build(node.no)

    def choose(frame: Frame) -> Any:
        verdict = test(frame)
        if verdict is True:
            return yes(frame)
        return no(frame) if verdict is False or verdict is None else None

    return choose, max(a, b, c) + 1


def _interval(node: Interval) -> Built:
    low, a = build(node.low) if node.low else (None, 0)
    high, b = build(node.high) if node.high else (None, 0)
    low_in, high_in, test = node.low_in, node.high_in, node.test

    def interval(frame: Frame) -> Range | None:
        least, most = low(frame) if low else None, high(frame) if high else None
        if least is not None and most is not None and test in ("", "..") and operators.less(least, most) is None:
            return None
        return Range(least, most, low_in, high_in, test)

    return interval, max(a, b) + 1


def _list(node: ListOf) -> Built:
    built = [build(item) for item in node.items]
    codes = [code for code, _ in built]

    def made(frame: Frame) -> list[Any]:
        frame.run.burn(len(codes))
        return [code(frame) for code in codes]

    return made, max((h for _, h in built), default=0) + 1


def _context(node: ContextOf) -> Built:
    built = [(name, *build(one)) for name, one in node.entries]
    entries = [(name, code) for name, code, _ in built]

    def made(frame: Frame) -> dict[str, Any]:
        values: dict[str, Any] = {}
        frame.run.burn(len(entries))
        inner = frame.inner(values)
        for name, code in entries:
            values[name] = code(inner)
        return values

    return made, max((h for _, _, h in built), default=0) + 1


def _definition(node: Definition) -> Built:
    params = tuple(name for name, _ in node.params)
    wanted = tuple(kind for _, kind in node.params)
    if node.body is None:
        return (lambda _: Function(params, lambda *_: None, types=wanted)), 1
    body, height = build(node.body)
    return (lambda frame: closure(params, wanted, body, height, frame)), 1


def closure(params: tuple[str, ...], wanted: tuple[types.Type, ...], body: Code, height: int, frame: Frame) -> Function:
    """A function value over the frame it was made in; null when an argument does not conform to its type."""

    def invoke(run: Run, *values: Any) -> Any:
        if len(values) != len(params):
            return None
        given = {name: types.coerce(v, kind) for name, v, kind in zip(params, values, wanted, strict=True)}
        if any(v is not None and given[name] is None for name, v in zip(params, values, strict=True)):
            return None
        run.enter(height + 3)
        try:
            return body(Frame(given, frame, run))
        finally:
            run.leave(height + 3)

    return Function(params, invoke, types=wanted)


def _call(node: Call) -> Built:
    function, height = build(node.function)
    fallback = FUNCTIONS.get(node.function.name) if isinstance(node.function, Name) else None
    built = [build(one) for one in node.arguments]
    codes = [code for code, _ in built]
    height = max(height, *(h for _, h in built), 1) + 3
    names = node.names

    def call(frame: Frame) -> Any:
        callee = function(frame)
        if not isinstance(callee, Function):
            callee = fallback
            if callee is None:
                return None
        run = frame.run
        run.burn()
        values = [code(frame) for code in codes]
        if not names:
            return callee.call(run, *values)
        return _by_name(run, callee, dict(zip(names, values, strict=True)))

    return call, height


def _by_name(run: Run, callee: Function, given: dict[str, Any]) -> Any:
    if callee.named is not None:
        return callee.named(run, given)
    if set(given) != set(callee.params):
        return None
    return callee.call(run, *(given[name] for name in callee.params))


# -- unary tests ----------------------------------------------------------------------------------------------------
def build_tests(node: Tests) -> tuple[Check, int]:
    """The closure of unary tests over a frame and the value that is tested."""
    if not node.tests:
        return (lambda _frame, _value: True), 1
    quick = _texts_only(node)
    if quick is not None:
        return quick, 1
    built = [_test(one) for one in node.tests]
    checks, height = [check for check, _ in built], max(h for _, h in built) + 1
    negated = node.negated
    if len(checks) == 1 and not negated:
        return checks[0], height

    def any_of(frame: Frame, value: Any) -> bool | None:
        unknown = False
        for check in checks:
            verdict = check(frame, value)
            if verdict is True:
                return not negated
            unknown = unknown or verdict is None
        return None if unknown else negated

    return any_of, height


def _texts_only(node: Tests) -> Check | None:
    """Most cells are texts; those are one look into a set."""
    texts = {t.of.value for t in node.tests if isinstance(t.of, Literal) and isinstance(t.of.value, str)}
    if len(texts) != len(node.tests):
        return None
    negated = node.negated

    def among(_: Frame, value: Any) -> bool | None:
        if type(value) is str:
            return (value in texts) is not negated
        return negated if value is None else None

    return among


def _test(node: Test) -> tuple[Check, int]:
    code, height = build(node.of)
    asks = node.asks

    def check(frame: Frame, value: Any) -> bool | None:
        found = code(frame.inner({"?": value}) if asks else frame)
        if asks and (found is None or isinstance(found, bool)):
            return found
        return operators.matches(frame.run, value, found)

    return check, height + 1


# -- filters and loops ----------------------------------------------------------------------------------------------
def _filter(node: Filter) -> Built:
    (of, a), (test, b) = build(node.of), build(node.test)
    constant = node.test.of if isinstance(node.test, Negate) else node.test
    plain = isinstance(constant, Literal) and isinstance(constant.value, Decimal)
    select = iteration.nth if plain else iteration.select
    return (lambda frame: select(frame, of(frame), test)), max(a, b + 1) + 1


def _for(node: For) -> Built:
    bindings = [(name, *build(source)) for name, source in node.bindings]
    body, height = build(node.body)
    walks = [(name, code) for name, code, _ in bindings]
    height = max(height, *(h for _, _, h in bindings)) + 3 + len(walks)
    if node.kind == "for":
        partial = "partial" in mentioned(node.body)
        return (lambda frame: iteration.collect(frame, walks, body, partial)), height
    decisive = node.kind == "some"
    return (lambda frame: iteration.quantify(frame, walks, body, decisive)), height


_BUILDERS: dict[type, Callable[[Any], Built]] = {
    Literal: _literal, Name: _name, Path: _path, Filter: _filter, Call: _call, Chain: _chain, Negate: _negate,
    Between: _between, In: _in, InstanceOf: _instance, If: _if, For: _for, Interval: _interval, ListOf: _list,
    ContextOf: _context, Definition: _definition,
}  # fmt: skip
