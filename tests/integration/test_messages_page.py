"""The message centre: problems first, both ways and every kind, one message beside the list, sent again under the same number, put
away with a note."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from lxml import html
from sqlalchemy import select

from engine.ids import uuid7
from engine.tables import history
from integrations import Outcome, OutcomeClass
from integrations.hl7 import parse
from tasks.imaging.models import Quarantine
from tasks.messages.centre import PAGE
from tasks.messages.fields import fault, shown
from tasks.messages.models import Delivery, Inbound, Outbound
from tasks.notify.models import SmsMessage, SmsReply
from tasks.people.models import Account, Login

World = Any
ORU = (
    "MSH|^~\\&|LIANYI|SF|HIS|QH|20261124102300||ORU^R01^ORU_R01|R318|P|2.5.1\r"
    "PID|1||QH20461^^^QH||王^示例||19590312|M\rOBR|1|P1|F1|RC^远程会诊\r"
    "OBX|1|FT|55111-9^检查方法^LN||头颅平扫||||||F\rOBX|2|FT|18748-4^影像报告^LN||左侧颞枕叶||||||F\r"
).encode()
ACK = (
    b"MSH|^~\\&|HIS|QH|LIANYI|SF|20261124102301||ACK^R01|A1|P|2.5.1\rMSA|AE|R318|code 18748-4 is not known\r"
    b"ERR||OBX^2^3|103^Table value not found^HL70357|E\r"
)


@pytest.mark.parametrize(
    ("answer", "words", "found"),
    [
        (ACK, "", ("OBX", 2, 3)),
        (b"MSH|^~\\&|HIS|QH|L|SF|1||ACK|A1|P|2.3\rMSA|AE|R1\rERR|PID^1^5^101\r", "", ("PID", 1, 5)),
        (b"MSH|^~\\&|HIS|QH|L|SF|1||ACK|A1|P|2.5\rMSA|AE|R1|OBR-4 is missing\r", "", ("OBR", 1, 4)),
        (None, "MSH-10 is empty", ("MSH", 1, 10)),
        (b"\x00\x01", "unreachable", None),
    ],
)
def test_the_field_the_peer_blames_is_found(answer: bytes | None, words: str, found: Any) -> None:
    assert fault(answer, words) == found


def test_what_names_the_patient_is_covered_for_whom_it_does_not_concern() -> None:
    covered, whole = (shown(ORU, ("OBX", 2, 3), whole=w) for w in (False, True))
    text = "".join(f.text for s in covered for f in s.fields)
    assert not any(word in text for word in ("王", "QH20461", "1959", "颞枕", "平扫"))
    assert "18748-4^影像报告^LN" in text
    assert [s.guilty for s in covered] == [False, False, False, False, True]
    assert "王^示例" in "".join(f.text for s in whole for f in s.fields)


def _as(client: FlaskClient, world: World, login: str) -> None:
    with world.services.db.transaction() as session:
        account = session.scalars(select(Account.id).where(Account.login_name == login)).one()
        digest = hashlib.sha256(login.encode()).hexdigest()
        if session.scalar(select(Login.id).where(Login.token_hash == digest)) is None:
            now = world.clock.now()
            session.add(
                Login(id=account, account_id=account, token_hash=digest, created_at=now, seen_at=now, reauth_at=now, expires_at=now.replace(year=2027))
            )  # fmt: skip
    client.set_cookie("lianyi", login)


def _traffic(world: World) -> dict[str, UUID]:
    """One message of every kind, those in trouble an hour older than the rest."""
    world.walk(1)
    now = world.clock.now()
    early, ids = (
        now - timedelta(hours=1),
        {n: uuid7() for n in ("oru", "adt", "sms", "kept", "reply", "aside", "waits")},
    )
    with world.services.db.transaction() as session:
        line = world.services.messages.line(world.home, "hl7").id
        case = {"tenant": world.home, "case_id": world.case}
        text = {"account_id": world.accounts["lin"], "phone": "1", "template": "offer", "text": "【联医】会诊待您确认"}
        session.add_all(
            [
                Outbound(id=ids["oru"], endpoint_id=line, kind="ORU^R01", key="R318", raw=ORU, state="failed", created_at=early, **case),
                Outbound(id=ids["waits"], endpoint_id=line, kind="ORU^R01", key="R319", raw=ORU, state="sending", created_at=now, **case),
                Inbound(id=ids["adt"], tenant=world.home, sha256="0" * 64, raw=ORU, answer=ACK, peer="p", attempts=0, received_at=now, sender="QH", control="A77", kind="ADT^A08", code="AA", state="done"),
                SmsMessage(id=ids["sms"], provider="twilio", key="k1", state="unknown", created_at=early, changed_at=early, **case, **text),
                SmsMessage(id=ids["kept"], provider="outbox", key="k2", state="kept", created_at=now, changed_at=now, **case, **text),
                SmsReply(id=ids["reply"], tenant=world.hub, provider_id="r1", phone="1", text="1", effect="accepted", received_at=now),
                Quarantine(id=ids["aside"], tenant=world.home, sop_uid="2.25.99", study_uid="2.25.7", sha256="a" * 64, size=1, reason="other_bytes", source="dicom:10.1.1.4", received_at=early),
            ]
        )  # fmt: skip
        session.flush()
        session.add(
            Delivery(id=uuid7(), tenant=world.home, outbound_id=ids["oru"], at=early, outcome="permanent", code="AE", detail="code 18748-4 is not known", answer=ACK)
        )  # fmt: skip
    return ids


def _rows(page: Any) -> list[tuple[str, str, str]]:
    rows = html.fromstring(page.text).xpath("//tr[@data-message]")
    return [(r.get("data-message"), r.get("data-way"), r.get("data-family")) for r in rows]


def test_every_kind_of_both_ways_stands_there_and_problems_come_first(world: World, client: FlaskClient) -> None:
    ids = _traffic(world)
    _as(client, world, "admin")
    page = client.get("/messages")
    assert [r[0] for r in _rows(page)[:3]] == ["trouble"] * 3
    assert {r[1:] for r in _rows(page)} == {
        ("out", "hl7"),
        ("in", "hl7"),
        ("out", "sms"),
        ("in", "sms"),
        ("in", "dicom"),
    }
    assert "已存入发件箱，不外发" in page.text
    assert "结果不明" in page.text
    assert set(_rows(client.get("/messages?tab=dicom"))) >= {
        ("trouble", "in", "dicom"),
        ("done", "in", "dicom"),
    }
    assert {r[1] for r in _rows(client.get("/messages?way=in"))} == {"in"}
    assert {r[0] for r in _rows(client.get("/messages?state=waiting"))} == {"waiting"}
    assert _rows(client.get("/messages?q=a77")) == [("done", "in", "hl7")]
    assert _rows(client.get("/messages?since=2026-11-25")) == []
    assert {r[2] for r in _rows(client.get(f"/messages?peer={world.hub}"))} == {"sms"}
    assert "王示例" not in page.text
    _as(client, world, "he")
    assert client.get("/messages").status_code == 404
    assert client.get(f"/messages/{ids['oru']}").status_code == 404


def test_a_refused_message_tells_why_and_marks_the_field_without_the_patient(world: World, client: FlaskClient) -> None:
    ids = _traffic(world)
    _as(client, world, "wu")
    page = client.get(f"/messages/{ids['oru']}?state=trouble")
    tree = html.fromstring(page.text)
    assert "对端说：code 18748-4 is not known" in " ".join(tree.xpath("//*[@data-why]")[0].text_content().split())
    assert tree.xpath("//p[@class='guilty']/mark/@title") == ["OBX-3"]
    assert not any(word in page.text for word in ("王^示例", "QH20461", "左侧颞枕叶"))
    assert tree.xpath("//a[@data-close-drawer]/@href") == ["/messages?state=trouble"]
    world.services.people.assign(world.accounts["he"], "coordinator", world.home, actor="test")
    _as(client, world, "he")  # the applicant may see his patient
    assert "王^示例" in client.get(f"/messages/{ids['oru']}").text


def test_what_somebody_has_seen_to_is_counted_no_more_and_stands_in_the_record(
    world: World, client: FlaskClient
) -> None:
    ids = _traffic(world)
    _as(client, world, "admin")
    for name in ("aside", "sms"):
        assert client.post(f"/messages/{ids[name]}/seen", data={"note": " "}).status_code == 422
        assert client.post(f"/messages/{ids[name]}/seen", data={"note": "已电话核对"}).status_code == 303
        assert client.post(f"/messages/{ids[name]}/seen", data={"note": "再一次"}).status_code == 303
    assert [r[0] for r in _rows(client.get("/messages?state=trouble"))] == ["trouble"]
    assert len(_rows(client.get("/messages?state=seen"))) == 2
    assert "已电话核对" in client.get(f"/messages/{ids['aside']}").text
    with world.services.db.read() as session:
        told = list(session.execute(select(history).where(history.c.kind == "message.seen")))
        assert world.services.imaging.quarantined(session, world.home) == []
    assert {json.loads(t.data)["message"] for t in told} == {str(ids["aside"]), str(ids["sms"])}
    assert "核对" not in "".join(t.data for t in told)
    _as(client, world, "wu")  # of another hospital's line without a case
    assert client.post(f"/messages/{ids['aside']}/seen", data={"note": "试试"}).status_code == 404


def test_pages_of_mixed_kinds_lose_nothing(world: World, client: FlaskClient) -> None:
    _traffic(world)
    with world.services.db.transaction() as session:
        for place in range(PAGE + 5):
            session.add(
                SmsReply(id=uuid7(), tenant=world.hub, provider_id=f"p{place}", phone="1", text=f"n{place}", effect="late", received_at=world.clock.now())
            )  # fmt: skip
    _as(client, world, "admin")
    address, seen = "/messages?tab=sms&way=in", list[str]()
    while address:
        tree = html.fromstring(client.get(address).text)
        seen += tree.xpath("//tr[@data-message]/td[4]/@title")
        address = next(iter(tree.xpath("//p[@class='more']/a/@href")), "")
    assert sorted(seen) == sorted(["1", *(f"n{n}" for n in range(PAGE + 5))])


def test_a_refused_result_is_sent_again_under_the_same_number(world: World, client: FlaskClient) -> None:
    world.walk(11)
    world.hl7.code = "AR"
    with pytest.raises(AssertionError):  # the walk itself finds the incident
        world.submit(*world.steps()[11])
    with world.services.db.read() as session:
        (failed,) = session.scalars(select(Outbound).where(Outbound.kind == "ORU^R01"))
    _as(client, world, "wu")
    page = client.get(f"/messages/{failed.id}")
    assert "重发使用同一控制号" in page.text
    world.hl7.code = "AA"
    assert client.post(f"/messages/{failed.id}/resend").status_code == 303
    world.worker.run_until_idle()
    assert [parse(raw).control_id for raw in world.hl7.sent] == [failed.key, failed.key]
    assert "已送达" in client.get(f"/messages/{failed.id}").text
    assert client.post(f"/messages/{failed.id}/resend").status_code == 422


def test_a_message_that_is_tried_no_more_needs_somebody(world: World) -> None:
    """An AE is tried again for a while; after the last time it is among the problems, and delivered when it goes at last."""
    messages, states = world.services.messages, list[str]()
    line = messages.line(world.home, "hl7")
    noted = messages.begin(line, "ORU^R01", None, "R7", ORU)
    again = Outcome(OutcomeClass.TRANSIENT, "AE", "not now")
    for outcome, last in ((again, False), (again, True), (again, False), (Outcome(OutcomeClass.OK, "AA"), False)):
        messages.attempt(noted, outcome, last=last)
        with world.services.db.read() as session:
            states.append(messages.detail(session, world.actor("admin"), noted)[0].state)
    assert states == ["sending", "failed", "sending", "delivered"]
