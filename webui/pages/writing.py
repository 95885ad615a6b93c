"""Writing a report: what is kept at a click, and what it will look like in print."""

from __future__ import annotations

from io import BytesIO
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from webui.context import actor, context, services
from webui.i18n import hm
from webui.pages import checks

blueprint = Blueprint("writing", __name__, url_prefix="/tasks")


def _typed(task_id: UUID) -> tuple[Any, dict[str, list[str]]]:
    """The task and what was sent of its fields. NotFound."""
    with services().db.read() as session:
        task = services().worklist.open_task(session, actor(), task_id)
    return task, {k: v for k, v in request.form.to_dict(flat=False).items() if k in task.form.by_name}


@blueprint.post("/<uuid:task_id>/keep")
def keep(task_id: UUID) -> ResponseReturnValue:
    """Keep what is written and go on writing: the button for who has no scripts."""
    task, data = _typed(task_id)
    services().worklist.save_draft(actor(), task_id, data, task.etag)
    flash(gettext("草稿已保存 %(t)s", t=hm(context().clock.now())))
    return redirect(url_for("tasks.opened", task_id=task_id), 303)


@blueprint.post("/<uuid:task_id>/preview")
def preview(task_id: UUID) -> ResponseReturnValue:
    """The report as it is written now, as it would be printed; nothing is kept."""
    task, data = _typed(task_id)
    if task.task.form != "report" or task.task.case is None:
        abort(404)
    name, body = services().reports.preview(actor(), task.task.case.id, checks.values(task.form, data))
    return send_file(BytesIO(body), "application/pdf", as_attachment=False, download_name=name)
