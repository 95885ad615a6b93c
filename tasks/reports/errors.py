"""Errors of reports."""

from __future__ import annotations

from engine import LianyiError


class NotYours(LianyiError):
    """Only the author signs his report."""

    code = "not_author"
    status = 403
    advice = "Let the author sign, or write a report of your own."


class TextChanged(LianyiError):
    """The text is not the one that was reviewed."""

    code = "text_changed"
    status = 409
    advice = "Open the newest version and go through review again."
