"""Turns boxed expressions into closures over FEEL frames, once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from engine.dmn.errors import DmnError
from engine.dmn.model import (
    Box,
    Conditional,
    Context,
    Definition,
    Entry,
    Filter,
    Invocation,
    Items,
    Iterator,
    Literal,
    Relation,
    Table,
)
from engine.dmn.table import CompiledTable, Sources
from engine.feel import iteration, types
from engine.feel.closures import closure
from engine.feel.errors import FeelError
from engine.feel.runtime import Code, Frame, Run
from engine.feel.types import Type
from engine.feel.values import Function

BODY = 25
"""What one call of a boxed function takes of the stack that runs have."""


class Compiler:
    """Compiles the boxed expressions of one element; `find` knows its types, `sources` its FEEL."""

    def __init__(self, owner: str, sources: Sources, find: Callable[[str], Type]) -> None:
        self.owner = owner
        self.sources = sources
        self.find = find

    def code(self, box: Box | None) -> Code:
        """The closure of a box; of none, null."""
        if box is None:
            return lambda _: None
        return _BUILDERS[type(box)](self, box)

    def typed(self, code: Code, name: str) -> Code:
        """The same, its value held to a declared type."""
        kind = self.find(name)
        return code if kind is types.ANY else (lambda frame: _held(frame.run, code(frame), kind))


def _held(run: Run, value: Any, kind: Type) -> Any:
    run.weigh(value)
    return types.coerce(value, kind)


def _literal(c: Compiler, box: Literal) -> Code:
    return c.sources.expression(c.owner, box.text, box.line)


def _table(c: Compiler, box: Table) -> Code:
    return CompiledTable(c.owner, box, c.sources).code


def _context(c: Compiler, box: Context) -> Code:
    entries = [(one.name, c.typed(c.code(one.box), one.type)) for one in box.entries]

    def made(frame: Frame) -> Any:
        values: dict[str, Any] = {}
        inner = frame.inner(values)
        frame.run.burn(1 + len(entries))
        for name, code in entries:
            if not name:
                return code(inner)
            values[name] = code(inner)
        return values

    return made


def _invocation(c: Compiler, box: Invocation) -> Code:
    function = c.code(box.function)
    bindings = {one.name: c.code(one.box) for one in box.bindings}

    def call(frame: Frame) -> Any:
        callee = function(frame)
        if not isinstance(callee, Function):
            return None
        frame.run.burn()
        given = {name: code(frame) for name, code in bindings.items()}
        if callee.named is not None:
            return callee.named(frame.run, given)
        if not set(given) <= set(callee.params):
            return None
        return callee.call(frame.run, *(given.get(name) for name in callee.params))

    return call


def function_maker(c: Compiler, box: Definition, result: str = "") -> Callable[[Frame], Function]:
    """What makes the function value over a frame."""
    params = tuple(one.name for one in box.params)
    wanted = tuple(c.find(one.type) for one in box.params)
    body = c.typed(c.code(box.body), result)
    return lambda frame: closure(params, wanted, body, BODY, frame)


def _definition(c: Compiler, box: Definition) -> Code:
    return function_maker(c, box)


def _items(c: Compiler, box: Items) -> Code:
    codes = [c.code(one) for one in box.items]
    return lambda frame: [code(frame) for code in codes]


def _relation(c: Compiler, box: Relation) -> Code:
    rows = [[c.code(cell) for cell in row] for row in box.rows]
    return lambda frame: [dict(zip(box.columns, (cell(frame) for cell in row), strict=True)) for row in rows]


def _conditional(c: Compiler, box: Conditional) -> Code:
    test, yes, no = c.code(box.test), c.code(box.yes), c.code(box.no)

    def choose(frame: Frame) -> Any:
        verdict = test(frame)
        if verdict is True:
            return yes(frame)
        return no(frame) if verdict is False or verdict is None else None

    return choose


def _filter(c: Compiler, box: Filter) -> Code:
    source, match = c.code(box.source), c.code(box.match)
    return lambda frame: iteration.select(frame, source(frame), match)


def _iterator(c: Compiler, box: Iterator) -> Code:
    walks, body = [(box.variable, c.code(box.source))], c.code(box.body)
    if box.kind == "for":
        return lambda frame: iteration.collect(frame, walks, body, True)
    return lambda frame: iteration.quantify(frame, walks, body, box.kind == "some")


_BUILDERS: Mapping[type, Callable[[Compiler, Any], Code]] = {
    Literal: _literal, Table: _table, Context: _context, Invocation: _invocation, Definition: _definition, Items: _items,
    Relation: _relation, Conditional: _conditional, Filter: _filter, Iterator: _iterator,
}  # fmt: skip

__all__ = ["Compiler", "DmnError", "Entry", "FeelError", "function_maker"]
