"""The verbs of imaging: take what arrives, prepare it, draw it, say which case carries which study."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from engine import Engine, incidents
from engine.clock import Clock
from engine.db import Database
from engine.errors import Busy, NotFound
from engine.history import record
from engine.ids import uuid7
from engine.values import Json
from integrations.compression import DECODED, Compressor, Encoded, NotBitExact, Undecodable
from integrations.dicom import SUCCESS, DicomRefused, Header, peek, read
from integrations.rendering import NotDrawable, Renderer
from integrations.storage import BlobDamaged, BlobMissing, BlobStore, StoreFull
from tasks.cases.service import Cases, ClinicalCase
from tasks.imaging import arrival, spread
from tasks.imaging.arrival import header_of
from tasks.imaging.models import CaseStudy, KeyView, Locator, Picture, Quarantine, Series, SopInstance, Study
from tasks.messages.centre import seen as put_away
from tasks.patients.service import Patients, Registration
from tasks.people.service import Actor, People

__all__ = [
    "Imaging", "KeyView", "Prepared", "Quarantine", "Series", "SopInstance", "Study", "StudyFacts", "header_of",
]  # fmt: skip

NOT_AUTHORISED, CANNOT_UNDERSTAND, OUT_OF_RESOURCES = 0x0124, 0xC000, 0xA700
"""C-STORE status values of PS3.4 annex B.2.3."""
THUMB, WHOLE = 128, 512
SIZES = (THUMB, WHOLE, 1024)
"""Edge lengths of pictures in pixels; a wish in between gets the next larger one."""
STACK, VIEWS = 32, 4
"""At most so many objects of a series are looked at for key images, and so many images chosen of a study."""

Decode = Callable[[bytes], Any]


@dataclass(frozen=True)
class StudyFacts:
    """A study as lists show it."""

    tenant: UUID
    study_uid: str
    modality: str
    body_part: str
    laterality: str
    description: str
    study_date: str
    accession: str
    series: int
    objects: int
    frames: int
    bytes_in: int
    received_at: datetime
    cover_sop_uid: str | None


@dataclass(frozen=True)
class Prepared:
    """What preparing a case's objects came to: numbers, whether every copy was verified, the policies that were used."""

    objects: int
    frames: int
    bytes_in: int
    bytes_out: int
    verified: bool
    policy: str

    def as_json(self) -> dict[str, Json]:
        """For the process."""
        return {
            "objects": self.objects, "frames": self.frames, "bytes_in": self.bytes_in, "bytes_out": self.bytes_out,
            "verified": self.verified, "policy": self.policy,
        }  # fmt: skip


