"""The audit: who looked at a patient and why he might, what somebody did, by filters in the address; taken out as a table."""

from __future__ import annotations

import csv
import hashlib
import io
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from lxml import html
from sqlalchemy import insert, select, text

from engine.history import record
from engine.ids import uuid7
from engine.tables import history
from tasks.cases import ledger
from tasks.cases.ledger import Question
from tasks.patients.models import PatientRecord
from tasks.patients.service import Arrival
from tasks.people.errors import BadCredentials
from tasks.people.models import Account, Login
from webui.pages.audit_csv import safe

World = Any


@pytest.fixture
def ask(world: World, client: FlaskClient) -> Any:
    """A page as somebody sees it: `ask(login, address)` or, with a form, what is answered to it."""

    def asked(login: str, address: str, form: dict[str, str] | None = None, lang: str = "zh") -> Any:
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
        client.set_cookie("lang", lang)
        return client.get(address) if form is None else client.post(address, data=form)

    return asked


def _words(page: Any, path: str) -> list[str]:
    return [" ".join(e.text_content().split()) for e in html.fromstring(page.text).xpath(path)]


def _seen(world: World, ask: Any) -> None:
    """A booked case, opened by the applicant and the expert, and in vain by a doctor of another hospital."""
    world.walk(6)
    ask("he", f"/cases/{world.case}")
    world.clock.advance(timedelta(minutes=5))
    for _ in range(2):
        ask("lin", f"/cases/{world.case}")
    ask("feng", f"/cases/{world.case}")


def test_of_one_patient_it_says_who_how_often_and_why_and_filters_narrow(world: World, ask: Any) -> None:
    _seen(world, ask)
    for words in ("QH20461", "rc261124-qh-0001"):
        _tells_of_one_patient(ask, words)
    _narrows(ask)
    _exports(ask)


def _tells_of_one_patient(ask: Any, words: str) -> None:
    page = ask("jin", f"/audit?patient={words}")
    (said,) = _words(page, "//*[@class='sum-line']")
    rows = html.fromstring(page.text).xpath("//tr[@data-person]")
    people = {row.get("data-person"): " ".join(row.text_content().split()) for row in rows}
    assert said.startswith(f"{len(people)} 人，3 家机构，")
    assert "应诊专家" in people["林示范"]
    assert "看病例 2" in people["林示范"]
    assert "申请医生" in people["何演示"]
    assert "无授权，不在参与者中" in people["冯例一"]
    assert "打开病例，被拒绝" in people["冯例一"]
    assert "1 次被拒绝" in page.text
    assert "您的这次查询也已记录" in page.text
    assert "王示例" not in page.text
    assert "经过一步" not in page.text
    assert "Consulting expert" in ask("jin", f"/audit?patient={words}", lang="en").text


def test_a_number_from_before_two_records_were_joined_finds_the_patient(world: World, ask: Any) -> None:
    world.walk(1)
    with world.services.db.transaction() as session:
        arrival = Arrival(
            world.home, "QH_OLD", "OLD-88102", "王示例", "M", world.clock.now().date().replace(1959, 3, 12)
        )
        old = world.services.patients.register(session, arrival, actor="test")
        person = world.services.patients.person_of(session, world.registration)
        row = session.scalars(select(PatientRecord).where(PatientRecord.mrn == "OLD-88102")).one()
        row.person_id = person
    assert old is not None
    page = ask("jin", "/audit?patient=OLD-88102")
    assert "家机构" in "".join(_words(page, "//*[@class='sum-line']"))
    assert "QH20461" in page.text


def test_nothing_is_told_of_a_patient_of_whom_the_auditor_reads_no_case(world: World, ask: Any) -> None:
    world.open()
    with world.services.db.read() as session:
        yunling = session.scalars(select(Account.hospital_id).where(Account.login_name == "tang")).one()
    world.services.people.assign(world.accounts["bai"], "auditor", yunling, actor="test")
    page = ask("bai", "/audit?patient=QH20461")
    assert "没有这个患者号或会诊编号" in page.text
    assert not _words(page, "//tr[@data-kind]")


def _narrows(ask: Any) -> None:
    kinds = lambda address: set(html.fromstring(ask("jin", address).text).xpath("//tr/@data-kind"))  # noqa: E731
    assert kinds("/audit?kind=refused") == {"access.refused"}
    assert kinds("/audit?kind=looked") == {"view"}
    assert "step" in kinds("/audit?kind=flow")
    assert "account_created" in kinds("/audit?kind=admin")
    assert not {"step", "task.completed", "job.done", "account_created"} & kinds("/audit")
    assert "task.submitted" in kinds("/audit?person=沈样例")
    assert all("沈样例" in w for w in _words(ask("jin", "/audit?person=shen"), "//tr[@data-kind]/td[2]"))
    assert kinds("/audit?person=shen%20YANGLI") == kinds("/audit?person=shen")
    assert kinds("/audit?since=2026-11-25") == set()
    assert kinds("/audit?until=2026-11-23") == set()
    assert "view" in kinds("/audit?since=2026-11-24&until=2026-11-24")
    assert kinds("/audit?since=nonsense&kind=nonsense") == kinds("/audit")
    assert "没有这个人员" in ask("jin", "/audit?person=nobody").text


