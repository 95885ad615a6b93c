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
