"""What somebody has written and not handed in yet, by revision, and what he was told when he last tried to hand it in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy.orm import Session

from engine.errors import Stale
from tasks.worklist.errors import DraftTooLarge
from tasks.worklist.models import Draft

LIMIT: Final = 512 * 1024
Told = Mapping[str, Sequence[str]]
"""Messages by field; no message where the form's own checks find the fault again in whatever language is asked for."""


def save(
    session: Session, tenant: UUID, key: tuple[UUID, UUID], data: Mapping[str, Any], etag: int, now: datetime
) -> int:
    """Keep what is written on the revision `etag` (0: the first); returns the new revision. Stale, DraftTooLarge.

    What was told of a field holds as long as the field is as it was.
    """
    draft = _locked(session, key)
    if (draft.revision if draft else 0) != etag:
        raise Stale(task=str(key[0]))
    told: Told = {} if draft is None else still(draft.told or {}, draft.data, data)
    return _write(session, draft, tenant, key, data, told, now)


def refuse(
    session: Session, tenant: UUID, key: tuple[UUID, UUID], data: Mapping[str, Any], told: Told, now: datetime
) -> int:
    """Keep what was handed in and not taken, and why: it is the newest, whatever revision it began from. DraftTooLarge."""
    return _write(session, _locked(session, key), tenant, key, data, told, now)


def still(told: Told, before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Sequence[str]]:
    """What was told of fields that were not touched since; what was told of the whole form goes with the first change."""
    same = {name for name in told if before.get(name) == after.get(name)}
    changed = any(before.get(name) != after.get(name) for name in {*before, *after})
    return {name: told[name] for name in told if name in same and not (name.startswith("_") and changed)}


def _locked(session: Session, key: tuple[UUID, UUID]) -> Draft | None:
    return session.get(Draft, key, with_for_update=True)


def _write(
    session: Session, draft: Draft | None, tenant: UUID, key: tuple[UUID, UUID], data: Mapping[str, Any], told: Told, now: datetime
) -> int:  # fmt: skip
    if len(orjson.dumps(data)) > LIMIT:
        raise DraftTooLarge
    if draft is None:
        draft = Draft(task_id=key[0], account_id=key[1], tenant=tenant, revision=0)
        session.add(draft)
    draft.data, draft.revision, draft.updated_at = dict(data), draft.revision + 1, now
    draft.told = {name: list(texts) for name, texts in told.items()} or None
    return draft.revision
