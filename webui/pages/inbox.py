"""The task list: what waits for a person, taken and put back, the next case, and the pulse that tells of urgent ones."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from tasks.notify.templates import notice
from tasks.people.service import directory
from tasks.worklist.errors import NothingToDo
from tasks.worklist.inbox import PAGE, TABS, Tab
from webui.context import actor, context, services
from webui.guards import passive
from webui.i18n import language
from webui.pages import shared
from webui.pages.cases import called

blueprint = Blueprint("inbox", __name__)


@dataclass(frozen=True)
class Group:
    """Rows under one heading."""

    name: str
    rows: list[Any]


@blueprint.get("/inbox")
def listed() -> ResponseReturnValue:
    """The list with its tabs; `task` selects the row whose preview is shown."""
    tab = _tab(request.args.get("tab", "all"))
    who, house = actor(), services()
    with house.db.read() as session:
        counts = house.worklist.counts(session, who)
        place = shared.cursor()
        rows = house.worklist.inbox(session, who, tab, after=place) if tab != "done" else []
        done = house.worklist.done(session, who, before=place) if tab == "done" else []
        places = {h.id: h for h in directory.hospitals(session)}
        offered = _offered(rows, places)
        more = _more(tab, rows, done)
        filters = {name: request.args.get(name, "") for name in ("urgent", "hospital", "form", "modality")}
        rows = [r for r in rows if _wanted(r, filters, context().clock.now())]
        questions = house.worklist.questions(session, who, [r.case.id for r in rows if r.case])
        names = shared.names(session, [r.claimed_by for r in rows if r.claimed_by])
        notices = _notices(session)
        waits = house.worklist.has_next(session, who)
        chosen = _chosen(rows, request.args.get("task"))
        preview = shared.preview(session, chosen) if chosen else None
    if preview is not None and (preview.form or preview.views):
        house.cases.note_view(who, preview.case.id, "preview", once=True)
    return render_template(
        "inbox.html", tab=tab, tabs=_tabs(counts), groups=_grouped(rows, context().clock.now()), done=done, places=places, names=names,
        chosen=chosen, preview=preview, more=more, counts={"inbox": counts["all"]}, questions=questions, notices=notices, waits=waits, filters=filters, filter_choices=offered,
    )  # fmt: skip


def _notices(session: Any) -> list[tuple[Any, str]]:
    """What the person was told and has not yet put away, with its words, the newest first."""
    house, who = services(), actor()
    unread = [n for n in house.notify.notices(session, who) if n.read_at is None]
    cases = {n.case_id: house.cases.get(session, n.case_id).ref for n in unread if n.case_id}
    return [(n, notice(n.template, cases.get(n.case_id, ""), language())) for n in unread]


@blueprint.post("/inbox/notices")
def put_away() -> ResponseReturnValue:
    """Put all notices away."""
    services().notify.read_notices(actor())
    return redirect(url_for("inbox.listed"), 303)


def _more(tab: Tab, rows: list[Any], done: list[Any]) -> str:
    if tab == "done":
        return shared.more("inbox.listed", done, PAGE, lambda r: (r.submitted_at, r.submission_id), tab=tab)
    return shared.more("inbox.listed", rows, PAGE, lambda r: r.cursor, tab=tab)


Choices = list[tuple[str, str, list[tuple[str, str]]]]


def _offered(rows: Iterable[Any], places: dict[UUID, Any]) -> Choices:
    """What the list can be narrowed to: hospitals, tasks and modalities that are in it."""
    hospitals, steps, kinds = {}, {}, {}
    for row in rows:
        steps[row.form or ""] = shared.step_name(row)
        if row.case is not None:
            home = places.get(row.case.from_hospital)
            hospitals[str(row.case.from_hospital)] = called(home) if home else ""
            if row.case.modality:
                kinds[row.case.modality] = row.case.modality
    return [
        ("hospital", gettext("机构"), sorted(hospitals.items(), key=lambda p: p[1])),
        ("form", gettext("类型"), sorted(steps.items())),
        ("modality", gettext("检查"), sorted(kinds.items())),
    ]


def _wanted(row: Any, filters: dict[str, str], now: datetime) -> bool:
    case = row.case
    if filters["urgent"]:
        today = row.due is not None and row.due - now <= timedelta(hours=24)
        if not today and (case is None or case.urgency == "R"):
            return False
    return (
        filters["hospital"] in ("", str(case.from_hospital) if case else "")
        and filters["form"] in ("", row.form)
        and filters["modality"] in ("", case.modality if case else "")
    )


def _tab(word: str) -> Tab:
    return next((t for t in TABS if t == word), "all")


def _tabs(counts: dict[Tab, int]) -> list[tuple[Tab, str, int | None]]:
    words: dict[Tab, str] = {
        "all": gettext("全部"), "claimed": gettext("已领取"), "team": gettext("科室"), "substitute": gettext("代理"), "done": gettext("已完成"),
    }  # fmt: skip
    return [(t, words[t], counts.get(t) if t != "done" else None) for t in TABS]


def _chosen(rows: list[Any], wanted: str | None) -> Any:
    return next((r for r in rows if str(r.task_id) == wanted), rows[0] if rows else None)


def _grouped(rows: Iterable[Any], now: datetime) -> list[Group]:
    """已超时, 1 小时内, 今日, 以后; rows keep their order."""
    names = (gettext("已超时"), gettext("1 小时内"), gettext("今日"), gettext("以后"))
    groups = [Group(name, []) for name in names]
    for row in rows:
        rest = row.due - now if row.due else timedelta(days=9999)
        place = (
            0 if rest < timedelta(0) else 1 if rest <= timedelta(hours=1) else 2 if rest <= timedelta(hours=24) else 3
        )
        groups[place].rows.append(row)
    return [g for g in groups if g.rows]


@blueprint.post("/inbox/<uuid:task_id>/claim")
def claim(task_id: UUID) -> ResponseReturnValue:
    """Take a task."""
    services().worklist.claim(actor(), task_id)
    flash(gettext("已领取"))
    return redirect(request.form.get("back") or url_for("inbox.listed", task=task_id), 303)


@blueprint.post("/inbox/<uuid:task_id>/unclaim")
def unclaim(task_id: UUID) -> ResponseReturnValue:
    """Put a task back."""
    services().worklist.unclaim(actor(), task_id)
    flash(gettext("已放回"))
    return redirect(url_for("inbox.listed", task=task_id), 303)


@blueprint.post("/inbox/next")
def next_case() -> ResponseReturnValue:
    """Take the task that comes first by rule, and open it."""
    try:
        task_id = services().worklist.claim_next(actor())
    except NothingToDo:
        flash(gettext("没有待领取的任务"))
        return redirect(url_for("inbox.listed"), 303)
    return redirect(url_for("tasks.opened", task_id=task_id), 303)


@blueprint.get("/inbox/pulse")
@passive
def pulse() -> ResponseReturnValue:
    """How many tasks wait and which of them are urgent; asked for every one and a half seconds."""
    who, house = actor(), services()
    with house.db.read() as session:
        rows = house.worklist.urgent(session, who)
        waiting = house.worklist.counts(session, who)["all"]
    urgent = [
        {
            "id": str(r.task_id),
            "title": gettext("急：%(what)s %(ref)s", what=shared.step_name(r), ref=r.case.ref),
            "url": f"/tasks/{r.task_id}",
        }
        for r in rows
        if r.case is not None
    ]
    return jsonify(waiting=waiting, urgent=urgent)
