"""The patient index on both databases: versions, links that can be undone, search, time line."""

from __future__ import annotations

import threading
from datetime import date, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from engine.clock import TestClock
from engine.db import Database
from engine.errors import NotFound
from tasks.patients.errors import NoIdentifier, NotLinked
from tasks.patients.service import Arrival, Entry, Patients, Registered
from tasks.people.service import Actor, People

CARD, BORN = "11010519491231002X", date(1949, 12, 31)


class World:
    def __init__(self, db: Database, clock: TestClock) -> None:
        self.db = db
        self.people = People(db, clock, PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
        self.patients = Patients(db, clock, self.people, b"pepper")
        self.h = {c: self.people.create_hospital(c, c, c, "primary") for c in ("QH", "YL")}
        self.a = {
            name: self.people.create_account(name, name, self.h[code], ["applicant", "technician"])
            for name, code in (("he", "QH"), ("feng", "YL"))
        }

    def who(self, name: str) -> Actor:
        with self.db.read() as session:
            return self.people.actor(session, self.a[name])

    def arrive(self, mrn: str, name: str = "王示例", code: str = "QH", **more: object) -> Registered:
        arrival = Arrival(self.h[code], f"{code}_HIS", mrn, name, **more)  # type: ignore[arg-type]
        with self.db.transaction() as session:
            return self.patients.register(session, arrival, actor="system")

    def find(self, name: str, words: str) -> list[str]:
        with self.db.read() as session:
            return [f.mrn for f in self.patients.find(session, self.who(name), words)]


@pytest.fixture
def world(db: Database, clock: TestClock) -> World:
    return World(db, clock)


def test_same_number_is_an_update_and_keeps_every_version(world: World, db: Database) -> None:
    first = world.arrive("1", sex="F", birth_date=BORN)
    assert world.arrive("1", sex="F", birth_date=BORN) == Registered(
        first.record_id, first.registration_id, first.person_id, "same", False
    )
    second = world.arrive("1", "王示利", sex="F", birth_date=BORN, phone="13900000001")
    assert (second.outcome, second.person_id, second.flagged) == ("update", first.person_id, False)
    reused = world.arrive("1", "赵六", sex="F", birth_date=date(2000, 1, 1))
    assert reused.flagged
    with db.read() as session:
        versions = session.execute(sa.text("select version, name from registration order by version")).all()
        assert [tuple(v) for v in versions] == [(1, "王示例"), (2, "王示利"), (3, "赵六")]
        assert world.patients.registration(session, first.registration_id).name == "王示例"
        assert world.patients.person_of(session, first.registration_id) == first.person_id
        assert [e.kind for e in world.patients.links(session, first.record_id)] == ["new", "flag"]


def test_card_joins_two_hospitals_and_is_stored_only_hashed_and_masked(world: World, db: Database) -> None:
    here = world.arrive("1", sex="F", birth_date=BORN, id_card=CARD)
    there = world.arrive("77", "Wang^Shili", "YL", sex="F", birth_date=BORN, id_card=CARD.lower())
    assert (there.outcome, there.person_id) == ("linked", here.person_id)
    doubtful = world.arrive("78", "王示例", "YL", sex="M", birth_date=BORN, id_card=CARD)
    assert (doubtful.outcome, doubtful.flagged) == ("new", True)
    with db.read() as session:
        assert sorted(world.patients.records_of(session, here.person_id)) == sorted([here.record_id, there.record_id])
        dump = str(
            [session.execute(sa.text(f"select * from {t}")).all() for t in ("registration", "link_event", "history")]
        )
        assert CARD not in dump
        assert CARD[6:14] not in dump.replace("1949-12-31", "")
        history = str(session.execute(sa.text("select data from history")).all())
        assert "王" not in history


def test_unlink_and_link_again_leave_every_event(world: World, db: Database) -> None:
    here = world.arrive("1", sex="F", birth_date=BORN, id_card=CARD)
    there = world.arrive("77", code="YL", sex="F", birth_date=BORN, id_card=CARD)
    feng = world.who("feng")
    with pytest.raises(NotFound):
        world.patients.unlink(world.who("he"), there.record_id, "not ours")
    alone = world.patients.unlink(feng, there.record_id, "双胞胎")
    assert alone != here.person_id
    with pytest.raises(NotLinked):
        world.patients.unlink(feng, there.record_id, "again")
    world.patients.link(feng, there.record_id, here.person_id, "核对身份证原件")
    with db.read() as session:
        events = world.patients.links(session, there.record_id)
        assert [(e.kind, e.from_person, e.to_person) for e in events] == [
            ("auto", None, here.person_id), ("unlink", here.person_id, alone), ("manual", alone, here.person_id),
        ]  # fmt: skip


def test_look_alikes_are_flagged_until_compared(world: World, db: Database) -> None:
    world.arrive("1", sex="F", birth_date=BORN)
    twin = world.arrive("2", "王势力", sex="F", birth_date=BORN)
    assert (twin.outcome, twin.flagged) == ("new", True)
    with db.read() as session:
        assert [f.mrn for f in world.patients.flagged(session, world.who("he"))] == ["2"]
        assert world.patients.flagged(session, world.who("feng")) == []
    world.patients.clear(world.who("he"), twin.record_id, "两人，电话核实")
    with db.read() as session:
        assert world.patients.flagged(session, world.who("he")) == []


def test_search_by_two_characters_pinyin_initials_and_number(world: World) -> None:
    world.arrive("QH20461", "王示例")
    world.arrive("QH20462", "欧阳例示")
    world.arrive("QH30001", "Smith^John")
    world.arrive("YL1", "王示例", "YL")
    for words in ("王示例", "示例", "例", "王", "wangshili", "wang", "WSL", "QH20461"):
        assert "QH20461" in world.find("he", words), words
    assert world.find("he", "示例") == ["QH20461"]
    assert world.find("he", "例示") == ["QH20462"]
    assert world.find("he", "smith") == ["QH30001"]
    assert sorted(world.find("he", "QH2046")) == ["QH20461", "QH20462"]
    for nothing in ("", "  ", "%", "_", "张三", "示王", "YL1"):
        assert world.find("he", nothing) == [], nothing
    world.arrive("QH20461", "李改名")
    assert world.find("he", "王示") == []
    assert world.find("he", "改名") == ["QH20461"]


def test_two_at_once_make_one_record(world: World, db: Database) -> None:
    got: list[Registered] = []
    threads = [threading.Thread(target=lambda: got.append(world.arrive("9", "同时"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({g.record_id for g in got}) == 1
    assert sorted(g.outcome for g in got) == ["new", "same", "same", "same"]


def test_nothing_to_register_by(world: World) -> None:
    for mrn, name in (("", "王"), (" ", "王"), ("1", " ")):
        with pytest.raises(NoIdentifier):
            world.arrive(mrn, name)


def test_timeline_gathers_newest_first(world: World, db: Database, clock: TestClock) -> None:
    here = world.arrive("1", sex="F", birth_date=BORN)

    def source(_session: object, _actor: Actor, records: object) -> list[Entry]:
        assert records == [here.record_id]
        tenant: UUID = world.h["QH"]
        return [Entry(clock.now() + timedelta(hours=h), "study", str(h), tenant, "/") for h in (1, 3)]

    def other(_session: object, _actor: Actor, _records: object) -> list[Entry]:
        return [Entry(clock.now() + timedelta(hours=2), "case", "2", world.h["QH"], "/")]

    world.patients.add_timeline(source)
    world.patients.add_timeline(other)
    with db.read() as session:
        found = world.patients.timeline(session, world.who("he"), here.person_id)
        assert [e.title for e in found] == ["3", "2", "1"]
        assert world.patients.readable(session, world.who("he"), here.registration_id).mrn == "1"
        with pytest.raises(NotFound):
            world.patients.readable(session, world.who("feng"), here.registration_id)
