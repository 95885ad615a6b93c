"""Pre-QC reports, hints on reports, and scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import Call, Clock, Permanent, uuid7
from engine.values import Json
from tasks.cases.service import Cases, ClinicalCase
from tasks.imaging.service import Imaging
from tasks.patients.service import Patients
from tasks.people import directory
from tasks.quality import hints as rules
from tasks.quality import prescan, scoring
from tasks.quality.checks import Claimed
from tasks.quality.errors import Blocked, HintsStand
from tasks.quality.facts import sides
from tasks.quality.models import QualityCheck, ReportHint, ReportScore
from tasks.worklist.service import Submitting, Worklist

DUPLICATE = timedelta(days=7)
"""An application as young as this with the same study may be the same question twice."""


class Quality:
    """The verbs of quality control; hooks on the forms pre_qc and review are attached here."""

    def __init__(self, clock: Clock, cases: Cases, imaging: Imaging, patients: Patients, worklist: Worklist) -> None:
        self._clock, self._cases, self._imaging, self._patients, self._worklist = (
            clock,
            cases,
            imaging,
            patients,
            worklist,
        )
        worklist.before_submit("pre_qc", self._may_pass)
        worklist.before_submit("review", self._may_approve)

    # -- before -------------------------------------------------------------------------------------------------------
    def prescan(self, call: Call) -> Mapping[str, Json]:
        """`quality.prescan`: compare, keep the report, say what stands out."""
        session = call.session
        case = self._cases.get(session, UUID(str(call.args["case"])))
        found = prescan.scan(self._claimed(session, case))
        newest = select(func.coalesce(func.max(QualityCheck.round), 0)).where(QualityCheck.case_id == case.id)
        number = int(session.scalar(newest) or 0) + 1
        for place, check in enumerate(found):
            row = {k: v for k, v in asdict(check).items() if k not in ("rule", "severity")} | {
                "overridable": check.overridable
            }
            session.add(
                QualityCheck(
                    id=uuid7(), tenant=case.tenant, case_id=case.id, round=number, place=place, rule=check.rule,
                    severity=check.severity, row=row, created_at=call.now,
                )
            )  # fmt: skip
        self._move(session, case, "preqc")
        count = {s: sum(c.severity == s for c in found) for s in ("block", "warn")}
        return {"verdict": prescan.verdict(found), "blocks": count["block"], "warnings": count["warn"]}

    def _claimed(self, session: Session, case: ClinicalCase) -> Claimed:
        if case.registration_id is None:
            raise Permanent("the case has no patient")
        registration = self._patients.registration(session, case.registration_id)
        form, now = self._applied(session, case), self._clock.now()
        agreed = case.to_hospital is not None and directory.agreement(
            session, case.from_hospital, case.to_hospital, case.kind, now
        )
        ordered = self._patients.standing_orders(session, registration.id, case.modality or "")
        added = self._worklist.submissions(session, case.id, "supplement")
        egfr = form.get("egfr")
        return Claimed(
            patient_id=registration.mrn, name=registration.name, sex=registration.sex,
            birth_date=f"{registration.birth_date:%Y%m%d}" if registration.birth_date else "",
            accessions=tuple(sorted(number for order in ordered for number in order.numbers)), modality=case.modality or "",
            body_part=case.body_part or "", laterality=str(form.get("laterality") or ""), urgency=case.urgency,
            summary=str(form.get("summary") or ""), question=str(form.get("question") or ""),
            diagnosis=str(form.get("clinical_diagnosis") or ""), consent=case.consent, agreement=bool(agreed),
            studies=sides(self._imaging.headers(session, case.id)), now=now, tag=case.tag or "none",
            card_holds=None if registration.id_masked is None else registration.id_hash is not None,
            announced=form.get("announced"), phases=tuple(form.get("phases") or ()), allergy=str(form.get("allergy") or ""),
            pregnancy=str(form.get("pregnancy") or ""), egfr="" if egfr is None else str(egfr),
            materials=tuple(form.get("materials") or ()),
            files=len(form.get("attachments") or ()) + sum(len(s.data.get("files") or ()) for s in added),
            duplicates=tuple(self._imaging.carried_elsewhere(session, case, now - DUPLICATE)),
            elsewhere=self._imaging.held_elsewhere(session, case),
        )  # fmt: skip

    def _applied(self, session: Session, case: ClinicalCase) -> Mapping[str, Any]:
        handed_in = self._worklist.submissions(session, case.id, "apply")
        return handed_in[-1].data if handed_in else {}

    def checks(self, session: Session, case_id: UUID) -> list[QualityCheck]:
        """The newest pre-QC report."""
        newest = select(func.max(QualityCheck.round)).where(QualityCheck.case_id == case_id).scalar_subquery()
        query = select(QualityCheck).where(QualityCheck.case_id == case_id, QualityCheck.round == newest)
        return list(session.scalars(query.order_by(QualityCheck.place)))

    def _may_pass(self, step: Submitting) -> None:
        if step.case is None or step.data.get("decision") != "pass":
            return
        firm = [
            c.rule
            for c in self.checks(step.session, step.case.id)
            if c.severity == "block" and not c.row["overridable"]
        ]
        if firm:
            raise Blocked(", ".join(firm))

    # -- the report ---------------------------------------------------------------------------------------------------
    def report_hints(self, call: Call) -> Mapping[str, Json]:
        """`quality.report_hints`: look over the newest draft."""
        session = call.session
        case = self._cases.get(session, UUID(str(call.args["case"])))
        drafts = self._worklist.submissions(session, case.id, "report")
        if not drafts:
            raise Permanent("no report was handed in")
        found = rules.hints(
            drafts[-1].data,
            sex=case.patient_sex or "",
            laterality=str(self._applied(session, case).get("laterality") or ""),
        )
        for hint in found:
            row = {"zh": hint.zh, "en": hint.en, "quote": hint.quote}
            session.add(
                ReportHint(
                    id=uuid7(), tenant=case.tenant, case_id=case.id, submission_id=drafts[-1].id, code=hint.code, block=hint.block,
                    row=row, created_at=call.now,
                )
            )  # fmt: skip
        self._move(session, case, "review")
        return {"hints": len(found), "blocks": sum(h.block for h in found)}

    def hints(self, session: Session, case_id: UUID) -> list[ReportHint]:
        """The hints on the newest draft."""
        drafts = self._worklist.submissions(session, case_id, "report")
        if not drafts:
            return []
        return list(session.scalars(select(ReportHint).where(ReportHint.submission_id == drafts[-1].id)))

    def _may_approve(self, step: Submitting) -> None:
        if step.case is None or step.data.get("verdict") != "approve":
            return
        standing = [h.code for h in self.hints(step.session, step.case.id) if h.block]
        if standing:
            raise HintsStand(", ".join(standing))

    # -- after --------------------------------------------------------------------------------------------------------
    def sample(self, call: Call) -> Mapping[str, Json]:
        """`quality.sample`: every consultation is scored once; double scoring begins when there are enough scorers."""
        case = self._cases.get(call.session, UUID(str(call.args["case"])))
        self._move(call.session, case, "postqc")
        return {"scored": True, "second": False, "reason": "consultation"}

    def record_score(self, call: Call) -> Mapping[str, Json]:
        """`quality.record_score`: judge the newest scoring and keep it under its round."""
        session = call.session
        case = self._cases.get(session, UUID(str(call.args["case"])))
        handed_in = self._worklist.submissions(session, case.id, "score")
        if not handed_in:
            raise Permanent("no score was handed in")
        form, number = handed_in[-1], int(str(call.args["round"]))
        scores = {name: int(form.data[name]) for name in scoring.DIMENSIONS}
        veto = bool(form.data.get("veto"))
        made = scoring.judge(scores, veto=veto, decision=str(form.data.get("decision")))
        session.add(
            ReportScore(
                id=uuid7(), tenant=case.tenant, case_id=case.id, round=number, submission_id=form.id, scorer=form.account_id, scores=scores,
                total=made.total, grade=made.grade, veto=veto, failed=made.failed, created_at=call.now,
            )
        )  # fmt: skip
        if made.failed:
            self._move(session, case, "rework")
        return {"total": made.total, "grade": made.grade, "failed": made.failed}

    def scores(self, session: Session, case_id: UUID) -> list[ReportScore]:
        """Every scoring by round."""
        return list(
            session.scalars(select(ReportScore).where(ReportScore.case_id == case_id).order_by(ReportScore.round))
        )

    def _move(self, session: Session, case: ClinicalCase, state: str) -> None:
        if case.closed_at is None:
            self._cases.set_state(session, case.id, state)
