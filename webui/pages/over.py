"""The page of a task that waits no more: who handed it in, or what took it away, and where one goes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from engine.errors import NotFound
from tasks.cases import trace
from tasks.cases.states import STATES
from tasks.worklist.errors import TaskDone
from tasks.worklist.gone import Cut, written
from webui.context import actor, services
from webui.guards import wants_json
from webui.i18n import language
from webui.pages import shared

GONE, CONFLICT = 410, 409


def page(task_id: UUID, sent: Mapping[str, Any] | None = None) -> ResponseReturnValue:
    """`sent` is what somebody tried to hand in: its words are shown, for they were not taken. NotFound."""
    if sent is not None and wants_json():
        raise TaskDone(task=str(task_id))
    try:
        return _done(task_id, sent)
    except NotFound:
        return _gone(task_id, sent)


def _done(task_id: UUID, sent: Mapping[str, Any] | None) -> ResponseReturnValue:
    """For whoever handed it in or sees its case. NotFound."""
    house, who = services(), actor()
    with house.db.read() as session:
        receipt = house.worklist.receipt(session, who, task_id)
        names = shared.names(session, [receipt.account_id] if receipt.account_id else [])
        mine = receipt.account_id == who.account_id
        form = house.worklist.form_of(session, receipt.instance_id, receipt.form)
        taken = written(form, receipt.data, language()) if mine else []
        lost = [one for one in written(form, sent or {}, language()) if one not in taken]
        waits = house.worklist.has_next(session, who)
    if sent is not None and mine and not lost:
        return redirect(url_for("tasks.opened", task_id=task_id), 303)
    told = render_template(
        "task_done.html", receipt=receipt, name=shared.step_name(receipt), mine=mine, who=names.get(receipt.account_id, ""),
        again=sent is not None, lost=lost, waits=waits,
    )  # fmt: skip
    return told, CONFLICT if sent is not None else 200


def _gone(task_id: UUID, sent: Mapping[str, Any] | None) -> ResponseReturnValue:
    """For whom it had waited, and for whoever sees its case. NotFound."""
    house, who = services(), actor()
    with house.db.read() as session:
        cut = house.worklist.cut(session, who, task_id)
        form = house.worklist.form_of(session, cut.instance_id, cut.form) if cut.form else None
        names = {i: w for s in trace.standings(session, cut.instance_id).values() for i, w in s.nodes.items()}
        lost = written(form, sent or cut.draft, language()) if form else []
        waits = house.worklist.has_next(session, who)
    place = language() == "en"
    name = names.get(cut.node, (cut.node, cut.node))[place]
    told = render_template(
        "task_gone.html",
        cut=cut,
        name=name,
        lost=lost,
        waits=waits,
        why=_why(cut, [names[e][place] for e in cut.events if e in names]),
    )
    return told, CONFLICT if sent is not None else GONE


def _why(cut: Cut, events: list[str]) -> str:
    if cut.stopped in STATES:
        state = STATES[cut.stopped]
        return str(gettext("病例已结束：%(why)s。", why=state.en if language() == "en" else state.zh))
    if events:
        return str(gettext("流程里发生了“%(what)s”。", what=events[0]))
    return str(gettext("流程走了另一条路，不再需要这一步。"))
