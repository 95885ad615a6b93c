"""What the worklist uses of the engine."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy.orm import Session

from engine.values import Json


class Command(Protocol):
    """What the worklist uses of the engine's transaction."""

    @property
    def session(self) -> Session:
        """The session of the transaction."""

    @property
    def now(self) -> datetime:
        """The instant of the command."""

    @property
    def repeated(self) -> bool:
        """Whether this key was carried out before."""

    @property
    def answer(self) -> Json:
        """What it was answered then."""

    def complete(self, task_id: UUID, data: Mapping[str, Json]) -> None:
        """Complete a user task."""

    def note(
        self, kind: str, data: Mapping[str, Json], *, task_id: UUID | None = None, on_behalf: str | None = None
    ) -> None:
        """Add a history entry."""

    def reply(self, value: Json) -> None:
        """Set the answer of a repetition."""


class Commands(Protocol):
    """What the worklist uses of the engine."""

    def begin(self, instance_id: UUID, key: str, *, actor: str) -> AbstractContextManager[Command]:
        """Lock an instance for one command."""
