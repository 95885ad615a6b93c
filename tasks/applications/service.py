"""The verbs of applications: open one, take orders, freeze what was applied for, stop a case, say how far it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.api import Engine
from engine.clock import Clock
from engine.db import Database
from engine.errors import NotFound
from engine.history import record
from engine.ids import uuid7
from engine.tables import wait
from engine.values import Json, digest
from forms import FormDef
from tasks.applications import progress, stopping
from tasks.applications.errors import NoAccess, Published, Signed
from tasks.applications.intake import FORMS, Intake
from tasks.applications.models import Frozen
from tasks.applications.prefill import Prefill
from tasks.applications.progress import Mark, Step
from tasks.cases.service import Cases, ClinicalCase, NewCase
from tasks.files.service import Files
from tasks.imaging.service import Imaging, StudyFacts
from tasks.patients.service import Arrival, Found, Order, OrderNews, Patients, Registered
from tasks.people.service import Actor, Facts, People, directory, may
from tasks.worklist.service import EVERY, OpenedTask, Worklist

__all__ = [
    "Applications", "Candidate", "Frozen", "NoAccess", "Order", "OrderNews", "Published", "Signed", "Step",
]  # fmt: skip

PROCESS, KIND = "consultation", "RC"
CONSENT = timedelta(hours=24)
"""How long after the application the written consent of an emergency may follow."""


@dataclass(frozen=True)
class Candidate:
    """A patient an application may be opened for, with his newest studies and the order that stands."""

    patient: Found
    studies: list[StudyFacts]
    order: Order | None


class Applications:
    """From the opened application to its end. Registers the checks of its forms with the worklist."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        engine: Engine,
        people: People,
        cases: Cases,
        patients: Patients,
        imaging: Imaging,
        files: Files,
        worklist: Worklist,
    ) -> None:
        self._db, self._clock, self._engine, self._people, self._cases = db, clock, engine, people, cases
        self._patients, self._imaging, self._worklist = patients, imaging, worklist
        self._prefill = Prefill(clock, people, cases, patients, imaging, worklist)
        intake = Intake(cases, imaging, files)
        worklist.before_submit(EVERY, self._prefill.offered)
        worklist.before_submit("apply", intake.apply)
        worklist.before_submit("supplement", intake.supplement)
        worklist.before_submit("consent", intake.consent)
        for form in sorted(FORMS):
            worklist.before_submit(form, intake.move)

    # -- what the hospital's systems say ------------------------------------------------------------------------------
    def receive_patient(self, session: Session, arrival: Arrival, *, actor: str) -> Registered:
        """Register a patient, and give him the studies that came before him."""
        known = self._patients.register(session, arrival, actor=actor)
        self._imaging.link_waiting(session, self._patients.registration(session, known.registration_id))
        return known

    def receive_order(self, session: Session, arrival: Arrival, news: OrderNews, *, actor: str) -> Order:
        """Register the patient of an order and keep the newest word about it."""
        known = self.receive_patient(session, arrival, actor=actor)
        order = self._patients.keep_order(session, arrival.tenant, news, known.record_id, known.registration_id)
        data: dict[str, Json] = {"record": str(known.record_id), "status": order.status}
        record(session, tenant=arrival.tenant, kind="order.received", actor=actor, at=self._clock.now(), data=data)
        return order

    # -- open ---------------------------------------------------------------------------------------------------------
    def candidates(self, session: Session, actor: Actor, words: str) -> list[Candidate]:
        """Patients that match, of every hospital where the actor may apply; nothing for an empty query."""
        found = [
            f
            for f in self._patients.find(session, actor, words)
            if may(actor, "create", Facts("application", f.tenant))
        ]
        records = [f.record_id for f in found]
        studies = self._imaging.of_records(session, records)
        orders = self._patients.newest_orders(session, records)
        return [Candidate(f, studies.get(f.record_id, [])[:3], orders.get(f.record_id)) for f in found]

    def open(self, actor: Actor, registration_id: UUID, key: str) -> tuple[UUID, UUID]:
        """A new application for a patient of a hospital where the actor may apply: case id and the task to fill in.

        Case and instance begin in one transaction; the same key again gives the same two ids. NotFound.
        """
        with self._db.read() as session:
            patient = self._patients.readable(session, actor, registration_id)
        if not may(actor, "create", Facts("application", patient.tenant)):
            raise NotFound("registration", id=str(registration_id))
        case_id = uuid7()
        context: dict[str, Json] = {
            "id": str(case_id), "kind": KIND, "from": str(patient.tenant), "to": None, "applicant": actor.id,
            "urgency": "R",
        }  # fmt: skip
        with self._engine.start(
            PROCESS,
            tenant=patient.tenant,
            business_key=str(case_id),
            data={"case": context},
            key=key,
            actor=actor.id,
            instance_id=case_id,
        ) as tx:
            if tx.repeated:
                case_id = tx.instance_id
            else:
                new = NewCase(
                    kind=KIND,
                    applicant=actor.account_id,
                    from_hospital=patient.tenant,
                    registration_id=patient.id,
                    patient_name=patient.name,
                    patient_sex=patient.sex,
                    patient_birth=patient.birth_date,
                    id=case_id,
                )
                self._cases.open(tx.session, new)
                tx.reply(str(case_id))
        with self._db.read() as session:
            query = select(wait.c.task_id).where(wait.c.instance_id == case_id, wait.c.form == "apply")
            task_id: UUID | None = session.scalar(query)
        if task_id is None:
            raise NotFound("task", case=str(case_id))
        return case_id, task_id

    # -- for the process ----------------------------------------------------------------------------------------------
    def snapshot(self, session: Session, case_id: UUID) -> dict[str, Json]:
        """Freeze what was applied for and return the case as models know it; unchanged content keeps its version."""
        case = self._cases.get(session, case_id)
        content = self._content(session, case)
        sha256 = digest(content)
        newest = self.frozen(session, case_id)
        if newest is None or newest.sha256 != sha256:
            case.version += 1
            newest = Frozen(
                case_id=case_id,
                version=case.version,
                tenant=case.tenant,
                sha256=sha256,
                content=content,
                frozen_at=self._clock.now(),
            )
            session.add(newest)
            session.flush()
        return {
            "id": str(case.id), "ref": case.ref, "kind": case.kind, "from": str(case.from_hospital),
            "to": str(case.to_hospital) if case.to_hospital else None, "applicant": str(case.applicant),
            "urgency": case.urgency, "modality": case.modality, "part": case.body_part, "tag": case.tag,
            "specialty": case.specialty, "consent": case.consent, "mode": case.mode, "version": newest.version,
            "hash": newest.sha256,
        }  # fmt: skip

    def frozen(self, session: Session, case_id: UUID) -> Frozen | None:
        """The newest frozen application; for services, no permission is checked."""
        query = select(Frozen).where(Frozen.case_id == case_id).order_by(Frozen.version.desc()).limit(1)
        return session.scalar(query)

    def set_state(self, session: Session, case_id: UUID, state: str) -> None:
        """Move the case. WrongState."""
        self._cases.set_state(session, case_id, state)

    def close(self, session: Session, case_id: UUID, reason: str) -> None:
        """End the case for a reason."""
        self._cases.close(session, case_id, reason)

    def pause_clock(self, session: Session, case_id: UUID, reason: str) -> None:
        """Stop the case's clock."""
        self._cases.pause(session, case_id, reason)

    def resume_clock(self, session: Session, case_id: UUID) -> None:
        """Let the case's clock run again."""
        self._cases.resume(session, case_id)

    def consent_due(self, session: Session, case_id: UUID) -> datetime | None:
        """When the written consent of an emergency is due, 24 hours after the application; None when it is there or settled."""
        if self._cases.get(session, case_id).consent or self._worklist.submissions(session, case_id, "consent"):
            return None
        return self.consent_limit(session, case_id)

    def consent_limit(self, session: Session, case_id: UUID) -> datetime:
        """The end of the 24 hours in which a written consent may follow, owed or not."""
        case = self._cases.get(session, case_id)
        return (case.submitted_at or case.created_at) + CONSENT

    def consent_overdue(self, session: Session, case_id: UUID) -> None:
        """Write down that the consent did not come in time."""
        case = self._cases.get(session, case_id)
        now = self._clock.now()
        record(
            session, tenant=case.tenant, kind="consent.overdue", actor="worker", at=now, instance_id=case.instance_id, data={},
        )  # fmt: skip

    # -- stop ---------------------------------------------------------------------------------------------------------
    def stop(self, actor: Actor, case_id: UUID, reason: str, key: str) -> None:
        """End the case: withdrawn before signature, died or identity before publication.

        Raises NotFound, NoAccess, Refused, and Signed or Published when it is too late, whose advice is an amendment.
        """
        with self._db.read() as session:
            case = self._seen(session, actor, case_id)
        with self._engine.begin(case.instance_id, key, actor=actor.id) as tx:
            if tx.repeated:
                return
            case = self._seen(tx.session, actor, case_id)
            signed, over = self._stage(tx.session, case)
            facts = self._cases.facts(tx.session, case)
            stopping.check(actor, facts, reason, signed=signed, over=over or tx.status != "running")
            tx.note("case.stop", {"reason": reason})
            if not tx.message("case.stop", {"reason": reason}):
                raise Published(case=str(case_id))

    def may_stop(self, session: Session, actor: Actor, case_id: UUID) -> list[str]:
        """The reasons for which this actor could stop the case now: what its page offers."""
        case = self._seen(session, actor, case_id)
        signed, over = self._stage(session, case)
        return stopping.reasons(actor, self._cases.facts(session, case), signed=signed, over=over)

    # -- pages --------------------------------------------------------------------------------------------------------
    def prefill(self, session: Session, case_id: UUID, form: FormDef) -> tuple[dict[str, Any], dict[str, str]]:
        """Values by field name for every `default_from` something is known of, and where each came from."""
        return self._prefill.values(session, self._cases.get(session, case_id), form)

    def options(self, session: Session, task: OpenedTask, lang: str = "zh") -> dict[str, list[tuple[str, str]]]:
        """The choices of person, hospital and study fields of a task's form as (value, label)."""
        return self._prefill.options(session, task, lang)

    def progress(self, session: Session, actor: Actor, case_id: UUID) -> list[Step]:
        """The nine steps from application to publication, with the names this reader may learn."""
        case = self._cases.get(session, case_id)
        open_ones = select(wait.c.process, wait.c.node, wait.c.person, wait.c.created_at, wait.c.kind).where(
            wait.c.instance_id == case.instance_id
        )
        waiting = [Mark(r.process, r.node, r.person, r.created_at, r.kind) for r in session.execute(open_ones)]
        done = [
            Mark(s.process, s.node, s.account_id, s.submitted_at) for s in self._worklist.submissions(session, case_id)
        ]
        names = directory.names(session, [m.who for m in (*waiting, *done) if m.who is not None])
        for covered in self._cases.hidden(session, actor, case):
            names.pop(covered, None)
        return progress.line(waiting, done, names, case.published_at)

    # -- inside -------------------------------------------------------------------------------------------------------
    def _seen(self, session: Session, actor: Actor, case_id: UUID) -> ClinicalCase:
        return self._cases.require(session, actor, case_id, "case", "list")

    def _stage(self, session: Session, case: ClinicalCase) -> tuple[bool, bool]:
        signed = bool(self._worklist.submissions(session, case.id, "sign"))
        return signed, case.published_at is not None or case.closed_at is not None

    def _content(self, session: Session, case: ClinicalCase) -> dict[str, Any]:
        applied = self._worklist.submissions(session, case.id, "apply")
        added = self._worklist.submissions(session, case.id, "supplement")
        return {
            "registration": str(case.registration_id) if case.registration_id else None,
            "application": applied[-1].data if applied else None,
            "form": applied[-1].form_pin if applied else None,
            "supplements": [s.data for s in added],
            "studies": sorted(s.study_uid for s in self._imaging.of_case(session, case.id)),
        }
