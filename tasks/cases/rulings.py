"""What the decision tables decided in a case: which row, and what it says, read from the case's own version of the tables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.dmn import load
from engine.tables import history
from tasks.cases.trace import bundle_of


@dataclass(frozen=True)
class Ruling:
    """The row of a table that fired last: its number from 1, its id, and the results by name."""

    decision: str
    row: int
    rule: str
    results: Mapping[str, Any]


def rulings(session: Session, instance_id: UUID) -> dict[str, Ruling]:
    """The newest ruling of each table of a case, by decision."""
    query = select(history.c.data).where(history.c.instance_id == instance_id, history.c.kind == "decided")
    taken = [json.loads(data) for data in session.scalars(query.order_by(history.c.at, history.c.id))]
    if not taken:
        return {}
    files = bundle_of(session, instance_id).files
    found: dict[str, Ruling] = {}
    for one in taken:
        ruling = _ruling(files.get(f"{one['decision']}.dmn"), one["decision"], list(one.get("rules") or ()))
        if ruling is not None:
            found[ruling.decision] = ruling
    return found


def _ruling(xml: bytes | None, decision: str, rules: list[Any]) -> Ruling | None:
    table = load(xml).decisions[decision].table if xml is not None else None
    if table is None or not rules:
        return None
    for row, rule in enumerate(table.rules, 1):
        if rules[0] in (rule.id, row):
            results = {column.name: _value(cell) for column, cell in zip(table.outputs, rule.outputs, strict=True)}
            return Ruling(decision, row, rule.id, results)
    return None


def _value(cell: str) -> Any:
    """A cell that holds a literal as its value; any other expression as it is written."""
    try:
        return json.loads(cell)
    except ValueError:
        return cell


def choices(session: Session, instance_id: UUID, form: str, field: str) -> Mapping[str, tuple[str, str]]:
    """The Chinese and English words for the choices of a field, as the case's own version of the form has them."""
    raw = bundle_of(session, instance_id).files.get(f"{form}.form.json")
    fields = [f for s in json.loads(raw)["sections"] for f in s["fields"]] if raw is not None else []
    found: dict[str, Any] = next((f for f in fields if f["name"] == field), {})
    return {str(c["value"]): (c["label"]["zh"], c["label"]["en"]) for c in found.get("choices") or ()}
