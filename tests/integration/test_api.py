"""The interface for programs describes itself, names what is wrong field by field, and asks who is there before it reads."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from integrations import tls
from integrations.tls import Trust
from tasks.demo import alliance
from tasks.people.models import Account, Login
from webui import certs
from webui.app import create_app
from webui.config import Config
from webui.error_texts import DELIVERIES
from webui.i18n import COOKIE

World = Any


@pytest.fixture
def client(world: World, tmp_path: Path) -> Iterator[FlaskClient]:
    app = create_app(world.services, Config(tmp_path, "", "http://localhost", "k" * 40), world.clock)
    app.config["WTF_CSRF_ENABLED"] = False
    with world.services.db.transaction() as session:
        for login in ("admin", "he", "jin"):
            account, now = (
                session.scalars(select(Account.id).where(Account.login_name == login)).one(),
                world.clock.now(),
            )
            digest = hashlib.sha256(login.encode()).hexdigest()
            session.add(Login(id=account, account_id=account, token_hash=digest, created_at=now, seen_at=now, expires_at=now.replace(year=2027), reauth_at=now))  # fmt: skip
    with app.test_client() as made:
        made.set_cookie("lianyi", "admin")
        yield made


def test_the_interface_describes_itself(client: FlaskClient) -> None:
    told = client.get("/api/v1/openapi.json").json
    assert set(told["paths"]) == {"/api/v1/alliance", "/api/v1/cases/{case_id}/history"}
    assert set(told["components"]["schemas"]["Agreement"]["required"]) == {
        "from",
        "to",
        "scopes",
        "valid_from",
        "valid_to",
    }
    client.delete_cookie("lianyi")
    assert client.get("/api/v1/openapi.json").status_code == 401


def test_the_alliance_of_the_demo_is_taken_twice(client: FlaskClient, world: World) -> None:
    document = alliance.describe(world.clock.now(), his_port=1, pacs_port=2)
    first, again = (client.post("/api/v1/alliance", json=document) for _ in range(2))
    assert first.json == again.json == {"hospitals": 3, "accounts": len(alliance.PEOPLE)}


@pytest.mark.parametrize(
    ("document", "where"),
    [
        ({"hospitals": [{"code": "QH", "name": "", "name_en": "Q", "kind": "hub"}]}, ["hospitals", "0", "name"]),
        ({"agreements": [{"from": "QH", "to": "SF", "scopes": [], "valid_from": "2026-01-01", "valid_to": "x"}]}, ["agreements", "0", "valid_from"]),
        ({"endpoints": [{"hospital": "QH", "kind": "fax", "name": "n", "host": "h", "port": 0}]}, ["endpoints", "0", "kind"]),
        ({"endpoints": [{"hospital": "QH", "kind": "hl7", "name": "n", "host": "h", "port": 1, "peers": ["his.example"]}]}, ["endpoints", "0", "peers", "0"]),
        ({"hospital": []}, ["hospital"]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_field(client: FlaskClient, document: dict[str, Any], where: list[str]) -> None:
    answer = client.post("/api/v1/alliance", json=document)
    assert answer.status_code == 422
    assert set(answer.json) == {"code", "message", "advice", "errors", "request_id"}
    found = answer.json["errors"]["json"]
    for step in where:
        found = found[step]
    assert found


def test_a_name_that_is_not_described_is_refused(client: FlaskClient) -> None:
    account = {"login": "x", "name": "x", "hospital": "ZZ", "roles": []}
    answer = client.post("/api/v1/alliance", json={"accounts": [account]})
    assert (answer.status_code, answer.json["code"]) == (422, "refused")


def test_who_may_not_is_told_nothing(client: FlaskClient) -> None:
    client.set_cookie("lianyi", "he")
    assert client.post("/api/v1/alliance", data=b"no json").status_code == 404


def test_history_of_a_case(client: FlaskClient, world: World) -> None:
    world.walk(2)
    client.set_cookie("lianyi", "jin")
    entries = client.get(f"/api/v1/cases/{world.case}/history").json["entries"]
    assert {"id", "at", "kind", "actor", "process", "node", "operation", "result", "data"} == set(entries[0])
    assert [e["at"] for e in entries] == sorted(e["at"] for e in entries)
    assert any(e["operation"] == "imaging.prepare" and e["result"]["verified"] is True for e in entries)


def test_a_line_speaks_tls_and_names_whom_it_trusts(client: FlaskClient, world: World, tmp_path: Path) -> None:
    _, key, ca = certs.issue(tmp_path, ["pacs.example"])
    document = alliance.describe(world.clock.now(), his_port=1, pacs_port=2)
    line = document["endpoints"][1]
    line |= {"host": "pacs.example", "tls": True, "authority": ca.read_text()}
    assert client.post("/api/v1/alliance", json=document).status_code == 200
    hospital = world.home
    assert world.services.messages.line(hospital, "dicom").trust == Trust(ca.read_text())
    assert world.services.messages.line(hospital, "hl7").trust is None
    assert " TLS</td>" in client.get("/messages?tab=lines").text
    for wrong in (
        {"authority": "no certificate"},
        {"authority": ca.read_text() + key.read_text()},
        {"tls": False},  # an authority nobody would ask for
    ):
        answer = client.post("/api/v1/alliance", json=document | {"endpoints": [line | wrong]})
        assert (answer.status_code, answer.json["code"]) == (422, "bad_authority")
    assert world.services.messages.line(hospital, "dicom").trust == Trust(ca.read_text())
    del line["authority"]
    assert client.post("/api/v1/alliance", json=document).status_code == 200
    assert world.services.messages.line(hospital, "dicom").trust == Trust()


def test_a_failed_delivery_is_told_in_the_reader_s_language(client: FlaskClient, world: World) -> None:
    messages = world.services.messages
    out = messages.begin(messages.line(world.home, "hl7"), "ORU^R01", None, "K1", b"x")
    messages.attempt(out, tls.named("tls_name"))
    assert DELIVERIES["tls_name"] in client.get(f"/messages/{out}").text
    client.set_cookie(COOKIE, "en")
    assert "for another name" in client.get(f"/messages/{out}").text


def test_a_line_says_from_where_its_system_sends(client: FlaskClient, world: World) -> None:
    document = alliance.describe(world.clock.now(), his_port=1, pacs_port=2)
    client.post("/api/v1/alliance", json=document)
    assert world.services.messages.hl7_peers() == ["127.0.0.1"]
    document["endpoints"][0]["peers"] = ["10.1.2.3", "10.2.0.0/16"]
    client.post("/api/v1/alliance", json=document)
    assert world.services.messages.hl7_peers() == ["10.1.2.3", "10.2.0.0/16"]
    assert "← 10.1.2.3 10.2.0.0/16" in client.get("/messages?tab=lines").text