def test_a_failed_login_is_shown_with_where_it_came_from(world: World, ask: Any) -> None:
    with pytest.raises(BadCredentials):
        world.services.people.logins.open("lin", "wrong", address="203.0.113.7")
    with pytest.raises(BadCredentials):
        world.services.people.logins.open("who", "wrong", address="203.0.113.8")
    rows = _words(ask("jin", "/audit?kind=login"), "//tr[@data-kind='login_failed']")
    assert any("不明人员" in r and "没有这个工号" in r and "203.0.113.8" in r for r in rows)
    assert any("林示范" in r and "密码不对" in r and "203.0.113.7" in r for r in rows)


def _exports(ask: Any) -> None:
    """It follows the filter and is an entry itself."""
    taken = ask("jin", "/audit/export", {"patient": "QH20461", "kind": "looked"})
    assert taken.mimetype == "text/csv"
    rows = list(csv.reader(io.StringIO(taken.data.decode("utf-8-sig"))))
    assert rows[0][:3] == ["时间", "人员", "医院"]
    assert [row[1] for row in rows[1:4]] == ["林示范", "林示范", "何演示"]
    assert rows[1][3:7] == ["看病例", "应诊专家", "RC261124-QH-0001", "10.20.3.14"]
    assert "王示例" not in taken.data.decode("utf-8-sig")
    told = _words(ask("jin", "/audit?kind=exported"), "//tr[@data-kind='record.exported']")
    assert len(told) == 1
    assert f"导出审计记录 {len(rows) - 1} 条" in told[0]
    assert ask("wu", "/audit/export", {}).status_code == 404


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(cell: str) -> None:
    assert safe(cell) == f"'{cell}"
    assert safe("RC261124") == "RC261124"


def test_pages_follow_one_another_without_gap_or_repetition(world: World, ask: Any) -> None:
    world.open()
    with world.services.db.transaction() as session:
        for place in range(ledger.PAGE + 7):
            record(
                session, tenant=world.hub, kind="login", actor=str(world.accounts["lin"]), at=world.clock.now(), data={"n": place}
            )  # fmt: skip
    first = html.fromstring(ask("jin", "/audit?kind=login").text)
    (further,) = first.xpath("//p[@class='more']/a/@href")
    assert "kind=login" in further
    second = html.fromstring(ask("jin", further).text)
    seen = [page.xpath("//tr[@data-kind]/td[1]/@title") for page in (first, second)]
    assert len(seen[0]) == ledger.PAGE
    assert len(set(seen[0]) | set(seen[1])) == ledger.PAGE + 7
    assert not set(seen[0]) & set(seen[1])


QUESTIONS = {
    "newest": Question(), "kind": Question(group="refused"), "acted": Question(group="acted"), "person": Question(people=(UUID(int=7),)),
    "case": Question(instances=(UUID(int=3),)), "flow": Question(group="flow"),
}  # fmt: skip


def test_a_filtered_page_reads_off_an_index(world: World) -> None:
    """On 10 000 entries no plan walks the whole record for a page; `before` goes on in the middle."""
    db, now, who = world.services.db, world.clock.now(), world.actor("jin")
    rows = [
        {
            "at": now - timedelta(minutes=n), "id": uuid7(), "tenant": world.hub, "seq": 10**6 + n, "kind": "view" if n % 4 else "step",
            "actor": str(UUID(int=n % 50)), "instance_id": UUID(int=n % 500), "data": "{}", "previous": "", "hash": "",
        }
        for n in range(10_000)
    ]  # fmt: skip
    with db.transaction() as session:
        session.execute(insert(history), rows)
        if db.dialect == "postgresql":
            session.execute(text("analyze history"))
    before = (now - timedelta(minutes=5_000), uuid7())
    for name, question in QUESTIONS.items():
        for at in (None, before):
            for plan in _plans(world, who, question, at):
                assert "Seq Scan on history_202611" not in plan, name
                assert "SCAN history\n" not in plan, name
                assert "history USING INDEX" in plan or "Index Scan" in plan, name


def _plans(world: World, who: Any, question: Question, before: Any) -> list[str]:
    """How the database would find the page, a plan for each branch."""
    found = []
    with world.services.db.read() as session:
        for query in ledger.queries(who, question, before):
            sql = str(query.compile(session.get_bind(), compile_kwargs={"literal_binds": True})).replace("%%", "%")
            lite = session.get_bind().dialect.name == "sqlite"
            rows = session.execute(text(("explain query plan " if lite else "explain ") + sql.replace(":", "\\:")))
            found.append("\n".join(str(row[-1]) for row in rows) + "\n")
    return found
