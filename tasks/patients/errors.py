"""What can go wrong in the patient index."""

from __future__ import annotations

from engine.errors import LianyiError


class NoIdentifier(LianyiError):
    """A registration needs the source system's number and a name."""

    code = "no_identifier"
    status = 422
    advice = "Send PID-3 with its assigning authority and PID-5."


class NotLinked(LianyiError):
    """The record already stands alone."""

    code = "not_linked"
    status = 409
    advice = "There is nothing to undo; reload the record."
