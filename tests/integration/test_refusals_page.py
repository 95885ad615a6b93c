"""Who is refused, and who fails to log in, is in the record; a flood of either fills no chain."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from engine.history import PLATFORM
from engine.ids import uuid7
from engine.tables import history
from tasks.cases.refusals import MOST
from tasks.people.errors import BadCredentials, TooManyLogins
from tasks.people.logins import notable
from tasks.people.models import Account, Login

World = Any


def _as(client: FlaskClient, world: World, login: str) -> None:
    """Let the browser be this person's, at a work place with an address."""
    with world.services.db.transaction() as session:
        account = session.scalars(select(Account.id).where(Account.login_name == login)).one()
        digest = hashlib.sha256(login.encode()).hexdigest()
        if session.scalar(select(Login.id).where(Login.token_hash == digest)) is None:
            now = world.clock.now()
            session.add(
                Login(
                    id=account, account_id=account, token_hash=digest, created_at=now, seen_at=now, reauth_at=now,
                    expires_at=now.replace(year=2027), address="10.20.3.14",
                )
            )  # fmt: skip
    client.set_cookie("lianyi", login)


def _rows(world: World, kind: str) -> list[Any]:
    with world.services.db.read() as session:
        return list(session.execute(select(history).where(history.c.kind == kind).order_by(history.c.at, history.c.id)))


def test_a_doctor_of_another_hospital_who_opens_a_case_is_in_the_record(world: World, client: FlaskClient) -> None:
    world.walk(6)
    _as(client, world, "feng")
    for _ in range(3):
        assert client.get(f"/cases/{world.case}").status_code == 404
    assert client.get(f"/cases/{world.case}?tab=report").status_code == 404
    (row,) = _rows(world, "access.refused")
    assert row.instance_id == world.case
    assert row.tenant == world.home
    assert json.loads(row.data) == {"case": str(world.case), "where": "cases.shown", "address": "10.20.3.14"}
    assert client.get(f"/cases/{uuid7()}").status_code == 404  # no case, so nobody's
    assert len(_rows(world, "access.refused")) == 1


def test_a_role_that_may_not_is_in_the_record_of_its_hospital(world: World, client: FlaskClient) -> None:
    _as(client, world, "he")
    assert client.get("/audit").status_code == 404
    assert client.get("/nowhere").status_code == 404
    (row,) = _rows(world, "access.refused")
    assert row.tenant == world.home
    assert json.loads(row.data)["where"] == "audit.home"


def test_what_a_permitted_reader_does_not_find_is_no_refusal(world: World, client: FlaskClient) -> None:
    world.walk(6)
    _as(client, world, "he")
    assert client.get(f"/cases/{world.case}/model.bpmn?process=none").status_code == 404
    assert client.get(f"/cases/{world.case}/report.pdf").status_code == 404
    assert _rows(world, "access.refused") == []


def test_a_room_and_a_task_belong_to_their_case(world: World, client: FlaskClient) -> None:
    world.walk(6)
    with world.services.db.read() as session:
        room = world.services.session.of_case(session, world.case)
        task = world.services.worklist.inbox(session, world.actor("lin"))[0].task_id
    for login, address in (("feng", f"/sessions/{room.id}"), ("tang", f"/tasks/{task}")):
        _as(client, world, login)
        assert client.get(address).status_code == 404
    assert {r.instance_id for r in _rows(world, "access.refused")} == {world.case}
    assert [json.loads(r.data)["where"] for r in _rows(world, "access.refused")] == ["sessions.entered", "tasks.opened"]


def test_trying_one_number_after_another_fills_no_chain(world: World) -> None:
    who = world.actor("feng")
    for place in range(MOST + 20):
        world.services.cases.note_refused(who, f"page{place}")
    rows = _rows(world, "access.refused")
    assert len(rows) == MOST
    assert json.loads(rows[-1].data)["last"] is True


def test_the_record_says_why_somebody_might_look(world: World, client: FlaskClient) -> None:
    world.walk(6)
    _as(client, world, "lin")
    client.get(f"/cases/{world.case}")
    told = json.loads(_rows(world, "view")[-1].data)
    assert (told["by"], told["role"], told["part"], told["address"]) == ("part", "expert", "expert", "10.20.3.14")
    _as(client, world, "he")
    client.get(f"/cases/{world.case}")
    told = json.loads(_rows(world, "view")[-1].data)
    assert (told["by"], told["role"], told["part"]) == ("own", "applicant", "applicant")
    world.services.cases.break_glass(world.actor("jin"), world.case, "complaint", "家属投诉需要核对原始影像")
    _as(client, world, "jin")
    client.get(f"/cases/{world.case}")
    assert json.loads(_rows(world, "view")[-1].data)["by"] == "glass"


def test_a_look_at_a_preview_a_room_or_an_image_is_a_look_too_once_an_hour(world: World, client: FlaskClient) -> None:
    world.walk(6)
    with world.services.db.read() as session:
        room = world.services.session.of_case(session, world.case).id
        (view, *_) = world.services.imaging.key_views_of(session, world.case)
    _as(client, world, "lin")
    for _ in range(2):
        for address in ("/inbox", f"/sessions/{room}", f"/images/case/{world.case}/{view.place}.png"):
            assert client.get(address).status_code == 200
    rows = [r for r in _rows(world, "view") if r.actor == str(world.accounts["lin"])]
    assert sorted(json.loads(r.data)["what"] for r in rows) == ["images", "preview", "room"]
    assert {r.instance_id for r in rows} == {world.case}


def test_a_flood_of_failed_logins_from_one_place_is_told_by_doublings(world: World) -> None:
    logins = world.services.people.logins
    for place in range(200):
        with pytest.raises((BadCredentials, TooManyLogins)):
            logins.open(f"nobody{place}", "wrong", address="203.0.113.7")
    rows = _rows(world, "login_failed")
    assert 16 <= len(rows) <= 20
    assert {r.tenant for r in rows} == {PLATFORM}
    assert {r.actor for r in rows} == {"unknown"}
    assert "nobody" not in "".join(r.data for r in rows)
    assert json.loads(rows[-1].data)["address"] == "203.0.113.7"


def test_of_one_place_a_record_grows_by_doublings_only() -> None:
    told = [n for n in range(1, 5000) if notable(1, n)]
    assert len(told) <= 16 + 9
    assert [n for n in told if n > 16] == [32, 64, 128, 256, 512, 1024, 2048, 4096]
    assert [n for n in range(1, 20) if notable(n, 1000)] == []


def test_a_wrong_password_of_a_known_person_is_his(world: World) -> None:
    with pytest.raises(BadCredentials):
        world.services.people.logins.open("lin", "wrong", address="10.1.1.1")
    (row,) = _rows(world, "login_failed")
    assert row.actor == str(world.accounts["lin"])
    assert row.tenant == world.hub
