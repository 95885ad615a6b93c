"""Finds gaps, overlaps and rows that never fire, by trying every kind of input.

The values tried in a column are those it declares, and where it declares none or an interval, the literals of its cells with
a value on either side of each; a text column without declared values also gets one that no cell names. Values that no cell
tells apart count as one, so that tables far beyond 100,000 combinations can be proved.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from engine.dmn.model import Decision, Input, Table
from engine.dmn.table import CompiledTable, Sources
from engine.feel import FeelError, nodes, to_json
from engine.feel.builtins import FUNCTIONS
from engine.feel.parser import parse_tests
from engine.feel.runtime import Check, Frame, Run
from engine.feel.temporal import Months
from engine.feel.values import kind

MOST = 100_000
"""Combinations tried at the most."""
OVERLAPS = 20
"""Overlaps told at the most."""
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
OTHER = "…"
STEPS: dict[type, Any] = {
    date: timedelta(days=1), datetime: timedelta(seconds=1), timedelta: timedelta(seconds=1), Decimal: Decimal(1),
}  # fmt: skip


@dataclass(frozen=True)
class TableFinding:
    """`kind` gap, overlap, dead or unchecked; `rows` are row numbers from 1; `example` the input that shows it."""

    kind: str
    rows: tuple[int, ...]
    example: dict[str, Any]
    text: str


def check(decision: Decision) -> list[TableFinding]:
    """Findings of one table; none for other logic, and one `unchecked` for a table that cannot be tried out."""
    table = decision.table
    if table is None or not table.inputs:
        return []
    columns = [_Column(table, i) for i in range(len(table.inputs))]
    unknown = [column.input.expression for column in columns if not column.values]
    if unknown:
        if _catches_all(table):
            return []
        text = f"the cells of {', '.join(unknown)} depend on other data; declare input values or write literals"
        return [TableFinding("unchecked", (), {}, text)]
    compiled = CompiledTable(decision.id, table)
    classes = [column.classes(compiled) for column in columns]
    size = math.prod(len(one) for one in classes)
    if size > MOST:
        return [TableFinding("unchecked", (), {}, f"{size} combinations are too many to try; {MOST} are the most")]
    return list(_findings(table, classes))


def _catches_all(table: Table) -> bool:
    return any(column.default for column in table.outputs) or (
        bool(table.rules) and all(cell in ("-", "") for cell in table.rules[-1].inputs)
    )


class _Column:
    """The values to try in one column."""

    def __init__(self, table: Table, place: int) -> None:
        self.place = place
        self.input: Input = table.inputs[place]
        cells = [rule.inputs[place] for rule in table.rules]
        literals = list(itertools.chain.from_iterable(map(_literals, cells)))
        self.values: list[Any] = []
        if None in literals:
            return
        declared = _tests(self.input.values) if self.input.values else None
        if declared is not None and all(isinstance(test.of, nodes.Literal) for test in declared.tests):
            self.values = [test.of.value for test in declared.tests if isinstance(test.of, nodes.Literal)]
        else:
            points = [*literals, *(_literals(self.input.values) if declared else ())]
            self.values = _around([one for one in points if one is not None], self.input.type)
            if declared is not None:
                allowed = Sources().cell("input values", self.input.values)
                self.values = [one for one in self.values if _holds(allowed, one)]

    def classes(self, compiled: CompiledTable) -> list[tuple[int, Any]]:
        """One value for every set of rows whose cell it passes, with these rows as bits."""
        found: dict[int, Any] = {}
        for value in self.values:
            mask = 0
            for row, (_, tests, _) in enumerate(compiled.rows):
                test = dict(tests).get(self.place)
                if test is None or _holds(test, value):
                    mask |= 1 << row
            found.setdefault(mask, value)
        return list(found.items())


def _holds(test: Check, value: Any) -> bool:
    run = Run(EPOCH)
    try:
        return test(Frame({"?": value}, None, run), value) is True
    except FeelError:
        return False


def _tests(source: str) -> nodes.Tests | None:
    try:
        return parse_tests(source, (), FUNCTIONS, {})[0]
    except FeelError:
        return None


def _literals(cell: str) -> Iterator[Any]:
    """The literals in a cell; None when its verdict depends on more than them and the value tested."""
    tests = _tests(cell)
    if tests is None or nodes.mentioned(tests) - {"?"} - FUNCTIONS.keys():
        yield None
        return
    run = Run(EPOCH)
    stack: list[Any] = [tests]
    while stack:
        one = stack.pop()
        if isinstance(one, tuple):
            stack.extend(one)
        elif isinstance(one, nodes.Literal):
            yield from (() if one.value is None else (one.value,))
        elif isinstance(one, nodes.Negate) and isinstance(one.of, nodes.Literal) and isinstance(one.of.value, Decimal):
            yield -one.of.value
        elif isinstance(one, nodes.Call) and isinstance(one.function, nodes.Name):
            given = [part.value for part in one.arguments if isinstance(part, nodes.Literal)]
            value = FUNCTIONS[one.function.name].call(run, *given) if len(given) == len(one.arguments) else None
            yield from (given if value is None or isinstance(value, bool) else (value,))
            stack.extend(part for part in one.arguments if not isinstance(part, nodes.Literal))
        elif hasattr(one, "__dataclass_fields__"):
            stack.extend(getattr(one, name) for name in one.__dataclass_fields__)


def _around(points: Iterable[Any], type_: str) -> list[Any]:
    """The points, and values before, between and behind them."""
    found: dict[str, list[Any]] = {}
    for point in points:
        same = found.setdefault(kind(point), [])
        if point not in same:
            same.append(point)
    if type_ == "boolean" or "boolean" in found:
        found["boolean"] = [True, False]
    if type_ == "string" or "string" in found or not found:
        found["string"] = [*found.get("string", ()), OTHER]
    return [value for same in found.values() for value in _between(same)]


def _between(same: list[Any]) -> list[Any]:
    step = STEPS.get(type(same[0]))
    if isinstance(same[0], Months):
        counts = sorted({near for one in same for near in (one.count - 1, one.count, one.count + 1)})
        return [Months(count) for count in counts]
    if isinstance(same[0], time):
        return [time(), *same, time(23, 59, 59)]
    if step is None:
        return same
    made: list[Any] = []
    try:
        ordered = sorted(same)
        for low, high in itertools.pairwise([ordered[0] - step, *ordered, ordered[-1] + step]):
            made += [low, (low + high) / 2 if isinstance(low, Decimal) else low + (high - low) / 2]
        return [*made, ordered[-1] + step]
    except (OverflowError, TypeError):
        return same


def _findings(table: Table, classes: list[list[tuple[int, Any]]]) -> Iterator[TableFinding]:
    fired, gap, overlaps = _tried(table, classes)
    if gap is not None and not any(column.default for column in table.outputs) and not _collects(table):
        yield TableFinding("gap", (), _example(table, gap), "no row fits this input")
    for rows, place in itertools.islice(overlaps.items(), OVERLAPS):
        numbers = ", ".join(map(str, rows))
        yield TableFinding("overlap", rows, _example(table, place), f"rows {numbers} fit the same input")
    for row in range(len(table.rules)):
        if row not in fired:
            yield TableFinding("dead", (row + 1,), {}, f"row {row + 1} never fires")


Place = tuple[Any, ...]


def _tried(
    table: Table, classes: list[list[tuple[int, Any]]]
) -> tuple[set[int], Place | None, dict[tuple[int, ...], Place]]:
    """The rows that fire at all, an input that none fits, and inputs that several fit where one may."""
    fired: set[int] = set()
    gap: Place | None = None
    overlaps: dict[tuple[int, ...], Place] = {}
    seen: set[int] = set()
    for combination in itertools.product(*classes):
        rows = (1 << len(table.rules)) - 1
        for mask, _ in combination:
            rows &= mask
        if rows in seen:
            continue
        seen.add(rows)
        place = tuple(value for _, value in combination)
        hit = [row for row in range(len(table.rules)) if rows >> row & 1]
        if not hit:
            gap = place
        fired.update(hit[:1] if table.policy == "FIRST" else hit)
        if len(hit) > 1 and (table.policy == "UNIQUE" or (table.policy == "ANY" and _differ(table, hit))):
            overlaps[tuple(row + 1 for row in hit)] = place
    return fired, gap, overlaps


def _differ(table: Table, hit: list[int]) -> bool:
    return len({table.rules[row].outputs for row in hit}) > 1


def _collects(table: Table) -> bool:
    return table.policy in ("COLLECT", "RULE ORDER", "OUTPUT ORDER")


def _example(table: Table, place: Place) -> dict[str, Any]:
    return {column.expression: to_json(value) for column, value in zip(table.inputs, place, strict=True)}
