"""The places experts have for cases: taken under the expert's lock, given back when he declines or the case ends."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import BpmnError, uuid7
from tasks.cases.service import ClinicalCase
from tasks.people.models import Account
from tasks.triage.matching import LOAD_CAP
from tasks.triage.models import Hold

FULL: Final = "full"
"""BPMN error: the expert has no place for another case."""


def take(session: Session, case: ClinicalCase, expert: UUID, minutes: int, now: datetime) -> Hold:
    """A place of the expert for this case; the one he has for it already, if so. BpmnError full when all are taken."""
    session.get_one(Account, expert, with_for_update=True)  # places of one expert are given out one at a time
    held = list(session.scalars(select(Hold).where(Hold.account_id == expert, Hold.state == "held")))
    for hold in held:
        if hold.case_id == case.id:
            return hold
    slot = next((n for n in range(LOAD_CAP) if n not in {hold.slot for hold in held}), None)
    if slot is None:
        raise BpmnError(FULL)
    hold = Hold(
        id=uuid7(), tenant=case.tenant, case_id=case.id, account_id=expert, slot=slot, minutes=minutes, state="held", created_at=now,
    )  # fmt: skip
    session.add(hold)
    session.flush()
    return hold


def of_case(session: Session, case_id: UUID) -> list[Hold]:
    """What is held for a case."""
    return list(session.scalars(select(Hold).where(Hold.case_id == case_id, Hold.state == "held")))


def give_back(holds: Iterable[Hold], state: str, now: datetime) -> None:
    """The places are free again; `released` counts as a decline, `freed` does not."""
    for hold in holds:
        hold.state, hold.released_at = state, now
