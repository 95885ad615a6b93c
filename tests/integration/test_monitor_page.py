"""The coordinator sees what is late or in nobody's hands first, gives it to somebody and reminds whose it is."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

from flask.testing import FlaskClient
from lxml import html
from sqlalchemy import select

from engine.tables import history
from tasks.notify.models import Notice
from tasks.people.models import Account, Login
from tasks.worklist.models import Claim

World = Any


def _as(client: FlaskClient, world: World, login: str) -> None:
    with world.services.db.transaction() as session:
        account = session.scalars(select(Account.id).where(Account.login_name == login)).one()
        digest = hashlib.sha256(login.encode()).hexdigest()
        login_row = session.scalar(select(Login).where(Login.token_hash == digest))
        now = world.clock.now()
        if login_row is None:
            session.add(
                Login(id=account, account_id=account, token_hash=digest, created_at=now, seen_at=now, reauth_at=now, expires_at=now.replace(year=2027))
            )  # fmt: skip
        else:
            login_row.seen_at = now
    client.set_cookie("lianyi", login)


def _groups(page: Any) -> dict[str, list[str]]:
    tree = html.fromstring(page.text)
    return {g.get("data-group"): g.xpath(".//tr/@data-step") for g in tree.xpath("//tbody[@data-group]")}


def _task(page: Any) -> str:
    return str(html.fromstring(page.text).xpath("//input[@name='task']/@value")[0])


def _told(client: FlaskClient) -> str:
    return str(html.fromstring(client.get("/monitor").text).xpath("string(//*[@data-toasts])"))


def test_what_is_late_or_nobodys_comes_first_and_is_given_and_reminded(world: World, client: FlaskClient) -> None:
    world.walk(3)  # triage waits for anybody who holds the role
    _as(client, world, "wu")
    page = client.get("/monitor")
    assert _groups(page) == {"free": ["triage"]}
    assert "王示例" not in page.text
    task, shen, wang = _task(page), str(world.accounts["shen"]), str(world.accounts["zheng"])
    assert client.post("/monitor/act", data={"what": "remind"}).status_code == 303
    assert "请先勾选任务" in _told(client)
    client.post("/monitor/act", data={"what": "remind", "task": task})
    assert "已提醒 1 人" in _told(client)
    client.post("/monitor/act", data={"what": "remind", "task": task})  # not again within a quarter of an hour
    client.post("/monitor/act", data={"what": "move", "task": task, "to": wang})
    assert "1 项没有改派" in _told(client)
    client.post("/monitor/act", data={"what": "move", "task": [task, "no"], "to": shen})
    assert "已改派 1 项" in _told(client)
    assert _groups(client.get("/monitor")) == {"rest": ["triage"]}
    with world.services.db.read() as session:
        assert str(session.scalars(select(Claim.account_id)).one()) == shen
        notices = session.scalars(select(Notice).where(Notice.template == "remind")).all()
        kinds = session.scalars(
            select(history.c.kind).where(history.c.kind.in_(("task.reminded", "task.reassigned")))
        ).all()
    assert [str(n.account_id) for n in notices] == [shen]
    assert sorted(kinds) == ["task.reassigned", "task.reminded"]
    world.clock.advance(timedelta(days=3))
    _as(client, world, "wu")
    page = client.get("/monitor?group=over")
    assert _groups(page) == {"over": ["triage"]}
    assert html.fromstring(page.text).xpath("string(//*[@data-count-of='over']/b)") == "1"
    assert _groups(client.get("/monitor?group=free")) == {}
    _as(client, world, "he")
    assert client.post("/monitor/act", data={"what": "remind", "task": task}).status_code == 404


def test_a_coordinator_moves_no_task_of_another_hospital(world: World, client: FlaskClient) -> None:
    world.walk(2)  # pre-QC waits at the invited hospital
    world.services.people.assign(world.accounts["tang"], "coordinator", world.home, actor="test")
    _as(client, world, "wu")
    task = _task(client.get("/monitor"))
    _as(client, world, "tang")  # of the applying hospital: he sees the case, and may not give its tasks away
    client.post("/monitor/act", data={"what": "remind", "task": task})
    client.post("/monitor/act", data={"what": "move", "task": task, "to": str(world.accounts["chen"])})
    with world.services.db.read() as session:
        assert session.scalars(select(Notice.id).where(Notice.template == "remind")).all() == []
        assert session.scalars(select(Claim.task_id)).all() == []
