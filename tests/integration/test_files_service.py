"""Files: who may add and open them, what is refused, what is recorded."""

from __future__ import annotations

import hashlib
from uuid import UUID

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from engine.clock import TestClock
from engine.db import Database
from engine.errors import NotFound
from integrations.storage import Blob, MemoryStore
from tasks.cases.service import Cases, NewCase
from tasks.files.errors import FileRefused, FileTooLarge
from tasks.files.service import LIMIT, Files, clean_name
from tasks.people.service import Actor, People

PDF = b"%PDF-1.4\nconsent"


class World:
    def __init__(self, db: Database, clock: TestClock) -> None:
        self.db = db
        self.people = People(db, clock, PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
        self.cases = Cases(db, clock, self.people)
        self.blobs = MemoryStore()
        self.files = Files(db, clock, self.cases, self.blobs)
        hub, primary = (self.people.create_hospital(c, c, c, k) for c, k in (("SF", "hub"), ("QH", "primary")))
        self.a = {
            name: self.people.create_account(name, name, hospital, [role])
            for name, hospital, role in (
                ("he", primary, "applicant"), ("bo", primary, "applicant"), ("gao", primary, "approver"),
                ("chen", hub, "preqc"), ("wu", hub, "coordinator"), ("lin", hub, "expert"),
            )
        }  # fmt: skip
        with db.transaction() as session:
            self.case: UUID = self.cases.open(session, NewCase("RC", self.a["he"], primary, to_hospital=hub)).id

    def who(self, name: str) -> Actor:
        with self.db.read() as session:
            return self.people.actor(session, self.a[name])


@pytest.fixture
def world(db: Database, clock: TestClock) -> World:
    return World(db, clock)


def test_upload_open_and_withdraw(world: World, db: Database) -> None:
    file = world.files.upload(world.who("he"), world.case, "consent", "C:\\scans\\同意书.pdf", "application/pdf", PDF)
    assert (file.name, file.size) == ("同意书.pdf", len(PDF))
    for name in ("he", "gao", "chen"):
        assert world.files.open(world.who(name), file.id)[1].read() == PDF
    for name in ("wu", "lin", "bo"):
        with pytest.raises(NotFound):
            world.files.open(world.who(name), file.id)
    with pytest.raises(NotFound):
        world.files.withdraw(world.who("gao"), file.id)
    world.files.withdraw(world.who("he"), file.id)
    with pytest.raises(NotFound):
        world.files.open(world.who("he"), file.id)
    with db.read() as session:
        kinds = session.execute(sa.text("select kind, data from history where kind like 'file.%' order by seq")).all()
        assert [k for k, _ in kinds] == ["file.added", "file.opened", "file.opened", "file.opened", "file.withdrawn"]
        assert not any("同意书" in data for _, data in kinds)


def test_what_is_refused(world: World) -> None:
    he = world.who("he")
    with pytest.raises(FileTooLarge):
        world.files.upload(he, world.case, "consent", "a.pdf", "application/pdf", PDF + b"0" * LIMIT)
    for kind, media_type, content in (
        ("consent", "application/pdf", b"MZ"), ("consent", "text/html", b"<html>"), ("report", "application/pdf", PDF),
    ):  # fmt: skip
        with pytest.raises(FileRefused):
            world.files.upload(he, world.case, kind, "a", media_type, content)
    with pytest.raises(NotFound):
        world.files.upload(world.who("bo"), world.case, "consent", "a.pdf", "application/pdf", PDF)
    assert not world.blobs.exists(hashlib.sha256(PDF).hexdigest())


def test_lists_show_what_the_reader_may_open(world: World, db: Database) -> None:
    world.files.upload(world.who("he"), world.case, "consent", "a.pdf", "application/pdf", PDF)
    with db.transaction() as session:
        case = world.cases.get(session, world.case)
        world.files.add(session, case, "report", "r.pdf", "application/pdf", Blob("0" * 64, 3), actor="system")
    with db.read() as session:
        seen = {
            n: [f.kind for f in world.files.visible(session, world.who(n), world.case)]
            for n in ("he", "gao", "chen", "wu")
        }
        assert seen == {"he": ["consent", "report"], "gao": ["consent", "report"], "chen": ["consent"], "wu": []}
        assert [f.name for f in world.files.of_case(session, world.case, "report")] == ["r.pdf"]


def test_names_lose_their_path_and_control_characters() -> None:
    assert clean_name("../../etc/passwd") == "passwd"
    assert clean_name("a\u202egpj.pdf\n") == "agpj.pdf"
    assert clean_name("/") == "file"
