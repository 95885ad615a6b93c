"""The auditor's first page: is the record unchanged, and who did what."""

from __future__ import annotations

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue

from engine import history
from tasks.cases import trace
from webui.context import actor, services
from webui.pages import shared

blueprint = Blueprint("audit", __name__, url_prefix="/audit")


@blueprint.get("")
def home() -> ResponseReturnValue:
    """Verification of every chain, and the newest entries; `q` narrows to a case number."""
    house, who = services(), actor()
    if "auditor" not in who.roles:
        abort(404)
    words = request.args.get("q", "").strip()
    with house.db.read() as session:
        breaks = history.verify(session)
        entries = trace.newest(session, who, words, before=shared.cursor())
        total, head = trace.size(session)
    more = shared.more("audit.home", entries, 100, lambda e: (e.at, e.id), q=words)
    return render_template("audit.html", breaks=breaks, entries=entries, q=words, total=total, head=head, more=more)
