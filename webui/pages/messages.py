"""The message centre: what came and went, attempts with what the peer said, lines, and short messages."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from tasks.messages.service import PAGE
from tasks.people.service import directory, opens
from webui.context import actor, context, services
from webui.i18n import local
from webui.message_words import problem_word, state_word
from webui.pages import shared

blueprint = Blueprint("messages", __name__, url_prefix="/messages")
blueprint.add_app_template_filter(state_word, "message_word")
blueprint.add_app_template_filter(problem_word, "problem_word")


def _allowed() -> None:
    if not opens(actor(), "message", "read"):
        abort(404)


@blueprint.get("")
def listed() -> ResponseReturnValue:
    """Newest messages; `tab` is all, problems, sms or lines."""
    _allowed()
    tab, house, who = request.args.get("tab", "all"), services(), actor()
    with house.db.read() as session:
        before, problems = _before(), tab == "problems"
        listed = tab in ("all", "problems")
        rows = house.messages.listed(session, who, problems=problems, before=before) if listed else []
        texts = house.notify.outbox(session, who, before=before) if tab == "sms" else []
        lines = house.messages.endpoints(session) if tab == "lines" else []
        about = house.messages.about(session, [r["id"] for r in rows])
        today = local(context().clock.now()).replace(hour=0, minute=0, second=0, microsecond=0)
        counts = house.messages.counts(session, who, today)
        names = shared.names(session, [t.account_id for t in texts])
        places = {h.id: h for h in directory.hospitals(session)}
    times = [r["at"] for r in rows] or [t.created_at for t in texts]
    more = url_for("messages.listed", tab=tab, before=times[-1].isoformat()) if len(times) == PAGE else ""
    return render_template(
        "messages.html",
        tab=tab,
        rows=rows,
        texts=texts,
        lines=lines,
        names=names,
        places=places,
        more=more,
        about=about,
        totals=counts,
    )


def _before() -> datetime | None:
    try:
        found = datetime.fromisoformat(request.args.get("before", ""))
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


@blueprint.get("/<uuid:message_id>")
def shown(message_id: UUID) -> ResponseReturnValue:
    """One message with its attempts; its text is clinical and stays hidden from administrators."""
    _allowed()
    house = services()
    with house.db.read() as session:
        message, attempts = house.messages.detail(session, actor(), message_id)
        places = {h.id: h for h in directory.hospitals(session)}
    return render_template(
        "message.html", message=message, attempts=attempts, inbound=hasattr(message, "answer"), places=places
    )


@blueprint.post("/<uuid:message_id>/repeat")
def repeat(message_id: UUID) -> ResponseReturnValue:
    """Process a failed message again."""
    _allowed()
    services().messages.repeat(actor(), message_id)
    flash(gettext("已放回处理"))
    return redirect(url_for("messages.shown", message_id=message_id), 303)
