"""Pictures of images, for looking over; the studies of one's patients."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from tasks.cases.service import Search
from webui.context import actor, services
from webui.pages import shared

blueprint = Blueprint("images", __name__, url_prefix="/images")
PRIVATE = "private, max-age=3600, immutable"
SHOWN = 50


def _png(body: bytes) -> Response:
    answer = Response(body, mimetype="image/png")
    answer.headers["Cache-Control"] = PRIVATE
    return answer


@blueprint.get("")
def listed() -> ResponseReturnValue:
    """The newest studies of the cases the person may look at."""
    house, who = services(), actor()
    with house.db.read() as session:
        cases = house.cases.find(session, who, Search(images=True), before=shared.cursor(), limit=SHOWN)
        carried = house.imaging.of_cases(session, [case.id for case in cases])
    rows = [(case, study) for case in cases for study in carried.get(case.id, ())]
    more = shared.more("images.listed", cases, SHOWN, lambda c: (c.created_at, c.id))
    return render_template("images.html", rows=rows, more=more)


@blueprint.get("/object/<sop_uid>.png")
def picture(sop_uid: str) -> ResponseReturnValue:
    """One object as a picture; `size` is the wished edge in pixels."""
    size = request.args.get("size", default=512, type=int)
    return _png(services().imaging.picture(actor(), sop_uid, max(64, min(1024, size))))


@blueprint.get("/case/<uuid:case_id>/<int:place>.png")
def key_view(case_id: UUID, place: int) -> ResponseReturnValue:
    """One key image of a case."""
    body = services().imaging.key_view(actor(), case_id, place)
    services().cases.note_view(actor(), case_id, "images", once=True)
    return _png(body)
