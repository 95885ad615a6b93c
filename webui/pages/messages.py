"""The message centre: what came and went, attempts with what the peer said, lines, and short messages."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from tasks.people.service import Facts, directory, may
from webui.context import actor, services

blueprint = Blueprint("messages", __name__, url_prefix="/messages")


def _allowed() -> None:
    if not may(actor(), "read", Facts("message", actor().hospital_id)):
        abort(404)


@blueprint.get("")
def listed() -> ResponseReturnValue:
    """Newest messages; `tab` is all, problems, sms or lines."""
    _allowed()
    tab, house = request.args.get("tab", "all"), services()
    with house.db.read() as session:
        rows = house.messages.listed(session, None, problems=tab == "problems") if tab in ("all", "problems") else []
        texts = house.notify.outbox(session, None) if tab == "sms" else []
        lines = house.messages.endpoints(session) if tab == "lines" else []
        names = directory.names(session, [t.account_id for t in texts])
        places = {h.id: h for h in directory.hospitals(session)}
    return render_template("messages.html", tab=tab, rows=rows, texts=texts, lines=lines, names=names, places=places)


@blueprint.get("/<uuid:message_id>")
def shown(message_id: UUID) -> ResponseReturnValue:
    """One message with its attempts; its text is clinical and stays hidden from administrators."""
    _allowed()
    house = services()
    with house.db.read() as session:
        found = house.messages.detail(session, message_id)
        if found is None:
            abort(404)
        places = {h.id: h for h in directory.hospitals(session)}
    message, attempts = found
    return render_template(
        "message.html", message=message, attempts=attempts, inbound=hasattr(message, "answer"), places=places
    )


@blueprint.post("/<uuid:message_id>/repeat")
def repeat(message_id: UUID) -> ResponseReturnValue:
    """Process a failed message again."""
    _allowed()
    services().messages.repeat(message_id, actor().id)
    flash(gettext("已放回处理"))
    return redirect(url_for("messages.shown", message_id=message_id), 303)
