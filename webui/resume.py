"""What was typed into a form is not lost with the login: sealed into the login page, and kept for the same person after it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from uuid import UUID

from flask import current_app, request, session
from werkzeug.exceptions import HTTPException

from webui import sealing

View = TypeVar("View", bound=Callable[..., Any])
Keep = Callable[..., str]
AGE: Final = 12 * 3600
"""Seconds for which a sealed form can be taken up again."""
OWN: Final = {"csrf_token", "password", "key"}
"""Fields that are no text of the person: tokens of the page, and what is never kept."""
WHO: Final = "account"


@dataclass(frozen=True)
class Sealed:
    """A form that came without a login: where it was sent, by whom, and what stood in it."""

    path: str
    account: str
    fields: Mapping[str, list[str]]
    files: bool


def keeps(keep: Keep) -> Callable[[View], View]:
    """Mark a view whose form outlives the login: `keep(fields, **arguments of the route)` stores it and gives the address of the form."""

    def mark(view: View) -> View:
        view.keeps = keep  # type: ignore[attr-defined]
        return view

    return mark


def known(account_id: UUID) -> None:
    """Remember in this browser who logged in last: only he finds his text again."""
    session[WHO] = str(account_id)


def seal(view: Any) -> str:
    """The form of this request for a hidden field of the login page; empty when there is nothing that can be kept."""
    who = session.get(WHO)
    if not who or not hasattr(view, "keeps"):
        return ""
    fields = {k: v for k, v in request.form.to_dict(flat=False).items() if k not in OWN}
    files = any(file.filename for file in request.files.values())
    return sealing.seal("resume", [request.path, who, fields, files]) if fields else ""


def unseal(text: str) -> Sealed | None:
    """What `seal` gave; None for anything else."""
    found = sealing.unseal("resume", text, AGE)
    return Sealed(*found) if isinstance(found, list) and len(found) == 4 else None


def take_up(sealed: Sealed) -> str:
    """Keep the form for the person who is logged in now; returns where it goes on. NotFound where it waits no more."""
    try:
        endpoint, args = current_app.url_map.bind("").match(sealed.path, method="POST")
    except HTTPException:
        return "/"
    view: Any = current_app.view_functions[endpoint]
    return str(view.keeps(sealed.fields, **args))
