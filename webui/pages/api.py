"""The JSON interface for programs: the alliance as a document, and the history of a case."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, abort, jsonify, request
from flask.typing import ResponseReturnValue

from engine.errors import Refused
from tasks.cases import trace
from tasks.people import alliance
from webui.context import actor, services

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")


@blueprint.post("/alliance")
def set_up() -> ResponseReturnValue:
    """Hospitals, accounts, agreements, shifts and lines of a whole alliance; sent twice, it changes nothing the second time."""
    house, who = services(), actor()
    if None not in who.places("platform_admin"):  # one hospital's administrator does not set up the others
        abort(404)
    document: Any = request.get_json()
    if not isinstance(document, dict):
        raise Refused("Send one JSON object.")
    try:
        loaded = alliance.load(house.people, house.db, document, actor=who.id)
        for row in document.get("endpoints", []):
            house.messages.set_endpoint(
                loaded.hospitals[row["hospital"]], row["kind"], name=row["name"], host=row["host"], port=int(row["port"]),
                application=row.get("application") or row.get("ae_title") or "",
            )  # fmt: skip
    except (KeyError, TypeError, ValueError) as problem:
        raise Refused(f"The document lacks or misuses {problem}.") from problem
    return jsonify(hospitals=len(loaded.hospitals), accounts=len(loaded.accounts))


@blueprint.get("/cases/<uuid:case_id>/history")
def case_history(case_id: UUID) -> ResponseReturnValue:
    """Everything that happened in a case, oldest first; for auditors, and for whoever may read its history."""
    house, who = services(), actor()
    with house.db.read() as session:
        case = house.cases.get(session, case_id)
        if not house.cases.allowed(session, who, case, "history", "read"):
            abort(404)
        found = trace.entries(session, case.instance_id)
    rows = [
        {"id": e.id, "at": e.at.isoformat(), "kind": e.kind, "actor": e.actor, "process": e.process, "node": e.node,
         "operation": e.operation, "result": e.result, "data": dict(e.data)}
        for e in found
    ]  # fmt: skip
    return jsonify(entries=rows)
