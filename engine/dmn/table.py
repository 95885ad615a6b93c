"""Decides: a compiled decision file applied to process data (DMN 1.5, section 8.2.8 for hit policies)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from engine.dmn.errors import DmnError
from engine.dmn.model import File, Output, Rule, Table
from engine.dmn.parse import load
from engine.feel import Expression, FeelError, UnaryTests, compile, compile_unary, from_json, to_json
from engine.feel.runtime import less


@dataclass(frozen=True)
class Result:
    """What was decided, as process data, and the ids of the rules that fired."""

    value: Any
    rules: tuple[str, ...] = ()


class NoRule(DmnError):
    """No row of the table fits the input."""

    code = "dmn_no_rule"
    advice = "Add a row for this input, or a last row with dashes that catches the rest."


class SeveralRules(DmnError):
    """Several rows fit where only one may."""

    code = "dmn_several_rules"
    advice = "Make the rows named exclusive, or choose the hit policy FIRST."


class CompiledTable:
    """A table whose every cell is compiled once."""

    def __init__(self, decision: str, table: Table) -> None:
        self.decision = decision
        self.table = table
        self.inputs = [_expression(decision, "input", column.expression) for column in table.inputs]
        self.rows = [(rule, *_cells(decision, rule)) for rule in table.rules]

    def decide(self, scope: Mapping[str, Any], now: datetime) -> Result:
        """Evaluate the inputs once, then the rows in order."""
        given = [column.evaluate(scope, now=now) for column in self.inputs]
        hits: list[tuple[Rule, list[Expression]]] = []
        for rule, tests, outputs in self.rows:
            if all(test.holds(value, scope, now=now) is True for test, value in zip(tests, given, strict=True)):
                hits.append((rule, outputs))
                if self.table.policy == "FIRST":
                    break
        return self._settle(hits, scope, now)

    def _settle(self, hits: list[tuple[Rule, list[Expression]]], scope: Mapping[str, Any], now: datetime) -> Result:
        policy = self.table.policy
        ids = tuple(rule.id for rule, _ in hits)
        if not hits:
            return Result(to_json(self._default(scope, now)), ())
        values = [[cell.evaluate(scope, now=now) for cell in outputs] for _, outputs in hits]
        if policy == "UNIQUE" and len(hits) > 1:
            raise SeveralRules(f"Decision {self.decision}: {', '.join(ids)}.")
        if policy == "ANY" and any(v != values[0] for v in values[1:]):
            raise SeveralRules(f"Decision {self.decision}: {', '.join(ids)} give different results.")
        if policy in ("PRIORITY", "OUTPUT ORDER"):
            order = sorted(range(len(values)), key=lambda i: self._rank(values[i], scope, now))
            values, ids = [values[i] for i in order], tuple(ids[i] for i in order)
        shaped = [self._shape(v) for v in values]
        if policy in ("UNIQUE", "FIRST", "ANY", "PRIORITY"):
            return Result(to_json(shaped[0]), ids[:1] if policy != "ANY" else ids)
        return Result(to_json(_aggregate(self.table.aggregation, shaped)), ids)

    def _shape(self, values: list[Any]) -> Any:
        if len(values) == 1:
            return values[0]
        return {column.name: value for column, value in zip(self.table.outputs, values, strict=True)}

    def _default(self, scope: Mapping[str, Any], now: datetime) -> Any:
        columns = self.table.outputs
        if any(c.default for c in columns):
            return self._shape([compile(c.default or "null").evaluate(scope, now=now) for c in columns])
        if self.table.policy in ("COLLECT", "RULE ORDER", "OUTPUT ORDER"):
            return None if self.table.aggregation else []
        raise NoRule(f"Decision {self.decision}.")

    def _rank(self, values: list[Any], scope: Mapping[str, Any], now: datetime) -> list[int]:
        return [_place(column, value, scope, now) for column, value in zip(self.table.outputs, values, strict=True)]


def _place(column: Output, value: Any, scope: Mapping[str, Any], now: datetime) -> int:
    allowed = compile(f"[{column.values}]").evaluate(scope, now=now) if column.values else []
    return allowed.index(value) if value in allowed else len(allowed)


def _expression(decision: str, what: str, source: str) -> Expression:
    try:
        return compile(source)
    except FeelError as problem:
        raise DmnError(f"Decision {decision}, {what} {source!r}: {problem.detail}") from None


def _cells(decision: str, rule: Rule) -> tuple[list[UnaryTests], list[Expression]]:
    try:
        return [compile_unary(cell) for cell in rule.inputs], [compile(cell or "null") for cell in rule.outputs]
    except FeelError as problem:
        raise DmnError(f"Decision {decision}, rule {rule.id} (line {rule.line}): {problem.detail}") from None


def _aggregate(operator: str, values: list[Any]) -> Any:
    if not operator:
        return values
    if operator == "COUNT":
        return Decimal(len(values))
    if operator == "SUM":
        return sum(values, Decimal(0)) if all(isinstance(v, Decimal) for v in values) else None
    best = values[0]
    for value in values[1:]:
        if (less(value, best) if operator == "MIN" else less(best, value)) is True:
            best = value
    return best


class Decisions:
    """A compiled file: decides any of its decisions, the required ones first."""

    def __init__(self, file: File) -> None:
        self.file = file
        self._tables = {d.id: CompiledTable(d.id, d.table) for d in file.decisions.values() if d.table}
        self._literals = {
            d.id: _expression(d.id, "expression", d.literal) for d in file.decisions.values() if not d.table
        }

    def decide(self, id_: str, scope: Mapping[str, Any], *, now: datetime) -> Result:
        """Decide one decision over process data; DmnError when it is unknown or its rows do not settle it."""
        return self._decide(id_, scope, now, ())

    def _decide(self, id_: str, scope: Mapping[str, Any], now: datetime, above: tuple[str, ...]) -> Result:
        decision = self.file.decisions.get(id_)
        if decision is None or id_ in above:
            raise DmnError(f"Decision {id_} is {'required by itself' if id_ in above else 'not in the file'}.")
        known = dict(scope)
        for needed in decision.requires:
            found = self._decide(needed, scope, now, (*above, id_))
            known[self.file.decisions[needed].variable] = found.value
        if id_ in self._tables:
            return self._tables[id_].decide(known, now)
        return Result(to_json(self._literals[id_].evaluate(known, now=now)))


def decide_file(xml: bytes, decision: str | None, inputs: Mapping[str, Any], *, now: datetime) -> Any:
    """Decide over JSON inputs; without a name, the file's only decision or its last one."""
    file = load(xml)
    name = decision or list(file.decisions)[-1]
    return Decisions(file).decide(name, {k: to_json(from_json(v)) for k, v in inputs.items()}, now=now).value
