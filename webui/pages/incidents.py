"""What has stopped and waits for a person: one incident, and settling it."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from engine.errors import LianyiError
from engine.incidents import ChangeRefused
from tasks.cases import troubles
from webui.context import actor, context, services
from webui.incident_words import act_word, aside_word, help_word, kind_word

blueprint = Blueprint("incidents", __name__, url_prefix="/monitor/incidents")
blueprint.add_app_template_filter(kind_word, "kind_word")
blueprint.add_app_template_filter(help_word, "help_word")
blueprint.add_app_template_filter(act_word, "act_word")
blueprint.add_app_template_filter(aside_word, "aside_word")


@blueprint.get("/<uuid:incident_id>")
def shown(incident_id: UUID) -> ResponseReturnValue:
    """What happened, the values that were seen, and what may be done."""
    return _page(incident_id)


@blueprint.post("/<uuid:incident_id>")
def settle(incident_id: UUID) -> ResponseReturnValue:
    """Do what was decided; the reason stays in the history."""
    act, reason = request.form.get("act", ""), request.form.get("reason", "")
    if len(reason.strip()) < 2 or not act:
        return _page(incident_id, wrong=gettext("请选择处理方式并写明理由。"), status=422)
    try:
        troubles.settle(services().engine, actor(), incident_id, act, reason, request.form.get("changes", ""))
    except ChangeRefused as problem:
        return _page(incident_id, wrong=gettext("取值读不懂：%(why)s", why=problem.detail), status=problem.status)
    flash(gettext("已处理，病例继续"))
    return redirect(url_for("monitor.home"), 303)


def _page(incident_id: UUID, wrong: str = "", status: int = LianyiError.status) -> ResponseReturnValue:
    with services().db.read() as session:
        found = troubles.one(session, actor(), incident_id, context().clock.now())
    page = render_template("incident.html", trouble=found, wrong=wrong, typed=request.form)
    return page, status if wrong else 200
