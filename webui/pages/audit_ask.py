"""What an auditor asks for, read from the address: patient or case, person, kind, days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from tasks.cases import ledger
from tasks.cases.ledger import Question
from tasks.patients import numbers
from tasks.patients.numbers import Numbered
from tasks.people.service import directory
from webui.context import actor, context
from webui.event_words import named
from webui.i18n import zone

GROUPS = ("looked", "refused", "emergency", "exported", "login", "acted", "admin", "flow")


@dataclass(frozen=True)
class Asked:
    """The question with what was typed. `patient` is one human being; `several` are all who have the number; `person` the
    name of whom it is about; `missing` names what was typed and is nobody's: patient or person."""

    question: Question
    typed: Mapping[str, str]
    patient: Numbered | None = None
    several: tuple[Numbered, ...] = ()
    person: str = ""
    missing: str = ""

    @property
    def about_one(self) -> bool:
        """Whether it is about one patient or case, so that sums mean something."""
        return bool(self.question.instances)

    @property
    def narrowed(self) -> bool:
        """Whether anybody is asked about by name or number."""
        return bool(self.typed.get("patient") or self.typed.get("person"))


def read(session: Any, form: Mapping[str, str]) -> Asked:
    """The question of this address or form; what cannot be read counts as not asked."""
    typed = {k: form.get(k, "").strip()[:80] for k in ("patient", "human", "person", "kind", "since", "until")}
    typed = {k: v for k, v in typed.items() if v}
    group = typed["kind"] if typed.get("kind") in GROUPS else ""
    since, until = _day(typed.get("since")), _day(typed.get("until"))
    begins = _begin(since) if since else None
    ends = _begin(until + timedelta(days=1)) if until else None
    instances, patient, several = _patient(session, typed)
    people, person = _person(session, typed.get("person", ""))
    missing = "person" if typed.get("person") and not people else ""
    if typed.get("patient") and not instances and not several:
        missing = "patient"
    if missing:
        instances = ()
    return Asked(Question(instances, people, group, begins, ends), typed, patient, several, person, missing)


def _patient(
    session: Any, typed: Mapping[str, str]
) -> tuple[tuple[UUID, ...] | None, Numbered | None, tuple[Numbered, ...]]:
    """The cases meant, the patient, and all who have the number when they are several."""
    words, now, who = typed.get("patient", ""), context().clock.now(), actor()
    if not words:
        return None, None, ()
    by_ref = ledger.instances_by_ref(session, who, now, words.upper())
    if by_ref:
        return by_ref, None, ()
    known = {n: ledger.instances_of(session, who, now, n.registrations) for n in numbers.by_number(session, words)}
    read = {n: found for n, found in known.items() if found}
    chosen = [n for n in read if str(n.person) == typed.get("human")] or list(read)
    if len(chosen) > 1:
        return (), None, tuple(chosen)
    return (read[chosen[0]], chosen[0], ()) if chosen else ((), None, ())


def _person(session: Any, words: str) -> tuple[tuple[UUID, ...], str]:
    """The accounts of this id, log-in name or name."""
    found: list[Any] = directory.called(session, words) if words else []
    return tuple(a.id for a in found), named(found[0].name) if found else words


def _day(words: str | None) -> date | None:
    try:
        return date.fromisoformat(words or "")
    except ValueError:
        return None


def _begin(day: date) -> datetime:
    return datetime.combine(day, time(), zone())
