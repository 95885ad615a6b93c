"""Cases: the list, one case with its stepper, material, timeline, report and process, and ending it early."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any
from uuid import UUID

from flask import Blueprint, jsonify, render_template, request, send_file
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from engine import uuid7
from engine.errors import NotFound
from tasks.cases import trace
from tasks.cases.service import GLASS_REASONS, PAGE, Search, breaks_glass
from tasks.cases.states import STATES
from tasks.people.service import directory
from webui import untaken
from webui.context import actor, context, services
from webui.event_words import actor_word
from webui.i18n import language
from webui.pages import shared

blueprint = Blueprint("cases", __name__, url_prefix="/cases")
FORMS = ("move", "glass", "stop")
"""What is done to a case from its page: the forms on it."""
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
        found["working"] = trace.working(session, row.instance_id, context().clock.now())
        found["glass"] = house.cases.glass(session, who, case_id)
        found["glass_reasons"] = GLASS_REASONS if breaks_glass(who) and found["glass"] is None else ()
        found["may_move"] = house.session.movable(session, who, row)
        found["moving"] = house.session.moving(session, case_id) if found["working"] else None
        found["may_stop"] = house.applications.may_stop(session, who, case_id)
        if tab in ("process", "log") and found["history"]:
            found |= _process(session, row)
    if case.patient_name is not None:
        house.cases.note_view(who, case_id, "case")
    return render_template(
        "case.html",
        case=case,
        tab=tab if tab in TABS else "timeline",
        state=STATES[case.state],
        key=str(uuid7()),
        tried_of={form: untaken.of(f"{form} {case_id}") for form in FORMS},
        **found,
    )


def _facts(session: Any, row: Any) -> dict[str, Any]:
    house, who = services(), actor()
    allowed = {
        k: house.cases.allowed(session, who, row, *k.split("."))
        for k in ("application.read", "images.read", "name.read", "report.read", "report.download", "qc.read")
    }
    tasks = house.worklist.of_case(session, who, row.id)
    handed_in = house.worklist.submissions(session, row.id, "pre_qc")
    people = [p for p in (row.applicant, row.expert, *(s.account_id for s in handed_in)) if p]
    return {
        "allowed": allowed,
        "steps": house.applications.progress(session, who, row.id),
        "tasks": tasks,
        "home": house.people.hospital(session, row.from_hospital),
        "hub": house.people.hospital(session, row.to_hospital) if row.to_hospital else None,
        "application": shared.application(session, row.id) if allowed["application.read"] else {},
        "timeline": _timeline(session, row) if allowed["images.read"] else [],
        "views": house.imaging.key_views_of(session, row.id) if allowed["images.read"] else [],
        "checks": house.quality.checks_for(session, who, row.id),
        "passed": house.quality.passed(session, row.id) if allowed["application.read"] else None,
        "consent_due": house.applications.consent_due(session, row.id)
        if row.urgency == "E" and row.submitted_at and not row.stop_reason
        else None,
        "files": house.files.visible(session, who, row.id) if allowed["application.read"] else [],
        "versions": house.reports.versions(session, row.id) if allowed["report.read"] else [],
        "returned": house.reports.returned(session, row.id, house.quality.scores(session, row.id)),
        "judged": house.quality.judged(session, row.id) if allowed["qc.read"] else [],
        "ruled": house.quality.ruled(session, row.id) if allowed["qc.read"] else [],
        "remarks": row.applicant != who.account_id,
        "room": house.session.of_case(session, row.id),
        "meeting_place": shared.place(session, row.id),
        "moved_for": house.session.moved_for(session, row.id),
        "people": shared.names(session, [p for p in people if p not in house.cases.hidden(session, who, row)]),
        "why": _why(session, row, who),
        "mrn": _mrn(session, row) if allowed["name.read"] else "",
        "history": _may_trace(session, row),
        "parties": _parties(session, row),
    }


def _may_trace(session: Any, row: Any) -> bool:
    """Whether the reader may see who did what in this case: by his part in it, or because he keeps it running."""
    cases, who = services().cases, actor()
    running = cases.allowed(session, who, row, "history", "running")
    return bool(running) or bool(cases.allowed(session, who, row, "history", "read"))


def _traced(session: Any, case_id: UUID) -> Any:
    """The row of a case whose course the reader may see. NotFound."""
    row = services().cases.require(session, actor(), case_id, "case", "list")
    if not _may_trace(session, row):
        raise NotFound("case", id=str(case_id))
    return row


def _mrn(session: Any, row: Any) -> str:
    if row.registration_id is None:
        return ""
    return str(services().patients.registration(session, row.registration_id).mrn)


def _why(session: Any, row: Any, who: Any) -> str:
    """Why the reader may see this case, in one line."""
    if row.applicant == who.account_id:
        return str(gettext("您是申请医生，可查看"))
    if row.expert == who.account_id:
        return str(gettext("您是应诊专家，可查看"))
    if services().cases.glass(session, who, row.id) is not None:
        return str(gettext("您在紧急授权中，可查看"))
    if "auditor" in who.roles:
        return str(gettext("您是审计员，只看记录"))
    if "coordinator" in who.roles:
        return str(gettext("您是协调员，看不到影像与病历正文"))
    if who.hospital_id == row.from_hospital:
        return str(gettext("本院患者，可查看"))
    return str(gettext("您参与了这个病例，可查看"))


def _parties(session: Any, row: Any) -> list[tuple[str, str]]:
    """Who has a part in the case, named with the part, in the order of the work."""
    words = {
        "applicant": gettext("申请医生"), "approver": gettext("医务审批"), "preqc": gettext("前质控"), "triage": gettext("分诊"),
        "expert": gettext("会诊专家"), "reviewer": gettext("审核"), "scorer": gettext("后质控"), "coordinator": gettext("协调"),
    }  # fmt: skip
    cases = services().cases
    covered = cases.hidden(session, actor(), row)
    found = [(part, p) for part in words for p in cases.people_of(session, row.id, part) if p not in covered]
    names = shared.names(session, [p for _, p in found])
    return [(names.get(p, ""), words[part]) for part, p in found if names.get(p)]


def _process(session: Any, row: Any) -> dict[str, Any]:
    """Where the processes stand and who did what, in the reader's language."""
    english = language() == "en"
    standings = trace.standings(session, row.instance_id)
    active = [n for n, s in standings.items() if s.active]
    entries = trace.entries(session, row.instance_id, services().cases.hidden(session, actor(), row))
    names = {i: words[english] for s in standings.values() for i, words in s.nodes.items()}
    chosen = request.args.get("process") or next((n for n in active if n != "consultation"), "consultation")
    return {
        "standings": standings,
        "titles": {n: s.name_en if english else s.name for n, s in standings.items()},
        "chosen_process": chosen if chosen in standings else "consultation",
        "entries": entries,
        "step_of": [_step(standings, names, e, english) for e in entries],
        "did": _did(entries, names, {n for s in standings.values() for n in s.active}),
    }


