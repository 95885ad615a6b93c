"""Pre-QC reports, hints on reports, and scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import Call, Clock, Permanent, uuid7
from engine.values import Json
from integrations.dicom import Header
from tasks.cases.service import CasePerson, Cases, ClinicalCase
from tasks.imaging.service import Imaging, header_of
from tasks.patients.service import Patients, Registration
from tasks.people import directory
from tasks.people.service import Actor
from tasks.quality import found, judgement, prescan, prescan_patient, sampling, scoring
from tasks.quality import hints as rules
from tasks.quality.checks import Check, Claimed, Side
from tasks.quality.facts import sides
from tasks.quality.gates import Gates, Passed
from tasks.quality.judgement import Judged, Ruled
from tasks.quality.models import QualityCheck, ReportHint, ReportScore
from tasks.worklist.service import Submission, Worklist

__all__ = ["Passed", "Quality", "QualityCheck", "ReportHint", "ReportScore"]

DUPLICATE = timedelta(days=7)
"""An application as young as this with the same study may be the same question twice."""
BLIND = "second"
"""The node of the blind second score."""


@dataclass(frozen=True)
class _Written:
    """An application, handed in or still in writing: the form, and what of it the case keeps in words of its own."""

    form: Mapping[str, Any]
    to_hospital: UUID | None
    modality: str
    body_part: str
    urgency: str
    tag: str
    consent: bool
    carried: frozenset[str] = frozenset()
    """The studies it is about."""


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


class Quality:
    """The verbs of quality control; what may be handed in at its forms is in `gates`."""

    def __init__(self, clock: Clock, cases: Cases, imaging: Imaging, patients: Patients, worklist: Worklist) -> None:
        self._clock, self._cases, self._imaging = clock, cases, imaging
        self._patients, self._worklist = patients, worklist
        self._gates = Gates(cases, imaging, worklist)

    # -- before -------------------------------------------------------------------------------------------------------
    def prescan(self, call: Call) -> Mapping[str, Json]:
        """`quality.prescan`: compare, keep the report, say what stands out."""
        session = call.session
        case = self._cases.get(session, UUID(str(call.args["case"])))
        rows = prescan.scan(self._claimed(session, case))
        newest = select(func.coalesce(func.max(QualityCheck.round), 0)).where(QualityCheck.case_id == case.id)
        number = int(session.scalar(newest) or 0) + 1
        for place, check in enumerate(rows):
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
        count = {s: sum(c.severity == s for c in rows) for s in ("block", "warn")}
        return {"verdict": prescan.verdict(rows), "blocks": count["block"], "warnings": count["warn"]}

    def _claimed(self, session: Session, case: ClinicalCase) -> Claimed:
        if case.registration_id is None:
            raise Permanent("the case has no patient")
        headers = self._imaging.headers(session, case.id)
        return self._said(session, case, self._patients.registration(session, case.registration_id), _Written(
            self._applied(session, case), case.to_hospital, case.modality or "", case.body_part or "", case.urgency,
            case.tag or "none", case.consent, frozenset(s.study_uid for s in self._imaging.of_case(session, case.id)),
        ), sides(headers))  # fmt: skip

    def _said(
        self, session: Session, case: ClinicalCase, registration: Registration, said: _Written, studies: tuple[Side, ...]
    ) -> Claimed:  # fmt: skip
        form, now = said.form, self._clock.now()
        agreed = said.to_hospital is not None and directory.agreement(
            session, case.from_hospital, said.to_hospital, case.kind, now
        )
        ordered = self._patients.standing_orders(session, registration.id, said.modality)
        added = self._worklist.submissions(session, case.id, "supplement")
        egfr = form.get("egfr")
        return Claimed(
            patient_id=registration.mrn, name=registration.name, sex=registration.sex,
            birth_date=f"{registration.birth_date:%Y%m%d}" if registration.birth_date else "",
            accessions=tuple(sorted(number for order in ordered for number in order.numbers)), modality=said.modality,
            body_part=said.body_part, laterality=str(form.get("laterality") or ""), urgency=said.urgency,
            summary=str(form.get("summary") or ""), question=str(form.get("question") or ""),
            diagnosis=str(form.get("clinical_diagnosis") or ""), consent=said.consent, agreement=bool(agreed),
            studies=studies, now=now, tag=said.tag,
            card_holds=None if registration.id_masked is None else registration.id_hash is not None,
            announced=form.get("announced"), phases=tuple(form.get("phases") or ()), allergy=str(form.get("allergy") or ""),
            pregnancy=str(form.get("pregnancy") or ""), egfr="" if egfr is None else str(egfr),
            materials=tuple(form.get("materials") or ()),
            files=len(form.get("attachments") or ()) + sum(len(s.data.get("files") or ()) for s in added),
            duplicates=tuple(self._imaging.carried_elsewhere(session, case, said.carried, now - DUPLICATE)),
            elsewhere=self._imaging.held_elsewhere(session, case),
        )  # fmt: skip

    def preview(self, session: Session, case: ClinicalCase, form: Mapping[str, Any]) -> list[Check]:
        """What the pre-QC would find if the application were handed in as it is written now; nothing is kept.

        `form` holds the values as the form's fields take them; for services, no permission is checked.
        """
        if case.registration_id is None:
            return []
        registration = self._patients.registration(session, case.registration_id)
        chosen = {str(uid) for uid in form.get("studies") or ()}
        known = [s for s in self._imaging.studies(session, registration) if s.study_uid in chosen]
        instances = [i for s in known for i in self._imaging.instances(session, s.tenant, s.study_uid)]
        text = {name: str(form.get(name) or "") for name in ("modality", "body_part", "urgency", "tag", "to_hospital")}
        said = _Written(
            form, _uuid(text["to_hospital"]), text["modality"], text["body_part"], text["urgency"] or "R",
            text["tag"] or "none", form.get("consent") is True, frozenset(s.study_uid for s in known),
        )  # fmt: skip
        return prescan.scan(
            self._said(session, case, registration, said, sides([(header_of(i), i.decodes) for i in instances]))
        )

    def whose(self, session: Session, case: ClinicalCase, header: Header) -> list[Check]:
        """The rules of identity for one object that is brought to a case: number, name, sex, birth date."""
        if case.registration_id is None:
            return []
        registration = self._patients.registration(session, case.registration_id)
        said = _Written({}, None, "", "", "R", "none", consent=False)
        claimed = self._said(session, case, registration, said, sides([(header, None)]))
        return [check for check in prescan_patient.checks(claimed) if check.rule in prescan.IDENTITY]

    def _applied(self, session: Session, case: ClinicalCase) -> Mapping[str, Any]:
        handed_in = self._worklist.submissions(session, case.id, "apply")
        return handed_in[-1].data if handed_in else {}

    def checks(self, session: Session, case_id: UUID) -> list[QualityCheck]:
        """The newest pre-QC report."""
        return found.checks(session, case_id)

    def checks_for(self, session: Session, actor: Actor, case_id: UUID) -> list[found.Shown]:
        """The newest pre-QC report as this reader may see it; nothing for who may not read the application."""
        case = self._cases.get(session, case_id)
        if not self._cases.allowed(session, actor, case, "application", "read"):
            return []
        return found.shown(
            self.checks(session, case_id), named=self._cases.allowed(session, actor, case, "name", "read")
        )

    def passed(self, session: Session, case_id: UUID) -> Passed | None:
        """How the newest pre-QC was passed; None when it was not, or nothing had to be passed over or accepted."""
        return self._gates.passed(session, case_id)

    # -- the report ---------------------------------------------------------------------------------------------------
    def report_hints(self, call: Call) -> Mapping[str, Json]:
        """`quality.report_hints`: look over the newest draft."""
        session = call.session
        case = self._cases.get(session, UUID(str(call.args["case"])))
        drafts = self._worklist.submissions(session, case.id, "report")
        if not drafts:
            raise Permanent("no report was handed in")
        side = str(self._applied(session, case).get("laterality") or "")
        hints = rules.hints(drafts[-1].data, sex=case.patient_sex or "", laterality=side)
        for hint in hints:
            row = {"zh": hint.zh, "en": hint.en, "quote": hint.quote, "other": hint.other}
            session.add(
                ReportHint(
                    id=uuid7(), tenant=case.tenant, case_id=case.id, submission_id=drafts[-1].id, code=hint.code, block=hint.block,
                    row=row, created_at=call.now,
                )
            )  # fmt: skip
        self._move(session, case, "review")
        return {"hints": len(hints), "blocks": sum(h.block for h in hints)}

    def hints_for(self, session: Session, case: ClinicalCase, report: Mapping[str, str]) -> list[rules.Hint]:
        """The hints on a report as it is written now; nothing is kept."""
        side = str(self._applied(session, case).get("laterality") or "")
        return rules.hints(report, sex=case.patient_sex or "", laterality=side)

    def hints(self, session: Session, case_id: UUID) -> list[ReportHint]:
        """The hints on the newest draft."""
        return found.hints(session, self._worklist, case_id)

    # -- after --------------------------------------------------------------------------------------------------------
    def sample(self, call: Call) -> Mapping[str, Json]:
        """`quality.sample`: is this report scored, and by a second scorer who does not see the first?"""
        session = call.session
        case = self._cases.get(session, UUID(str(call.args["case"])))
        self._move(session, case, "postqc")
        percent, reason = sampling.share(self._reading(session, case))
        scored = sampling.drawn(case.id, "score", percent)
        return {
            "scored": scored,
            "second": scored and sampling.drawn(case.id, "second", sampling.SECOND),
            "reason": reason,
        }

    def _reading(self, session: Session, case: ClinicalCase) -> sampling.Reading:
        drafts = self._worklist.submissions(session, case.id, "report")
        begun = session.scalar(
            select(func.min(ClinicalCase.created_at)).where(ClinicalCase.to_hospital == case.to_hospital)
        )
        authors = self._cases.people_of(session, case.id, "author")
        query = (
            select(ReportScore.total, ReportScore.failed)
            .join(CasePerson, (CasePerson.case_id == ReportScore.case_id) & (CasePerson.part == "author"))
            .where(CasePerson.account_id.in_(authors[-1:]), ReportScore.place == 1)
        )
        known = list(session.execute(query))
        return sampling.Reading(
            kind=case.kind, urgency=case.urgency, critical=bool(drafts and drafts[-1].data.get("critical")),
            hints=len(self.hints(session, case.id)), first_year=begun is None or self._clock.now() - begun < sampling.YEAR,
            reports=len(known), average=sum(r.total for r in known) / len(known) if known else None,
            returned=sum(r.failed for r in known) / len(known) if known else 0.0,
        )  # fmt: skip

    def record_score(self, call: Call) -> Mapping[str, Json]:
        """`quality.record_score`: judge the scoring of a round, with the blind second one where there is one.

        The first score stands. When the two lie apart, the result says so and somebody decides. A round is scored once:
        the same scoring again changes nothing, another one is refused.
        """
        session, number = call.session, int(str(call.args["round"]))
        case = self._cases.get(session, UUID(str(call.args["case"])))
        forms = self._worklist.submissions(session, case.id, "score")
        firsts, seconds = [f for f in forms if f.node != BLIND], [f for f in forms if f.node == BLIND]
        if len(firsts) < number:
            raise Permanent("no score was handed in for this round")
        made = self._judge(session, case, firsts[number - 1], number, 1, call)
        blind = [self._judge(session, case, f, number, 2, call) for f in seconds[-1:] if number == 1]
        if made.failed:
            self._move(session, case, "rework")
        return {
            "total": made.total, "grade": made.grade, "failed": made.failed, "apart": any(scoring.apart(made, b) for b in blind),
        }  # fmt: skip

    def _judge(
        self, session: Session, case: ClinicalCase, form: Submission, number: int, place: int, call: Call
    ) -> scoring.Score:
        scores = {name: int(form.data[name]) for name in scoring.DIMENSIONS}
        veto = bool(form.data.get("veto"))
        made = scoring.judge(scores, veto=veto, decision=str(form.data.get("decision")))
        mine = (ReportScore.case_id == case.id, ReportScore.round == number, ReportScore.place == place)
        known = session.scalar(select(ReportScore.submission_id).where(*mine))
        if known not in (None, form.id):
            raise Permanent("this round was scored already")
        if known is None:
            session.add(
                ReportScore(
                    id=uuid7(), tenant=case.tenant, case_id=case.id, round=number, place=place, submission_id=form.id,
                    scorer=form.account_id, scores=scores, total=made.total, grade=made.grade, veto=veto, failed=made.failed,
                    created_at=call.now,
                )
            )  # fmt: skip
        return made

    def scores(self, session: Session, case_id: UUID) -> list[ReportScore]:
        """Every scoring by round."""
        return found.scores(session, case_id)

    def judged(self, session: Session, case_id: UUID) -> list[Judged]:
        """Every scoring with what it cites and says, without its scorer; for who may read the scores."""
        return judgement.judged(session, self._worklist, case_id)

    def ruled(self, session: Session, case_id: UUID) -> list[Ruled]:
        """What was decided where scorers lay apart; for who may read the scores."""
        return judgement.ruled(session, self._worklist, case_id)

    def _move(self, session: Session, case: ClinicalCase, state: str) -> None:
        if case.closed_at is None:
            self._cases.set_state(session, case.id, state)
