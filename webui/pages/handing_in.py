"""Handing a form in: it is taken and leads on, or what was typed becomes the draft and the form says what stands in the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

import forms
from engine.errors import LianyiError, NotFound, Refused
from tasks.files.errors import FileRefused, FileTooLarge
from tasks.people.errors import BadCredentials, TooManyLogins
from tasks.people.service import Actor
from tasks.worklist.checking import wrong
from tasks.worklist.errors import FormInvalid, TaskDone
from tasks.worklist.service import OpenedTask
from webui.context import actor, context, services
from webui.done_words import handed_in
from webui.errors import answer, texts
from webui.guards import inside, token, wants_json
from webui.i18n import hm, language
from webui.login import advice
from webui.pages import over, shared, tasks
from webui.resume import keeps

blueprint = Blueprint("handing_in", __name__, url_prefix="/tasks")


def _typed(fields: Mapping[str, list[str]], task_id: UUID) -> str:
    """Keep a form that came without a login as the draft. NotFound."""
    with services().db.read() as session:
        task = services().worklist.open_task(session, actor(), task_id)
    typed = {name: values for name, values in fields.items() if name in task.form.by_name}
    services().worklist.keep_refused(actor(), task_id, typed, {})
    return url_for("tasks.opened", task_id=task_id)


@blueprint.post("/<uuid:task_id>")
@keeps(_typed)
def hand_in(task_id: UUID) -> ResponseReturnValue:
    """Check and complete the task. What is refused is kept as the draft and told on the form's own page; 422 for a program."""
    house, who = services(), actor()
    try:
        with house.db.read() as session:
            task = house.worklist.open_task(session, who, task_id)
    except NotFound:
        return over.page(task_id, request.form.to_dict(flat=False))
    data: dict[str, Any] = {k: v for k, v in request.form.to_dict(flat=False).items() if k in task.form.by_name}
    kept, refused = _uploaded(who, task)
    data |= kept
    if task.task.reauth:
        try:
            who = house.people.logins.reauthenticate(token() or "", request.form.get("password", ""))
        except (BadCredentials, TooManyLogins) as problem:
            return _refused(who, task, data, {"_password": [_password(problem)]} | refused, 403)
    if refused:
        return _refused(who, task, data, refused)
    how = tasks.reading() | ({} if wants_json() else {"translate": forms.plain})
    try:
        house.worklist.submit(
            who, task_id, data, request.form.get("key") or str(task_id), take=tasks.mine(task, who), **how
        )
    except FormInvalid as problem:
        return _refused(who, task, data, problem.errors)
    except (TaskDone, NotFound):
        return over.page(task_id, data)
    except LianyiError as problem:
        if wants_json() or problem.status >= 500:
            raise
        words = texts(problem.code, (type(problem).__doc__ or "").strip().splitlines()[0], problem.advice)
        return _refused(who, task, data, {"_schema": [_sentence(*words)]})
    flash(handed_in(task.task.form, shared.step_name(task.task), back=data.get("back") == ["true"]))
    return redirect(_onwards(task), 303)


def _onwards(task: OpenedTask) -> str:
    """Where somebody goes on after handing in."""
    case, form = task.task.case, task.task.form
    if form == "apply" and case is not None:
        return url_for("cases.shown", case_id=case.id)
    if form in ("attend", "hold") and case is not None:
        with services().db.read() as session:
            room = services().session.of_case(session, case.id)
        if room is not None:
            return url_for("sessions.entered", room_id=room.id)
    return url_for("inbox.listed")


def _refused(
    who: Actor, task: OpenedTask, data: Mapping[str, Any], errors: Mapping[str, Sequence[str]], status: int = 422
) -> ResponseReturnValue:
    """Back to the form, which holds what was typed; what its own checks find is found again in any language."""
    if wants_json():
        problem = FormInvalid(errors)
        told = texts(problem.code, (FormInvalid.__doc__ or "").strip(), problem.advice)
        return answer(status, problem.code, *told, errors=problem.errors)
    own = wrong(task.form, data, **tasks.reading())
    names = dict.fromkeys([*errors, *own])
    told_of = {name: [] if name in own else list(errors.get(name, ())) for name in names}
    services().worklist.keep_refused(who, task.task.task_id, data, told_of)
    room = request.form.get("room", "")  # a form in the consultation room is told there
    back = inside(room) if room.startswith("/sessions/") else url_for("tasks.opened", task_id=task.task.task_id)
    return redirect(f"{back}#errors", 303)


def _password(problem: LianyiError) -> str:
    """What is told at the password of a signature."""
    if isinstance(problem, TooManyLogins):
        return _sentence(str(gettext("密码错误次数太多，没有签发。")), advice(problem))
    return _sentence(str(gettext("密码不对，没有签发。")), advice(problem))


def _sentence(first: str, second: str) -> str:
    return f"{first}{'' if language() == 'zh' else ' '}{second}"


def _uploaded(who: Actor, task: OpenedTask) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Keep attached files with the case; the form holds their ids. Those of an earlier try stay until others are chosen.

    Also what is not taken, by field."""
    found: dict[str, list[str]] = {}
    refused: dict[str, list[str]] = {}
    files, case = services().files, task.task.case
    for field in task.form.fields:
        if field.type != "attachment" or case is None:
            continue
        kind = "consent" if field.name == "consent_file" else "attachment"
        chosen = [file for file in request.files.getlist(field.name) if file.filename]
        with services().db.read() as session:
            known = {str(f.id): f.id for f in files.of_case(session, case.id, kind)}
        earlier = [one for one in request.form.getlist(field.name) if one in known]
        kept = []
        for file in chosen:
            try:
                kept.append(str(files.upload(who, case.id, kind, file.filename or "", file.mimetype, file.read()).id))
            except (FileRefused, FileTooLarge) as problem:
                told = texts(problem.code, (type(problem).__doc__ or "").strip(), problem.advice)
                words = f"{file.filename}{'：' if language() == 'zh' else ': '}{_sentence(*told)}"
                refused.setdefault(field.name, []).append(words)
        if kept and field.name not in refused:
            for one in earlier:
                files.withdraw(who, known[one])
            earlier = []
        if earlier or kept or field.name in request.form:
            found[field.name] = [*earlier, *kept]
    return found, refused


@blueprint.post("/<uuid:task_id>/draft")
def draft(task_id: UUID) -> ResponseReturnValue:
    """Keep what is written so far; If-Match names the draft it was read from."""
    match = request.headers.get("If-Match", "").strip('W/"')
    if not match.isdigit():
        raise Refused("If-Match must name the draft's ETag.")
    etag = services().worklist.save_draft(actor(), task_id, request.form.to_dict(flat=False), int(match))
    answered = jsonify(saved=True, at=hm(context().clock.now()))
    answered.headers["ETag"] = f'"{etag}"'
    return answered
