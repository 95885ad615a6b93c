"""Proposes experts, and keeps track of whom is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from engine import BpmnError, Call
from engine.values import Json
from tasks.cases.service import Cases, ClinicalCase
from tasks.patients.service import Patients
from tasks.triage import holds, standing
from tasks.triage.matching import Proposal, rank
from tasks.triage.models import TriageProposal
from tasks.worklist.service import FormInvalid, Submitting, Worklist

CONFLICT: Final = "须回避：属申请方，或已参与本例。"
NO_PLACE: Final = "该专家在手病例已满。"
APPOINTED: Final = 30
"""Minutes kept for an expert who is appointed without having been asked."""


class Triage:
    """Ranking from rota, specialty, title and load."""

    def __init__(self, cases: Cases, patients: Patients, worklist: Worklist) -> None:
        self._cases, self._patients = cases, patients
        cases.on_end(self._ended)
        worklist.before_submit("triage", self._chosen)
        worklist.before_submit("offer_reply", self._answered)
        worklist.before_submit("dispatch", self._dispatched)

    def rank(self, call: Call) -> Mapping[str, Json]:
        """`triage.rank`: keep explained proposals, hand on the ids of those who may be asked, best first."""
        session = call.session
        case = self._cases.get(session, UUID(str(call.args["case"])))
        people = standing.candidates(session, self._patients, case, call.now)
        ranked = rank(people, pool=str(call.args["pool"]), title=str(call.args["title"]))
        session.execute(delete(TriageProposal).where(TriageProposal.case_id == case.id))
        session.add_all(_row(case, place, proposal, call.now) for place, proposal in enumerate(ranked, 1))
        if case.closed_at is None:
            self._cases.set_state(session, case.id, "triage")
        fit = [p.id for p in ranked if not p.excluded]
        return {"candidates": fit, "best": fit[0] if fit else ""}

    def proposals(self, session: Session, case_id: UUID) -> list[TriageProposal]:
        """The proposals for a case, best first."""
        query = select(TriageProposal).where(TriageProposal.case_id == case_id)
        return list(session.scalars(query.order_by(TriageProposal.place)))

    def reserve(self, call: Call) -> Mapping[str, Json]:
        """`triage.reserve`: he is asked and counts as busy. BpmnError full when he has no place for another case."""
        session = call.session
        case = self._cases.get(session, UUID(str(call.args["case"])))
        minutes = int(str(call.args["minutes"]))
        hold = holds.take(session, case, UUID(str(call.args["expert"])), minutes, call.now)
        if case.closed_at is None:
            self._cases.set_state(session, case.id, "offered")
        return {"hold": str(hold.id)}

    def release(self, call: Call) -> Mapping[str, Json]:
        """`triage.release`: he declined, kept silent or had no place; whoever answered no has no part in the case."""
        session = call.session
        case = self._cases.get(session, UUID(str(call.args["case"])))
        expert = UUID(str(call.args["expert"]))
        asked = [hold for hold in holds.of_case(session, case.id) if hold.account_id == expert]
        holds.give_back(asked, "released", call.now)
        for who in self._cases.people_of(session, case.id, "expert"):
            if who != case.expert:
                self._cases.release(session, case.id, who, "expert")
        return {}

    # -- hooks --------------------------------------------------------------------------------------------------------
    def _chosen(self, step: Submitting) -> None:
        if step.case is not None and step.data.get("back") is not True:
            self._unbiased(step, step.case, "experts", [UUID(str(who)) for who in step.data["experts"]])

    def _answered(self, step: Submitting) -> None:
        """The one who accepts becomes the case's expert; a substitute answers for himself."""
        if step.case is None or step.data.get("accepted") is not True:
            return
        expert = step.task.person or step.actor.account_id
        self._unbiased(step, step.case, "accepted", [step.actor.account_id, expert])
        self._appoint(step, step.case, expert)

    def _dispatched(self, step: Submitting) -> None:
        if step.case is None:
            return
        expert = UUID(str(step.data["expert"]))
        self._unbiased(step, step.case, "expert", [expert])
        try:
            self._appoint(step, step.case, expert)
        except BpmnError as full:
            raise FormInvalid({"expert": [NO_PLACE]}) from full

    def _unbiased(self, step: Submitting, case: ClinicalCase, field: str, people: list[UUID]) -> None:
        """Nobody with a conflict of interest answers, though the form would let him be chosen. FormInvalid."""
        if standing.conflicts(step.session, case, people, step.now):
            raise FormInvalid({field: [CONFLICT]})

    def _appoint(self, step: Submitting, case: ClinicalCase, expert: UUID) -> None:
        minutes = next((h.minutes for h in holds.of_case(step.session, case.id)), APPOINTED)
        own = holds.take(step.session, case, expert, minutes, step.now)
        own.answered_at = step.now
        others = [h for h in holds.of_case(step.session, case.id) if h.account_id != expert]
        holds.give_back(others, "freed", step.now)
        case.expert = expert
        self._cases.relate(step.session, case.id, expert, "expert")
        self._cases.set_state(step.session, case.id, "accepted")

    def _ended(self, session: Session, case: ClinicalCase) -> None:
        """Nobody is held by a case that has ended; `freed` is no decline, which `released` is."""
        holds.give_back(holds.of_case(session, case.id), "freed", case.closed_at or case.updated_at)


def _row(case: ClinicalCase, place: int, proposal: Proposal, now: datetime) -> TriageProposal:
    return TriageProposal(
        case_id=case.id, account_id=UUID(proposal.id), tenant=case.tenant, place=place, score=proposal.score,
        excluded=proposal.excluded, excluded_en=proposal.excluded_en, parts=[asdict(p) for p in proposal.parts], created_at=now,
    )  # fmt: skip
