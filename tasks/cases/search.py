"""What a list of cases is narrowed to, said once as one SQL condition: nobody finds by a name what he may not read by name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_

from tasks.cases.models import ClinicalCase
from tasks.cases.states import STATES
from tasks.cases.visibility import visible_cases
from tasks.people.service import Actor

ENDED: Final = tuple(name for name, state in STATES.items() if state.end)


@dataclass(frozen=True)
class Search:
    """`words` are part of a number or of the patient's name; `state` one state; `running` leaves ended ones out; `images`
    keeps those whose images the reader may look at."""

    words: str = ""
    state: str = ""
    applicant: UUID | None = None
    running: bool = False
    images: bool = False


def condition(search: Search, actor: Actor, at: datetime) -> ColumnElement[bool]:
    """The cases of this search which the actor sees."""
    seen = visible_cases(actor, at, kind="images", action="read") if search.images else visible_cases(actor, at)
    found = [seen]
    if search.state:
        found.append(ClinicalCase.state == search.state)
    if search.applicant is not None:
        found.append(ClinicalCase.applicant == search.applicant)
    if search.running:
        found.append(ClinicalCase.state.not_in(ENDED))
    if search.words:
        numbered = ClinicalCase.ref.contains(search.words.upper(), autoescape=True)
        named = ClinicalCase.patient_name.contains(search.words, autoescape=True)
        found.append(or_(numbered, and_(named, visible_cases(actor, at, kind="name", action="read"))))
    return and_(*found)
