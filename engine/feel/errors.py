"""The one error of the expression language."""

from __future__ import annotations

from engine.errors import LianyiError


class FeelError(LianyiError):
    """The FEEL expression cannot be used."""

    code = "feel"
    status = 422
    advice = "Correct the expression at the position named; docs/models.md lists what FEEL offers."

    def __init__(self, detail: str, position: int | None = None) -> None:
        """`position` counts characters from 0 in the source."""
        self.position = position
        super().__init__(detail if position is None else f"At character {position + 1}: {detail}", position=position)