def _step(standings: Mapping[str, Any], names: Mapping[str, str], entry: Any, english: bool) -> str:
    """What the step of an entry is called; the same id may stand in several processes, and an embedded one is none of them."""
    own = standings.get(entry.process)
    words = own.nodes.get(entry.node) if own else None
    return str(words[english] if words else names.get(entry.node, ""))


def _did(entries: list[Any], names: dict[str, str], waiting: set[str]) -> list[dict[str, Any]]:
    """Who did what, newest first: starts, steps of people and calls of the machine; where it stands now is on top."""
    found = []
    for e in entries:
        if e.kind == "instance.started":
            what = gettext("流程开始")
        elif e.kind in ("task.submitted", "job.done") and (e.node or e.operation):
            what = names.get(e.node) or gettext("系统任务")
        else:
            continue
        found.append({"at": e.at, "what": what, "who": actor_word(e.actor), "now": False})
    for node in sorted(waiting):
        if node in names and node != "act":
            at = max((e.at for e in entries if e.node == node), default=entries[-1].at if entries else None)
            if at is not None:
                found.append({"at": at, "what": names[node], "who": gettext("等待中"), "now": True})
    return found[::-1]


@dataclass(frozen=True)
class Exam:
    """One study on the time line; `lane` is a for the invited hospital, b for the applying one, c for any other."""

    at: datetime
    year: str
    modality: str
    description: str
    objects: int
    series: int
    place: str
    lane: str
    cover: str | None


def _timeline(session: Any, row: Any) -> list[Exam]:
    """The patient's studies, newest first."""
    house = services()
    if row.registration_id is None:
        return []
    registration = house.patients.registration(session, row.registration_id)
    known = {
        s.study_uid: s for s in [*house.imaging.studies(session, registration), *house.imaging.of_case(session, row.id)]
    }
    lanes, places = {row.from_hospital: "b", row.to_hospital: "a"}, {h.id: h for h in directory.hospitals(session)}
    found = sorted(known.values(), key=lambda s: (s.study_date, s.received_at), reverse=True)
    return [
        Exam(
            s.received_at, s.study_date[:4] or str(s.received_at.year), s.modality, s.description, s.objects, s.series,
            called(places[s.tenant]) if s.tenant in places else "", lanes.get(s.tenant, "c"), s.cover_sop_uid,
        )
        for s in found
    ]  # fmt: skip


@blueprint.get("/<uuid:case_id>/report.pdf")
def pdf(case_id: UUID) -> ResponseReturnValue:
    """The newest printed report; looking at it is recorded."""
    name, body = services().reports.pdf(actor(), case_id)
    return send_file(BytesIO(body), "application/pdf", as_attachment=False, download_name=name)


@blueprint.get("/<uuid:case_id>/model.bpmn")
def model(case_id: UUID) -> ResponseReturnValue:
    """The diagram of a process of the case's own version; `process` names it."""
    with services().db.read() as session:
        xml = trace.diagram(session, _traced(session, case_id).instance_id, request.args.get("process", ""))
    if xml is None:
        raise NotFound("process")
    return xml, 200, {"Content-Type": "application/xml"}


@blueprint.get("/<uuid:case_id>/standing.json")
def standing(case_id: UUID) -> ResponseReturnValue:
    """Where one process of a case stands; `process` names it."""
    with services().db.read() as session:
        found = trace.standings(session, _traced(session, case_id).instance_id)
    wanted = found.get(request.args.get("process", ""))
    if wanted is None:
        raise NotFound("process")
    return jsonify(wanted.state)
