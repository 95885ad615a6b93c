"""Errors of decision files."""

from __future__ import annotations

from engine.errors import LianyiError


class DmnError(LianyiError):
    """The decision file cannot be used."""

    code = "dmn"
    status = 422
    advice = "Correct the element named; `lianyi lint` shows every finding of the file."
