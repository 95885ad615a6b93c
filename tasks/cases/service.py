"""The verbs of a case: open it, relate people to it, move its state, stop its clock, find it, look at it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import literal, select, tuple_
from sqlalchemy.orm import Session

from engine.clock import Clock
from engine.db import Database, Instant, Uuid
from engine.errors import NotFound, Refused
from engine.history import record
from engine.ids import uuid7
from engine.tables import history
from engine.values import Json
from tasks.cases import refusals
from tasks.cases.errors import CaseClosed, NeedsReason, WrongState
from tasks.cases.kinds import TOLD
from tasks.cases.models import BreakGlass, CaseParty, CasePerson, ClinicalCase
from tasks.cases.refs import next_ref
from tasks.cases.search import Search, condition
from tasks.cases.states import STATES, may_follow
from tasks.cases.visibility import belongs, facts, facts_of, visible_cases, waits_for
from tasks.people import directory
from tasks.people.service import Actor, Facts, People, basis, blind_to, grants, may

__all__ = [
    "GLASS_REASONS", "STATES", "CaseFacts", "CasePerson", "Cases", "ClinicalCase", "NewCase", "Search", "belongs", "breaks_glass", "facts", "facts_of", "visible_cases", "waits_for",
]  # fmt: skip

GLASS_LASTS, GLASS_REVIEW = timedelta(minutes=60), timedelta(hours=72)
GLASS_REASONS = ("complaint", "incident", "authority", "rescue")
"""Why somebody may look past his permission: a complaint, an adverse event, an authority asks, a life is at stake."""
LOOKED: Mapping[str, tuple[str, ...]] = {
    "case": ("name", "application"), "task": ("application",), "preview": ("application",), "room": ("name", "images"), "report": ("report",), "images": ("images",), "file": ("file", "report"),
}  # fmt: skip
"""What is asked for permission when one of these is looked at."""
PAGE = 100
EVERYTHING = Search()


@dataclass(frozen=True)
class NewCase:
    """What is known when a case is opened."""

    kind: str
    applicant: UUID
    from_hospital: UUID
    registration_id: UUID | None = None
    patient_name: str | None = None
    patient_sex: str | None = None
    patient_birth: date | None = None
    to_hospital: UUID | None = None
    urgency: str = "R"
    id: UUID | None = None
    """The id to give, where the instance is started in the same transaction; None: a new one."""


@dataclass(frozen=True)
class CaseFacts:
    """A case as pages show it to one reader.

    Name and day of birth are None unless he may read the name; sex and age in full years tell everybody what he decides on.
    `expert` is None also for who scores the report.
    """

    id: UUID
    ref: str
    kind: str
    state: str
    urgency: str
    patient_name: str | None
    patient_sex: str | None
    patient_birth: date | None
    patient_age: int | None
    from_hospital: UUID
    to_hospital: UUID | None
    applicant: UUID
    expert: UUID | None
    modality: str | None
    body_part: str | None
    tag: str | None
    specialty: str | None
    consent: bool
    round: int
    registration_id: UUID | None
    instance_id: UUID
    sla: Mapping[str, datetime]
    created_at: datetime
    submitted_at: datetime | None
    published_at: datetime | None
    closed_at: datetime | None
    paused_at: datetime | None
    paused_ms: int


class Cases:
    """Reads and changes take the session of the transaction they belong to."""

    def __init__(self, db: Database, clock: Clock, people: People) -> None:
        self._db, self._clock, self._people = db, clock, people
        self._on_end: list[Callable[[Session, ClinicalCase], None]] = []
        self._on_glass: list[Callable[[Session, ClinicalCase, Actor], None]] = []

    # -- open and change ----------------------------------------------------------------------------------------------
    def open(self, session: Session, new: NewCase) -> ClinicalCase:
        """A new case in state draft, with its number and its parties; its instance has the case's own id."""
        now = self._clock.now()
        hospital = self._people.hospital(session, new.from_hospital)
        case_id = new.id or uuid7()
        case = ClinicalCase(
            id=case_id,
            tenant=hospital.id,
            ref=next_ref(session, tenant=hospital.id, code=hospital.code, kind=new.kind, at=now),
            kind=new.kind,
            state="draft",
            instance_id=case_id,
            registration_id=new.registration_id,
            patient_name=new.patient_name,
            patient_sex=new.patient_sex,
            patient_birth=new.patient_birth,
            applicant=new.applicant,
            from_hospital=hospital.id,
            urgency=new.urgency,
            consent=False,
            round=0,
            version=0,
            paused_ms=0,
            sla={},
            created_at=now,
            updated_at=now,
        )
        session.add(case)
        session.flush()
        session.add(CaseParty(case_id=case_id, hospital_id=hospital.id, part="from"))
        self.relate(session, case_id, new.applicant, "applicant")
        if new.to_hospital is not None:
            self.invite(session, case, new.to_hospital)
        return case

    def invite(self, session: Session, case: ClinicalCase, hospital_id: UUID) -> None:
        """Make a hospital the invited one: from now on it sees the case."""
        if case.to_hospital not in (None, hospital_id):
            old = session.get(CaseParty, (case.id, case.to_hospital, "to"))
            if old is not None:
                session.delete(old)
        case.to_hospital = hospital_id
        if session.get(CaseParty, (case.id, hospital_id, "to")) is None:
            session.add(CaseParty(case_id=case.id, hospital_id=hospital_id, part="to"))

    def relate(self, session: Session, case_id: UUID, account_id: UUID, part: str) -> None:
        """Somebody has a part in the case; said twice, it is one row."""
        if session.get(CasePerson, (case_id, account_id, part)) is None:
            session.add(CasePerson(case_id=case_id, account_id=account_id, part=part, since=self._clock.now()))
            session.flush()

    def release(self, session: Session, case_id: UUID, account_id: UUID, part: str) -> None:
        """Somebody no longer has this part (an offer that was declined)."""
        row = session.get(CasePerson, (case_id, account_id, part))
        if row is not None:
            session.delete(row)

    def people_of(self, session: Session, case_id: UUID, part: str) -> list[UUID]:
        """Who has this part, in the order in which they got it."""
        query = select(CasePerson.account_id).where(CasePerson.case_id == case_id, CasePerson.part == part)
        return list(session.scalars(query.order_by(CasePerson.since)))

    def set_state(self, session: Session, case_id: UUID, state: str) -> ClinicalCase:
        """Move the case; the instants of submission, publication and end are kept. WrongState."""
        case = self.get(session, case_id)
        if not may_follow(case.state, state):
            raise WrongState(f"{case.state} → {state}", case=str(case_id))
        now = self._clock.now()
        case.state, case.updated_at = state, now
        if state == "submitted" and case.submitted_at is None:
            case.submitted_at = now
        if state == "published" and case.published_at is None:
            case.published_at = now
        if STATES[state].end and case.closed_at is None:
            self.resume(session, case_id)
            case.closed_at = now
            for ended in self._on_end:
                ended(session, case)
        return case

    def on_end(self, hook: Callable[[Session, ClinicalCase], None]) -> None:
        """Have `hook` called in the transaction in which a case ends: what it held is given back there."""
        self._on_end.append(hook)

    def close(self, session: Session, case_id: UUID, reason: str) -> ClinicalCase:
        """End the case for a reason (withdrawn, rejected, expired, died, identity). CaseClosed after another end."""
        case = self.get(session, case_id)
        if case.closed_at is not None and case.stop_reason != reason:
            raise CaseClosed(case=str(case_id))
        case.stop_reason = reason
        return self.set_state(session, case_id, reason)

    def pause(self, session: Session, case_id: UUID, reason: str) -> None:
        """Stop the clock while the applying side owes something; while it stands, nothing changes."""
        case = self.get(session, case_id)
        if case.paused_at is None and case.closed_at is None:
            case.paused_at, case.paused_for = self._clock.now(), reason

    def resume(self, session: Session, case_id: UUID) -> None:
        """Let the clock run again and push the later limits back by the pause."""
        case = self.get(session, case_id)
        if case.paused_at is None:
            return
        stood = self._clock.now() - case.paused_at
        limits = {name: datetime.fromisoformat(at) for name, at in case.sla.items()}
        case.sla = {n: (at + stood if at > case.paused_at else at).isoformat() for n, at in limits.items()}
        case.paused_ms += int(stood / timedelta(milliseconds=1))
        case.paused_at = case.paused_for = None

    def set_limits(self, session: Session, case_id: UUID, limits: Mapping[str, datetime]) -> None:
        """Fix absolute limits (accept, start, report, postqc, ...); a limit that is fixed already stays."""
        case = self.get(session, case_id)
        case.sla = {name: at.isoformat() for name, at in limits.items()} | case.sla

    # -- look ---------------------------------------------------------------------------------------------------------
    def get(self, session: Session, case_id: UUID) -> ClinicalCase:
        """The row, for the work of services: no permission is checked. NotFound."""
        case = session.get(ClinicalCase, case_id)
        if case is None:
            raise NotFound("case", id=str(case_id))
        return case

    def facts(self, session: Session, case: ClinicalCase, kind: str = "case") -> Facts:
        """The case for `may`."""
        return facts(session, case, self._clock.now(), kind)

    def allowed(self, session: Session, actor: Actor, case: ClinicalCase, kind: str, action: str) -> bool:
        """Whether the actor may do this to this part (application, images, report, ...) of the case."""
        return may(actor, action, self.facts(session, case, kind))

    def require(self, session: Session, actor: Actor, case_id: UUID, kind: str, action: str) -> ClinicalCase:
        """The row, if the actor may. NotFound otherwise: what one may not see does not exist."""
        case = session.get(ClinicalCase, case_id)
        if case is None or not self.allowed(session, actor, case, kind, action):
            raise NotFound("case", id=str(case_id))
        return case

    def view(self, session: Session, actor: Actor, case_id: UUID) -> CaseFacts:
        """The case as this actor may see it. NotFound."""
        case = self.require(session, actor, case_id, "case", "list")
        return self.shown_to(session, actor, [case])[0]

    def hidden(self, session: Session, actor: Actor, case: ClinicalCase) -> frozenset[UUID]:
        """The accounts whose names this reader must not find anywhere in the case: a scorer is blind to whose report it is.

        Not those alone who wrote it: had he the names of the others who were asked, he could tell who is left."""
        writers = blind_to(actor, self.facts(session, case))
        if not writers or case.to_hospital is None:
            return writers
        might = directory.held(session, ("expert", "reviewer"), case.to_hospital)
        return writers | might - {actor.account_id}

    def shown_to(self, session: Session, actor: Actor, cases: list[ClinicalCase]) -> list[CaseFacts]:
        """Rows a query already filtered, each with the name only where this actor may see it."""
        now = self._clock.now()
        known = facts_of(session, cases, now, "name")
        return [
            shown(case, now, named=may(actor, "read", facts), blind=case.expert in blind_to(actor, facts))
            for case in cases
            for facts in [known[case.id]]
        ]

    def readable(self, session: Session, actor: Actor, case_ids: Sequence[UUID], kind: str) -> list[UUID]:
        """Those of the cases of which the actor may read this part, by a handful of queries for all of them."""
        cases = list(session.scalars(select(ClinicalCase).where(ClinicalCase.id.in_(case_ids))))
        known = facts_of(session, cases, self._clock.now(), kind)
        return [case.id for case in cases if may(actor, "read", known[case.id])]

    def find(
        self,
        session: Session,
        actor: Actor,
        search: Search = EVERYTHING,
        *,
        before: tuple[datetime, UUID] | None = None,
        limit: int = PAGE,
    ) -> list[CaseFacts]:
        """The newest visible cases of a search, at most 100; go on with `before=(created_at, id)` of the last."""
        query = select(ClinicalCase).where(condition(search, actor, self._clock.now()))
        if before is not None:
            bound = tuple_(literal(before[0], Instant), literal(before[1], Uuid))
            query = query.where(tuple_(ClinicalCase.created_at, ClinicalCase.id) < bound)
        query = query.order_by(ClinicalCase.created_at.desc(), ClinicalCase.id.desc())
        return self.shown_to(session, actor, list(session.scalars(query.limit(min(limit, PAGE)))))

    def note_view(self, actor: Actor, case_id: UUID, what: str, *, once: bool = False) -> None:
        """Record that somebody looked at patient data of a case (`what`: case, task, preview, room, images, report, file), and why he
        might. `once` an hour for what a page shows by itself."""
        if once and self._noted(actor, case_id, what):
            return
        with self._db.transaction() as session:
            case = self.get(session, case_id)
            data: dict[str, Json] = {"case": str(case.id), "what": what} | self.why(session, actor, case, what)
            record(
                session, tenant=case.tenant, kind="view", actor=actor.id, at=self._clock.now(), instance_id=case.instance_id, data=data
            )  # fmt: skip

    def _noted(self, actor: Actor, case_id: UUID, what: str) -> bool:
        """Whether this hour's record says already that the actor looked at this."""
        since = self._clock.now() - timedelta(hours=1)
        with self._db.read() as session:
            query = select(history.c.data).where(
                history.c.actor == actor.id, history.c.kind == "view", history.c.at > since
            )
            told = [json.loads(data) for data in session.scalars(query.where(TOLD))]
        return any((one.get("case"), one.get("what")) == (str(case_id), what) for one in told)

    def why(self, session: Session, actor: Actor, case: ClinicalCase, what: str) -> dict[str, Json]:
        """By which rule somebody may look at this part of a case now, and from where; kept with the entry, since rules, roles and
        parts change."""
        kinds = LOOKED.get(what, ("application",))
        found = next((b for kind in (*kinds, "case") for b in [self._basis(session, actor, case, kind)] if b), {})
        told: dict[str, Json] = {**found}
        if found.get("by") == "glass":
            mine = select(BreakGlass.reason).where(
                BreakGlass.case_id == case.id, BreakGlass.account_id == actor.account_id
            )
            told["reason"] = session.scalar(mine.order_by(BreakGlass.ends_at.desc()).limit(1))
        return told | ({"address": actor.address} if actor.address else {})

    def _basis(self, session: Session, actor: Actor, case: ClinicalCase, kind: str) -> dict[str, str]:
        return basis(actor, "list" if kind == "case" else "read", self.facts(session, case, kind))

    def note_refused(self, actor: Actor, where: str, case_id: UUID | None = None) -> None:
        """Record that somebody was refused a page (`where`), or a case that exists; the same again within the hour is not."""
        with self._db.transaction() as session:
            case = session.get(ClinicalCase, case_id) if case_id else None
            if case is not None or case_id is None:
                refusals.note(session, actor, where, case, self._clock.now())

    def break_glass(self, actor: Actor, case_id: UUID, reason: str, words: str) -> datetime:
        """Emergency access for 60 minutes, recorded and to be reviewed within 72 hours; returns when it ends.

        NotFound for a role that gains nothing by it, NeedsReason."""
        now = self._clock.now()
        with self._db.transaction() as session:
            case = self.require(session, actor, case_id, "case", "list")
            if not breaks_glass(actor):
                raise NotFound("case", id=str(case_id))
            if reason not in GLASS_REASONS or len(words.strip()) < 10:
                raise NeedsReason
            access = BreakGlass(
                id=uuid7(),
                tenant=case.tenant,
                case_id=case.id,
                account_id=actor.account_id,
                reason=reason,
                words=words.strip()[:500],
                opened_at=now,
                ends_at=now + GLASS_LASTS,
                review_by=now + GLASS_REVIEW,
            )
            session.add(access)
            data: dict[str, Json] = {"case": str(case.id), "access": str(access.id), "reason": reason}
            data |= {"address": actor.address} if actor.address else {}
            record(
                session, tenant=case.tenant, kind="break_glass", actor=actor.id, at=now, instance_id=case.instance_id, data=data
            )  # fmt: skip
            session.flush()
            for told in self._on_glass:
                told(session, case, actor)
        return now + GLASS_LASTS

    def on_glass(self, hook: Callable[[Session, ClinicalCase, Actor], None]) -> None:
        """Have `hook` called in the transaction in which somebody looks past his permission."""
        self._on_glass.append(hook)

    def glass(self, session: Session, actor: Actor, case_id: UUID) -> datetime | None:
        """Until when this actor's emergency access to a case is open; None: it is not."""
        mine = select(BreakGlass.ends_at).where(
            BreakGlass.case_id == case_id, BreakGlass.account_id == actor.account_id
        )
        return session.scalar(
            mine.where(BreakGlass.ends_at > self._clock.now()).order_by(BreakGlass.ends_at.desc()).limit(1)
        )

    def to_review(self, session: Session, actor: Actor) -> list[tuple[BreakGlass, ClinicalCase]]:
        """Emergency accesses nobody has judged yet, in cases whose whole record this actor reads; the oldest first."""
        query = select(BreakGlass, ClinicalCase).join(ClinicalCase, ClinicalCase.id == BreakGlass.case_id)
        query = query.where(
            BreakGlass.reviewed_at.is_(None), belongs(actor, "history", "read", ClinicalCase.tenant, ClinicalCase.id)
        )
        return [(access, case) for access, case in session.execute(query.order_by(BreakGlass.opened_at).limit(PAGE))]

    def review_glass(self, actor: Actor, access_id: UUID, *, justified: bool) -> None:
        """Judge an emergency access of another; the verdict is an entry of the record. NotFound, Refused for one's own."""
        with self._db.transaction() as session:
            known = {access.id: (access, case) for access, case in self.to_review(session, actor)}
            if access_id not in known:
                raise NotFound("emergency access", id=str(access_id))
            access, case = known[access_id]
            if access.account_id == actor.account_id:
                raise Refused("an emergency access is judged by another person")
            access.reviewed_by, access.reviewed_at = actor.account_id, self._clock.now()
            data: dict[str, Json] = {"case": str(case.id), "access": str(access.id), "justified": justified}
            record(
                session, tenant=case.tenant, kind="break_glass.reviewed", actor=actor.id, at=self._clock.now(),
                instance_id=case.instance_id, data=data,
            )  # fmt: skip


