"""What has stopped is shown to those it concerns, and goes on by their word, once, with the reason in the history."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from engine import Effect
from engine.incidents import ChangeRefused, changes
from engine.tables import history, incident
from integrations.compression import Undecodable
from integrations.sms import SmsRefused, SmsUnknown
from tasks.cases import troubles
from tasks.imaging import service as imaging_service
from tasks.people.models import Account, Login

World = Any
NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)


def _as(client: FlaskClient, world: World, login: str) -> None:
    """Let the browser be this person's."""
    import hashlib

    with world.services.db.transaction() as session:
        account = session.scalars(select(Account.id).where(Account.login_name == login)).one()
        digest = hashlib.sha256(login.encode()).hexdigest()
        if session.scalar(select(Login.id).where(Login.token_hash == digest)) is None:
            now = world.clock.now()
            session.add(Login(id=account, account_id=account, token_hash=digest, created_at=now, seen_at=now, expires_at=now.replace(year=2027), reauth_at=now))  # fmt: skip
    client.set_cookie("lianyi", login)


def _stop(world: World, problem: Exception) -> None:
    """A case whose offer's short message does not go out."""
    world.walk(3)
    world.sms.problem = problem
    with pytest.raises(AssertionError):  # the walk itself finds the incident
        world.submit(*world.steps()[3])


def _open(world: World) -> UUID:
    with world.services.db.read() as session:
        return session.execute(select(incident.c.id).where(incident.c.state == "open")).scalar_one()


@pytest.mark.parametrize(("act", "sent"), [("sent", 0), ("again", 1)])
def test_a_person_says_whether_it_went_out(world: World, client: FlaskClient, act: str, sent: int) -> None:
    _stop(world, SmsUnknown())
    _as(client, world, "wu")
    page = client.get("/monitor").text
    assert "不知道是否已经发出" in page
    address = re.search(r"/monitor/incidents/[0-9a-f-]{36}", page)
    assert address
    shown = client.get(address[0]).text
    assert "已经发出：继续往下走" in shown
    assert "王示例" not in shown
    world.sms.problem = None
    assert client.post(address[0], data={"act": act, "reason": " "}).status_code == 422
    assert client.post(address[0], data={"act": "change", "reason": "问过本人"}).status_code == 422
    assert client.post(address[0], data={"act": act, "reason": "电话问过本人"}).status_code == 303
    assert client.post(address[0], data={"act": act, "reason": "电话问过本人"}).status_code == 404
    world.worker.run_until_idle()
    assert len(world.sms.sent) == sent
    assert "offer_reply" in world.waiting()
    with world.services.db.read() as session:
        said = session.scalars(select(history.c.data).where(history.c.kind == "incident.resolved")).all()
    assert any("电话问过本人" in words for words in said)


def test_a_refused_message_is_tried_again_when_the_cause_is_gone(world: World, client: FlaskClient) -> None:
    _stop(world, SmsRefused())
    _as(client, world, "admin")
    assert "系统任务没有成功" in client.get("/monitor").text
    world.sms.problem = None
    address = f"/monitor/incidents/{_open(world)}"
    assert client.post(address, data={"act": "sent", "reason": "号码已改"}).status_code == 422
    assert client.post(address, data={"act": "again", "reason": "号码已改"}).status_code == 303
    world.worker.run_until_idle()
    assert len(world.sms.sent) == 1


def test_nobody_else_sees_it(world: World, client: FlaskClient) -> None:
    _stop(world, SmsUnknown())
    address = f"/monitor/incidents/{_open(world)}"
    for login in ("he", "jin", "shen"):
        _as(client, world, login)
        assert client.get(address).status_code == 404
        assert client.post(address, data={"act": "sent", "reason": "电话问过"}).status_code == 404


