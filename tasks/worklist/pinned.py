"""The forms an instance was started with: they lie in its released bundle and never change under it."""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

import forms
from engine.errors import NotFound
from engine.model import Bundle
from engine.tables import definition
from forms import FormDef


class FormSource(Protocol):
    """Where a task's form comes from."""

    def form(self, session: Session, definition_id: UUID, form_id: str) -> FormDef:
        """The form of this id as that definition pinned it. NotFound."""


class PinnedForms:
    """Forms out of released bundles; the last ones are kept in memory, for a bundle never changes."""

    def __init__(self, size: int = 256) -> None:
        self._load = lru_cache(maxsize=size)(_load)
        self._known: dict[UUID, bytes] = {}

    def form(self, session: Session, definition_id: UUID, form_id: str) -> FormDef:
        """The form of this id as that definition pinned it. NotFound."""
        if definition_id not in self._known:
            query = select(definition.c.content).where(definition.c.id == definition_id)
            content = session.execute(query).scalar_one_or_none()
            if content is None:
                raise NotFound("definition", id=str(definition_id))
            self._known[definition_id] = content
        return self._load(self._known[definition_id], form_id)


def _load(content: bytes, form_id: str) -> FormDef:
    files = Bundle.from_bytes(content).files
    name = f"{form_id}.form.json"
    if name not in files:
        raise NotFound("form", form=form_id)
    return forms.load(files[name])
