"""The verbs of the patient index: register, link, unlink, find, look at a patient's time line."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from engine.clock import Clock
from engine.db import Database
from engine.errors import NotFound, Refused
from engine.history import record
from engine.ids import uuid7
from tasks.patients import orders, search
from tasks.patients.errors import NoIdentifier, NotLinked
from tasks.patients.identity import Candidate, Verdict, compatible, contradicts, id_card, ladder, masked, name_key
from tasks.patients.models import LinkEvent, Order, PatientRecord, Person, Registration
from tasks.patients.orders import OrderNews
from tasks.people.service import Actor, Facts, People, directory, may

__all__ = ["Arrival", "Entry", "Found", "Order", "OrderNews", "Patients", "Registered", "Registration", "id_card"]

FIND_LIMIT = 50


@dataclass(frozen=True)
class Arrival:
    """What a source says about a patient. `system` assigned `mrn`; `sex` M F O U; `id_card` in clear, never stored so."""

    tenant: UUID
    system: str
    mrn: str = field(repr=False)
    name: str = field(repr=False)
    sex: str = "U"
    birth_date: date | None = field(default=None, repr=False)
    id_card: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)
    source: str = "hl7"


@dataclass(frozen=True)
class Registered:
    """What became of it: outcome new, same, update, linked; `flagged` when somebody has to compare."""

    record_id: UUID
    registration_id: UUID
    person_id: UUID
    outcome: str
    flagged: bool


@dataclass(frozen=True)
class Found:
    """A patient in a list, as the newest registration says."""

    record_id: UUID
    registration_id: UUID
    person_id: UUID
    tenant: UUID
    system: str
    mrn: str
    name: str
    sex: str
    birth_date: date | None
    flagged: bool


@dataclass(frozen=True)
class Entry:
    """Something in a patient's time line; `link` is the page that shows it."""

    at: datetime
    kind: str
    title: str
    tenant: UUID
    link: str


Source = Callable[[Session, Actor, Sequence[UUID]], list[Entry]]
"""Gives the entries of these patient records which the actor may see."""


