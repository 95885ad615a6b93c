"""Cases for programs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import abort
from flask_smorest import Blueprint

from tasks.cases import trace
from webui.api.schemas import HistorySchema
from webui.context import actor, services

blueprint = Blueprint("case_api", __name__, url_prefix="/api/v1/cases", description="What happened in a case")


@blueprint.get("/<uuid:case_id>/history")
@blueprint.response(200, HistorySchema)
def history(case_id: UUID) -> dict[str, Any]:
    """Everything that happened in a case, oldest first; for auditors, and for whoever may read its history."""
    house, who = services(), actor()
    with house.db.read() as session:
        case = house.cases.get(session, case_id)
        if not house.cases.allowed(session, who, case, "history", "read"):
            abort(404)
        return {"entries": trace.entries(session, case.instance_id, house.cases.hidden(session, actor(), case))}
