"""Whoever was answered that something does not exist for him, while it does, finds himself in the record."""

from __future__ import annotations

from uuid import UUID

from flask import current_app, g, request
from werkzeug.exceptions import HTTPException

from webui.context import actor, services

ASKED = ("", "case", "task", "room")
"""Of what it is said that it does not exist where permission is asked; a report that is not printed yet is none of them."""


def note(error: Exception) -> None:
    """Record a refused look: at a case that exists, or at a page that is for other roles. An address nobody has is none."""
    view = current_app.view_functions.get(request.endpoint or "")
    if g.get("actor") is None or view is None or request.endpoint == "static" or getattr(view, "passive", False):
        return
    if not request.view_args:
        if isinstance(error, HTTPException):  # the page itself asked for the role
            services().cases.note_refused(actor(), request.endpoint)
        return
    if not isinstance(error, HTTPException) and getattr(error, "detail", "") not in ASKED:
        return
    case_id = _case()
    if case_id is not None:
        services().cases.note_refused(actor(), request.endpoint, case_id)


def _case() -> UUID | None:
    """The case the address is about: named in it, or by its task or room."""
    args, house = request.view_args or {}, services()
    if "case_id" in args:
        return UUID(str(args["case_id"]))
    with house.db.read() as session:
        if "task_id" in args:
            return house.worklist.case_of(session, args["task_id"])  # type: ignore[no-any-return]
        if "room_id" in args:
            return house.session.case_of(session, args["room_id"])  # type: ignore[no-any-return]
    return None
