"""The root of every error of the platform: a stable code, a message, advice that says what to do next."""

from __future__ import annotations

from typing import Any, ClassVar


class LianyiError(Exception):
    """Something went wrong in the platform."""

    code: ClassVar[str] = "lianyi"
    status: ClassVar[int] = 500
    advice: ClassVar[str] = "Try again; if it stays, tell the coordinator the code and the request number."

    def __init__(self, detail: str = "", **params: Any) -> None:
        """`detail` extends the class's docstring; `params` are values a page may format (ids and codes, never names)."""
        self.detail = detail
        self.params = params
        summary = (type(self).__doc__ or "").strip().splitlines()[0]
        super().__init__(f"{summary} {detail}".strip())


class NotFound(LianyiError):
    """There is no such thing, or you may not see it."""

    code = "not_found"
    status = 404
    advice = "Check the address; ask the coordinator for access if you should have it."


class Stale(LianyiError):
    """Somebody else changed this in the meantime."""

    code = "stale"
    status = 409
    advice = "Reload to see the newest state, then repeat what you still want to do."


class Busy(LianyiError):
    """The case is being changed by another request."""

    code = "busy"
    status = 423
    advice = "Wait a moment and send the same request again; nothing was done twice."


class Refused(LianyiError):
    """The request cannot be carried out as it stands."""

    code = "refused"
    status = 422
    advice = "Correct what is named and send it again."