def test_values_are_corrected_in_feel() -> None:
    seen = {"case": {"urgency": "R", "id": "1"}, "tries": 2}
    assert changes('case.urgency = "U"', seen, NOW) == {"case": {"urgency": "U", "id": "1"}}
    assert changes("tries = tries + 1\nok = true", seen, NOW) == {"tries": 3, "ok": True}
    assert changes("", seen, NOW) == {}
    for wrong in ("case.urgency", "tries.x = 1", "tries = (", "import os"):
        with pytest.raises(ChangeRefused):
            changes(wrong, seen, NOW)


def test_what_may_be_done_follows_from_what_happened() -> None:
    assert troubles.acts("unknown_outcome", Effect.ONCE) == ("sent", "again")
    assert troubles.acts("unknown_outcome", Effect.QUERY) == ("again",)
    assert troubles.acts("expression", None) == ("change",)
    assert troubles.acts("job", Effect.IDEMPOTENT) == ("again",)
    assert troubles.acts("instance", None) == ("again",)
    assert troubles.acts("image", None) == ("seen",)


def test_a_task_for_somebody_who_left_comes_up_until_he_or_another_can_take_it(
    world: World, client: FlaskClient
) -> None:
    world.walk(2)
    he = world.accounts["he"]
    world.services.people.set_active(he, False)
    with pytest.raises(AssertionError, match="wait_person"):
        world.submit("chen", "pre_qc", {"decision": "supplement", "reason": "补传薄层"})
    _as(client, world, "wu")
    address = f"/monitor/incidents/{_open(world)}"
    shown = client.get(address).text
    assert "任务没有人能接" in shown
    assert "先启用账号或安排代班" in shown
    assert str(he) in shown
    assert client.post(address, data={"act": "change", "reason": "按原值再试"}).status_code == 303
    assert "supplement" not in world.waiting()
    world.services.people.set_active(he, True)
    address = f"/monitor/incidents/{_open(world)}"
    assert client.post(address, data={"act": "change", "reason": "账号已启用"}).status_code == 303
    assert "supplement" in world.waiting()


def test_an_image_that_does_not_decode_is_told_and_stops_nothing(
    world: World, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.walk(2)
    before = world.waiting()

    def fail(_part10: bytes) -> None:
        raise Undecodable

    imaging = world.services.imaging
    monkeypatch.setattr(imaging, "_decode", fail)
    assert imaging.check_pixels() == 1
    assert imaging.check_pixels() == 0
    _as(client, world, "wu")
    page = client.get("/monitor").text
    assert page.count("有影像解不出来") == 1
    assert "隔离的影像" not in page, "it lies at the other hospital"
    address = f"/monitor/incidents/{_open(world)}"
    shown = client.get(address).text
    assert "undecodable" in shown
    assert "已隔离" in shown
    assert "王示例" not in shown
    assert world.waiting() == before
    world.services.people.create_account("xie", "谢协调", world.home, ["coordinator"], actor="test")
    _as(client, world, "xie")
    assert "像素解不出来" in client.get("/monitor").text
    _as(client, world, "wu")
    assert client.post(address, data={"act": "again", "reason": "已请重发"}).status_code == 422
    assert client.post(address, data={"act": "seen", "reason": "已请重发"}).status_code == 303
    assert "有影像解不出来" not in client.get("/monitor").text
    assert world.waiting() == before
    world.submit(*world.steps()[2])


def test_a_crash_between_telling_and_noting_tells_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.walk(2)
    imaging = world.services.imaging

    def fail(_part10: bytes) -> None:
        raise Undecodable

    monkeypatch.setattr(imaging, "_decode", fail)
    monkeypatch.setattr(
        imaging_service, "uuid7", lambda: 1 / 0
    )  # what comes after the incident, in the other transaction
    with pytest.raises(ZeroDivisionError):
        imaging.check_pixels()
    monkeypatch.undo()
    monkeypatch.setattr(imaging, "_decode", fail)
    assert imaging.check_pixels() == 1
    with world.services.db.read() as session:
        assert session.execute(select(incident.c.kind)).scalars().all() == ["image"]
        assert len(imaging.quarantined(session, world.home)) == 1
