"""Pictures of images, for looking over; the studies of one's patients."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from webui.context import actor, services

blueprint = Blueprint("images", __name__, url_prefix="/images")
PRIVATE = "private, max-age=3600, immutable"


def _png(body: bytes) -> Response:
    answer = Response(body, mimetype="image/png")
    answer.headers["Cache-Control"] = PRIVATE
    return answer


@blueprint.get("")
def listed() -> ResponseReturnValue:
    """The newest studies of the cases the person may look at."""
    house, who = services(), actor()
    with house.db.read() as session:
        cases = house.cases.find(session, who, limit=60)
        rows = [
            (case, study)
            for case in cases
            if house.cases.allowed(session, who, house.cases.get(session, case.id), "images", "read")
            for study in house.imaging.of_case(session, case.id)
        ]
    return render_template("images.html", rows=rows)


@blueprint.get("/object/<sop_uid>.png")
def picture(sop_uid: str) -> ResponseReturnValue:
    """One object as a picture; `size` is the wished edge in pixels."""
    size = request.args.get("size", default=512, type=int)
    return _png(services().imaging.picture(actor(), sop_uid, max(64, min(1024, size))))


@blueprint.get("/case/<uuid:case_id>/<int:place>.png")
def key_view(case_id: UUID, place: int) -> ResponseReturnValue:
    """One key image of a case."""
    return _png(services().imaging.key_view(actor(), case_id, place))
