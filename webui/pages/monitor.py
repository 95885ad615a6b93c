"""The coordinator's first page: every open task by urgency of time, to be given to somebody or called to mind; what is stuck; who is on
shift. No names of patients."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from engine.errors import LianyiError
from tasks.cases import troubles
from tasks.people.service import directory
from tasks.worklist import load, overview
from tasks.worklist.overview import GROUPS, OpenStep
from webui.context import actor, context, services
from webui.i18n import counted
from webui.pages import shared

blueprint = Blueprint("monitor", __name__, url_prefix="/monitor")
FILTERS = (*GROUPS, "soon")


@blueprint.get("")
def home() -> ResponseReturnValue:
    """Open tasks by group; `group` narrows to over, free, soon or paused. Incidents, lines and the rota of now beside them."""
    _allowed()
    house, who, now = services(), actor(), context().clock.now()
    chosen = request.args.get("group", "")
    with house.db.read() as session:
        steps, rows = overview.steps(session, who, now)
        cases = {c.instance_id: c for c in house.cases.shown_to(session, who, rows)}
        stopped = troubles.listed(session, who, now)
        duty = directory.on_duty(session, who.hospital_id, now)
        hands = load.waiting(session, [account.id for account, _ in duty])
        names = shared.names(session, [p for s in steps for p in (s.person, s.claimed_by) if p])
        people = _takers(session, steps) if _may_move() else []
        places = {h.id: h for h in directory.hospitals(session)}
        lines = house.messages.endpoints(session)
        aside = house.imaging.quarantined(session, who.hospital_id) if "coordinator" in who.roles else []
    counts = {g: sum(s.group(now) == g for s in steps) for g in GROUPS} | {
        "soon": sum(s.soon(now) for s in steps),
        "": len(steps),
    }
    kept = [s for s in steps if chosen not in FILTERS or s.group(now) == chosen or (chosen == "soon" and s.soon(now))]
    groups = [(g, [s for s in kept if s.group(now) == g]) for g in GROUPS]
    return render_template(
        "monitor.html", groups=[(g, found) for g, found in groups if found], cases=cases, counts=counts, chosen=chosen, stopped=stopped,
        names=names, people=people, duty=duty, hands=hands, places=places, lines=lines, aside=aside, may_move=_may_move(),
    )  # fmt: skip


def _allowed() -> None:
    if not {"coordinator", "platform_admin"} & actor().roles:
        abort(404)


def _may_move() -> bool:
    return "coordinator" in actor().roles


def _takers(session: Any, steps: list[OpenStep]) -> list[tuple[Any, int]]:
    """Who could take one of these tasks by role and hospital, with how much waits for each."""
    now = context().clock.now()
    pools = {(s.role, s.scope) for s in steps if s.role and s.person is None}
    found = {a.id: a for role, scope in pools for a in directory.holders(session, role, scope, now)}
    hands = load.waiting(session, list(found))
    return sorted(((a, hands.get(a.id, 0)) for a in found.values()), key=lambda pair: (pair[1], pair[0].name))


@blueprint.post("/act")
def act() -> ResponseReturnValue:
    """Give the ticked tasks to somebody, or call them to mind; what does not go is told."""
    _allowed()
    if not _may_move():
        abort(404)
    ticked = [found for one in request.form.getlist("task") if (found := _uuid(one)) is not None]
    what = request.form.get("what", "")
    if not ticked:
        flash(gettext("请先勾选任务。"))
    elif what == "remind":
        flash(counted("已提醒 %(n)s 人", n=sum(_remind(task) for task in ticked)))
    else:
        to = _uuid(request.form.get("to", ""))
        _move(ticked, to) if to else flash(gettext("请选择改派给谁。"))
    return redirect(url_for("monitor.home", group=request.form.get("group") or None), 303)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _remind(task_id: UUID) -> int:
    """Remind whose task it is, or all who could take it."""
    house, who, now = services(), actor(), context().clock.now()
    with house.db.read() as session:
        step = overview.step(session, who, task_id, now)
        case_id = house.worklist.case_of(session, task_id)
        if step is None or case_id is None:
            return 0
        whose = step.claimed_by or step.person
        people = [whose] if whose else [a.id for a in directory.holders(session, step.role, step.scope, now)]
    return int(house.notify.remind(who, case_id, task_id, people))


def _move(ticked: list[UUID], to: UUID) -> None:
    house, who, moved = services(), actor(), 0
    with house.db.read() as session:
        taker = house.people.actor(session, to)
    for task in ticked:
        try:
            house.worklist.reassign(who, task, taker)
            moved += 1
        except LianyiError as problem:  # one that does not go keeps no other from it
            if problem.status >= 500:
                raise
    flash(counted("已改派 %(n)s 项", n=moved))
    if moved < len(ticked):
        flash(counted("%(n)s 项没有改派：此人不在候选范围，或任务已办完", n=len(ticked) - moved))