def breaks_glass(actor: Actor) -> bool:
    """Whether an emergency access opens anything to this actor."""
    return any("glass" in grants(role, "application", "read") for role in actor.roles)


def age(birth: date | None, at: datetime) -> int | None:
    """Full years on a day in the zone of `at`."""
    return None if birth is None else at.year - birth.year - ((at.month, at.day) < (birth.month, birth.day))


def shown(case: ClinicalCase, at: datetime, *, named: bool, blind: bool = False) -> CaseFacts:
    """The row as pages show it at an instant, with the patient's name or without; `blind` leaves out the expert."""
    return CaseFacts(
        id=case.id,
        ref=case.ref,
        kind=case.kind,
        state=case.state,
        urgency=case.urgency,
        patient_name=case.patient_name if named else None,
        patient_sex=case.patient_sex,
        patient_birth=case.patient_birth if named else None,
        patient_age=age(case.patient_birth, at),
        from_hospital=case.from_hospital,
        to_hospital=case.to_hospital,
        applicant=case.applicant,
        expert=None if blind else case.expert,
        modality=case.modality,
        body_part=case.body_part,
        tag=case.tag,
        specialty=case.specialty,
        consent=case.consent,
        round=case.round,
        registration_id=case.registration_id,
        instance_id=case.instance_id,
        sla={name: datetime.fromisoformat(at) for name, at in case.sla.items()},
        created_at=case.created_at,
        submitted_at=case.submitted_at,
        published_at=case.published_at,
        closed_at=case.closed_at,
        paused_at=case.paused_at,
        paused_ms=case.paused_ms,
    )
