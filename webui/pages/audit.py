"""The auditor's first page: is the record unchanged, and who did what."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from engine import history
from tasks.cases import trace
from tasks.people.service import directory, opens
from webui.context import actor, context, services
from webui.pages import shared

blueprint = Blueprint("audit", __name__, url_prefix="/audit")


@blueprint.get("")
def home() -> ResponseReturnValue:
    """How far every chain is known to hold, and the newest entries; `q` narrows to a case number."""
    house, who = services(), actor()
    _only_auditors()
    words = request.args.get("q", "").strip()
    with house.db.read() as session:
        standing = history.standing(session)
        entries = trace.newest(session, who, words, before=shared.cursor())
        heads = history.heads(session)
        places = {h.id: h for h in directory.hospitals(session)}
    more = shared.more("audit.home", entries, 100, lambda e: (e.at, e.id), q=words)
    return render_template(
        "audit.html", standing=standing, heads=heads, places=places, entries=entries, q=words, more=more
    )


@blueprint.post("/check")
def check() -> ResponseReturnValue:
    """Verify every chain from its first entry; that it was done is an entry too."""
    _only_auditors()
    house, who = services(), actor()
    breaks = history.check(house.db, who.id, context().clock.now())
    flash(gettext("全部记录已校验，未被改动") if not breaks else gettext("校验发现 %(n)s 处断裂", n=len(breaks)))
    return redirect(url_for("audit.home"), 303)


def _only_auditors() -> None:
    if not opens(actor(), "history", "verify"):
        abort(404)
