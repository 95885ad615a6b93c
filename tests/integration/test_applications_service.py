"""Applications on the real engine and the shipped models: open, check, freeze, stop, progress."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

import forms
from engine import Database, TestClock, Worker
from engine.errors import NotFound, Refused
from engine.model import lint
from integrations.compression import FakeCompressor
from integrations.dicom import FakeScu, Header
from integrations.hl7 import FakeClient
from integrations.pdf import FakePdf
from integrations.rendering import FakeRenderer
from integrations.sms import OutboxSms
from integrations.storage import Blob, MemoryStore
from tasks import catalogue
from tasks.applications.errors import NoAccess, Published, Signed
from tasks.applications.operations import operations
from tasks.applications.service import Applications, OrderNews
from tasks.imaging import arrival
from tasks.patients.service import Arrival
from tasks.people.service import Actor, People
from tasks.worklist.service import FormInvalid, Worklist

MARKER = "突发右侧视物缺损"
APPLY: dict[str, Any] = {
    "studies": ["1.2.3"], "modality": "CT", "body_part": "head", "laterality": "N", "tag": "none",
    "purpose": ["diagnosis"], "clinical_diagnosis": "脑梗死？", "complaint": MARKER, "summary": MARKER * 4,
    "question": "请判断病灶性质。", "urgency": "U", "specialty": "neuro", "windows": "明日上午",
    "callback": "+8613800000009", "consent": True, "consent_method": "verbal",
}  # fmt: skip


class Place:
    """An alliance of three hospitals, one patient with a study and an order, and the shipped models released."""

    def __init__(self, db: Database, clock: TestClock) -> None:
        self.db, self.clock = db, clock
        made = catalogue.build(
            db, clock, blobs=MemoryStore(), compressor=FakeCompressor(), renderer=FakeRenderer(), sms=OutboxSms(),
            pdf=FakePdf(), dicom=FakeScu(), hl7=FakeClient(), pepper=b"pepper",
        )  # fmt: skip
        people = People(db, clock, PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
        engine = made.engine
        worklist = Worklist(db, clock, engine, made.cases)
        app = Applications(db, clock, engine, people, made.cases, made.patients, made.imaging, made.files, worklist)
        self.all = replace(made, people=people, worklist=worklist, applications=app)
        self.app, self.work, self.cases = app, worklist, made.cases
        engine.release(catalogue.bundle(), actor="test")
        hospital, account = people.create_hospital, people.create_account
        self.qh = hospital("QH", "青禾县人民医院", "Qinghe", "primary", ae_title="QH_CT")
        self.sf = hospital("SF", "示范中心医院", "Demo Central", "hub")
        self.yl = hospital("YL", "云岭县中医院", "Yunling", "primary")
        self.ids = {
            "he": account("he", "何演示", self.qh, ["applicant", "technician"], phone="+8613900000001"),
            "gao": account("gao", "高审批", self.qh, ["approver"]),
            "lin": account("lin", "林示范", self.sf, ["expert"], title="chief"),
            "feng": account("feng", "冯例一", self.yl, ["applicant"]),
            "wu": account("wu", "吴协调", self.sf, ["coordinator"]),
        }
        now = clock.now()
        people.agree(self.qh, self.sf, ["RC"], now - timedelta(days=1), now + timedelta(days=9))
        self.worker = Worker(engine, {o.signature.id: o for o in operations(app)}, name="w")
        with db.transaction() as session:
            for uid, patient in (("1.2.3", "QH20461"), ("1.2.9", "QH9")):
                header = Header(
                    uid, f"{uid}.1", f"{uid}.1.1", "1.2", "1.2", patient_id=patient, modality="CT", body_part="HEAD"
                )
                arrival.index(session, self.qh, header, Blob("0" * 64, 1), source="x", at=now)
            he = Arrival(self.qh, "QH_HIS", "QH20461", "王示例", "M", date(1959, 3, 12))
            news = OrderNews("QH-CT-0031", code="CT-HEAD", diagnosis="脑梗死", modality="CT")
            order = app.receive_order(session, he, news, actor="hl7")
            self.registration = order.registration_id

    def actor(self, login: str) -> Actor:
        with self.db.read() as session:
            return self.all.people.actor(session, self.ids[login])

    def open(self) -> tuple[UUID, UUID]:
        return self.app.open(self.actor("he"), self.registration, "open-1")

    def hand_in(self, login: str, task: UUID, data: dict[str, Any]) -> None:
        self.work.submit(self.actor(login), task, data, f"{task}:k", take=True)

    def applied(self) -> UUID:
        case, task = self.open()
        self.hand_in("he", task, APPLY | {"to_hospital": str(self.sf)})
        while self.worker.run_once():
            pass
        return case

    def state(self, case: UUID) -> tuple[str, str]:
        with self.db.read() as session:
            status = session.execute(sa.text("select status from instance")).scalar_one()
            return self.cases.get(session, case).state, str(status)


@pytest.fixture
def place(db: Database, clock: TestClock) -> Place:
    return Place(db, clock)


def test_candidates_are_patients_of_the_own_hospital(place: Place) -> None:
    with place.db.read() as session:
        (one,) = place.app.candidates(session, place.actor("he"), "王示例")
        assert place.app.candidates(session, place.actor("feng"), "王示例") == []
        assert place.app.candidates(session, place.actor("gao"), "王示例") == []
    assert ([s.study_uid for s in one.studies], one.order.placer if one.order else "") == (["1.2.3"], "QH-CT-0031")


def test_opening_twice_with_a_key_is_one_case(place: Place) -> None:
    first = place.open()
    assert place.open() == first
    assert place.state(first[0]) == ("draft", "running")
    with place.db.read() as session:
        assert session.execute(sa.text("select count(*) from clinical_case")).scalar_one() == 1
    with pytest.raises(NotFound):
        place.app.open(place.actor("feng"), place.registration, "open-2")


def test_form_is_prefilled_with_its_sources_and_choices(place: Place) -> None:
    case, task = place.open()
    with place.db.read() as session:
        opened = place.work.open_task(session, place.actor("he"), task)
        values, sources = place.app.prefill(session, case, opened.form)
        options = place.app.options(session, opened)
    assert values == {
        "studies": ["1.2.3"], "modality": "CT", "body_part": "head", "laterality": "N", "clinical_diagnosis": "脑梗死",
        "to_hospital": str(place.sf), "callback": "+8613900000001",
    }  # fmt: skip
    assert (sources["clinical_diagnosis"], sources["modality"]) == ("HIS", "DICOM")
    assert [v for v, _ in options["studies"]] == ["1.2.3"]
    assert options["to_hospital"] == [(str(place.sf), "示范中心医院")]
    assert options["named_expert"] == [(str(place.ids["lin"]), "林示范 主任医师")]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"studies": ["1.2.9"]}, "studies"),
        ({"studies": ["9.9.9"]}, "studies"),
        ({"to_hospital": "yl"}, "to_hospital"),
        ({"tag": "named", "named_expert": "he"}, "named_expert"),
        ({"consent": False}, "_schema"),
        ({"consent_method": "paper", "consent_file": "00000000-0000-7000-8000-000000000000"}, "consent_file"),
    ],
)
def test_application_that_does_not_hold_is_refused(place: Place, change: dict[str, Any], field: str) -> None:
    case, task = place.open()
    data = APPLY | {"to_hospital": str(place.sf)} | change
    if data["to_hospital"] == "yl":
        data["to_hospital"] = str(place.yl)
    if "named_expert" in data:  # an account, but nobody's expert
        data["named_expert"] = str(place.ids["he"])
    with pytest.raises(FormInvalid) as told:
        place.hand_in("he", task, data)
    assert list(told.value.errors) == [field]
    assert place.state(case) == ("draft", "running")


def test_application_is_frozen_once_and_no_text_reaches_the_engine(place: Place) -> None:
    case = place.applied()
    with place.db.transaction() as session:
        row, frozen = place.cases.get(session, case), place.app.frozen(session, case)
        context = place.app.snapshot(session, case)
    assert frozen is not None
    assert (row.state, row.urgency, row.modality, row.specialty, row.to_hospital) == (
        "submitted", "U", "CT", "neuro", place.sf,
    )  # fmt: skip
    assert (context["version"], context["hash"], context["ref"]) == (1, frozen.sha256, row.ref)
    assert frozen.content["application"]["complaint"] == MARKER
    assert MARKER not in str(context)
    with place.db.read() as session:
        tables = ("history", "job", "command_log", "message")
        assert MARKER not in str([session.execute(sa.text(f"select * from {t}")).all() for t in tables])
        steps = place.app.progress(session, place.actor("he"), case)
    assert [s.state for s in steps[:3]] == ["done", "current", "later"]
    assert (steps[0].zh, steps[0].who) == ("申请", "何演示")


def test_withdrawal_ends_the_case_and_is_no_matter_when_repeated(place: Place) -> None:
    case = place.applied()
    with place.db.read() as session:
        assert place.app.may_stop(session, place.actor("he"), case) == ["withdrawn", "died", "identity"]
        assert place.app.may_stop(session, place.actor("wu"), case) == ["died", "identity"]
    with pytest.raises(NotFound):
        place.app.stop(place.actor("feng"), case, "withdrawn", "s0")
    with pytest.raises(NoAccess):
        place.app.stop(place.actor("wu"), case, "withdrawn", "s0")
    with pytest.raises(Refused):
        place.app.stop(place.actor("he"), case, "expired", "s0")
    place.app.stop(place.actor("gao"), case, "withdrawn", "s1")
    place.app.stop(place.actor("gao"), case, "withdrawn", "s1")
    while place.worker.run_once():
        pass
    assert place.state(case) == ("withdrawn", "completed")
    with pytest.raises(Published):
        place.app.stop(place.actor("he"), case, "died", "s2")


def test_signed_report_can_only_be_amended(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    case = place.applied()
    monkeypatch.setattr(place.app, "_stage", lambda _session, _case: (True, False))
    with pytest.raises(Signed) as told:
        place.app.stop(place.actor("he"), case, "withdrawn", "s1")
    assert "amendment" in told.value.advice
    place.app.stop(place.actor("he"), case, "died", "s2")


def test_messages_of_the_hospital_become_patient_and_order(place: Place) -> None:
    head = "MSH|^~\\&|QH_HIS|QH|LIANYI|SF|20261124080000||{}|{}|P|2.5.1|||||CHN|UNICODE UTF-8\r"
    pid = "PID|1||QH7^^^QH_HIS^MR||李示范^^^^^^L||19700101|F|||||+8613800000007\r"
    orc = "ORC|NW|QH-CT-0077|||||^^^20261124^^R\rOBR|1|QH-CT-0077||CT-CHEST^胸部CT平扫||||||||||||||||||||CT\r"
    adt = head.format("ADT^A04^ADT_A01", "A1") + "EVN|A04|20261124080000\r" + pid
    orm = head.format("ORM^O01^ORM_O01", "O1") + pid + orc + "DG1|1||J18.9^肺炎\r"
    assert all(b"|AA|" in place.all.messages.receive_hl7(m.encode(), "peer") for m in (adt, orm))
    assert place.all.messages.process_pending() == 2
    with place.db.read() as session:
        (one,) = place.app.candidates(session, place.actor("he"), "李示范")
    assert one.order is not None
    assert (one.patient.sex, one.patient.birth_date) == ("F", date(1970, 1, 1))
    assert (one.order.placer, one.order.diagnosis, one.order.modality) == ("QH-CT-0077", "肺炎", "CT")


def test_every_signature_is_bound_and_the_shipped_models_are_accepted(place: Place) -> None:
    assert set(catalogue.bind(place.all)) == set(catalogue.SIGNATURES)
    assert [f for f in lint(catalogue.bundle(), catalogue.SIGNATURES) if f.severity == "error"] == []
    assert all(forms.load(content) for name, content in catalogue.bundle().files.items() if name.endswith(".json"))
