"""Every route, asked by every role at every place, answers as the table beside this file says; a route without a row fails.

The requests are real ones through the whole application; only what they would write is rolled back, so that each finds the
same alliance. Of what a page shows, the table also says who reads the patient's name there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from engine import uuid7
from engine.db import Database
from engine.tables import incident, wait
from tasks.imaging.models import KeyView
from tasks.messages.models import Inbound, Outbound
from tasks.people import directory
from tasks.people.models import Account, Assignment, Login
from tasks.people.rules import ROLES
from tasks.session.models import Room
from webui import assets
from webui.app import create_app
from webui.config import Config

World = Any
TABLE = Path(__file__).with_name("permissions.txt")
PLACES = ("own", "home", "hub", "foreign")
VARIANTS = {
    "/cases/<uuid:case_id>": ["", *(f"?tab={tab}" for tab in ("material", "report", "process", "log"))],
    "/cases/<uuid:case_id>/model.bpmn": ["?process=consultation"],
    "/cases/<uuid:case_id>/standing.json": ["?process=consultation"],
    "/messages": ["", *(f"?tab={tab}" for tab in ("dicom", "sms", "lines"))],
    "/inbox": ["", "?tab=done", "?tab=team"],
    "/applications/new": ["?q=王示"],
}
"""Addresses of one route that show different things."""
WIDE = ("platform_admin", "own")
"""He is appointed for the whole platform."""
BEGINS = ("/applications/new", "POST")
"""It looks for what it began, so that this is kept."""
NAME = ("王示例", "QH20461", "19590312", "1959-03-12")
"""By any of these the patient is known."""


@dataclass(frozen=True)
class Answer:
    """What came back: the status, and the text if it is one."""

    status: int
    text: str


@dataclass(frozen=True)
class Row:
    """What a route answers to whom: `who` and `named` are (role, place) pairs."""

    answer: str
    who: frozenset[tuple[str, str]]
    others: str
    named: frozenset[tuple[str, str]]


def _people(words: str) -> frozenset[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for word in words.split():
        role, _, places = word.partition(":")
        for one in ROLES if role == "everybody" else (role,):
            assert one in ROLES, word
            found |= {(one, place) for place in (places.split(",") if places else PLACES)}
    assert all(place in PLACES for _, place in found), words
    return frozenset(found)


def _table() -> dict[str, Row]:
    rows: dict[str, Row] = {}
    for line in TABLE.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            route, answer, who, others, named = (cell.strip() for cell in line.split("|"))
            assert route not in rows, route
            rows[route] = Row(answer, _people(who), others, _people(named))
    return rows


class _Forgetful(Database):
    """A database whose transactions are carried out and then undone, unless it keeps them."""

    keeps = False

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        with self.sql.connect() as connection, Session(bind=connection, expire_on_commit=False) as session:
            if self.dialect == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                yield session
                session.flush()
                if self.keeps:
                    connection.commit()
            finally:
                connection.rollback()


@dataclass
class House:
    """The application with a published case, a running one, and a person for every role and place."""

    world: World
    client: Any
    tokens: dict[tuple[str, str], str]
    database: _Forgetful
    parts: dict[str, Any]
    special: dict[str, dict[str, Any]]
    forms: dict[str, dict[str, str]]

    def routes(self) -> list[tuple[str, str]]:
        rules = self.client.application.url_map.iter_rules()
        found = sorted((r.rule, m) for r in rules for m in r.methods - {"HEAD", "OPTIONS"})
        return sorted(found, key=lambda route: route == BEGINS)  # what leaves something behind comes last

    def ask(self, rule: str, method: str, person: tuple[str, str]) -> list[Answer]:
        """The answers to this request: one for each variant of its address."""
        address = rule
        for name, value in (self.parts | self.special.get(f"{method} {rule}", {})).items():
            address = address.replace(name, str(value))
        self.client.set_cookie("lianyi", self.tokens[person])
        sent: dict[str, Any] = (
            {"data": self.forms.get(rule, {}), "headers": {"If-Match": '"0"'}} if method == "POST" else {}
        )
        if rule == "/api/v1/alliance":
            sent = {"json": {"hospitals": [], "accounts": [], "agreements": [], "shifts": []}}
        self.database.keeps = (rule, method) == BEGINS
        try:
            found = []
            for more in VARIANTS.get(rule, [""]):
                with self.client.open(address + more, method=method, **sent) as answer:
                    found.append(
                        Answer(answer.status_code, "" if answer.mimetype.startswith("image/") else answer.text)
                    )
            return found
        finally:
            self.database.keeps = False


def _appoint(world: World) -> dict[tuple[str, str], str]:
    """A person for every role and place with an open login; `own` also has the part of his role in both cases."""
    now, tokens = world.clock.now(), dict[tuple[str, str], str]()
    with world.services.db.transaction() as session:
        hospitals = {h.code: h.id for h in directory.hospitals(session)}
    home_roles = {"applicant", "technician", "approver"}
    with world.services.db.transaction() as session:
        for role in ROLES:
            for place in PLACES:
                own = "QH" if role in home_roles else "SF"
                hospital = hospitals[{"own": own, "home": "QH", "hub": "SF", "foreign": "YL"}[place]]
                account, token = uuid7(), f"{role}-{place}"
                session.add(Account(id=account, login_name=token, name=token, hospital_id=hospital, specialties=[], active=True, created_at=now))  # fmt: skip
                session.flush()
                session.add(
                    Assignment(
                        id=uuid7(),
                        account_id=account,
                        role=role,
                        hospital_id=None if (role, place) == WIDE else hospital,
                        created_at=now,
                    )
                )
                digest = hashlib.sha256(token.encode()).hexdigest()
                session.add(Login(id=uuid7(), account_id=account, token_hash=digest, created_at=now, seen_at=now, expires_at=now + timedelta(days=90), reauth_at=now))  # fmt: skip
                tokens[role, place] = token
                if place == "own":
                    for case in (world.published, world.running):
                        world.services.cases.relate(session, case, account, role[:12])
    return tokens


@pytest.fixture
def house(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[House]:
    built = assets.Built("dist/assets/app.js", ("dist/assets/app.css",))
    monkeypatch.setattr(assets, "built", lambda: built)
    world.walk(12)
    world.published = world.case
    world.walk(3)
    world.running = world.case
    world.walk(0)
    tokens = _appoint(world)
    inbound, stopped = uuid7(), uuid7()
    with world.services.db.transaction() as session:
        session.add(Inbound(id=inbound, tenant=world.home, sha256="0" * 64, raw=b"MSH|", answer=b"MSH|", peer="p", attempts=5, received_at=world.clock.now(), sender="QH", control="1", kind="ADT^A08", code="AA", state="failed"))  # fmt: skip
        where = {"tenant": world.home, "instance_id": world.running, "business_key": str(world.running)}
        session.execute(insert(incident).values(id=stopped, kind="instance", code="x", detail={}, state="open", opened_at=world.clock.now(), **where))  # fmt: skip
    forgetful = _Forgetful(world.services.db.sql)
    services = world.over(forgetful)
    app = create_app(services, Config(tmp_path, "", "http://localhost", "k" * 40), world.clock)
    app.config["WTF_CSRF_ENABLED"] = False
    with world.services.db.transaction() as session:
        he = session.scalars(select(Account.id).where(Account.login_name == "applicant-own")).one()
        session.execute(update(wait).where(wait.c.form == "apply").values(person=he))
    with world.services.db.read() as session:
        waits = {
            r.form: r.task_id for r in session.execute(select(wait.c.form, wait.c.task_id).where(wait.c.kind == "user"))
        }
        room = session.scalars(select(Room.id).where(Room.case_id == world.published)).one()
        message = session.scalars(select(Outbound.id).where(Outbound.kind == "ORU^R01")).one()
        sop, place = session.execute(
            select(KeyView.sop_uid, KeyView.place).where(KeyView.case_id == world.published)
        ).first()
    parts = {
        "<uuid:case_id>": world.published, "<uuid:task_id>": waits["triage"], "<uuid:room_id>": room, "<uuid:message_id>": message,
        "<uuid:incident_id>": stopped, "<uuid:access_id>": uuid7(),
        "<sop_uid>": sop, "<int:place>": place, "<path:filename>": "mark.svg",
    }  # fmt: skip
    running = {"<uuid:case_id>": world.running}
    special = {
        "POST /uploads/<uuid:case_id>": running, "POST /uploads/<uuid:case_id>/headers": running, "POST /cases/<uuid:case_id>/stop": running,
        "POST /tasks/<uuid:task_id>/checks": {"<uuid:task_id>": waits["apply"]},
        "POST /messages/<uuid:message_id>/repeat": {"<uuid:message_id>": inbound},
    }  # fmt: skip
    forms = {
        "/monitor/incidents/<uuid:incident_id>": {"act": "again", "reason": "mended"},
        "/cases/<uuid:case_id>/stop": {"reason": "died", "sure": "true"},
        "/applications/new": {"registration": str(world.registration)},
        "/login": {"login_name": "nobody", "password": "x"},
    }
    with app.test_client() as client:
        yield House(world, client, tokens, forgetful, parts, special, forms)


def _short(pairs: frozenset[tuple[str, str]]) -> str:
    """Pairs as the table writes them."""
    words = []
    if pairs == {(r, p) for r in ROLES for p in PLACES}:
        return "everybody"
    for role in ROLES:
        places = [p for p in PLACES if (role, p) in pairs]
        if places:
            words.append(role if len(places) == len(PLACES) else f"{role}:{','.join(places)}")
    return " ".join(words)


def _measured(house: House) -> dict[str, str]:
    """What every route really answers, as rows of the table; an answer that is no single one for those let in shows itself."""
    found: dict[str, str] = {}
    for rule, method in house.routes():
        answers: dict[tuple[str, str], int] = {}
        named: set[tuple[str, str]] = set()
        for person in house.tokens:
            got = house.ask(rule, method, person)
            answers[person] = got[0].status
            assert len({a.status for a in got}) == 1, (rule, person, [a.status for a in got])
            assert got[0].status < 500, (rule, person, got[0].text)
            if any(mark in a.text for a in got for mark in NAME):
                named.add(person)
        closed = {p for p, code in answers.items() if code in (403, 404)}
        let_in, shut = ({answers[p] for p in set(answers) - closed}, {answers[p] for p in closed})
        cell = lambda codes: ",".join(str(c) for c in sorted(codes)) or "-"  # noqa: E731
        found[f"{method} {rule}"] = " | ".join((cell(let_in), _short(frozenset(set(answers) - closed)), cell(shut), _short(frozenset(named))))  # fmt: skip
    return found


@pytest.mark.timeout(600)
@pytest.mark.parametrize("db_url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)], indirect=True)
def test_every_route_answers_as_the_table_says(house: House) -> None:
    expected = {
        f"{route} | {r.answer} | {_short(r.who)} | {r.others} | {_short(r.named)}" for route, r in _table().items()
    }
    measured = {f"{route} | {cells}" for route, cells in _measured(house).items()}
    missing, found = sorted(expected - measured), sorted(measured - expected)
    assert not missing + found, "\n".join(["the table says", *missing, "the house answers", *found])
