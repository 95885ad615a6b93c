"""What is done to a case from its page: a new time, emergency access, ending it. What is not taken is told in its form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from engine import uuid7
from engine.errors import LianyiError
from tasks.applications.errors import Published, Signed
from tasks.cases.errors import NeedsReason
from tasks.cases.service import GLASS_REASONS
from tasks.session.errors import NotMovable
from tasks.worklist.errors import FormInvalid
from webui import untaken
from webui.context import actor, context, services
from webui.errors import answer, texts
from webui.guards import wants_json
from webui.i18n import language
from webui.resume import keeps

blueprint = Blueprint("case_acts", __name__, url_prefix="/cases")


def _kept(form: str, case_id: UUID, fields: Mapping[str, Sequence[str]]) -> str:
    """Keep a form that came without a login, for the case's page. NotFound."""
    with services().db.read() as session:
        services().cases.view(session, actor(), case_id)
    untaken.keep(f"{form} {case_id}", {name: values[-1] for name, values in fields.items() if values}, {"": []})
    return url_for("cases.shown", case_id=case_id, _anchor=form)


def _back(form: str, case_id: UUID, wrong: Mapping[str, Sequence[str]]) -> ResponseReturnValue:
    """To the case's page, whose form holds what was typed and what is wrong with it; 422 for a program."""
    if wants_json():
        told = texts(FormInvalid.code, (FormInvalid.__doc__ or "").strip(), FormInvalid.advice)
        return answer(422, FormInvalid.code, *told, errors={n: [gettext(t) for t in ts] for n, ts in wrong.items()})
    untaken.keep(f"{form} {case_id}", request.form, wrong)
    return redirect(url_for("cases.shown", case_id=case_id, _anchor="errors"), 303)


def _done(form: str, case_id: UUID) -> ResponseReturnValue:
    untaken.forget(f"{form} {case_id}")
    return redirect(url_for("cases.shown", case_id=case_id), 303)


def _told(problem: LianyiError) -> str:
    words = texts(problem.code, (type(problem).__doc__ or "").strip(), problem.advice)
    return f"{words[0]}{'' if language() == 'zh' else ' '}{words[1]}"


@blueprint.post("/<uuid:case_id>/rebook")
@keeps(lambda fields, case_id: _kept("move", case_id, fields))
def rebook(case_id: UUID) -> ResponseReturnValue:
    """Move the booked consultation."""
    form = request.form
    with services().db.read() as session:
        services().cases.require(session, actor(), case_id, "case", "reschedule")
    start: datetime | None
    try:
        start = datetime.fromisoformat(form.get("start_at", "")).replace(tzinfo=ZoneInfo(context().config.timezone))
    except ValueError:
        start = None
    minutes = int(form["minutes"]) if form.get("minutes", "").isdecimal() else 0
    key, reason = form.get("key") or str(uuid7()), form.get("reason", "")
    try:
        services().session.rebook(actor(), case_id, start, minutes, reason, key)
    except FormInvalid as problem:
        return _back("move", case_id, problem.errors)
    except NotMovable as problem:
        return _back("move", case_id, {"": [_told(problem)]})
    flash(gettext("正在改约，双方会收到通知"))
    return _done("move", case_id)


@blueprint.post("/<uuid:case_id>/glass")
@keeps(lambda fields, case_id: _kept("glass", case_id, fields))
def glass(case_id: UUID) -> ResponseReturnValue:
    """Look past one's permission for an hour, with a reason; others are told at once."""
    reason, words = request.form.get("reason", ""), request.form.get("words", "")
    try:
        services().cases.break_glass(actor(), case_id, reason, words)
    except NeedsReason:
        wrong = {} if reason in GLASS_REASONS else {"reason": ["请选择原因"]}
        if len(words.strip()) < 10:
            wrong["words"] = ["请用至少十个字说明为何不能等；72 小时内会复核。"]
        return _back("glass", case_id, wrong)
    return _done("glass", case_id)


@blueprint.post("/<uuid:case_id>/stop")
@keeps(lambda fields, case_id: _kept("stop", case_id, fields))
def stop(case_id: UUID) -> ResponseReturnValue:
    """Withdraw, or end because the patient died or is another one."""
    reason, wrong = request.form.get("reason", ""), dict[str, list[str]]()
    with services().db.read() as session:
        offered = services().applications.may_stop(session, actor(), case_id)
    if offered and not reason:
        wrong["reason"] = ["请选择原因"]
    if offered and request.form.get("sure") != "true":
        wrong["sure"] = ["请勾选：终止后不能恢复"]
    if wrong:
        return _back("stop", case_id, wrong)
    try:
        services().applications.stop(actor(), case_id, reason, request.form.get("key") or str(uuid7()))
    except (Published, Signed) as problem:
        return _back("stop", case_id, {"": [_told(problem)]})
    flash(gettext("病例正在终止，几秒后生效"))
    return _done("stop", case_id)
