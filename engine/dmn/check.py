"""Finds gaps, overlaps and rows that never fire, by trying every combination of the declared input values."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from engine.dmn.model import Decision, Table
from engine.dmn.table import CompiledTable
from engine.feel import FeelError, compile, to_json

MOST = 200_000
"""Combinations tried at the most."""
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class TableFinding:
    """`kind` gap, overlap, dead or unchecked; `rows` are row numbers from 1; `example` the input that shows it."""

    kind: str
    rows: tuple[int, ...]
    example: dict[str, Any]
    text: str


def check(decision: Decision) -> list[TableFinding]:
    """Findings of one table; none for a literal expression. A column without declared values cannot be enumerated."""
    table = decision.table
    if table is None or not table.inputs:
        return []
    domains = [_domain(column.values) for column in table.inputs]
    missing = [table.inputs[i].expression for i, d in enumerate(domains) if not d]
    if missing:
        return (
            []
            if _catches_all(table)
            else [TableFinding("unchecked", (), {}, f"no input values declared for {', '.join(missing)}")]
        )
    size = math.prod(len(d) for d in domains)
    if size > MOST:
        return [TableFinding("unchecked", (), {}, f"{size} combinations are too many to try; {MOST} are the most")]
    return list(_findings(table, domains, CompiledTable(decision.id, table)))


def _domain(values: str) -> list[Any]:
    if not values:
        return []
    try:
        found = compile(f"[{values}]").evaluate({}, now=EPOCH)
    except FeelError:
        return []
    return found if isinstance(found, list) else []


def _catches_all(table: Table) -> bool:
    return bool(table.rules) and all(cell in ("-", "") for cell in table.rules[-1].inputs)


def _findings(table: Table, domains: list[list[Any]], compiled: CompiledTable) -> Iterator[TableFinding]:
    fits = _fits(domains, compiled)
    names = [column.expression for column in table.inputs]
    has_default = any(column.default for column in table.outputs) or table.policy in (
        "COLLECT",
        "RULE ORDER",
        "OUTPUT ORDER",
    )
    fired: set[int] = set()
    gap: tuple[int, ...] | None = None
    overlaps: dict[tuple[int, ...], tuple[int, ...]] = {}
    for place in itertools.product(*(range(len(d)) for d in domains)):
        rows = _rows(fits, place)
        if not rows:
            gap = gap or place
            continue
        lowest = (rows & -rows).bit_length() - 1
        if table.policy == "FIRST":
            fired.add(lowest)
        else:
            hit = tuple(i + 1 for i in range(len(table.rules)) if rows >> i & 1)
            fired.update(i - 1 for i in hit)
            if table.policy == "UNIQUE" and len(hit) > 1:
                overlaps.setdefault(hit, place)

    def example(place: tuple[int, ...]) -> dict[str, Any]:
        return {names[i]: to_json(domains[i][p]) for i, p in enumerate(place)}

    if gap is not None and not has_default:
        yield TableFinding("gap", (), example(gap), "no row fits this input")
    for rows_hit, place in overlaps.items():
        yield TableFinding(
            "overlap", rows_hit, example(place), f"rows {', '.join(map(str, rows_hit))} fit the same input"
        )
    for i in range(len(table.rules)):
        if i not in fired:
            yield TableFinding("dead", (i + 1,), {}, f"row {i + 1} never fires")


def _fits(domains: list[list[Any]], compiled: CompiledTable) -> list[list[int]]:
    """For each column and value, the rows whose cell passes it, as bits."""
    columns: list[list[int]] = []
    for i, domain in enumerate(domains):
        masks = []
        for value in domain:
            mask = 0
            for r, (_, tests, _) in enumerate(compiled.rows):
                if tests[i].holds(value, {}, now=EPOCH) is True:
                    mask |= 1 << r
            masks.append(mask)
        columns.append(masks)
    return columns


def _rows(fits: list[list[int]], place: tuple[int, ...]) -> int:
    rows = -1
    for column, value in zip(fits, place, strict=True):
        rows &= column[value]
        if not rows:
            return 0
    return rows