class Imaging:
    """The index and the bytes. `decode` tries the pixels of an object and raises Undecodable; None: it is not tried.

    `engine` opens the incidents of cases whose images turn out not to decode; None: there are none.
    """

    def __init__(
        self,
        db: Database,
        clock: Clock,
        people: People,
        cases: Cases,
        patients: Patients,
        blobs: BlobStore,
        compressor: Compressor,
        renderer: Renderer,
        decode: Decode | None = None,
        engine: Engine | None = None,
    ) -> None:
        self._engine = engine
        self._db, self._clock, self._people, self._cases, self._patients = db, clock, people, cases, patients
        self._blobs, self._compressor, self._renderer, self._decode = blobs, compressor, renderer, decode

    # -- receive ------------------------------------------------------------------------------------------------------
    def draft(self) -> BinaryIO:
        """An empty file for an object that is arriving; ingest keeps it without copying."""
        return self._blobs.draft()

    def ingest(self, part10: bytes | BinaryIO, calling: str, source: str) -> int:
        """Keep one object durably and return the C-STORE status; 0x0000 only after the commit.

        The calling AE title names the hospital. The same object again is a success; other bytes under a known UID are
        quarantined, recorded, and also a success, for sending them again would change nothing. What is hostile is refused by
        its header; whether the pixels decode is found out later (check_pixels).
        """
        with self._db.read() as session:
            hospital = self._people.hospital_by_ae(session, calling)
        if hospital is None or not hospital.active:
            return NOT_AUTHORISED
        try:
            header = read(part10)
        except DicomRefused as refused:
            self._refused(hospital.id, source, refused)
            return CANNOT_UNDERSTAND
        if not isinstance(part10, bytes):
            part10.seek(0)
        try:
            stored = self._blobs.put(part10)
        except StoreFull:
            return OUT_OF_RESOURCES
        now = self._clock.now()
        with self._db.transaction() as session:
            became = arrival.index(session, hospital.id, header, stored, source=source, at=now)
            if became == "other":
                data: dict[str, Json] = {"sop": header.sop_uid, "sha256": stored.sha256, "source": source}
                record(session, tenant=hospital.id, kind="dicom.quarantined", actor=source, at=now, data=data)
        return SUCCESS

    def check_pixels(self, limit: int = 200) -> int:
        """Try the pixels of objects that arrived, oldest first; how many were tried. For the worker's tick.

        What does not decode is never drawn: it is quarantined, recorded, and an incident of every running case that carries it.
        """
        if self._decode is None:
            return 0
        untried = SopInstance.pixels & SopInstance.decodes.is_(None)
        with self._db.read() as session:
            query = select(SopInstance).where(untried).order_by(SopInstance.received_at, SopInstance.sop_uid)
            found = session.scalars(query.limit(limit)).all()
        for one in found:
            try:
                self._try_pixels(one, self._decode)
            except Busy:  # somebody works on a case that carries it: in the next round
                continue
        return len(found)

    def look(self, head: bytes) -> Header | None:
        """The header from the first bytes of a file, kept nowhere; None when it is no DICOM object."""
        try:
            return peek(head)
        except DicomRefused:
            return None

    def link_waiting(self, session: Session, registration: Registration) -> int:
        """Give studies that came before their patient to him now; how many."""
        arrival.meet(session, registration.tenant, registration.mrn)
        query = select(Study).where(
            Study.tenant == registration.tenant, Study.patient_id == registration.mrn, Study.record_id.is_(None)
        )
        linked = 0
        for study in session.scalars(query):
            study.record_id = arrival.record_of(session, study.tenant, study.patient_id, study.issuer)
            linked += study.record_id is not None
        return linked

    # -- look ---------------------------------------------------------------------------------------------------------
    def studies(self, session: Session, registration: Registration) -> list[StudyFacts]:
        """The studies of a patient record, newest first; for services, no permission is checked."""
        return self.of_records(session, [registration.record_id]).get(registration.record_id, [])

    def of_records(self, session: Session, record_ids: Sequence[UUID]) -> dict[UUID, list[StudyFacts]]:
        """The studies of many patient records, by record, each newest first; for services."""
        query = select(Study).where(Study.record_id.in_(record_ids))
        studies = list(session.scalars(query.order_by(Study.received_at.desc(), Study.study_uid)))
        found: dict[UUID, list[StudyFacts]] = {}
        for study, known in zip(studies, self._facts(session, studies), strict=True):
            if study.record_id is not None:
                found.setdefault(study.record_id, []).append(known)
        return found

    def of_case(self, session: Session, case_id: UUID) -> list[StudyFacts]:
        """The studies a case carries, in the order in which they were added; for services."""
        return self.of_cases(session, [case_id]).get(case_id, [])

    def of_cases(self, session: Session, case_ids: Sequence[UUID]) -> dict[UUID, list[StudyFacts]]:
        """The studies of many cases, by case; for services."""
        carried = (CaseStudy.tenant == Study.tenant) & (CaseStudy.study_uid == Study.study_uid)
        query = select(Study, CaseStudy.case_id).join(CaseStudy, carried).where(CaseStudy.case_id.in_(case_ids))
        pairs = [(study, case) for study, case in session.execute(query.order_by(CaseStudy.added_at, Study.study_uid))]
        facts = self._facts(session, [study for study, _ in pairs])
        found: dict[UUID, list[StudyFacts]] = {}
        for (_, case_id), known in zip(pairs, facts, strict=True):
            found.setdefault(case_id, []).append(known)
        return found

    def study(self, session: Session, actor: Actor, study_uid: str) -> StudyFacts:
        """A study the actor may read. NotFound."""
        query = select(Study).where(Study.study_uid == study_uid)
        readable = [s for s in session.scalars(query) if self._may_read(session, actor, s)]
        if not readable:
            raise NotFound("study", study=study_uid)
        return self._facts(session, readable[:1])[0]

    def series(self, session: Session, tenant: UUID, study_uid: str) -> list[Series]:
        """The series of a study in their order; for services."""
        query = select(Series).where(Series.tenant == tenant, Series.study_uid == study_uid)
        return list(session.scalars(query.order_by(Series.number, Series.series_uid)))

    def instances(self, session: Session, tenant: UUID, study_uid: str) -> list[SopInstance]:
        """The objects of a study by series and number; for services."""
        query = select(SopInstance).where(SopInstance.tenant == tenant, SopInstance.study_uid == study_uid)
        return list(session.scalars(query.order_by(SopInstance.series_uid, SopInstance.number, SopInstance.sop_uid)))

    def case_instances(self, session: Session, case_id: UUID) -> list[SopInstance]:
        """Every object of every study of a case."""
        return [i for s in self.of_case(session, case_id) for i in self.instances(session, s.tenant, s.study_uid)]

    def headers(self, session: Session, case_id: UUID) -> list[tuple[Header, bool | None]]:
        """The header of every object of a case with whether its pixels decode, from the index alone: what pre-QC reads."""
        return [(arrival.header_of(i), i.decodes) for i in self.case_instances(session, case_id)]

    def carried_elsewhere(
        self, session: Session, case: ClinicalCase, study_uids: Iterable[str], since: datetime
    ) -> list[str]:
        """The numbers of other open cases, applied for since then, that carry one of these studies; for services."""
        query = (
            select(ClinicalCase.ref)
            .join(CaseStudy, CaseStudy.case_id == ClinicalCase.id)
            .where(CaseStudy.tenant == case.tenant, CaseStudy.study_uid.in_(list(study_uids)))
            .where(ClinicalCase.id != case.id, ClinicalCase.submitted_at >= since, ClinicalCase.closed_at.is_(None))
        )
        return sorted(set(session.scalars(query)))

    def held_elsewhere(self, session: Session, case: ClinicalCase) -> int:
        """How many studies of the case's patient lie at other hospitals; for services."""
        if case.registration_id is None:
            return 0
        person = self._patients.person_of(session, case.registration_id)
        records = self._patients.records_of(session, person)
        query = select(func.count()).select_from(Study).where(Study.record_id.in_(records), Study.tenant != case.tenant)
        return int(session.scalar(query) or 0)

    def quarantined(self, session: Session, tenant: UUID) -> list[Quarantine]:
        """What was set aside at a hospital and nobody has seen to, newest first."""
        fresh = ~put_away(Quarantine.__table__.c.id)
        query = select(Quarantine).where(Quarantine.tenant == tenant, fresh).order_by(Quarantine.received_at.desc())
        return list(session.scalars(query.limit(100)))

    def names(self, session: Session, sha256: str) -> bool:
        """Whether a drawn picture has these bytes: somebody may have saved one and attached it."""
        drawn = (select(t.sha256).where(t.sha256 == sha256).limit(1) for t in (Picture, KeyView))
        return any(session.scalar(query) is not None for query in drawn)

    # -- cases --------------------------------------------------------------------------------------------------------
    def carry(self, session: Session, case: ClinicalCase, study_uids: Iterable[str], *, actor: str) -> None:
        """Let a case carry studies of its applying hospital. NotFound for a study of another patient or none."""
        registration = self._patients.registration(session, case.registration_id) if case.registration_id else None
        for study_uid in study_uids:
            study = session.get(Study, (case.tenant, study_uid))
            if study is None or registration is None or study.record_id != registration.record_id:
                raise NotFound("study", study=study_uid)
            now = self._clock.now()
            values = {
                "case_id": case.id, "study_uid": study_uid, "tenant": case.tenant, "added_at": now, "added_by": actor,
            }  # fmt: skip
            arrival.put(session, CaseStudy, values)

    def drop(self, session: Session, case_id: UUID, keep: Iterable[str]) -> None:
        """Take away the studies of a draft that are not among those to keep."""
        wanted = set(keep)
        for row in session.scalars(select(CaseStudy).where(CaseStudy.case_id == case_id)):
            if row.study_uid not in wanted:
                session.delete(row)
        session.flush()

    # -- pictures -----------------------------------------------------------------------------------------------------
    def picture(self, actor: Actor, sop_uid: str, size: int = WHOLE) -> bytes:
        """An object as PNG, about `size` pixels wide, for whoever may read images of a case with its study. NotFound."""
        edge = next((s for s in SIZES if s >= size), SIZES[-1])
        with self._db.read() as session:
            instance = self._readable(session, actor, sop_uid)
            known = session.get(Picture, (instance.tenant, sop_uid, f"png{edge}"))
        if known is not None and self._blobs.exists(known.sha256):
            return self._blobs.read(known.sha256)
        if not instance.pixels or instance.decodes is False:
            raise NotFound("picture", sop=sop_uid)
        try:
            png = self._renderer.picture(self._blobs.read(instance.sha256), 0, edge)
        except (Undecodable, NotDrawable):
            raise NotFound("picture", sop=sop_uid) from None
        stored = self._blobs.put(png)
        with self._db.transaction() as session:
            values = {"tenant": instance.tenant, "sop_uid": sop_uid, "kind": f"png{edge}", "sha256": stored.sha256}
            arrival.put(session, Picture, values)
        return png

    def thumbnail(self, actor: Actor, sop_uid: str) -> bytes:
        """A small picture. NotFound."""
        return self.picture(actor, sop_uid, THUMB)

    def original(self, actor: Actor, sop_uid: str) -> bytes:
        """The Part-10 bytes as received, for the viewer. NotFound."""
        with self._db.read() as session:
            instance = self._readable(session, actor, sop_uid)
        return self._blobs.read(instance.sha256)

    def key_views_of(self, session: Session, case_id: UUID) -> list[KeyView]:
        """The key images of a case in order; for services."""
        return list(session.scalars(select(KeyView).where(KeyView.case_id == case_id).order_by(KeyView.place)))

    def key_view(self, actor: Actor, case_id: UUID, place: int) -> bytes:
        """A key image as PNG. NotFound."""
        with self._db.read() as session:
            self._cases.require(session, actor, case_id, "images", "read")
            view = session.get(KeyView, (case_id, place))
            if view is None:
                raise NotFound("key image", case=str(case_id))
        return self._blobs.read(view.sha256)

    # -- for the process ----------------------------------------------------------------------------------------------
    def prepare(self, case_id: UUID) -> Prepared:
        """Make and verify the lossless copy of every object of a case; what was done before is not done again."""
        with self._db.read() as session:
            objects = self.case_instances(session, case_id)
        for one in objects:
            if self._decode is not None and one.pixels and one.decodes is None:
                self._try_pixels(one, self._decode)
            if one.policy is None:
                self._compress(one)
        with self._db.read() as session:
            done = self.case_instances(session, case_id)
        return Prepared(
            objects=len(done),
            frames=sum(i.frames for i in done if i.pixels),
            bytes_in=sum(i.size for i in done),
            bytes_out=sum(i.bytes_out or i.size for i in done),
            verified=all(i.verified for i in done),
            policy="; ".join(sorted({i.policy or "" for i in done})),
        )

    def draw_key_views(self, case_id: UUID) -> int:
        """Choose and keep the pictures that stand for a case's studies; how many. Done again, the same rows."""
        with self._db.read() as session:
            case = self._cases.get(session, case_id)
            stacks = [
                spread.stack(self.instances(session, s.tenant, s.study_uid), STACK)
                for s in self.of_case(session, case_id)
            ]
        place = 0
        for stack in stacks:
            for one, png, reason in self._chosen(stack):
                stored = self._blobs.put(png)
                values = {
                    "case_id": case_id, "place": place, "tenant": case.tenant, "study_uid": one.study_uid,
                    "sop_uid": one.sop_uid, "reason": reason[:200], "sha256": stored.sha256,
                }  # fmt: skip
                with self._db.transaction() as session:
                    if not arrival.put(session, KeyView, values):
                        row = session.get_one(KeyView, (case_id, place))
                        row.study_uid, row.sop_uid = one.study_uid, one.sop_uid
                        row.reason, row.sha256 = reason[:200], stored.sha256
                place += 1
        return place

    # -- inside -------------------------------------------------------------------------------------------------------
    def _refused(self, tenant: UUID, source: str, refused: DicomRefused) -> None:
        now = self._clock.now()
        with self._db.transaction() as session:
            data: dict[str, Json] = {"why": refused.detail, "source": source}
            record(session, tenant=tenant, kind="dicom.refused", actor=source, at=now, data=data)

    def _try_pixels(self, one: SopInstance, decode: Decode) -> None:
        why = ""
        try:
            decode(self._blobs.read(one.sha256))
        except (Undecodable, BlobMissing, BlobDamaged) as problem:
            why = problem.code
        aside = bool(why) and one.transfer_syntax in DECODED  # of another syntax nothing can be said
        if aside:
            self._tell_cases(one, why)  # first: after a crash all of it is done again, and said once
        now = self._clock.now()
        mine = (SopInstance.tenant == one.tenant) & (SopInstance.sop_uid == one.sop_uid) & SopInstance.decodes.is_(None)
        tried = update(SopInstance).where(mine).values(decodes=not why).returning(SopInstance.sop_uid)
        with self._db.transaction() as session:
            if session.execute(tried).first() is None or not aside:
                return
            values = {
                "id": uuid7(), "tenant": one.tenant, "sop_uid": one.sop_uid, "study_uid": one.study_uid, "sha256": one.sha256,
                "size": one.size, "reason": why, "source": one.source, "received_at": now,
            }  # fmt: skip
            arrival.put(session, Quarantine, values)
            data: dict[str, Json] = {"sop": one.sop_uid, "sha256": one.sha256, "source": one.source, "why": why}
            record(session, tenant=one.tenant, kind="dicom.quarantined", actor="worker", at=now, data=data)

    def _tell_cases(self, one: SopInstance, why: str) -> None:
        if self._engine is None:
            return
        carried = select(CaseStudy.case_id).where(CaseStudy.tenant == one.tenant, CaseStudy.study_uid == one.study_uid)
        query = select(ClinicalCase.instance_id).where(ClinicalCase.id.in_(carried), ClinicalCase.closed_at.is_(None))
        with self._db.read() as session:
            running = session.scalars(query.where(ClinicalCase.instance_id.is_not(None))).all()
        for instance_id in running:
            if instance_id is not None:
                incidents.notice(
                    self._engine, instance_id, "image", why, {"text": one.sop_uid}, key=f"image:{one.sha256}"
                )

    def _compress(self, one: SopInstance) -> None:
        part10 = self._blobs.read(one.sha256)
        values: dict[str, Any]
        copy = None
        try:
            made: Encoded = self._compressor.encode(part10)
        except NotBitExact:
            values = {"policy": "kept: not bit exact", "verified": False, "bytes_out": one.size}
        except Undecodable:
            values = {"policy": "kept: undecodable", "verified": False, "bytes_out": one.size, "decodes": False}
        else:
            copy = self._blobs.put(made.part10) if made.part10 != part10 else None
            values = {
                "policy": made.policy[:120], "verified": made.verified, "bytes_out": made.bytes_out,
                "pixels_sha256": made.pixels_sha256 or None, "compressed_sha256": copy.sha256 if copy else None,
            }  # fmt: skip
        with self._db.transaction() as session:
            mine = (SopInstance.tenant == one.tenant) & (SopInstance.sop_uid == one.sop_uid)
            session.execute(update(SopInstance).where(mine).values(**values))
            if copy is not None:
                where = {"kind": "lossless", "place": arrival.HERE, "sha256": copy.sha256, "size": copy.size}
                lies = {"tenant": one.tenant, "sop_uid": one.sop_uid, "created_at": self._clock.now(), **where}
                arrival.put(session, Locator, lies)

    def _chosen(self, stack: Sequence[SopInstance]) -> list[tuple[SopInstance, bytes, str]]:
        if not stack:
            return []
        try:
            views = self._renderer.key_images([self._blobs.read(i.sha256) for i in stack], VIEWS)
        except (Undecodable, NotDrawable):
            return []
        return [(stack[v.index], v.png, v.reason) for v in views]

    def _readable(self, session: Session, actor: Actor, sop_uid: str) -> SopInstance:
        for instance in session.scalars(select(SopInstance).where(SopInstance.sop_uid == sop_uid)):
            study = session.get(Study, (instance.tenant, instance.study_uid))
            if study is not None and self._may_read(session, actor, study):
                return instance
        raise NotFound("image", sop=sop_uid)

    def _may_read(self, session: Session, actor: Actor, study: Study) -> bool:
        carried = select(CaseStudy.case_id).where(
            CaseStudy.tenant == study.tenant, CaseStudy.study_uid == study.study_uid
        )
        query = select(ClinicalCase).where(ClinicalCase.id.in_(carried))
        if any(self._cases.allowed(session, actor, case, "images", "read") for case in session.scalars(query)):
            return True
        if study.record_id is None or actor.hospital_id != study.tenant:
            return False
        # at the applying hospital also while the study is still being chosen for an application of this patient
        versions = select(Registration.id).where(Registration.record_id == study.record_id)
        about = select(ClinicalCase).where(
            ClinicalCase.registration_id.in_(versions), ClinicalCase.tenant == study.tenant
        )
        return any(self._cases.allowed(session, actor, case, "images", "read") for case in session.scalars(about))

    def _facts(self, session: Session, studies: Iterable[Study]) -> list[StudyFacts]:
        found = list(studies)
        sums = (
            select(
                SopInstance.tenant,
                SopInstance.study_uid,
                func.count().label("objects"),
                func.count(func.distinct(SopInstance.series_uid)).label("series"),
                func.sum(SopInstance.frames).label("frames"),
                func.sum(SopInstance.size).label("bytes_in"),
            )
            .where(SopInstance.study_uid.in_([s.study_uid for s in found]))
            .group_by(SopInstance.tenant, SopInstance.study_uid)
        )
        by_key = {(r.tenant, r.study_uid): r for r in session.execute(sums)}
        covers = self._covers(session, [s.study_uid for s in found])
        return [_shown(s, by_key.get(key), covers.get(key)) for s in found if (key := (s.tenant, s.study_uid))]

    def _covers(self, session: Session, study_uids: list[str]) -> dict[tuple[UUID, str], str]:
        """The middle image of each study: the first of a stack often shows nothing but air."""
        study, stack = (SopInstance.tenant, SopInstance.study_uid), (SopInstance.number, SopInstance.sop_uid)
        place = func.row_number().over(partition_by=study, order_by=stack).label("place")
        whole = func.count().over(partition_by=study).label("whole")
        ranked = (
            select(SopInstance.tenant, SopInstance.study_uid, SopInstance.sop_uid, place, whole)
            .where(SopInstance.study_uid.in_(study_uids), SopInstance.pixels)
            .subquery()
        )
        middle = select(ranked).where((ranked.c.place * 2 - ranked.c.whole).in_((0, 1)))
        return {(r.tenant, r.study_uid): r.sop_uid for r in session.execute(middle)}


def _shown(study: Study, sums: Any, cover: str | None) -> StudyFacts:
    return StudyFacts(
        tenant=study.tenant,
        study_uid=study.study_uid,
        modality=study.modality,
        body_part=study.body_part,
        laterality=study.laterality,
        description=study.description,
        study_date=study.study_date,
        accession=study.accession,
        series=int(sums.series) if sums else 0,
        objects=int(sums.objects) if sums else 0,
        frames=int(sums.frames) if sums else 0,
        bytes_in=int(sums.bytes_in) if sums else 0,
        received_at=study.received_at,
        cover_sop_uid=cover,
    )
