"""Applications: one's own, and a new one for a patient of the hospital."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine import uuid7
from engine.errors import Refused
from tasks.cases.service import PAGE, Search
from tasks.people.service import directory
from webui.context import actor, services
from webui.pages import shared

blueprint = Blueprint("applications", __name__, url_prefix="/applications")


@blueprint.get("")
def listed() -> ResponseReturnValue:
    """The applications of the person, newest first, drafts with a way on."""
    house, who = services(), actor()
    with house.db.read() as session:
        cases = house.cases.find(session, who, Search(applicant=who.account_id), before=shared.cursor())
        open_tasks = {
            r.case.id: r.task_id
            for r in house.worklist.inbox(session, who, "all")
            if r.case and r.form in ("apply", "supplement")
        }
        places = {h.id: h for h in directory.hospitals(session)}
    more = shared.more("applications.listed", cases, PAGE, lambda c: (c.created_at, c.id))
    return render_template("applications.html", cases=cases, open_tasks=open_tasks, places=places, more=more)


@blueprint.get("/new")
def new() -> ResponseReturnValue:
    """Find the patient by name, number or pinyin."""
    house, who = services(), actor()
    words = request.args.get("q", "").strip()
    with house.db.read() as session:
        found = house.applications.candidates(session, who, words)
    empty = not words and "q" in request.args
    return render_template("application_new.html", q=words, empty=empty, found=found, key=str(uuid7()))


@blueprint.post("/new")
def open_one() -> ResponseReturnValue:
    """Open an application; the same form sent twice opens one."""
    try:
        registration = UUID(request.form.get("registration", ""))
    except ValueError:
        raise Refused("Choose a patient.") from None
    _, task = services().applications.open(actor(), registration, request.form.get("key") or str(uuid7()))
    return redirect(url_for("tasks.opened", task_id=task), 303)
