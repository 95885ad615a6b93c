"""An alliance with one patient, one study and a worker, and the steps of a consultation through it."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from pydicom.data import get_testdata_file
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import Call, Database, TestClock, Worker, connect, uuid7
from engine.tables import incident, instance, job, wait
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
from tasks.people.models import Account, Login
from tasks.people.service import Actor
from tasks.quality import sampling
from webui import assets
from webui.app import create_app
from webui.config import Config

BEGINS = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
"""When the alliance was made; the test's clock stands there too."""
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
    home: UUID
    hub: UUID
    registration: UUID
    blobs: MemoryStore
    case: UUID = field(default_factory=lambda: UUID(int=0))
    low: Mapping[str, str] = field(default_factory=lambda: LOW)

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

    def call(self, session: Session, **args: Any) -> Call:
        """A call of a LOCAL operation for the open case inside this transaction."""
        given = {"case": str(self.case)} | args
        return Call(uuid7(), 1, self.home, str(self.case), given, self.clock.now(), session)

    def over(self, db: Database) -> Services:
        """Services over another view of the same database."""
        return _services(db, self.clock, self.blobs)[0]

    def waiting(self) -> list[str]:
        with self.services.db.read() as session:
            return sorted(
                session.scalars(select(wait.c.form).where(wait.c.instance_id == self.case, wait.c.kind == "user"))
            )

    def incidents(self) -> list[str]:
        """What needs a person, and what was tried in vain so far."""
        with self.services.db.read() as session:
            return [
                f"{r.kind} {r.code} {r.detail}"
                for r in session.execute(select(incident).where(incident.c.state == "open"))
            ] + [
                f"{r.operation} {r.error}"
                for r in session.execute(select(job).where(job.c.error.is_not(None), job.c.state == "ready"))
            ]

    def status(self) -> tuple[str, str]:
        with self.services.db.read() as session:
            row = session.execute(select(instance.c.status).where(instance.c.id == self.case)).scalar_one()
            return row, self.services.cases.get(session, self.case).state

    def steps(self, **applied: Any) -> list[tuple[str, str, dict[str, Any]]]:
        """Who hands in which form with what, from the application to the score; `applied` changes the application."""
        start = (self.clock.now() + timedelta(minutes=5)).isoformat()
        lin = str(self.accounts["lin"])
        return [
            ("he", "apply", APPLY | {"studies": ["2.25.7"], "to_hospital": str(self.hub)} | applied), ("gao", "approve", {"decision": "approve"}),
            ("chen", "pre_qc", {"decision": "pass", "accept_warnings": "true"}), ("shen", "triage", {"experts": [lin], "minutes": "30"}),
            ("lin", "offer_reply", {"accepted": "true"}), ("wu", "schedule", {"start_at": start, "minutes": "30"}),
            ("lin", "attend", {"identity_checked": "true", "images_seen": "true"}),
            ("lin", "hold", {"outcome": "done", "points": MARK}), ("lin", "report", REPORT),
            ("sun", "review", {"verdict": "approve", "radpeer": "1"}), ("lin", "sign", {"statement": "true"}), ("zheng", "score", SCORE),
        ]  # fmt: skip

    def walk(self, upto: int, **applied: Any) -> None:
        """Open a case and hand in the first forms."""
        self.open()
        for place in range(upto):
            self.submit(*self.steps(**applied)[place])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Pages ask services, and these run on both databases in the fast tests; over HTTP, PostgreSQL is for the slow ones."""
    for item in items:
        asked = getattr(item, "callspec", None)
        if asked and asked.params.get("db_url") == "postgresql" and "client" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)


@pytest.fixture
def _no_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    """The draw of a blind second score would make every tenth walk another one."""
    monkeypatch.setattr(sampling, "SECOND", 0)


@pytest.fixture(scope="session")
def _sqlite_alliance(_sqlite_templates: Path) -> World:
    """The template `alliance` on SQLite, and what is in it."""
    path = _sqlite_templates / "alliance.db"
    shutil.copy(_sqlite_templates / "empty.db", path)
    known = _seed(f"sqlite:///{path}")
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return known


@pytest.fixture(scope="session")
def _postgresql_alliance(_postgresql_server: sa.URL) -> World:
    """The same on PostgreSQL."""
    admin = sa.create_engine(_postgresql_server, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with admin.connect() as connection:
        connection.execute(sa.text("create database template_alliance template template_empty"))
    admin.dispose()
    return _seed(_postgresql_server.set(database="template_alliance").render_as_string(hide_password=False))


@pytest.fixture
def origin(request: pytest.FixtureRequest) -> str:
    """Tests that live in the alliance start from a copy of it."""
    if "_alliance" not in request.fixturenames:
        return "empty"
    request.getfixturevalue(f"_{request.node.callspec.params['db_url']}_alliance")
    return "alliance"


@pytest.fixture
def _alliance(request: pytest.FixtureRequest) -> Callable[[str], World]:
    """What the template of a dialect holds; asking for it makes the database of the test a copy."""
    return lambda dialect: cast(World, request.getfixturevalue(f"_{dialect}_alliance"))


@pytest.fixture
def world(_alliance: Callable[[str], World], db: Database, clock: TestClock, _no_draw: None) -> World:
    """The alliance on this database."""
    return _over(db, clock, _alliance(db.dialect))


@pytest.fixture
def client(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FlaskClient]:
    """A browser without scripts before the pages of this alliance."""
    built = assets.Built("dist/assets/app.js", ("dist/assets/app.css",))
    monkeypatch.setattr(assets, "built", lambda: built)
    app = create_app(world.services, Config(tmp_path, "", "http://localhost", "k" * 40), world.clock)
    app.config["WTF_CSRF_ENABLED"] = False
    with app.test_client() as made:
        yield made


@pytest.fixture
def open_page(client: FlaskClient, world: World) -> Callable[..., str]:
    """`open_page(login, path, lang="zh")`: the text of a page as this person gets it."""

    def ask(login: str, path: str, lang: str = "zh", status: int = 200) -> str:
        digest = hashlib.sha256(login.encode()).hexdigest()
        with world.services.db.transaction() as session:
            account = session.scalars(select(Account.id).where(Account.login_name == login)).one()
            if session.scalar(select(Login.id).where(Login.token_hash == digest)) is None:
                now = world.clock.now()
                session.add(Login(id=account, account_id=account, token_hash=digest, created_at=now, seen_at=now, expires_at=now.replace(year=2027), reauth_at=now))  # fmt: skip
        client.set_cookie("lianyi", login)
        client.set_cookie("lang", lang)
        answer = client.get(path)
        assert answer.status_code == status, path
        return answer.text

    return ask


@pytest.fixture
def new_world(
    _sqlite_alliance: World, _sqlite_templates: Path, tmp_path: Path, _no_draw: None
) -> Iterator[Callable[[], World]]:
    """Makes one alliance after another, each on a fresh SQLite database."""
    made = list[Database]()

    def again() -> World:
        for old in made:
            old.close()
        path = tmp_path / f"{len(made)}.db"
        shutil.copy(_sqlite_templates / "alliance.db", path)
        made.append(connect(f"sqlite:///{path}"))
        return _over(made[-1], TestClock(BEGINS), _sqlite_alliance)

    yield again
    for old in made:
        old.close()


def _services(db: Database, clock: TestClock, blobs: MemoryStore) -> tuple[Services, FakeSms, FakeClient, FakeScu]:
    sms, hl7, dicom = FakeSms(), FakeClient(), FakeScu()
    services = catalogue.build(
        db, clock, blobs=blobs, compressor=FakeCompressor(), renderer=FakeRenderer(), sms=sms, pdf=FakePdf(), dicom=dicom, hl7=hl7,
        pepper=b"x" * 32,
    )  # fmt: skip
    return services, sms, hl7, dicom


def _over(db: Database, clock: TestClock, known: World) -> World:
    """The same alliance over a copy of its database; files are shared, for they are named by what is in them."""
    services, sms, hl7, dicom = _services(db, clock, known.blobs)
    worker = Worker(services.engine, catalogue.bind(services), name="w")
    return World(
        services, clock, worker, sms, hl7, dicom, known.accounts, known.home, known.hub, known.registration, known.blobs
    )


def _seed(url: str) -> World:
    """An alliance in an empty database."""
    db = connect(url)
    try:
        return _world(db, TestClock(BEGINS))
    finally:
        db.close()


def _world(db: Database, clock: TestClock) -> World:
    blobs = MemoryStore()
    services, sms, hl7, dicom = _services(db, clock, blobs)
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
    return World(services, clock, worker, sms, hl7, dicom, loaded.accounts, home, hub, known.registration_id, blobs)
