"""Errors of quality control."""

from __future__ import annotations

from engine import LianyiError


class Blocked(LianyiError):
    """A check that nobody may pass over still fails."""

    code = "quality_blocked"
    status = 422
    advice = "Ask for a supplement or reject the application; the failing rows say what is wrong."


class MayNotOverride(LianyiError):
    """Your role may not pass over a check that blocks."""

    code = "may_not_override"
    status = 403
    advice = "Leave it to somebody who does pre-QC at the invited hospital, or ask for a supplement."
