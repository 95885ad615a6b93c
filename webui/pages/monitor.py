"""The coordinator's first page: every open task by urgency of time, what is stuck, and who is on shift. No names of patients."""

from __future__ import annotations

from flask import Blueprint, abort, render_template
from flask.typing import ResponseReturnValue

from tasks.cases import troubles
from tasks.cases.service import Search
from tasks.cases.states import STATES
from tasks.people.service import directory
from tasks.worklist import overview
from webui.context import actor, context, services
from webui.pages import shared

blueprint = Blueprint("monitor", __name__, url_prefix="/monitor")


@blueprint.get("")
def home() -> ResponseReturnValue:
    """Open cases with their state, step and time; incidents; the rota of now."""
    house, who = services(), actor()
    if not {"coordinator", "platform_admin"} & who.roles:
        abort(404)
    with house.db.read() as session:
        cases = {c.instance_id: c for c in house.cases.find(session, who, Search(running=True))}
        steps = overview.steps(session, list(cases))
        stopped = troubles.listed(session, who, context().clock.now())
        names = shared.names(session, [p for s in steps for p in (s.person, s.claimed_by) if p])
        duty = directory.on_duty(session, who.hospital_id, context().clock.now())
        places = {h.id: h for h in directory.hospitals(session)}
        lines = house.messages.endpoints(session)
        aside = house.imaging.quarantined(session, who.hospital_id) if "coordinator" in who.roles else []
    return render_template(
        "monitor.html",
        cases=cases,
        steps=steps,
        stopped=stopped,
        names=names,
        states=STATES,
        duty=duty,
        places=places,
        lines=lines,
        aside=aside,
    )
