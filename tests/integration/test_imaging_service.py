"""Imaging: what arrives is kept once, linked, prepared, drawn, and shown only to whom a case shows it."""

from __future__ import annotations

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import date
from uuid import UUID

import numpy as np
import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from engine.clock import TestClock
from engine.db import Database
from engine.errors import NotFound
from engine.operations import Call
from integrations.compression import FakeCompressor, NotBitExact, Undecodable
from integrations.rendering import FakeRenderer
from integrations.storage import MemoryStore
from tasks.cases.service import Cases, NewCase
from tasks.imaging.operations import operations
from tasks.imaging.service import Imaging
from tasks.patients.service import Arrival, Patients
from tasks.people.service import People

CT = "1.2.840.10008.5.1.4.1.1.2"


def slice_of(study: str, number: int, patient: str = "QH20461", value: int = 40) -> bytes:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = UID(CT), UID(f"{study}.1.{number}")
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.SOPClassUID, ds.SOPInstanceUID = CT, f"{study}.1.{number}"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = study, f"{study}.1"
    ds.PatientID, ds.PatientName, ds.PatientSex, ds.PatientBirthDate = patient, "王示例", "M", "19590312"
    ds.Modality, ds.BodyPartExamined, ds.StudyDate, ds.InstanceNumber = "CT", "HEAD", "20261124", number
    ds.Rows = ds.Columns = 8
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.ImagePositionPatient, ds.ImageOrientationPatient = [0, 0, number], [1, 0, 0, 0, 1, 0]
    ds.PixelData = np.full((8, 8), value + number, dtype="<i2").tobytes()
    out = io.BytesIO()
    ds.save_as(out, enforce_file_format=True)
    return out.getvalue()


