"""Pre-QC reports, hints on reports, and scores."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import Call, Clock, Permanent, uuid7
from engine.values import Json
from integrations.dicom import Header
from tasks.cases.service import Cases, ClinicalCase
from tasks.imaging.service import Imaging
from tasks.patients.service import Patients
from tasks.people import directory
from tasks.quality import hints as rules
from tasks.quality import prescan, scoring
from tasks.quality.errors import Blocked, HintsStand
from tasks.quality.models import QualityCheck, ReportHint, ReportScore
from tasks.quality.prescan import Claimed, Side
from tasks.worklist.service import Submitting, Worklist

NOT_IMAGES = frozenset({"SR", "PR", "KO", "DOC", "SEG", "REG"})


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
        handed_in = self._worklist.submissions(session, case.id, "apply")
        form: Mapping[str, Any] = handed_in[-1].data if handed_in else {}
        studies = self._imaging.of_case(session, case.id)
        now = self._clock.now()
        agreed = case.to_hospital is not None and directory.agreement(
            session, case.from_hospital, case.to_hospital, case.kind, now
        )
        return Claimed(
            patient_id=registration.mrn, name=registration.name, sex=registration.sex,
            birth_date=f"{registration.birth_date:%Y%m%d}" if registration.birth_date else "",
            accession=studies[0].accession if len(studies) == 1 else "", modality=case.modality or "", body_part=case.body_part or "",
            laterality=str(form.get("laterality") or ""), urgency=case.urgency, summary=str(form.get("summary") or ""),
            question=str(form.get("question") or ""), diagnosis=str(form.get("clinical_diagnosis") or ""), consent=case.consent,
            agreement=bool(agreed), studies=_sides(self._imaging.headers(session, case.id)), now=now,
        )  # fmt: skip

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
        found = rules.hints(drafts[-1].data, sex=case.patient_sex or "", laterality=self._side(session, case))
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

    def _side(self, session: Session, case: ClinicalCase) -> str:
        handed_in = self._worklist.submissions(session, case.id, "apply")
        return str(handed_in[-1].data.get("laterality") or "") if handed_in else ""

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


def _sides(headers: list[tuple[Header, bool | None]]) -> tuple[Side, ...]:
    """The headers of a case's objects, study by study."""
    studies: dict[str, list[tuple[Header, bool | None]]] = defaultdict(list)
    for header, decodes in headers:
        studies[header.study_uid].append((header, decodes))
    return tuple(_side(members) for members in studies.values())


def _side(members: list[tuple[Header, bool | None]]) -> Side:
    images = [h for h, _ in members if h.modality not in NOT_IMAGES]
    first = images[0] if images else members[0][0]
    series = max({h.series_uid for h, _ in members}, key=lambda uid: sum(h.series_uid == uid for h, _ in members))
    stack = [h for h, _ in members if h.series_uid == series and len(h.position) == 3]
    return Side(
        patient_id=first.patient_id, name=first.patient_name, sex=first.sex, birth_date=first.birth_date, accession=first.accession,
        study_date=first.study_date, modality=first.modality, body_part=next((h.body_part for h, _ in members if h.body_part), ""),
        laterality=next((h.laterality for h, _ in members if h.laterality), ""), objects=len(members),
        undecodable=sum(decodes is False for _, decodes in members), lossy=sum(h.lossy for h, _ in members),
        burned_in=sum(h.burned_in == "YES" for h, _ in members), positions=tuple(_along(h) for h in stack),
        thickness=first.slice_thickness, charset_trouble=any("charset" in note.lower() for h, _ in members for note in h.notes),
    )  # fmt: skip


def _along(header: Header) -> float:
    """Position along the normal of the slice, mm."""
    o, p = header.orientation, header.position
    if len(o) != 6:
        return p[2]
    normal = (o[1] * o[5] - o[2] * o[4], o[2] * o[3] - o[0] * o[5], o[0] * o[4] - o[1] * o[3])
    return sum(a * b for a, b in zip(normal, p, strict=True))
