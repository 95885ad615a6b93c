"""Reports: written, reviewed by another, signed, printed, and sent home."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import Call, Clock, Database, Engine, LianyiError, NotFound, Permanent, uuid7
from engine.incidents import MAX_ATTEMPTS
from engine.tables import wait
from engine.values import Json
from integrations import Outcome, OutcomeClass
from integrations.dicom import Peer, Sender, Subject, encapsulate_pdf
from integrations.hl7 import Hl7Sender, Line, Result, oru_r01
from integrations.pdf import Document, Pdf, Signature
from integrations.storage import BlobStore
from tasks.cases.service import Cases, ClinicalCase
from tasks.files.service import Files
from tasks.imaging.service import Imaging
from tasks.messages.service import Messages
from tasks.patients.service import Patients
from tasks.people import directory
from tasks.people.service import Actor, People
from tasks.reports import content as text
from tasks.reports import fate
from tasks.reports.errors import NotYours, TextChanged
from tasks.reports.models import ReportVersion
from tasks.worklist.service import Submitting, Worklist

SEX = {"M": "男", "F": "女", "O": "其他", "U": "未知"}


class NotDelivered(LianyiError):
    """The applying hospital did not take the report."""

    code = "not_delivered"
    advice = "It is tried again by itself; the message centre shows what the hospital answered."


class Reports:
    """The verbs of reports; hooks on the forms report, review and sign keep versions, verdicts and signatures."""

    def __init__(
        self, db: Database, clock: Clock, engine: Engine, people: People, cases: Cases, files: Files, worklist: Worklist, patients: Patients,
        imaging: Imaging, messages: Messages, blobs: BlobStore, pdf: Pdf, dicom: Sender, hl7: Hl7Sender, zone: str = "Asia/Shanghai",
    ) -> None:  # fmt: skip
        self._db, self._clock, self._engine, self._people, self._cases, self._files = (
            db,
            clock,
            engine,
            people,
            cases,
            files,
        )
        self._patients, self._imaging, self._messages, self._blobs = patients, imaging, messages, blobs
        self._pdf, self._dicom, self._hl7, self._zone = pdf, dicom, hl7, ZoneInfo(zone)
        self._worklist = worklist
        worklist.before_submit("report", self._written)
        worklist.before_submit("review", self._reviewed)
        worklist.before_submit("sign", self._signed)

    # -- hooks --------------------------------------------------------------------------------------------------------
    def _written(self, step: Submitting) -> None:
        if step.case is None:
            return
        made = text.content(step.data)
        newest = select(func.coalesce(func.max(ReportVersion.version), 0)).where(ReportVersion.case_id == step.case.id)
        version, author = int(step.session.scalar(newest) or 0) + 1, step.actor.account_id
        bound = text.digest(made, case=step.case.id, version=version, author=author)
        step.session.add(
            ReportVersion(
                id=uuid7(), tenant=step.case.tenant, case_id=step.case.id, version=version, author=author, content=made,
                digest=bound, created_at=step.now,
            )
        )  # fmt: skip

    def _reviewed(self, step: Submitting) -> None:
        if step.case is None:
            return
        version = self._newest(step.session, step.case.id)
        version.reviewer, version.reviewed_at = step.actor.account_id, step.now
        version.verdict, version.comment = str(step.data["verdict"]), step.data.get("comment")
        if version.verdict == "send_back":
            self._cases.set_state(step.session, step.case.id, "reporting")

    def _signed(self, step: Submitting) -> None:
        if step.case is None:
            return
        version = self._newest(step.session, step.case.id)
        if version.author != step.actor.account_id:
            raise NotYours(case=str(step.case.id))
        bound = text.digest(version.content, case=version.case_id, version=version.version, author=version.author)
        if bound != version.digest:
            raise TextChanged(case=str(step.case.id))
        version.signer, version.signed_at, version.signed_digest = step.actor.account_id, step.now, version.digest
        self._cases.set_state(step.session, step.case.id, "signed")

    # -- operations ---------------------------------------------------------------------------------------------------
    def render(self, call: Call) -> Mapping[str, Json]:
        """`reports.render`: the signed version as PDF, kept under its hash and filed with the case."""
        case_id = UUID(str(call.args["case"]))
        with self._db.read() as session:
            case, version = self._cases.get(session, case_id), self._newest(session, case_id)
            if version.signed_at is None:
                raise Permanent("the newest version is not signed")
            document = self._document(session, case, version)
        made = self._pdf.report(document)
        stored = self._blobs.put(made)
        with self._db.transaction() as session:
            row = session.get_one(ReportVersion, version.id)
            if row.pdf_sha256 is None:
                row.pdf_sha256 = stored.sha256
                name = f"{case.ref}-v{row.version}.pdf"
                self._files.add(
                    session,
                    self._cases.get(session, case_id),
                    "report",
                    name,
                    "application/pdf",
                    stored,
                    actor="worker",
                )
        return {
            "sha256": stored.sha256,
            "pages": max(1, made.count(b"/Type /Page\n") + made.count(b"/Type/Page/")),
            "bytes": stored.size,
        }

    def publish_dicom(self, call: Call) -> Mapping[str, Json]:
        """`reports.publish_dicom`: the PDF as an encapsulated document to the archive of the applying hospital."""
        case, version, registration = self._to_publish(call)
        line = self._messages.line(case.from_hospital, "dicom")
        sop = f"2.25.{uuid5(version.id, 'sop').int}"
        with self._db.read() as session:
            studies = self._imaging.of_case(session, case.id)
        study = studies[0].study_uid if studies else f"2.25.{uuid5(case.id, 'study').int}"
        subject = Subject(
            registration.mrn, registration.name, registration.sex, f"{registration.birth_date:%Y%m%d}" if registration.birth_date else "",
            study, studies[0].accession if studies else "", study_date=studies[0].study_date.replace("-", "") if studies else "",
        )  # fmt: skip
        when = (version.signed_at or call.now).astimezone(self._zone)
        raw = encapsulate_pdf(
            self._blobs.read(version.pdf_sha256 or ""), subject, series_uid=f"2.25.{uuid5(case.id, 'reports').int}", sop_uid=sop,
            title="会诊报告", when=when,
        )  # fmt: skip
        noted = self._messages.begin(line, "C-STORE", case.id, sop[-64:], raw)
        outcome = self._dicom.store(Peer(line.host, line.port, line.application, line.trust), [raw])[0]
        self._settle(noted, outcome, call)
        return {"sop": sop, "status": outcome.code}

    def publish_hl7(self, call: Call) -> Mapping[str, Json]:
        """`reports.publish_hl7`: ORU^R01 to the applying hospital; its AA becomes the message `report.ack`."""
        case, version, registration = self._to_publish(call)
        line = self._messages.line(case.from_hospital, "hl7")
        with self._db.read() as session:
            hub = self._people.hospital(session, case.to_hospital or case.from_hospital)
            home = self._people.hospital(session, case.from_hospital)
            author = directory.names(session, [version.author]).get(version.author, "")
            accessions = sorted({s.accession for s in self._imaging.of_case(session, case.id) if s.accession})
            order = self._patients.order_about(session, registration.id, case.modality or "", accessions)
        control = f"R{uuid5(version.id, 'oru').hex[:18]}"
        signed = (version.signed_at or call.now).astimezone(self._zone)
        result = Result(
            control_id=control, sending=("LIANYI", hub.code), receiving=(line.application, home.code), created=signed,
            patient_id=registration.mrn, assigner=registration.system, patient_name=registration.name,
            birth_date=f"{registration.birth_date:%Y%m%d}" if registration.birth_date else "", sex=registration.sex,
            placer=order.placer if order else "", filler=order.filler or case.ref if order else case.ref,
            accession=accessions[0] if len(accessions) == 1 else "", reference=case.ref, service=("RC", "远程会诊"), observed=f"{signed:%Y%m%d%H%M%S}",
            status="F", author=author, lines=tuple(Line(*s) for s in text.sections(version.content)),
            pdf=self._blobs.read(version.pdf_sha256 or ""),
        )  # fmt: skip
        raw = oru_r01(result)
        noted = self._messages.begin(line, "ORU^R01", case.id, control, raw)
        outcome = self._hl7.send(line.host, line.port, raw, line.trust)
        self._settle(noted, outcome, call)
        self._engine.deliver(
            "report.ack", str(case.id), {"control": control, "code": outcome.code}, key=f"ack:{control}", actor="mllp"
        )
        return {"control": control, "ack": outcome.code}

    def _settle(self, noted: UUID, outcome: Outcome, call: Call) -> None:
        self._messages.attempt(noted, outcome, last=call.attempt % MAX_ATTEMPTS == 0)
        if outcome.kind is OutcomeClass.PERMANENT:
            raise Permanent(f"the peer refused with {outcome.code}")
        if not outcome.ok:
            raise NotDelivered(outcome.code)

    def _to_publish(self, call: Call) -> tuple[ClinicalCase, ReportVersion, Any]:
        case_id = UUID(str(call.args["case"]))
        with self._db.read() as session:
            case, version = self._cases.get(session, case_id), self._newest(session, case_id)
            if version.pdf_sha256 is None or case.registration_id is None:
                raise Permanent("there is no signed document to publish")
            return case, version, self._patients.registration(session, case.registration_id)

    def preview(self, actor: Actor, case_id: UUID, form: Mapping[str, Any]) -> tuple[str, bytes]:
        """File name and PDF of a report as it is being written; it says that nobody has signed it. NotFound."""
        now = self._clock.now()
        with self._db.read() as session:
            case = self._cases.require(session, actor, case_id, "report", "update")
            written = ReportVersion(author=actor.account_id, content=text.content(form), created_at=now)
            printed = self._document(session, case, written)
        unsigned = (Signature(text.UNSIGNED, "", self._printed(now)),)
        made = replace(printed, title=text.PREVIEW, footer=text.NOT_YET, signatures=unsigned)
        return f"{case.ref}-preview.pdf", self._pdf.report(made)

    def _document(self, session: Session, case: ClinicalCase, version: ReportVersion) -> Document:
        people = directory.names(session, [p for p in (version.author, version.reviewer, case.applicant) if p])
        hub = self._people.hospital(session, case.to_hospital or case.from_hospital)
        home = self._people.hospital(session, case.from_hospital)
        studies = self._imaging.of_case(session, case.id)
        signed = version.signed_at or self._clock.now()
        certainty = text.CERTAINTY.get(str(version.content.get("certainty")), "")
        facts = (
            ("患者", case.patient_name or ""), ("性别", SEX.get(case.patient_sex or "U", "")),
            ("出生日期", f"{case.patient_birth:%Y-%m-%d}" if case.patient_birth else ""), ("申请医院", home.name), ("会诊编号", case.ref),
            ("检查号", studies[0].accession if studies else ""), ("检查", " ".join(s.description or s.modality for s in studies)[:60]),
            ("申请医生", people.get(case.applicant, "")), ("把握程度", certainty),
        )  # fmt: skip
        signatures = [Signature("签发", people.get(version.author, ""), self._printed(signed))]
        if version.reviewer and version.reviewed_at:
            signatures.insert(
                0, Signature("审核", people.get(version.reviewer, ""), self._printed(version.reviewed_at))
            )
        return Document(
            "会诊报告", hub.name, case.ref, facts, tuple((title, body) for _, title, body in text.sections(version.content)), tuple(signatures),
            text.FOOTER, signed.astimezone(self._zone),
        )  # fmt: skip

    def _printed(self, moment: datetime) -> str:
        return f"{moment.astimezone(self._zone):%Y-%m-%d %H:%M}"

    # -- look ---------------------------------------------------------------------------------------------------------
    def versions(self, session: Session, case_id: UUID) -> list[ReportVersion]:
        """Every version, newest first; for services and pages that have asked for permission."""
        query = select(ReportVersion).where(ReportVersion.case_id == case_id).order_by(ReportVersion.version.desc())
        return list(session.scalars(query))

    def returned(self, session: Session, case_id: UUID, scores: Sequence[fate.Judged]) -> Mapping[int, fate.Returned]:
        """The signed versions that do not hold any more, by number; `scores` are those of the case."""
        rulings = [
            (s.submitted_at, s.data.get("decision") == "accept")
            for s in self._worklist.submissions(session, case_id, "arbitrate")
        ]
        open_ = select(wait.c.task_id).where(wait.c.instance_id == case_id, wait.c.form == "arbitrate")
        to_rule = session.execute(open_.limit(1)).first() is not None
        return fate.fates(self.versions(session, case_id), scores, rulings[-1] if rulings else None, to_rule=to_rule)

    def pdf(self, actor: Actor, case_id: UUID) -> tuple[str, bytes]:
        """File name and bytes of the newest printed version. NotFound without permission to take it away, or without PDF."""
        with self._db.read() as session:
            case = self._cases.require(session, actor, case_id, "report", "download")
            version = next((v for v in self.versions(session, case_id) if v.pdf_sha256), None)
        if version is None or version.pdf_sha256 is None:
            raise NotFound("report", case=str(case_id))
        self._cases.note_view(actor, case_id, "report")
        return f"{case.ref}-v{version.version}.pdf", self._blobs.read(version.pdf_sha256)

    def _newest(self, session: Session, case_id: UUID) -> ReportVersion:
        found = next(iter(self.versions(session, case_id)), None)
        if found is None:
            raise NotFound("report", case=str(case_id))
        return found
