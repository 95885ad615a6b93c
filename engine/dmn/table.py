"""Decides a table: a row fits when all its cells do; the hit policy says which rows count (DMN 1.5, section 8.2.8)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Protocol

from engine.dmn.errors import DmnError, NoRule, SeveralRules
from engine.dmn.model import Output, Rule, Table
from engine.feel import FeelError
from engine.feel.compile import SOURCE_LIMIT, prepare, prepare_unary
from engine.feel.operators import less
from engine.feel.runtime import Check, Code, Frame, Run
from engine.feel.types import Type
from engine.feel.values import MATH

ALL = ("COLLECT", "RULE ORDER", "OUTPUT ORDER")


class Sources:
    """Compiles the FEEL of one file: its names with spaces and its types are known.

    `lenient` as the standard says: what cannot be compiled or decided is null. Otherwise it is an error.
    """

    def __init__(
        self, names: Iterable[str] = (), types: Mapping[str, Type] | None = None, *, lenient: bool = False
    ) -> None:
        self.names = tuple(names)
        self.types = types or {}
        self.lenient = lenient
        self.limit = 65_536 if lenient else SOURCE_LIMIT
        self._expressions: dict[str, Code] = {}
        self._cells: dict[str, Check] = {}
        """Tables say the same in many cells: each text is compiled once."""

    def expression(self, owner: str, source: str, line: int = 0) -> Code:
        """An expression; an empty one is null."""
        if source not in self._expressions:
            try:
                self._expressions[source] = prepare(source or "null", self.names, self.types, self.limit).code
            except FeelError as problem:
                return self._broken(owner, source, line, problem)
        return self._expressions[source]

    def cell(self, owner: str, source: str, line: int = 0) -> Check:
        """Unary tests."""
        if source not in self._cells:
            try:
                self._cells[source] = prepare_unary(source, self.names, self.types, self.limit).check
            except FeelError as problem:
                broken = self._broken(owner, source, line, problem)
                return lambda frame, _: broken(frame)
        return self._cells[source]

    def _broken(self, owner: str, source: str, line: int, problem: FeelError) -> Code:
        if self.lenient:
            return lambda _: None
        place = f" (line {line})" if line else ""
        raise DmnError(f"Decision {owner}, {source!r}{place}: {problem.detail}") from None


class Fired(Protocol):
    """A run that notes the rules that fired."""

    fired: list[str]


class CompiledTable:
    """A table whose every cell is compiled once."""

    def __init__(self, decision: str, table: Table, sources: Sources | None = None) -> None:
        self.decision = decision
        self.table = table
        self._sources = sources or Sources()
        self._inputs = [self._sources.expression(decision, column.expression) for column in table.inputs]
        self.rows = [(rule, self._tests(rule), self._results(rule)) for rule in table.rules]
        self._defaults = [self._sources.expression(decision, column.default) for column in table.outputs]
        self._orders = [
            self._sources.expression(decision, f"[{c.values}]") if c.values else None for c in table.outputs
        ]

    def _tests(self, rule: Rule) -> list[tuple[int, Check]]:
        """The cells that test something, with their columns."""
        name = f"{self.decision}, rule {rule.id}"
        cells = [(i, cell) for i, cell in enumerate(rule.inputs) if cell not in ("", "-")]
        return [(i, self._sources.cell(name, cell, rule.line)) for i, cell in cells]

    def _results(self, rule: Rule) -> list[Code]:
        name = f"{self.decision}, rule {rule.id}"
        return [self._sources.expression(name, cell, rule.line) for cell in rule.outputs]

    def code(self, frame: Frame) -> Any:
        """Evaluate the inputs once, then the rows in order."""
        given = [column(frame) for column in self._inputs]
        hits: list[tuple[Rule, list[Code]]] = []
        frame.run.burn(len(self.rows))
        for rule, tests, results in self.rows:
            for column, check in tests:
                if check(frame, given[column]) is not True:
                    break
            else:
                hits.append((rule, results))
                if self.table.policy == "FIRST":
                    break
        try:
            return self._settle(hits, frame)
        except (NoRule, SeveralRules):
            if self._sources.lenient:
                return None
            raise

    def _settle(self, hits: list[tuple[Rule, list[Code]]], frame: Frame) -> Any:
        policy = self.table.policy
        if not hits:
            return self._default(frame)
        ids = [rule.id for rule, _ in hits]
        if policy == "UNIQUE" and len(hits) > 1:
            raise SeveralRules(f"Decision {self.decision}: {', '.join(ids)}.")
        values = [[cell(frame) for cell in results] for _, results in hits]
        if policy == "ANY" and any(one != values[0] for one in values[1:]):
            raise SeveralRules(f"Decision {self.decision}: {', '.join(ids)} give different results.")
        if policy in ("PRIORITY", "OUTPUT ORDER"):
            ranks = [self._rank(one, frame) for one in values]
            order = sorted(range(len(values)), key=ranks.__getitem__)
            values, ids = [values[i] for i in order], [ids[i] for i in order]
        if policy in ("FIRST", "PRIORITY"):
            ids = ids[:1]
        note(frame.run, ids)
        shaped = [self._shape(one) for one in values]
        return _aggregate(self.table.aggregation, shaped) if policy in ALL else shaped[0]

    def _shape(self, values: list[Any]) -> Any:
        if len(values) == 1:
            return values[0]
        return {column.name: value for column, value in zip(self.table.outputs, values, strict=True)}

    def _default(self, frame: Frame) -> Any:
        if any(column.default for column in self.table.outputs):
            made = self._shape([one(frame) for one in self._defaults])
            return [made] if self.table.policy in ALL and not self.table.aggregation else made
        if self.table.policy in ALL:
            return {"": [], "COUNT": Decimal(0)}.get(self.table.aggregation)
        raise NoRule(f"Decision {self.decision}.")

    def _rank(self, values: list[Any], frame: Frame) -> list[int]:
        return [_place(order(frame) if order else [], value) for order, value in zip(self._orders, values, strict=True)]


def note(run: Run, ids: list[str]) -> None:
    """Tell the run, if it listens, which rules fired."""
    fired: list[str] | None = getattr(run, "fired", None)
    if fired is not None:
        fired.extend(ids)


def _place(allowed: Any, value: Any) -> int:
    return allowed.index(value) if isinstance(allowed, list) and value in allowed else 1_000_000


def _aggregate(operator: str, values: list[Any]) -> Any:
    if not operator:
        return values
    if operator == "COUNT":
        return Decimal(len(values))
    if operator == "SUM":
        total: Decimal | None = Decimal(0)
        for value in values:
            total = MATH.add(total, value) if isinstance(total, Decimal) and isinstance(value, Decimal) else None
        return total
    best = values[0]
    for value in values[1:]:
        verdict = less(value, best) if operator == "MIN" else less(best, value)
        if verdict is None:
            return None
        best = value if verdict else best
    return best


__all__ = ["CompiledTable", "Fired", "Output", "Sources", "note"]
