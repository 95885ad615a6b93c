"""The auditor's first page: is the record unchanged, and who did what."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from engine import history
from tasks.cases import trace
from tasks.people.service import directory, opens
from webui.context import actor, context, services
from webui.i18n import counted
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
        accesses = house.cases.to_review(session, who)
        names = shared.names(session, [a.account_id for a, _ in accesses])
        places = {h.id: h for h in directory.hospitals(session)}
    more = shared.more("audit.home", entries, 100, lambda e: (e.at, e.id), q=words)
    return render_template(
        "audit.html",
        standing=standing,
        heads=heads,
        places=places,
        entries=entries,
        q=words,
        more=more,
        accesses=accesses,
        names=names,
    )


@blueprint.post("/check")
def check() -> ResponseReturnValue:
    """Verify every chain from its first entry; that it was done is an entry too."""
    _only_auditors()
    house, who = services(), actor()
    breaks = history.check(house.db, who.id, context().clock.now())
    flash(gettext("全部记录已校验，未被改动") if not breaks else counted("校验发现 %(n)s 处断裂", n=len(breaks)))
    return redirect(url_for("audit.home"), 303)


@blueprint.post("/glass/<uuid:access_id>")
def review(access_id: UUID) -> ResponseReturnValue:
    """Judge an emergency access of another person."""
    _only_auditors()
    justified = request.form.get("verdict") == "justified"
    services().cases.review_glass(actor(), access_id, justified=justified)
    flash(gettext("已复核，记录在案"))
    return redirect(url_for("audit.home"), 303)


def _only_auditors() -> None:
    if not opens(actor(), "history", "verify"):
        abort(404)