class Patients:
    """The index. `pepper` keys the hash of ID card numbers, whose space is small enough to be tried through."""

    def __init__(self, db: Database, clock: Clock, people: People, pepper: bytes) -> None:
        self._db, self._clock, self._people, self._pepper = db, clock, people, pepper
        self._sources: list[Source] = []

    # -- register -----------------------------------------------------------------------------------------------------
    def register(self, session: Session, arrival: Arrival, *, actor: str) -> Registered:
        """Store what a source said. Known number: a new version if anything changed. Unknown: the ladder. NoIdentifier."""
        if not arrival.mrn.strip() or not arrival.system.strip() or not arrival.name.strip():
            raise NoIdentifier
        known = self._locked(session, arrival)
        if known is None:
            made = self._make(session, arrival, actor)
            if made is not None:
                return made
            known = self._locked(session, arrival)  # somebody else was faster
            if known is None:
                raise NotFound("patient record")
        return self._update(session, known, arrival, actor)

    def _make(self, session: Session, arrival: Arrival, actor: str) -> Registered | None:
        now, record_id, registration_id = self._clock.now(), uuid7(), uuid7()
        verdict = self._verdict(session, arrival)
        person_id = verdict.person or self._person(session)
        dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
        values = {
            "id": record_id,
            "tenant": arrival.tenant,
            "system": arrival.system,
            "mrn": arrival.mrn,
            "registration_id": registration_id,
            "person_id": person_id,
            "flagged": verdict.flagged,
            "updated_at": now,
        }
        insert = dialect.insert(PatientRecord).values(values).on_conflict_do_nothing().returning(PatientRecord.id)
        if session.scalar(insert) is None:
            return None
        self._version(session, arrival, record_id, registration_id, 1)
        kind = "auto" if verdict.person else "flag" if verdict.flagged else "new"
        detail = {"records": [str(r) for r in verdict.with_records]}
        row = session.get_one(PatientRecord, record_id)
        self._event(session, row, kind, None, person_id, verdict.rule, actor, detail)
        outcome = "linked" if verdict.person else "new"
        return Registered(record_id, registration_id, person_id, outcome, verdict.flagged)

    def _update(self, session: Session, row: PatientRecord, arrival: Arrival, actor: str) -> Registered:
        newest = session.get_one(Registration, row.registration_id)
        if _content(newest) == self._said(arrival):
            return Registered(row.id, newest.id, row.person_id, "same", row.flagged)
        registration_id = uuid7()
        self._version(session, arrival, row.id, registration_id, newest.version + 1)
        row.registration_id, row.updated_at = registration_id, self._clock.now()
        other = not compatible(arrival.name, newest.name)
        born = None not in (arrival.birth_date, newest.birth_date) and arrival.birth_date != newest.birth_date
        elsewhere = [c for c in self._candidates(session, arrival) if c.same_card and c.person_id != row.person_id]
        if (other and born) or elsewhere:
            row.flagged = True
            rule = "id_card_elsewhere" if elsewhere else "number_reused"
            detail = {"records": [str(c.record_id) for c in elsewhere]}
            self._event(session, row, "flag", row.person_id, row.person_id, rule, actor, detail)
        return Registered(row.id, registration_id, row.person_id, "update", row.flagged)

    # -- link ---------------------------------------------------------------------------------------------------------
    def link(self, actor: Actor, record_id: UUID, person_id: UUID, reason: str) -> None:
        """Put a record under a person by hand; nothing is copied, so it can be undone. NotFound, Refused."""
        with self._db.transaction() as session:
            row = self._mine(session, actor, record_id)
            if session.get(Person, person_id) is None:
                raise NotFound("person", id=str(person_id))
            if not reason.strip():
                raise Refused("a link by hand needs a reason")
            before, row.person_id, row.flagged = row.person_id, person_id, False
            row.updated_at = self._clock.now()
            self._event(session, row, "manual", before, person_id, "manual", actor.id, {}, reason)

    def unlink(self, actor: Actor, record_id: UUID, reason: str) -> UUID:
        """Take a record out of its person again; it gets the person of its own back, or a new one. NotLinked."""
        with self._db.transaction() as session:
            row = self._mine(session, actor, record_id)
            shared = select(PatientRecord.id).where(
                PatientRecord.person_id == row.person_id, PatientRecord.id != row.id
            )
            if session.scalar(shared.limit(1)) is None:
                raise NotLinked(record=str(record_id))
            before, row.person_id = row.person_id, self._person(session)
            row.updated_at = self._clock.now()
            self._event(session, row, "unlink", before, row.person_id, "manual", actor.id, {}, reason)
            return row.person_id

    def clear(self, actor: Actor, record_id: UUID, reason: str) -> None:
        """Compared by hand and found to be somebody else: take the flag away."""
        with self._db.transaction() as session:
            row = self._mine(session, actor, record_id)
            row.flagged = False
            self._event(session, row, "clear", row.person_id, row.person_id, "manual", actor.id, {}, reason)

    # -- find ---------------------------------------------------------------------------------------------------------
    def find(self, session: Session, actor: Actor, words: str, limit: int = FIND_LIMIT) -> list[Found]:
        """Patients of the hospitals where the actor may read the index; nothing for an empty query."""
        tenants = self._tenants(session, actor)
        if not words.strip() or not tenants:
            return []
        return [_found(*pair) for pair in search.find(session, tenants, words, min(limit, FIND_LIMIT))]

    def flagged(self, session: Session, actor: Actor) -> list[Found]:
        """Records somebody has to compare."""
        query = (
            select(PatientRecord, Registration)
            .join(Registration, Registration.id == PatientRecord.registration_id)
            .where(PatientRecord.flagged, PatientRecord.tenant.in_(self._tenants(session, actor)))
            .order_by(PatientRecord.updated_at)
            .limit(FIND_LIMIT)
        )
        return [_found(row, registration) for row, registration in session.execute(query)]

    def registration(self, session: Session, registration_id: UUID) -> Registration:
        """One registration, for services: no permission is checked. NotFound."""
        found = session.get(Registration, registration_id)
        if found is None:
            raise NotFound("registration", id=str(registration_id))
        return found

    def readable(self, session: Session, actor: Actor, registration_id: UUID) -> Registration:
        """One registration of a hospital where the actor may read the index. NotFound."""
        found = self.registration(session, registration_id)
        if not may(actor, "read", Facts("patient", found.tenant)):
            raise NotFound("registration", id=str(registration_id))
        return found

    def record_of(self, session: Session, tenant: UUID, system: str, mrn: str) -> PatientRecord | None:
        """The record of a source system's number."""
        query = select(PatientRecord).where(
            PatientRecord.tenant == tenant, PatientRecord.system == system, PatientRecord.mrn == mrn
        )
        return session.scalar(query)

    def person_of(self, session: Session, registration_id: UUID) -> UUID:
        """The person behind a registration, by the newest link."""
        row = session.get_one(PatientRecord, self.registration(session, registration_id).record_id)
        return row.person_id

    def records_of(self, session: Session, person_id: UUID) -> list[UUID]:
        """The records under a person."""
        query = select(PatientRecord.id).where(PatientRecord.person_id == person_id).order_by(PatientRecord.id)
        return list(session.scalars(query))

    def keep_order(
        self, session: Session, tenant: UUID, news: OrderNews, record_id: UUID, registration_id: UUID
    ) -> Order:
        """Store the newest word about an order of this patient."""
        return orders.keep(session, tenant, news, record_id, registration_id, self._clock.now())

    def newest_order(self, session: Session, record_id: UUID) -> Order | None:
        """The newest order of a patient record that still stands."""
        return orders.newest(session, record_id)

    def newest_orders(self, session: Session, record_ids: Sequence[UUID]) -> dict[UUID, Order]:
        """The same of many patient records, by record."""
        return orders.newest_of(session, record_ids)

    def standing_orders(self, session: Session, registration_id: UUID, modality: str) -> list[Order]:
        """The orders of this patient that stand and may be for this modality, newest first."""
        return orders.standing(session, self.registration(session, registration_id).record_id, modality)

    def order_about(
        self, session: Session, registration_id: UUID, modality: str, accessions: Collection[str]
    ) -> Order | None:
        """The order that images with these accession numbers were made for; None when that cannot be said."""
        return orders.about(self.standing_orders(session, registration_id, modality), accessions)

    def registrations_of(self, session: Session, registration_id: UUID) -> list[UUID]:
        """Every registration of the human being behind this one, wherever he was registered."""
        records = self.records_of(session, self.person_of(session, registration_id))
        return list(session.scalars(select(Registration.id).where(Registration.record_id.in_(records))))

    def links(self, session: Session, record_id: UUID) -> list[LinkEvent]:
        """How a record came to its person, oldest first."""
        return list(session.scalars(select(LinkEvent).where(LinkEvent.record_id == record_id).order_by(LinkEvent.id)))

    def add_timeline(self, source: Source) -> None:
        """Let another folder add its entries to the time line."""
        self._sources.append(source)

    def timeline(self, session: Session, actor: Actor, person_id: UUID) -> list[Entry]:
        """Everything about a person which the actor may see, newest first."""
        records = self.records_of(session, person_id)
        found = [entry for source in self._sources for entry in source(session, actor, records)]
        return sorted(found, key=lambda entry: entry.at, reverse=True)

    # -- inside -------------------------------------------------------------------------------------------------------
    def _tenants(self, session: Session, actor: Actor) -> list[UUID]:
        every = directory.hospitals(session)
        return [h.id for h in every if may(actor, "read", Facts("patient", h.id))]

    def _mine(self, session: Session, actor: Actor, record_id: UUID) -> PatientRecord:
        row = session.get(PatientRecord, record_id, with_for_update=True)
        if row is None or not may(actor, "link", Facts("patient", row.tenant)):
            raise NotFound("patient record", id=str(record_id))
        return row

    def _locked(self, session: Session, arrival: Arrival) -> PatientRecord | None:
        query = select(PatientRecord).where(
            PatientRecord.tenant == arrival.tenant,
            PatientRecord.system == arrival.system,
            PatientRecord.mrn == arrival.mrn,
        )
        return session.scalar(query.with_for_update())

    def _person(self, session: Session) -> UUID:
        person = Person(id=uuid7(), created_at=self._clock.now())
        session.add(person)
        session.flush()
        return person.id

    def _key(self, arrival: Arrival) -> str | None:
        card = id_card(arrival.id_card)
        if card is None or contradicts(card, arrival.birth_date, arrival.sex):
            return None
        return hmac.new(self._pepper, card.number.encode(), hashlib.sha256).hexdigest()

    def _verdict(self, session: Session, arrival: Arrival) -> Verdict:
        key = self._key(arrival)
        return ladder(
            arrival.name,
            arrival.sex,
            arrival.birth_date,
            card=key is not None,
            doubtful=bool(arrival.id_card) and key is None,
            candidates=self._candidates(session, arrival),
        )

    def _candidates(self, session: Session, arrival: Arrival) -> list[Candidate]:
        key = self._key(arrival)
        ways = [Registration.id_hash == key] if key else []
        if arrival.birth_date is not None:
            sounds = Registration.name_key == name_key(arrival.name)
            ways.append(and_(Registration.birth_date == arrival.birth_date, sounds))
        if not ways:
            return []
        query = (
            select(PatientRecord, Registration)
            .join(Registration, Registration.id == PatientRecord.registration_id)
            .where(or_(*ways))
            .limit(100)
        )
        return [
            Candidate(
                row.id,
                row.person_id,
                r.name,
                r.sex,
                r.birth_date,
                key is not None and r.id_hash == key,
                bool(r.id_hash),
            )
            for row, r in session.execute(query)
        ]

    def _said(self, arrival: Arrival) -> tuple[Any, ...]:
        return (
            arrival.name,
            arrival.sex,
            arrival.birth_date,
            self._key(arrival),
            masked(arrival.id_card),
            arrival.phone,
        )

    def _version(
        self, session: Session, arrival: Arrival, record_id: UUID, registration_id: UUID, version: int
    ) -> None:
        name, sex, birth_date, id_hash, id_masked, phone = self._said(arrival)
        session.add(
            Registration(
                id=registration_id,
                tenant=arrival.tenant,
                record_id=record_id,
                version=version,
                system=arrival.system,
                mrn=arrival.mrn,
                name=name,
                name_key=name_key(name),
                sex=sex,
                birth_date=birth_date,
                id_hash=id_hash,
                id_masked=id_masked,
                phone=phone,
                source=arrival.source,
                received_at=self._clock.now(),
            )
        )
        session.flush()
        search.index(session, arrival.tenant, record_id, name)

    def _event(
        self,
        session: Session,
        row: PatientRecord,
        kind: str,
        before: UUID | None,
        after: UUID,
        rule: str,
        actor: str,
        detail: dict[str, Any],
        reason: str | None = None,
    ) -> None:
        now = self._clock.now()
        event = LinkEvent(
            id=uuid7(),
            tenant=row.tenant,
            record_id=row.id,
            kind=kind,
            from_person=before,
            to_person=after,
            rule=rule,
            detail=detail,
            actor=actor,
            reason=reason,
            at=now,
        )
        session.add(event)
        data = {"record": str(row.id), "event": str(event.id), "rule": rule}
        record(session, tenant=row.tenant, kind=f"patient.{kind}", actor=actor, at=now, data=data)


def _content(r: Registration) -> tuple[Any, ...]:
    return (r.name, r.sex, r.birth_date, r.id_hash, r.id_masked, r.phone)


def _found(row: PatientRecord, r: Registration) -> Found:
    return Found(row.id, r.id, row.person_id, row.tenant, row.system, row.mrn, r.name, r.sex, r.birth_date, row.flagged)
