"""What can go wrong with a booked consultation."""

from __future__ import annotations

from engine.errors import LianyiError


class NotMovable(LianyiError):
    """This consultation is not booked any more, or has begun; it cannot be moved."""

    code = "not_movable"
    status = 409
    advice = (
        "Reload the case: a session that is being held is ended first, and one without a time gets it from its task."
    )
