"""One human task: its form, what helps to decide beside it, taking it, drafts, handing it in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext

import forms
from engine.errors import NotFound
from forms import Field, FormDef, FormView
from tasks.people.service import Actor
from tasks.worklist.checking import wrong
from tasks.worklist.service import OpenedTask
from webui.context import actor, context, services
from webui.i18n import language
from webui.pages import checks, clinic, over, shared, triaging

blueprint = Blueprint("tasks", __name__, url_prefix="/tasks")


@blueprint.get("/<uuid:task_id>")
def opened(task_id: UUID) -> ResponseReturnValue:
    """The task with its form, prefilled from what is known and from the draft; once it is done, by whom and when."""
    try:
        return _page(task_id)
    except NotFound:
        return over.page(task_id)


def _page(task_id: UUID) -> ResponseReturnValue:
    house, who = services(), actor()
    with house.db.read() as session:
        task = house.worklist.open_task(session, who, task_id)
        form, options, told = drawn(session, task)
        kept = house.files.of_case(session, task.task.case.id, "consent", "attachment") if task.task.case else []
        beside = _beside(session, who, task) | _live(session, task, form)
    if task.task.case is not None and task.task.case.patient_name is not None:
        house.cases.note_view(who, task.task.case.id, "task")
    return render_template(
        "task.html", task=task, row=task.task, case=task.task.case, form=form, options=options, name=shared.step_name(task.task),
        anchor=_anchor, anchors_of=_anchors_of,
        wrong_password="；".join(told.get("_password", [])), mine=mine(task, who),
        file_names={str(f.id): f.name for f in kept}, **beside,
    )  # fmt: skip


def _told(task: OpenedTask) -> dict[str, list[str]]:
    """What stood in the way last time and still does, in the reader's language."""
    if not task.told:
        return {}
    fresh = wrong(task.form, task.draft, **reading())
    said = {name: [gettext(text) for text in texts] or fresh.get(name, []) for name, texts in task.told.items()}
    return {name: texts for name, texts in said.items() if texts}


def reading() -> dict[str, Any]:
    """How a form is read from this person: his language, and the zone his times are in."""
    return {"zone": ZoneInfo(context().config.timezone), "lang": language(), "translate": _translate}


def _translate(text: str, **values: Any) -> str:
    return str(gettext(text).format(**values) if values else gettext(text))


def drawn(session: Any, task: OpenedTask) -> tuple[FormView, dict[str, list[tuple[str, str]]], Mapping[str, list[str]]]:
    """The form of a task as it stands: with the draft or what is known, its choices, and what was told last time."""
    told, applications = _told(task), services().applications
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    if task.task.case is not None:
        values, sources = applications.prefill(session, task.task.case.id, task.form)
    options = applications.options(session, task, language())
    shown = {**values, **(_values(task.form, task.draft) if task.draft else {})}
    return forms.view(task.form, shown, told, language(), options, sources), options, told


def _values(form: FormDef, data: Mapping[str, Any]) -> dict[str, Any]:
    """What was typed, as the fields show it: lists for list fields, one text for the others, booleans as such.

    Boxes without a tick are not sent: what could be ticked and is not named was left empty."""
    shown: dict[str, Any] = {f.name: [] if f.is_list else False for f in form.fields if f.is_list or _box(f)}
    for name, value in data.items():
        field = form.by_name.get(name)
        if field is None:
            continue
        values = list(value) if isinstance(value, list | tuple) else [value]
        single = values[-1] if values else None
        if field.type == "bool" and isinstance(single, str):
            single = {"true": True, "false": False}.get(single, single)
        shown[name] = values if field.is_list else single
    return shown


def _box(field: Field) -> bool:
    return field.type == "bool" and not field.choices


