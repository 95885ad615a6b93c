"""Consultation rooms: what is booked, and one room with who is there."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from tasks.people.service import directory
from webui.context import actor, services
from webui.pages import shared

blueprint = Blueprint("sessions", __name__, url_prefix="/sessions")


@blueprint.get("")
def listed() -> ResponseReturnValue:
    """Rooms one may enter, the next first."""
    house, who = services(), actor()
    with house.db.read() as session:
        rooms = house.session.upcoming(session, who)
        cases = {r.id: house.cases.view(session, who, r.case_id) for r in rooms}
        names = directory.names(session, [r.expert for r in rooms])
    return render_template("sessions.html", rooms=rooms, cases=cases, names=names)


@blueprint.get("/<uuid:room_id>")
def entered(room_id: UUID) -> ResponseReturnValue:
    """Enter the room."""
    house, who = services(), actor()
    house.session.enter(who, room_id)
    with house.db.read() as session:
        room = house.session.room(session, who, room_id)
        case = house.cases.view(session, who, room.case_id)
        row = house.cases.get(session, room.case_id)
        may_look = house.cases.allowed(session, who, row, "images", "read")
        may_read = house.cases.allowed(session, who, row, "application", "read")
        present = house.session.present(session, room_id)
        events = house.session.events(session, room_id)
        tasks = [
            r
            for r in house.worklist.inbox(session, who, "all")
            if r.case and r.case.id == case.id and r.form in ("attend", "hold")
        ]
        names = directory.names(session, [room.expert, *[e.account_id for e in events if e.account_id]])
        places = {h.id: h for h in directory.hospitals(session)}
        views = house.imaging.key_views_of(session, case.id) if may_look else []
        application = shared.application(session, case.id) if may_read else {}
    return render_template(
        "session.html", room=room, case=case, present=present, events=events, tasks=tasks, names=names, places=places, views=views,
        application=application,
    )  # fmt: skip


@blueprint.post("/<uuid:room_id>/leave")
def leave(room_id: UUID) -> ResponseReturnValue:
    """Leave quietly."""
    services().session.leave(actor(), room_id)
    return redirect(url_for("sessions.listed"), 303)
