"""Looks that were refused: somebody asked for a case, or for a page, that his permission does not open."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.history import record
from engine.tables import history
from engine.values import Json
from tasks.cases.models import ClinicalCase
from tasks.people.service import Actor

REFUSED: Final = "access.refused"
MOST: Final = 60
"""So many refusals of one person in an hour are entries of the record; whoever tries numbers one after another fills no chain."""


def note(session: Session, actor: Actor, where: str, case: ClinicalCase | None, at: datetime) -> bool:
    """Record that `actor` was refused at `where` (the name of a page); False when this hour's record says so already."""
    hour = at.replace(minute=0, second=0, microsecond=0)
    query = select(history.c.data).where(
        history.c.actor == actor.id, history.c.kind == REFUSED, history.c.at >= hour, history.c.at <= at
    )
    known = [json.loads(data) for data in session.scalars(query)]
    about = str(case.id) if case else where
    if len(known) >= MOST or about in {one.get("case", one["where"]) for one in known}:
        return False
    data: dict[str, Json] = {"where": where}
    data |= {"case": about} if case else {}
    data |= {"address": actor.address} if actor.address else {}
    data |= {"last": True} if len(known) == MOST - 1 else {}
    record(
        session, tenant=case.tenant if case else actor.hospital_id, kind=REFUSED, actor=actor.id, at=at,
        instance_id=case.instance_id if case else None, data=data,
    )  # fmt: skip
    return True
