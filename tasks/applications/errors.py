"""What can go wrong with an application."""

from __future__ import annotations

from engine.errors import LianyiError


class Signed(LianyiError):
    """The report is signed; the application can no longer be withdrawn."""

    code = "signed"
    status = 409
    advice = "Ask the reporting hospital for an amendment of the report; it keeps the signed one beside it."


class Published(LianyiError):
    """The result is published; the case can no longer be stopped."""

    code = "published"
    status = 409
    advice = "Ask the reporting hospital for an amendment, and say in it what was wrong."


class NoAccess(LianyiError):
    """You may not stop this case."""

    code = "no_access"
    status = 403
    advice = "Ask the applicant or the medical-affairs office of the applying hospital."
