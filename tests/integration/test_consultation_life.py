"""The consultation on the real engine with fakes outside: straight through, stopped from every human step, declined, returned."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pydicom.data import get_testdata_file
from sqlalchemy import func, select

from engine import Database, TestClock, Worker, uuid7
from engine.errors import LianyiError
from engine.tables import history, incident, instance, job, wait
from integrations.compression import FakeCompressor
from integrations.dicom import FakeScu, Subject, restamp
from integrations.hl7 import FakeClient
from integrations.pdf import FakePdf
from integrations.rendering import FakeRenderer
from integrations.sms import FakeSms
from integrations.storage import MemoryStore
from tasks import catalogue
from tasks.catalogue import Services
from tasks.demo import alliance as invented
from tasks.patients.service import Arrival
from tasks.people import alliance
from tasks.people.service import Actor
from tasks.session.models import Room
from tasks.triage.models import Hold

MARK = "马克标记甲乙丙"
"""A text that must never leave the tables of the domain."""
APPLY: dict[str, Any] = {
    "modality": "CT", "body_part": "head", "laterality": "N", "tag": "none", "purpose": ["diagnosis"], "clinical_diagnosis": MARK,
    "complaint": MARK, "summary": MARK * 5, "question": MARK, "urgency": "R", "specialty": "neuro", "windows": MARK, "callback": "1",
    "consent": "true", "consent_method": "verbal",
}  # fmt: skip
REPORT = dict.fromkeys(
    ("clinical", "technique", "comparison", "findings", "impression", "advice"), f"{MARK}左侧颞枕叶低密度。"
) | {"certainty": "likely"}
SCORE = dict.fromkeys(("logic", "standard", "completeness", "reasoning", "accuracy"), "18") | {"decision": "pass"}
LOW = dict.fromkeys(("logic", "standard", "completeness", "reasoning", "accuracy"), "10") | {
    "decision": "return",
    "citation": MARK,
    "comment": MARK,
}


@dataclass
class World:
    """An alliance with one patient and one study, and a worker that has nothing left to do."""

    services: Services
    clock: TestClock
    worker: Worker
    sms: FakeSms
    hl7: FakeClient
    dicom: FakeScu
    accounts: Mapping[str, UUID]
    hub: UUID
    registration: UUID
    case: UUID = field(default_factory=lambda: UUID(int=0))
    tokens: dict[str, str] = field(default_factory=dict)

    def actor(self, login: str, fresh: bool = False) -> Actor:
        if fresh:
            token, _ = self.services.people.logins.open(login, invented.PASSWORD)
            return self.services.people.logins.reauthenticate(token, invented.PASSWORD)
        with self.services.db.read() as session:
            return self.services.people.actor(session, self.accounts[login])

    def open(self) -> None:
        self.case, _ = self.services.applications.open(self.actor("he"), self.registration, str(uuid7()))

    def submit(self, login: str, form: str, data: Mapping[str, Any]) -> None:
        who = self.actor(login, fresh=form == "sign")
        with self.services.db.read() as session:
            rows = [
                r
                for r in self.services.worklist.inbox(session, who)
                if r.form == form and r.case and r.case.id == self.case
            ]
        assert rows, f"no task {form} for {login}: {self.waiting()}"
        self.services.worklist.submit(who, rows[0].task_id, data, str(uuid7()), take=True)
        self.worker.run_until_idle()
        assert self.incidents() == []

    def waiting(self) -> list[str]:
        with self.services.db.read() as session:
            return sorted(
                session.scalars(select(wait.c.form).where(wait.c.instance_id == self.case, wait.c.kind == "user"))
            )

    def incidents(self) -> list[str]:
        with self.services.db.read() as session:
            return [
                f"{r.kind} {r.code} {r.detail}"
                for r in session.execute(select(incident).where(incident.c.state == "open"))
            ]

    def status(self) -> tuple[str, str]:
        with self.services.db.read() as session:
            row = session.execute(select(instance.c.status).where(instance.c.id == self.case)).scalar_one()
            return row, self.services.cases.get(session, self.case).state


@pytest.fixture
def world(db: Database, clock: TestClock) -> World:
    sms, hl7, dicom = FakeSms(), FakeClient(), FakeScu()
    services = catalogue.build(
        db, clock, blobs=MemoryStore(), compressor=FakeCompressor(), renderer=FakeRenderer(), sms=sms, pdf=FakePdf(), dicom=dicom, hl7=hl7,
        pepper=b"x" * 32,
    )  # fmt: skip
    services.engine.release(catalogue.bundle(), actor="test")
    now = clock.now()
    document = invented.describe(now, his_port=1, pacs_port=2)
    for row in document["accounts"]:
        if row["login"] != "lin":  # hashing is slow by design, and only he has to prove who he is
            row["password"] = None
    loaded = alliance.load(services.people, db, document, actor="test")
    home, hub = loaded.hospitals["QH"], loaded.hospitals["SF"]
    for kind in ("hl7", "dicom"):
        services.messages.set_endpoint(home, kind, name=kind, host="h", port=1, application="X")
    raw = Path(str(get_testdata_file("CT_small.dcm"))).read_bytes()
    subject = Subject("QH20461", "王示例", "M", "19590312", "2.25.7", "A1")
    assert (
        services.imaging.ingest(
            restamp(raw, subject, series_uid="2.25.8", sop_uid="2.25.9", when=now, label="T"), "QH_CT", "test"
        )
        == 0
    )
    with db.transaction() as session:
        arrival = Arrival(home, "QH_HIS", "QH20461", "王示例", "M", now.date().replace(1959, 3, 12))
        known = services.applications.receive_patient(session, arrival, actor="test")
    worker = Worker(services.engine, catalogue.bind(services), name="w")
    return World(services, clock, worker, sms, hl7, dicom, loaded.accounts, hub, known.registration_id)


def _steps(world: World) -> list[tuple[str, str, dict[str, Any]]]:
    start = (world.clock.now() + timedelta(minutes=5)).isoformat()
    lin = str(world.accounts["lin"])
    return [
        ("he", "apply", APPLY | {"studies": ["2.25.7"], "to_hospital": str(world.hub)}), ("gao", "approve", {"decision": "approve"}),
        ("chen", "pre_qc", {"decision": "pass"}), ("shen", "triage", {"experts": [lin], "minutes": "30"}),
        ("lin", "offer_reply", {"accepted": "true"}), ("wu", "schedule", {"start_at": start, "minutes": "30"}),
        ("lin", "attend", {"identity_checked": "true", "images_seen": "true"}),
        ("lin", "hold", {"outcome": "done", "minutes_used": "10", "points": MARK}), ("lin", "report", REPORT),
        ("sun", "review", {"verdict": "approve", "radpeer": "1"}), ("lin", "sign", {"statement": "true"}), ("zheng", "score", SCORE),
    ]  # fmt: skip


def _walk(world: World, upto: int) -> None:
    world.open()
    for login, form, data in _steps(world)[:upto]:
        world.submit(login, form, data)


def test_straight_through_and_no_text_leaves_the_domain(world: World) -> None:
    _walk(world, 12)
    assert world.status() == ("completed", "published")
    assert len(world.hl7.sent) == 1
    assert len(world.dicom.stored) == 1
    with world.services.db.read() as session:
        seen = [str(r) for t in (history, job, wait) for r in session.execute(select(t)).all()]
        seen += [str(row.state) for row in session.execute(select(instance)).all()]
        calls = session.scalar(select(func.count()).select_from(job).where(job.c.state != "done"))
    assert not [s for s in seen if MARK in s or "王示例" in s]
    assert calls == 0
    assert not [text for _, text, _ in world.sms.sent if MARK in text or "王示例" in text]


@pytest.mark.slow
@pytest.mark.parametrize("done", range(12))
def test_a_case_ends_from_every_human_step(world: World, done: int) -> None:
    _walk(world, done)
    assert world.waiting() == [_steps(world)[done][1]]
    world.services.applications.stop(world.actor("he"), world.case, "died", "stop")
    world.worker.run_until_idle()
    assert world.waiting() == []
    assert world.status() == ("completed", "died")


@pytest.mark.slow
@pytest.mark.parametrize("done", range(12))
def test_withdrawal_until_the_signature_and_not_after(world: World, done: int) -> None:
    _walk(world, done)
    act: Callable[[], None] = lambda: world.services.applications.stop(world.actor("he"), world.case, "withdrawn", "w")  # noqa: E731
    if done >= 11:
        with pytest.raises(LianyiError) as caught:
            act()
        assert caught.value.advice
        assert world.status()[0] == "running"
        return
    act()
    world.worker.run_until_idle()
    assert world.status() == ("completed", "withdrawn")


def test_a_declined_offer_goes_to_the_next_and_nobody_to_the_coordinator(world: World) -> None:
    _walk(world, 3)
    both = [str(world.accounts[n]) for n in ("lin", "zhou")]
    world.submit("shen", "triage", {"experts": both, "minutes": "30"})
    world.submit("lin", "offer_reply", {"accepted": "false", "decline_reason": "time"})
    world.submit("zhou", "offer_reply", {"accepted": "false", "decline_reason": "field"})
    assert world.waiting() == ["dispatch"]
    world.submit("wu", "dispatch", {"expert": both[0], "reason": MARK})
    assert world.waiting() == ["schedule"]


def test_silence_reminds_and_passes_on(world: World) -> None:
    _walk(world, 3)
    both = [str(world.accounts[n]) for n in ("lin", "zhou")]
    world.submit("shen", "triage", {"experts": both, "minutes": "30"})
    sent = len(world.sms.sent)
    world.clock.advance(timedelta(minutes=11))
    world.worker.run_until_idle()
    assert len(world.sms.sent) == sent + 1
    world.clock.advance(timedelta(days=2))
    world.worker.run_until_idle()
    with world.services.db.read() as session:
        asked = session.scalars(select(wait.c.person).where(wait.c.form == "offer_reply")).all()
    assert asked == [world.accounts["zhou"]]


def test_a_failed_report_comes_back_twice_and_is_then_ruled_on(world: World) -> None:
    _walk(world, 11)
    rework = _steps(world)[8:11]
    for _ in range(2):
        world.submit("zheng", "score", LOW)
        assert world.waiting() == ["report"]
        for login, form, data in rework:
            world.submit(login, form, data)
    world.submit("zheng", "score", LOW)
    assert world.waiting() == ["arbitrate"]
    world.submit("wang", "arbitrate", {"decision": "accept", "reason": MARK})
    assert world.status() == ("completed", "published")


def test_a_supplement_pauses_the_clock_and_is_bounded(world: World) -> None:
    _walk(world, 2)
    for _ in range(3):
        world.submit("chen", "pre_qc", {"decision": "supplement", "reason": MARK})
        assert world.waiting() == ["supplement"]
        world.submit("he", "supplement", {"answer": MARK})
    world.submit("chen", "pre_qc", {"decision": "supplement", "reason": MARK})
    assert world.status() == ("completed", "rejected")


def test_a_rejected_application_ends(world: World) -> None:
    _walk(world, 1)
    world.submit("gao", "approve", {"decision": "reject", "comment": MARK})
    assert world.status() == ("completed", "rejected")


def test_a_case_that_ends_gives_back_the_expert_and_the_room(world: World) -> None:
    _walk(world, 6)
    with world.services.db.read() as session:
        assert session.scalars(select(Hold.state).where(Hold.case_id == world.case, Hold.state == "held")).all()
    world.services.applications.stop(world.actor("he"), world.case, "died", "stop")
    world.worker.run_until_idle()
    with world.services.db.read() as session:
        holds = set(session.scalars(select(Hold.state).where(Hold.case_id == world.case)))
        rooms = set(session.scalars(select(Room.state).where(Room.case_id == world.case)))
    assert holds <= {"freed", "released"}
    assert "freed" in holds
    assert rooms
    assert not rooms & {"booked", "open"}


def test_a_published_case_gives_back_the_expert(world: World) -> None:
    _walk(world, len(_steps(world)))
    assert world.status()[1] == "published"
    with world.services.db.read() as session:
        assert set(session.scalars(select(Hold.state).where(Hold.case_id == world.case))) == {"freed"}
