"""A small form of a page that was not taken: what stood in it and what was wrong, kept in this browser for a while.

Forms of tasks have drafts; these are a few lines, and go with the cookie of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from flask import session
from flask_babel import gettext

from webui import sealing

_KEY: Final = "refused"
AGE: Final = 600
"""Seconds for which it is shown again."""
LONGEST: Final = 400
"""Characters kept of one field, so that the cookie holds them."""


@dataclass(frozen=True)
class Refused:
    """`typed` by field, `wrong` messages by field in the reader's language."""

    typed: Mapping[str, str] = field(default_factory=dict)
    wrong: Mapping[str, list[str]] = field(default_factory=dict)


def keep(form: str, typed: Mapping[str, str], wrong: Mapping[str, Sequence[str]]) -> None:
    """Keep one form, and no other; messages as they are written, in Chinese."""
    kept = {name: text[:LONGEST] for name, text in typed.items() if name not in ("csrf_token", "key")}
    session[_KEY] = sealing.seal("refused", [form, kept, {n: list(t) for n, t in wrong.items()}])


def of(form: str) -> Refused:
    """What is kept of this form; nothing when another one came after it, or it is long ago."""
    name, typed, wrong = _kept()
    if name != form:
        return Refused()
    return Refused(typed, {n: [gettext(text) for text in texts] for n, texts in wrong.items()})


def forget(form: str) -> None:
    """It was taken."""
    if _kept()[0] == form:
        session.pop(_KEY)


def _kept() -> tuple[str, dict[str, str], dict[str, list[str]]]:
    found = sealing.unseal("refused", str(session.get(_KEY) or ""), AGE)
    return (found[0], found[1], found[2]) if isinstance(found, list) and len(found) == 3 else ("", {}, {})
