"""Errors of form definitions and submissions."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher
from typing import Any, ClassVar


class FormError(Exception):
    """The form cannot be used as it stands."""

    code: ClassVar[str] = "form"
    advice: ClassVar[str] = "Correct the named fields and send the form again."

    def __init__(self, detail: str = "", **params: Any) -> None:
        self.detail = detail
        self.params = params
        summary = (type(self).__doc__ or "").strip().splitlines()[0]
        super().__init__(f"{summary} {detail}".strip())


def choice(wrong: object, known: Iterable[str]) -> str:
    """The words there are instead of a wrong one, the likest first."""
    return ", ".join(sorted(known, key=lambda word: (-SequenceMatcher(None, str(wrong), word).ratio(), word)))
