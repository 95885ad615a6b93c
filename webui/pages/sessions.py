"""Consultation rooms: what is booked, and one room with who is there."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

from flask import Blueprint, jsonify, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from tasks.people.service import directory
from tasks.session.service import lasted
from webui.context import actor, context, services
from webui.guards import passive
from webui.pages import shared, tasks

blueprint = Blueprint("sessions", __name__, url_prefix="/sessions")
STEPS = ("attend", "hold", "report")
"""What may be done next from inside the room."""
HOSTED = ("attend", "hold")
"""What of it is done in the room itself."""


@blueprint.get("")
def listed() -> ResponseReturnValue:
    """Rooms one may enter, the next first."""
    house, who = services(), actor()
    with house.db.read() as session:
        rooms = house.session.upcoming(session, who)
        cases = {r.id: house.cases.view(session, who, r.case_id) for r in rooms}
        names = shared.names(session, [r.expert for r in rooms])
        places = {h.id: h for h in directory.hospitals(session)}
    return render_template("sessions.html", rooms=rooms, cases=cases, names=names, places=places)


@blueprint.get("/<uuid:room_id>")
def entered(room_id: UUID) -> ResponseReturnValue:
    """Enter the room."""
    house, who = services(), actor()
    house.session.enter(who, room_id)
    with house.db.read() as session:
        now = _standing(session, room_id)
        room = now["room"]
        case = house.cases.view(session, who, room.case_id)
        row = house.cases.get(session, room.case_id)
        may_look = house.cases.allowed(session, who, row, "images", "read")
        may_read = house.cases.allowed(session, who, row, "application", "read")
        names = shared.names(session, [room.expert, *[e.account_id for e in now["events"] if e.account_id]])
        places = {h.id: h for h in directory.hospitals(session)}
        views = house.imaging.key_views_of(session, case.id) if may_look else []
        application = shared.application(session, case.id) if may_read else {}
        act = _act(session, now["tasks"])
        place, why = shared.place(session, room.case_id), house.session.moved_for(session, room.case_id)
    if views or application:
        house.cases.note_view(who, room.case_id, "room", once=True)
    return render_template(
        "session.html", case=case, place=place, moved_for=why, names=names, places=places, views=views, application=application, version=_version(now), act=act,
        lasted=lasted(room, context().clock.now()), seconds=_seconds(room), **now,
    )  # fmt: skip


def _seconds(room: Any) -> int:
    """How long a session that goes on has lasted."""
    return int((context().clock.now() - room.started_at).total_seconds()) if room.started_at else 0


def _act(session: Any, rows: list[Any]) -> dict[str, Any] | None:
    """The form by which the host starts or ends, which stands in the room; None for anybody else."""
    house, who = services(), actor()
    row = next((r for r in rows if r.form in HOSTED), None)
    if row is None:
        return None
    task = house.worklist.open_task(session, who, row.task_id)
    return {"task": task, "form": tasks.drawn(session, task)[0]} if tasks.mine(task, who) else None


def _standing(session: Any, room_id: UUID) -> dict[str, Any]:
    """What of a room changes while one is in it."""
    house, who = services(), actor()
    room = house.session.room(session, who, room_id)
    newest = house.session.of_case(session, room.case_id)
    return {
        "room": room,
        "present": house.session.present(session, room_id),
        "events": house.session.events(session, room_id),
        "tasks": [r for r in house.worklist.of_case(session, who, room.case_id) if r.form in STEPS],
        "next_room": newest if room.state == "cancelled" and newest is not None and newest.id != room.id else None,
    }


def _version(now: dict[str, Any]) -> str:
    """Another one whenever the page would show something else."""
    parts = [
        now["room"].state,
        now["room"].ended_at is not None,
        len(now["events"]),
        now["next_room"] and now["next_room"].id,
    ]
    parts += [(p.account_id, p.here) for p in now["present"]] + [t.task_id for t in now["tasks"]]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


@blueprint.get("/<uuid:room_id>/pulse")
@passive
def pulse(room_id: UUID) -> ResponseReturnValue:
    """That one is still here, and whether the page is still true; the page asks every two seconds."""
    house, who = services(), actor()
    house.session.stay(who, room_id)
    with house.db.read() as session:
        return jsonify(version=_version(_standing(session, room_id)))


@blueprint.post("/<uuid:room_id>/leave")
def leave(room_id: UUID) -> ResponseReturnValue:
    """Leave quietly."""
    services().session.leave(actor(), room_id)
    return redirect(url_for("sessions.listed"), 303)
