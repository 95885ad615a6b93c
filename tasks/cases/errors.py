"""What can go wrong with a case."""

from __future__ import annotations

from engine.errors import LianyiError


class CaseClosed(LianyiError):
    """The case is closed."""

    code = "case_closed"
    status = 409
    advice = "A closed case is never reopened; open an amendment or a new application."


class WrongState(LianyiError):
    """The case cannot go from its present state to this one."""

    code = "wrong_state"
    status = 409
    advice = "Reload the case; somebody else moved it on."


class NeedsReason(LianyiError):
    """Emergency access needs a reason code and words of your own."""

    code = "needs_reason"
    status = 422
    advice = "Say in at least ten characters why it cannot wait; it is reviewed within 72 hours."
