"""Cases: numbers, states, the clock that stands while something is owed, lists, emergency access."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from argon2 import PasswordHasher

from engine.clock import TestClock
from engine.db import Database
from engine.errors import NotFound
from tasks.cases.errors import CaseClosed, NeedsReason, WrongState
from tasks.cases.refs import next_ref
from tasks.cases.service import Cases, NewCase, Search
from tasks.cases.states import STATES, may_follow
from tasks.people.service import Actor, People


@dataclass
class World:
    people: People
    cases: Cases
    hospitals: dict[str, UUID]
    accounts: dict[str, UUID]
    db: Database

    def actor(self, name: str) -> Actor:
        with self.db.read() as session:
            return self.people.actor(session, self.accounts[name])

    def open(self, **more: object) -> UUID:
        new = NewCase(
            "RC", self.accounts["he"], self.hospitals["QH"], patient_name="王示例", patient_sex="M",
            to_hospital=self.hospitals["SF"], **more,  # type: ignore[arg-type]
        )  # fmt: skip
        with self.db.transaction() as session:
            return self.cases.open(session, new).id


@pytest.fixture
def world(db: Database, clock: TestClock) -> World:
    people = People(db, clock, PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    hospitals = {
        code: people.create_hospital(code, code, code, "hub" if code == "SF" else "primary")
        for code in ("SF", "QH", "YL")
    }
    accounts = {}
    for name, code, role in (
        ("he", "QH", "applicant"), ("feng", "YL", "applicant"), ("wu", "SF", "coordinator"), ("chen", "SF", "preqc"),
        ("jin", "SF", "auditor"), ("lin", "SF", "expert"),
    ):  # fmt: skip
        accounts[name] = people.create_account(name, name, hospitals[code], [role])
    return World(people, Cases(db, clock, people), hospitals, accounts, db)


def test_numbers_run_by_kind_day_in_china_and_hospital(world: World, db: Database, clock: TestClock) -> None:
    with db.transaction() as session:
        tenant = world.hospitals["QH"]

        def take(kind: str = "RC") -> str:
            return next_ref(session, tenant=tenant, code="QH", kind=kind, at=clock.now())

        assert [take(), take(), take("RR")] == ["RC261124-QH-0001", "RC261124-QH-0002", "RR261124-QH-0001"]
        clock.advance(timedelta(hours=8))  # 16:00 UTC is the next day in Shanghai
        assert take() == "RC261125-QH-0001"


def test_numbers_are_given_once_to_many_at_once(world: World, db: Database, clock: TestClock) -> None:
    taken: list[str] = []

    def take() -> None:
        for _ in range(5):
            with db.transaction() as session:
                taken.append(next_ref(session, tenant=world.hospitals["QH"], code="QH", kind="RC", at=clock.now()))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [f"RC261124-QH-{n:04d}" for n in range(1, 21)]


def test_each_reader_sees_what_his_role_allows(world: World, db: Database) -> None:
    case = world.open()
    with db.read() as session:
        assert world.cases.view(session, world.actor("he"), case).patient_name == "王示例"
        assert world.cases.view(session, world.actor("chen"), case).patient_name == "王示例"
        assert world.cases.view(session, world.actor("wu"), case).patient_name is None
        assert world.cases.view(session, world.actor("jin"), case).patient_name is None
        for stranger in ("feng", "lin"):
            with pytest.raises(NotFound):
                world.cases.view(session, world.actor(stranger), case)
            assert world.cases.find(session, world.actor(stranger)) == []


def test_list_goes_on_where_it_stopped(world: World, db: Database, clock: TestClock) -> None:
    ids = []
    for i in range(5):
        ids.append(world.open())
        clock.advance(timedelta(seconds=i % 2))
    actor, seen, before = world.actor("he"), [], None
    with db.read() as session:
        while page := world.cases.find(session, actor, before=before, limit=2):
            seen += [c.id for c in page]
            before = (page[-1].created_at, page[-1].id)
    assert seen == sorted(ids, reverse=True)


def test_search_narrows_in_the_database_and_names_nobody_to_strangers(world: World, db: Database) -> None:
    cases = [world.open() for _ in range(3)]
    with db.transaction() as session:
        world.cases.set_state(session, cases[0], "withdrawn")
        ref = world.cases.get(session, cases[1]).ref
        row = world.cases.get(session, cases[2])
        row.patient_name = "李样本"
    he, wu = world.actor("he"), world.actor("wu")
    with db.read() as session:

        def found(actor: Actor, **search: Any) -> list[UUID]:
            return [c.id for c in world.cases.find(session, actor, Search(**search))]

        assert found(he, words=ref.lower()) == [cases[1]]
        assert found(he, words="李样") == [cases[2]]
        assert found(wu, words="李样") == []
        assert found(wu, words=ref) == [cases[1]]
        assert found(he, words="%") == []
        assert found(he, state="withdrawn") == [cases[0]]
        assert found(he, running=True) == [cases[2], cases[1]]
        assert found(he, applicant=wu.account_id) == []
        assert found(wu, images=True) == []
        assert len(found(he, images=True)) == 3


def test_states_and_their_instants(world: World, db: Database, clock: TestClock) -> None:
    case = world.open()
    with db.transaction() as session:
        world.cases.set_state(session, case, "submitted")
        clock.advance(timedelta(minutes=1))
        world.cases.set_state(session, case, "submitted")
        row = world.cases.set_state(session, case, "published")
        assert row.submitted_at == clock.now() - timedelta(minutes=1)
        assert row.published_at == row.closed_at == clock.now()
        world.cases.set_state(session, case, "acknowledged")
        with pytest.raises(WrongState):
            world.cases.set_state(session, case, "reporting")
        with pytest.raises(CaseClosed):
            world.cases.close(session, case, "withdrawn")


def test_words_of_states_and_their_order() -> None:
    assert all(s.zh and s.en for s in STATES.values())
    assert may_follow("published", "acknowledged")
    assert not may_follow("withdrawn", "published")
    assert not may_follow("submitted", "draft")
    assert not may_follow("submitted", "nonsense")


def test_clock_stands_while_the_applicant_owes(world: World, db: Database, clock: TestClock) -> None:
    case, start = world.open(), clock.now()
    with db.transaction() as session:
        world.cases.set_limits(
            session, case, {"preqc": start + timedelta(hours=1), "report": start + timedelta(hours=24)}
        )
        world.cases.set_limits(session, case, {"preqc": start + timedelta(hours=9)})
        clock.advance(timedelta(hours=2))
        world.cases.pause(session, case, "supplement")
        clock.advance(timedelta(hours=3))
        world.cases.pause(session, case, "supplement")
        world.cases.resume(session, case)
        world.cases.resume(session, case)
    with db.read() as session:
        seen = world.cases.view(session, world.actor("he"), case)
    assert seen.sla == {"preqc": start + timedelta(hours=1), "report": start + timedelta(hours=27)}
    assert seen.paused_ms == 3 * 3600 * 1000
    assert seen.paused_at is None


def test_emergency_access_opens_for_an_hour_and_is_recorded(world: World, db: Database, clock: TestClock) -> None:
    case, auditor = world.open(), world.actor("jin")
    with pytest.raises(NeedsReason):
        world.cases.break_glass(auditor, case, "complaint", "because")
    world.cases.break_glass(auditor, case, "complaint", "投诉核查：家属质疑会诊意见")
    with db.read() as session:
        assert world.cases.view(session, auditor, case).patient_name == "王示例"
        clock.advance(timedelta(minutes=60))
        assert world.cases.view(session, auditor, case).patient_name is None
    with pytest.raises(NotFound):
        world.cases.break_glass(world.actor("feng"), case, "curious", "I would like to see it")


def test_changing_the_invited_hospital_closes_it_to_the_old_one(world: World, db: Database) -> None:
    case = world.open()
    with db.transaction() as session:
        world.cases.invite(session, world.cases.get(session, case), world.hospitals["YL"])
    with db.read() as session, pytest.raises(NotFound):
        world.cases.view(session, world.actor("wu"), case)


def test_case_over_for_thirty_days_is_closed_to_the_hub(world: World, db: Database, clock: TestClock) -> None:
    case = world.open()
    with db.transaction() as session:
        world.cases.relate(session, case, world.accounts["lin"], "expert")
        world.cases.relate(session, case, world.accounts["lin"], "expert")
        assert world.cases.people_of(session, case, "expert") == [world.accounts["lin"]]
        world.cases.close(session, case, "withdrawn")
    with db.read() as session:
        world.cases.view(session, world.actor("lin"), case)
        clock.advance(timedelta(days=30))
        with pytest.raises(NotFound):
            world.cases.view(session, world.actor("lin"), case)
        assert world.cases.view(session, world.actor("he"), case).state == "withdrawn"
