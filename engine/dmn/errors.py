"""Errors of decision files."""

from __future__ import annotations

from engine.errors import LianyiError


class DmnError(LianyiError):
    """The decision file cannot be used."""

    code = "dmn"
    status = 422
    advice = "Correct the element named; `lianyi lint` shows every finding of the file."


class NoRule(DmnError):
    """No row of the table fits the input."""

    code = "dmn_no_rule"
    advice = "Add a row for this input, or a last row with dashes that catches the rest."


class SeveralRules(DmnError):
    """Several rows fit where only one may."""

    code = "dmn_several_rules"
    advice = "Make the rows named exclusive, or choose the hit policy FIRST."
