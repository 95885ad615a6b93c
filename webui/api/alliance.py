"""The alliance as one document."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from flask import abort
from flask_smorest import Blueprint

from engine.errors import Refused
from tasks.people import alliance
from webui.api.schemas import AllianceSchema, LoadedSchema
from webui.context import actor, services

blueprint = Blueprint("alliance", __name__, url_prefix="/api/v1", description="Setting up the alliance")


def _for_the_whole_platform(view: Callable[..., Any]) -> Callable[..., Any]:
    """Before anything is read: one hospital's administrator does not set up the others."""

    @wraps(view)
    def asked(*args: Any, **kwargs: Any) -> Any:
        if None not in actor().places("platform_admin"):
            abort(404)
        return view(*args, **kwargs)

    return asked


@blueprint.post("/alliance")
@_for_the_whole_platform
@blueprint.arguments(AllianceSchema)
@blueprint.response(200, LoadedSchema)
def set_up(document: Mapping[str, Any]) -> dict[str, int]:
    """Hospitals, accounts, agreements, shifts and lines of a whole alliance; sent twice, it changes nothing the second time."""
    house, who = services(), actor()
    try:
        loaded = alliance.load(house.people, house.db, document, actor=who.id)
        for row in document.get("endpoints", ()):
            house.messages.set_endpoint(
                loaded.hospitals[row["hospital"]], row["kind"], name=row["name"], host=row["host"], port=row["port"],
                application=row.get("application") or row.get("ae_title") or "", tls=row.get("tls", False),
                authority=row.get("authority", ""), peers=row.get("peers", ()),
            )  # fmt: skip
    except KeyError as problem:
        raise Refused(f"The document names {problem} and does not describe it.") from problem
    return {"hospitals": len(loaded.hospitals), "accounts": len(loaded.accounts)}