def _beside(session: Any, who: Actor, task: OpenedTask) -> dict[str, Any]:
    """What stands beside the form, as far as the reader may see it."""
    row = task.task
    if row.case is None:
        return {}
    house = services()
    case = house.cases.get(session, row.case.id)
    may_read = house.cases.allowed(session, who, case, "application", "read")
    may_look = house.cases.allowed(session, who, case, "images", "read")
    found: dict[str, Any] = {
        "application": shared.application(session, case.id) if may_read and row.form != "apply" else {},
        "steps": house.applications.progress(session, who, case.id),
        "home": house.people.hospital(session, case.from_hospital),
        "views": house.imaging.key_views_of(session, case.id) if may_look else [],
        "studies": house.imaging.of_case(session, case.id) if may_look else [],
        "room": house.session.of_case(session, case.id) if row.form in ("attend", "hold", "no_show") else None,
    }
    if row.form in ("pre_qc", "identity", "supplement"):
        found["checks"] = house.quality.checks_for(session, who, case.id)
    if row.form == "supplement":
        handed_in = house.worklist.submissions(session, case.id, "pre_qc")
        found["asked_for"] = handed_in[-1].data.get("reason") if handed_in else None
    found["said"] = _said(session, case.id, row.form or "")
    if row.form in ("triage", "dispatch"):
        found |= triaging.beside(session, case)
    if row.form in ("report", "review", "sign", "score", "arbitrate"):
        found |= clinic.beside(session, case, row.form)
    return found


SAID: Final = {
    # what somebody wrote at an earlier step for the one who has this one: form, field
    "offer_reply": (("triage", "note"),), "attend": (("triage", "note"), ("schedule", "note")), "schedule": (("apply", "windows"),),
    "pre_qc": (("triage", "back_reason"),),
    "report": (("hold", "points"), ("triage", "note")),
}  # fmt: skip


def _said(session: Any, case_id: UUID, form: str) -> list[tuple[str, str]]:
    """Label and text of each, the newest of its form."""
    words = {
        ("triage", "note"): gettext("分诊给专家的话"), ("schedule", "note"): gettext("排期备注"), ("apply", "windows"): gettext("申请方可用时间"),
        ("hold", "points"): gettext("讨论要点"), ("triage", "back_reason"): gettext("分诊退回的原因"),
    }  # fmt: skip
    handed_in = services().worklist.submissions(session, case_id)
    newest = {s.form: s.data for s in handed_in}
    return [(words[key], str(text)) for key in SAID.get(form, ()) if (text := newest.get(key[0], {}).get(key[1]))]


def _live(session: Any, task: OpenedTask, form: FormView) -> dict[str, Any]:
    """What the checks beside a form find in what stands in it now; None beside any other form."""
    if task.task.case is None or task.task.form not in ("apply", "supplement", "report"):
        return {"live": None}
    house = services()
    case = house.cases.get(session, task.task.case.id)
    typed = checks.values(task.form, {f.name: f.value for f in form.fields})
    if task.task.form == "report":
        return {"live": checks.report(session, case, typed), "changing": clinic.live(session, case.id, typed)}
    if task.task.form == "supplement":
        return {"live": None}
    mrn = house.patients.registration(session, case.registration_id).mrn if case.registration_id else ""
    return {"live": checks.application(session, case, typed), "mrn": mrn}


def _anchor(rows: Sequence[tuple[int, str, str]], points: int) -> str:
    """The sentence that belongs to a score: that of the nearest described score not above it."""
    fits = [row for row in rows if row[0] <= points] or [min(rows)]
    _, zh, en = max(fits)
    return en if language() == "en" else zh


def _anchors_of(rows: Sequence[tuple[int, str, str]]) -> list[str]:
    """The sentence for every score from 0 to 20."""
    return [_anchor(rows, points) for points in range(21)]


def mine(task: OpenedTask, who: Actor) -> bool:
    """In one's hands, or waiting for oneself alone: then there is nothing to take first."""
    return task.mine or (
        task.free and task.task.person is not None and task.task.person in {who.account_id, *who.stands_in_for}
    )
