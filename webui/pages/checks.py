"""What would be found if a form were handed in as it is written now: the pre-QC beside an application, the hints beside a report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue

from forms import FormDef
from tasks.quality.checks import Check
from webui.context import actor, services
from webui.pages import clinic

blueprint = Blueprint("checks", __name__, url_prefix="/tasks")
ORDER = {"block": 0, "warn": 1, "todo": 2, "info": 3, "pass": 4}
WRITTEN = ("form", "EMR")
"""Sources of rules about what is still to be written: while somebody writes they are not a fault yet."""


@blueprint.app_template_filter("worst_first")
def worst_first(rows: Iterable[Any]) -> list[Any]:
    """Rows of a report, what blocks first; each group in the order of the rules."""
    return sorted(rows, key=lambda r: ORDER[r["severity"] if isinstance(r, dict) else r.severity])


def values(form: FormDef, data: Mapping[str, Any]) -> dict[str, Any]:
    """What stands in a form as its fields take it; what is not yet readable is left out."""
    found: dict[str, Any] = {}
    for field in form.fields:
        value = data.get(field.name)
        several = list(value) if isinstance(value, list | tuple) else [] if value in (None, "") else [value]
        if field.is_list:
            found[field.name] = several
        elif several:
            found[field.name] = _single(field.type, several[-1])
    return {name: value for name, value in found.items() if value is not None}


def _single(kind: str, value: Any) -> Any:
    if kind == "bool":
        return value in (True, "true")
    if kind in ("int", "decimal", "score"):
        try:
            return int(value) if kind != "decimal" else float(value)
        except (TypeError, ValueError):
            return None
    return value


def application(session: Any, case: Any, form: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of the pre-QC, what blocks first, in the shape of the kept ones."""
    return worst_first(shape(c) for c in services().quality.preview(session, case, form))


def shape(check: Check) -> dict[str, Any]:
    """One row as the kept reports have it."""
    todo = check.severity != "pass" and check.source in WRITTEN
    return {"rule": check.rule, "severity": "todo" if todo else check.severity, "row": asdict(check)}


def report(session: Any, case: Any, form: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The hints on a report in the shape of the kept ones."""
    text = {k: str(v) for k, v in form.items() if isinstance(v, str)}
    return [{"block": h.block, "row": asdict(h)} for h in services().quality.hints_for(session, case, text)]


@blueprint.post("/<uuid:task_id>/checks")
def now(task_id: UUID) -> ResponseReturnValue:
    """Check what stands in the form; the answer is a piece of the page, nothing is kept."""
    house, who = services(), actor()
    with house.db.read() as session:
        task = house.worklist.open_task(session, who, task_id)
        if task.case is None or task.task.form not in ("apply", "supplement", "report"):
            abort(404)
        case = house.cases.get(session, task.case.id)
        typed = values(task.form, request.form.to_dict(flat=False))
        if task.task.form == "report":
            return render_template(
                "checks.html",
                hints=report(session, case, typed),
                checks=None,
                changing=clinic.live(session, case.id, typed),
            )
        return render_template("checks.html", checks=application(session, case, typed), hints=None, changing=[])
