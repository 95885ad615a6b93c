"""Cases: the list, one case with its stepper, material, timeline, report and process, and ending it early."""

from __future__ import annotations

from io import BytesIO
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, jsonify, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from engine import uuid7
from engine.errors import NotFound
from tasks.cases import trace
from tasks.cases.service import PAGE, Search
from tasks.cases.states import STATES
from tasks.people.service import directory
from webui.context import actor, services
from webui.i18n import language
from webui.pages import shared

blueprint = Blueprint("cases", __name__, url_prefix="/cases")
TABS = ("timeline", "material", "report", "process", "log")


@blueprint.app_template_filter("called")
def called(hospital: Any) -> str:
    """The name of a hospital in the reader's language."""
    return str((hospital.name_en if language() == "en" else hospital.name) or hospital.name)


@blueprint.app_template_filter("state_word")
def state_word(state: str) -> str:
    """The word for a state in the reader's language."""
    return STATES[state].en if language() == "en" else STATES[state].zh


@blueprint.get("")
def listed() -> ResponseReturnValue:
    """Cases the person may see; `q` is a number or a name, `state` a state."""
    house, who = services(), actor()
    words, state = request.args.get("q", "").strip(), request.args.get("state", "")
    search = Search(words=words, state=state if state in STATES else "")
    with house.db.read() as session:
        found = house.cases.find(session, who, search, before=shared.cursor())
        places = {h.id: h for h in directory.hospitals(session)}
    more = shared.more("cases.listed", found, PAGE, lambda c: (c.created_at, c.id), q=words, state=state)
    return render_template("cases.html", cases=found, q=words, state=state, states=STATES, places=places, more=more)


@blueprint.get("/<uuid:case_id>")
def shown(case_id: UUID) -> ResponseReturnValue:
    """One case; `tab` is timeline, material, report, process or log."""
    house, who = services(), actor()
    tab = request.args.get("tab", "timeline")
    with house.db.read() as session:
        case = house.cases.view(session, who, case_id)
        row = house.cases.get(session, case_id)
        found = _facts(session, row)
        found["may_stop"] = house.applications.may_stop(session, who, case_id)
        if tab in ("process", "log"):
            found |= _process(session, row)
    if case.patient_name is not None:
        house.cases.note_view(who, case_id, "case")
    return render_template(
        "case.html",
        case=case,
        tab=tab if tab in TABS else "timeline",
        state=STATES[case.state],
        key=str(uuid7()),
        **found,
    )


def _facts(session: Any, row: Any) -> dict[str, Any]:
    house, who = services(), actor()
    allowed = {
        k: house.cases.allowed(session, who, row, *k.split("."))
        for k in ("application.read", "images.read", "report.read", "qc.read")
    }
    tasks = [r for r in house.worklist.inbox(session, who, "all") if r.case and r.case.id == row.id]
    people = [p for p in (row.applicant, row.expert) if p]
    return {
        "allowed": allowed,
        "steps": house.applications.progress(session, row.id),
        "tasks": tasks,
        "home": house.people.hospital(session, row.from_hospital),
        "hub": house.people.hospital(session, row.to_hospital) if row.to_hospital else None,
        "application": shared.application(session, row.id) if allowed["application.read"] else {},
        "timeline": _timeline(session, row) if allowed["images.read"] else [],
        "views": house.imaging.key_views_of(session, row.id) if allowed["images.read"] else [],
        "checks": house.quality.checks(session, row.id) if allowed["application.read"] else [],
        "files": house.files.visible(session, who, row.id) if allowed["application.read"] else [],
        "versions": house.reports.versions(session, row.id) if allowed["report.read"] else [],
        "scores": house.quality.scores(session, row.id) if allowed["qc.read"] else [],
        "room": house.session.of_case(session, row.id),
        "people": directory.names(session, people),
    }


def _process(session: Any, row: Any) -> dict[str, Any]:
    """Where the processes stand and who did what, in the reader's language."""
    english = language() == "en"
    standings = trace.standings(session, row.instance_id)
    active = [n for n, s in standings.items() if s.active]
    chosen = request.args.get("process") or next((n for n in active if n != "consultation"), "consultation")
    return {
        "standings": standings,
        "titles": {n: s.name_en if english else s.name for n, s in standings.items()},
        "chosen_process": chosen if chosen in standings else "consultation",
        "entries": trace.entries(session, row.instance_id),
        "node_names": {
            i: words[english] for s in standings.values() for i, words in s.nodes.items() if words[english] != i
        },
    }


def _timeline(session: Any, row: Any) -> list[Any]:
    """The patient's studies at the applying hospital, newest first."""
    house = services()
    if row.registration_id is None:
        return []
    registration = house.patients.registration(session, row.registration_id)
    known = {
        s.study_uid: s for s in [*house.imaging.studies(session, registration), *house.imaging.of_case(session, row.id)]
    }
    return sorted(known.values(), key=lambda s: (s.study_date, s.received_at), reverse=True)


@blueprint.post("/<uuid:case_id>/stop")
def stop(case_id: UUID) -> ResponseReturnValue:
    """Withdraw, or end because the patient died or is another one."""
    reason = request.form.get("reason", "")
    services().applications.stop(actor(), case_id, reason, request.form.get("key") or str(uuid7()))
    flash(gettext("病例已终止"))
    return redirect(url_for("cases.shown", case_id=case_id), 303)


@blueprint.get("/<uuid:case_id>/report.pdf")
def pdf(case_id: UUID) -> ResponseReturnValue:
    """The newest printed report; looking at it is recorded."""
    name, body = services().reports.pdf(actor(), case_id)
    return send_file(BytesIO(body), "application/pdf", as_attachment=False, download_name=name)


@blueprint.get("/<uuid:case_id>/model.bpmn")
def model(case_id: UUID) -> ResponseReturnValue:
    """The diagram of a process of the case's own version; `process` names it."""
    house, who = services(), actor()
    with house.db.read() as session:
        house.cases.view(session, who, case_id)
        xml = trace.diagram(session, house.cases.get(session, case_id).instance_id, request.args.get("process", ""))
    if xml is None:
        raise NotFound("process")
    return xml, 200, {"Content-Type": "application/xml"}


@blueprint.get("/<uuid:case_id>/standing.json")
def standing(case_id: UUID) -> ResponseReturnValue:
    """Where one process of a case stands; `process` names it."""
    house, who = services(), actor()
    with house.db.read() as session:
        house.cases.view(session, who, case_id)
        found = trace.standings(session, house.cases.get(session, case_id).instance_id)
    wanted = found.get(request.args.get("process", ""))
    if wanted is None:
        raise NotFound("process")
    return jsonify(wanted.state)