class Ward:
    def __init__(self, db: Database, clock: TestClock) -> None:
        self.db, self.clock, self.decoded = db, clock, 0
        self.people = People(db, clock, PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
        self.cases = Cases(db, clock, self.people)
        self.patients = Patients(db, clock, self.people, b"pepper")
        self.store, self.compressor, self.undecodable = MemoryStore(), FakeCompressor(), set[str]()
        self.imaging = Imaging(
            db, clock, self.people, self.cases, self.patients, self.store, self.compressor, FakeRenderer(), self._decode
        )
        hospital = self.people.create_hospital
        self.qh = hospital("QH", "青禾县人民医院", "Qinghe", "primary", ae_title="QH_CT")
        self.sf = hospital("SF", "示范中心医院", "Demo Central", "hub")
        account = self.people.create_account
        self.he = account("he", "何演示", self.qh, ["applicant", "technician"])
        self.chen = account("chen", "陈前检", self.sf, ["preqc"])

    def _decode(self, part10: bytes) -> None:
        self.decoded += 1
        if any(word.encode() in part10 for word in self.undecodable):
            raise Undecodable

    def register(self, mrn: str = "QH20461", system: str = "QH_HIS") -> UUID:
        with self.db.transaction() as session:
            arrival = Arrival(self.qh, system, mrn, "王示例", "M", date(1959, 3, 12))
            known = self.patients.register(session, arrival, actor="hl7")
            self.imaging.link_waiting(session, self.patients.registration(session, known.registration_id))
            return known.registration_id

    def case(self, registration: UUID, *studies: str) -> UUID:
        with self.db.transaction() as session:
            new = NewCase("RC", self.he, self.qh, registration, to_hospital=self.sf)
            case = self.cases.open(session, new)
            self.imaging.carry(session, case, studies, actor=str(self.he))
            return case.id

    def count(self, table: str) -> int:
        with self.db.read() as session:
            return int(session.execute(sa.text(f"select count(*) from {table}")).scalar_one())


@pytest.fixture
def ward(db: Database, clock: TestClock) -> Ward:
    return Ward(db, clock)


def test_a_study_and_its_patient_of_the_same_moment_find_each_other(ward: Ward) -> None:
    with ThreadPoolExecutor(1) as other:
        with ward.db.transaction() as session:
            arrival = Arrival(ward.qh, "QH_HIS", "QH20461", "王示例", "M", date(1959, 3, 12))
            known = ward.patients.register(session, arrival, actor="hl7")
            registration = ward.patients.registration(session, known.registration_id)
            assert ward.imaging.link_waiting(session, registration) == 0
            sent = other.submit(ward.imaging.ingest, slice_of("1.2.3", 1), "QH_CT", "dicom")
            wait([sent], timeout=0.5)  # it cannot be done before the patient is, or it has not seen him
        assert sent.result(timeout=20) == 0
    with ward.db.read() as session:
        assert [s.study_uid for s in ward.imaging.studies(session, registration)] == ["1.2.3"]


def test_arrival_is_kept_once_and_other_bytes_are_set_aside(ward: Ward) -> None:
    first = slice_of("1.2.3", 1)
    assert [ward.imaging.ingest(first, "QH_CT", "dicom") for _ in range(3)] == [0, 0, 0]
    assert ward.imaging.ingest(slice_of("1.2.3", 1, value=90), "QH_CT", "dicom") == 0
    assert ward.imaging.ingest(slice_of("1.2.3", 1, value=90), "QH_CT", "dicom") == 0
    assert (ward.count("sop_instance"), ward.count("study"), ward.count("series")) == (1, 1, 1)
    with ward.db.read() as session:
        (aside,) = ward.imaging.quarantined(session, ward.qh)
        (one,) = ward.imaging.instances(session, ward.qh, "1.2.3")
        kinds = session.execute(sa.text("select kind from history where kind like 'dicom.%'")).scalars().all()
    assert ward.store.read(one.sha256) == first
    assert aside.sop_uid == one.sop_uid
    assert kinds == ["dicom.quarantined"]


def test_strangers_and_rubbish_are_refused(ward: Ward) -> None:
    assert ward.imaging.ingest(slice_of("1.2.3", 1), "NOBODY", "dicom") == 0x0124
    assert ward.imaging.ingest(b"rubbish" * 50, "QH_CT", "dicom") == 0xC000
    assert ward.count("sop_instance") == 0
    assert ward.store.blobs == {}


def test_study_finds_its_patient_before_or_after_he_is_registered(ward: Ward) -> None:
    ward.imaging.ingest(slice_of("1.2.3", 1), "QH_CT", "dicom")
    registration = ward.register()
    ward.imaging.ingest(slice_of("1.2.4", 1), "QH_CT", "dicom")
    ward.imaging.ingest(slice_of("1.2.5", 1, patient="QH9"), "QH_CT", "dicom")
    with ward.db.read() as session:
        mine = ward.imaging.studies(session, ward.patients.registration(session, registration))
    case = ward.case(registration, "1.2.3")
    assert ward.imaging.check_pixels() == 3
    with ward.db.read() as session:
        header, decodes = ward.imaging.headers(session, case)[0]
    assert {s.study_uid for s in mine} == {"1.2.3", "1.2.4"}
    assert (header.patient_name, header.position, decodes) == ("王示例", (0.0, 0.0, 1.0), True)
    with pytest.raises(NotFound):
        ward.case(registration, "1.2.5")


def test_number_that_two_systems_use_is_linked_to_neither(ward: Ward) -> None:
    ward.register()
    ward.register(system="QH_OLD")
    ward.imaging.ingest(slice_of("1.2.3", 1), "QH_CT", "dicom")
    with ward.db.read() as session:
        assert session.execute(sa.text("select record_id from study")).scalar_one() is None


def _call(ward: Ward, name: str, case: UUID) -> dict[str, object]:
    by_name = {o.signature.id: o for o in operations(ward.imaging)}
    return dict(by_name[name].run(Call(case, 1, ward.qh, str(case), {"case": str(case)}, ward.clock.now())))


def test_case_is_prepared_and_drawn_and_a_repetition_changes_nothing(ward: Ward) -> None:
    for number in range(1, 7):
        ward.imaging.ingest(slice_of("1.2.3", number), "QH_CT", "dicom")
    case = ward.case(ward.register(), "1.2.3")
    size = sum(len(slice_of("1.2.3", n)) for n in range(1, 7))
    done = {
        "objects": 6, "frames": 6, "bytes_in": size, "bytes_out": size, "verified": True, "policy": "kept: fake",
    }  # fmt: skip
    assert [_call(ward, "imaging.prepare", case) for _ in range(2)] == [done, done]
    assert [_call(ward, "imaging.key_views", case) for _ in range(2)] == [{"views": 4}, {"views": 4}]
    with ward.db.read() as session:
        views = ward.imaging.key_views_of(session, case)
        chen = ward.people.actor(session, ward.chen)
    assert [v.place for v in views] == [0, 1, 2, 3]
    assert ward.imaging.key_view(chen, case, 0)[:4] == b"\x89PNG"


@pytest.mark.parametrize(("problem", "policy"), [(NotBitExact, "not bit exact"), (Undecodable, "undecodable")])
def test_copy_that_fails_keeps_the_original(
    ward: Ward, monkeypatch: pytest.MonkeyPatch, problem: type[Exception], policy: str
) -> None:
    def fail(_: bytes) -> None:
        raise problem

    monkeypatch.setattr(ward.compressor, "encode", fail)
    ward.imaging.ingest(slice_of("1.2.3", 1), "QH_CT", "dicom")
    result = ward.imaging.prepare(ward.case(ward.register(), "1.2.3"))
    assert (result.verified, result.policy) == (False, f"kept: {policy}")
    assert result.bytes_in == result.bytes_out


def test_pictures_follow_the_case(ward: Ward, advance: Callable[..., object]) -> None:
    ward.imaging.ingest(slice_of("1.2.3", 1), "QH_CT", "dicom")
    registration = ward.register()
    with ward.db.read() as session:
        he, chen = ward.people.actor(session, ward.he), ward.people.actor(session, ward.chen)
    for actor in (he, chen):
        with pytest.raises(NotFound):
            ward.imaging.picture(actor, "1.2.3.1.1")
    case = ward.case(registration)
    assert ward.imaging.picture(he, "1.2.3.1.1")[:4] == b"\x89PNG"  # chosen for an application of this patient
    with pytest.raises(NotFound):
        ward.imaging.thumbnail(chen, "1.2.3.1.1")
    with ward.db.transaction() as session:
        ward.imaging.carry(session, ward.cases.get(session, case), ["1.2.3"], actor=str(ward.he))
    blobs = len(ward.store.blobs)
    assert ward.imaging.thumbnail(chen, "1.2.3.1.1") == ward.imaging.thumbnail(chen, "1.2.3.1.1")
    assert len(ward.store.blobs) <= blobs + 1
    with ward.db.read() as session:
        assert ward.imaging.study(session, chen, "1.2.3").objects == 1


def test_object_that_does_not_decode_has_no_picture(ward: Ward) -> None:
    ward.undecodable.add("1.2.3.1.1")
    ward.imaging.ingest(slice_of("1.2.3", 1), "QH_CT", "dicom")
    case = ward.case(ward.register(), "1.2.3")
    assert ward.imaging.check_pixels() == 1
    with ward.db.read() as session:
        chen = ward.people.actor(session, ward.chen)
        assert ward.imaging.headers(session, case)[0][1] is False
    with pytest.raises(NotFound):
        ward.imaging.picture(chen, "1.2.3.1.1")
    assert ward.imaging.draw_key_views(case) == 0


def test_the_answer_does_not_wait_for_the_decoder(ward: Ward) -> None:
    ward.undecodable.add("1.2.3.1.2")
    assert [ward.imaging.ingest(slice_of("1.2.3", n), "QH_CT", "dicom") for n in (1, 2, 3)] == [0, 0, 0]
    assert ward.decoded == 0
    assert [ward.imaging.check_pixels(2), ward.imaging.check_pixels(2), ward.imaging.check_pixels(2)] == [2, 1, 0]
    with ward.db.read() as session:
        found = [i.decodes for i in ward.imaging.instances(session, ward.qh, "1.2.3")]
        (aside,) = ward.imaging.quarantined(session, ward.qh)
        kinds = session.execute(sa.text("select kind from history where kind like 'dicom.%'")).scalars().all()
    assert found == [True, False, True]
    assert (aside.sop_uid, aside.reason) == ("1.2.3.1.2", "undecodable")
    assert kinds == ["dicom.quarantined"]


def test_a_case_is_not_prepared_with_pixels_nobody_has_tried(ward: Ward) -> None:
    ward.undecodable.add("1.2.3.1.1")
    ward.imaging.ingest(slice_of("1.2.3", 1), "QH_CT", "dicom")
    case = ward.case(ward.register(), "1.2.3")
    ward.imaging.prepare(case)
    with ward.db.read() as session:
        assert ward.imaging.headers(session, case)[0][1] is False
        assert len(ward.imaging.quarantined(session, ward.qh)) == 1
    assert ward.imaging.check_pixels() == 0


def test_an_object_the_store_has_lost_does_not_stop_the_others(ward: Ward) -> None:
    for number in (1, 2):
        ward.imaging.ingest(slice_of("1.2.3", number), "QH_CT", "dicom")
    with ward.db.read() as session:
        first = ward.imaging.instances(session, ward.qh, "1.2.3")[0]
    del ward.store.blobs[first.sha256]
    assert ward.imaging.check_pixels() == 2
    with ward.db.read() as session:
        assert [i.decodes for i in ward.imaging.instances(session, ward.qh, "1.2.3")] == [False, True]
        assert [q.reason for q in ward.imaging.quarantined(session, ward.qh)] == ["blob_missing"]


def test_an_object_comes_as_a_file_too(ward: Ward) -> None:
    file = ward.imaging.draft()
    file.write(slice_of("1.2.3", 1))
    assert ward.imaging.ingest(file, "QH_CT", "dicom") == 0
    with ward.db.read() as session:
        (one,) = ward.imaging.instances(session, ward.qh, "1.2.3")
    assert ward.store.read(one.sha256) == slice_of("1.2.3", 1)
