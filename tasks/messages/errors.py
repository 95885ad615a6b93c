"""Errors of lines and messages."""

from __future__ import annotations

from engine import LianyiError, NotFound


class NoEndpoint(NotFound):
    """The hospital has no line of this kind."""

    code = "no_endpoint"
    advice = "Enter the hospital's address under messages, endpoints; the message is sent as soon as it is there."


class LineOpen(LianyiError):
    """The line to the hospital fails again and again and rests for a while."""

    code = "line_open"
    status = 503
    advice = "It is tried again by itself; look at the hospital's system if it stays."


class BadAuthority(LianyiError):
    """The authority of a line is not usable."""

    code = "bad_authority"
    status = 422
    advice = "Enter the text of the certificate of who made the peer's certificate (PEM, from BEGIN to END CERTIFICATE), and no key."
