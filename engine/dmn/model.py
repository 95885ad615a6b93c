"""A decision file as values: decisions, tables, rules, and what they require."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Input:
    """A column of conditions. `values` is the text of the declared input values, empty when none are declared."""

    expression: str
    label: str = ""
    values: str = ""
    type: str = ""


@dataclass(frozen=True)
class Output:
    """A column of results."""

    name: str
    label: str = ""
    values: str = ""
    default: str = ""
    type: str = ""


@dataclass(frozen=True)
class Rule:
    """A row; texts are FEEL, cell by cell."""

    id: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    line: int = 0
    note: str = ""


@dataclass(frozen=True)
class Table:
    """A decision table; `policy` is the hit policy in words, `aggregation` one of the COLLECT operators or empty."""

    policy: str
    aggregation: str
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class Decision:
    """One decision: a table or a literal expression, and the ids of the decisions it needs."""

    id: str
    name: str
    variable: str
    line: int
    table: Table | None = None
    literal: str = ""
    requires: tuple[str, ...] = ()


@dataclass(frozen=True)
class File:
    """All decisions of one file by id, in file order."""

    decisions: dict[str, Decision] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()
