"""Proposes experts, and keeps track of whom is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from engine import Call, uuid7
from engine.tables import wait
from engine.values import Json
from tasks.cases.service import CasePerson, Cases, ClinicalCase
from tasks.people import directory
from tasks.people.models import Account
from tasks.triage.matching import Candidate, Proposal, rank
from tasks.triage.models import Hold, TriageProposal
from tasks.worklist.service import Submitting, Worklist

RECENT = timedelta(days=30)


class Triage:
    """Ranking from rota, specialty, title and load."""

    def __init__(self, cases: Cases, worklist: Worklist) -> None:
        self._cases = cases
        cases.on_end(self._ended)
        worklist.before_submit("offer_reply", self._answered)
        worklist.before_submit("dispatch", self._dispatched)

    def rank(self, call: Call) -> Mapping[str, Json]:
        """`triage.rank`: keep explained proposals, hand on the ids of those who may be asked, best first."""
        session = call.session
        case = self._cases.get(session, UUID(str(call.args["case"])))
        ranked = rank(self._people(session, case, call.now), pool=str(call.args["pool"]), title=str(call.args["title"]))
        session.execute(delete(TriageProposal).where(TriageProposal.case_id == case.id))
        session.add_all(_row(case, place, proposal, call.now) for place, proposal in enumerate(ranked, 1))
        if case.closed_at is None:
            self._cases.set_state(session, case.id, "triage")
        fit = [p.id for p in ranked if not p.excluded]
        return {"candidates": fit, "best": fit[0] if fit else ""}

    def _people(self, session: Session, case: ClinicalCase, now: datetime) -> list[Candidate]:
        if case.to_hospital is None:
            return []
        duty = {account.id for account, _ in directory.on_duty(session, case.to_hospital, now, role="expert")}
        return [
            self._candidate(session, account, case, account.id in duty, now)
            for account in directory.holders(session, "expert", case.to_hospital, now)
        ]

    def _candidate(
        self, session: Session, account: Account, case: ClinicalCase, on_duty: bool, now: datetime
    ) -> Candidate:
        since = now - RECENT
        waiting = session.scalar(select(func.count()).where(wait.c.kind == "user", wait.c.person == account.id))
        held = select(func.count(func.distinct(Hold.case_id))).where(Hold.account_id == account.id)
        busy = session.scalar(held.where(Hold.state == "held"))
        answered = session.scalar(held.where(Hold.created_at >= since))
        declined = session.scalar(held.where(Hold.state == "released", Hold.created_at >= since))
        last = session.scalar(select(func.max(Hold.created_at)).where(Hold.account_id == account.id))
        part = select(CasePerson.part).where(CasePerson.case_id == case.id, CasePerson.account_id == account.id)
        parts = set(session.scalars(part)) & {"applicant", "approver"}
        return Candidate(
            id=str(account.id), name=account.name, title=account.title or "resident", specialties=tuple(account.specialties),
            on_duty=on_duty, waiting=int(waiting or 0), open_cases=int(busy or 0), recent_declines=int(declined or 0),
            answered_30d=int(answered or 0), idle_minutes=int((now - last).total_seconds() // 60) if last else 10**6,
            conflict="申请人" if parts else "",
        )  # fmt: skip

    def proposals(self, session: Session, case_id: UUID) -> list[TriageProposal]:
        """The proposals for a case, best first."""
        query = select(TriageProposal).where(TriageProposal.case_id == case_id)
        return list(session.scalars(query.order_by(TriageProposal.place)))

    def reserve(self, call: Call) -> Mapping[str, Json]:
        """`triage.reserve`: the expert is asked; he counts as busy and may see the case while the offer is open."""
        session = call.session
        case = self._cases.get(session, UUID(str(call.args["case"])))
        expert, now = UUID(str(call.args["expert"])), call.now
        hold = Hold(
            id=uuid7(), tenant=case.tenant, case_id=case.id, account_id=expert, minutes=int(str(call.args["minutes"])), state="held",
            created_at=now,
        )  # fmt: skip
        session.add(hold)
        if case.closed_at is None:
            self._cases.set_state(session, case.id, "offered")
        return {"hold": str(hold.id)}

    def release(self, call: Call) -> Mapping[str, Json]:
        """`triage.release`: he declined or kept silent."""
        session = call.session
        query = select(Hold).where(
            Hold.case_id == UUID(str(call.args["case"])),
            Hold.account_id == UUID(str(call.args["expert"])),
            Hold.state == "held",
        )
        for hold in session.scalars(query):
            hold.state, hold.released_at = "released", call.now
        return {}

    def _answered(self, step: Submitting) -> None:
        """The one who accepts becomes the case's expert; a substitute answers for himself."""
        if step.case is not None and step.data.get("accepted") is True:
            self._appoint(step.session, step.case, step.task.person or step.actor.account_id)

    def _dispatched(self, step: Submitting) -> None:
        if step.case is not None:
            self._appoint(step.session, step.case, UUID(str(step.data["expert"])))

    def _appoint(self, session: Session, case: ClinicalCase, expert: UUID) -> None:
        case.expert = expert
        self._cases.relate(session, case.id, expert, "expert")
        self._cases.set_state(session, case.id, "accepted")

    def _ended(self, session: Session, case: ClinicalCase) -> None:
        """Nobody is held by a case that has ended; `freed` is no decline, which `released` is."""
        for hold in session.scalars(select(Hold).where(Hold.case_id == case.id, Hold.state == "held")):
            hold.state, hold.released_at = "freed", case.closed_at


def _row(case: ClinicalCase, place: int, proposal: Proposal, now: datetime) -> TriageProposal:
    return TriageProposal(
        case_id=case.id, account_id=UUID(proposal.id), tenant=case.tenant, place=place, score=proposal.score,
        excluded=proposal.excluded, excluded_en=proposal.excluded_en, parts=[asdict(p) for p in proposal.parts], created_at=now,
    )  # fmt: skip
