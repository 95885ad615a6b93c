"""Handing a form in that is not taken: where one lands, what is told, and that nothing typed is lost."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from lxml import html
from sqlalchemy import select, update

from engine import uuid7
from engine.history import verify
from engine.tables import wait
from tasks.demo import alliance
from tasks.people.models import Login

World = Any
Open = Callable[..., str]


def _task(world: World, form: str) -> str:
    with world.services.db.read() as session:
        return f"/tasks/{session.execute(select(wait.c.task_id).where(wait.c.form == form)).scalar_one()}"


def _words(page: str, where: str) -> str:
    return " ".join(" ".join(node.text_content().split()) for node in html.fromstring(page).xpath(where))


@pytest.fixture
def apply_task(world: World, open_page: Open) -> str:
    """The address of an application that is being written, its writer logged in."""
    world.open()
    task = _task(world, "apply")
    open_page("he", task)
    return task


def test_a_refused_form_comes_back_at_its_own_address_with_all_that_was_typed(
    world: World, open_page: Open, client: FlaskClient, apply_task: str
) -> None:
    typed = {"complaint": "突发头痛", "purpose": ["diagnosis"], "studies": [], "minutes": "x"}
    answer = client.post(apply_task, data=typed)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{apply_task}#errors")
    for _ in range(2):  # a reload asks for nothing and shows the same
        page = open_page("he", apply_task)
        assert "请填写" in _words(page, "//*[@id='f-question-error']")
        assert "突发头痛" in _words(page, "//textarea[@name='complaint']")
        assert html.fromstring(page).xpath("//input[@name='purpose'][@checked]/@value") == ["diagnosis"]
        assert html.fromstring(page).xpath("//input[@name='studies'][@checked]") == [], "what was unticked stays so"
        assert "需要解答的问题" in _words(page, "//*[@id='errors']//a[@href='#f-question']")
        assert "处要改正" in _words(page, "//*[contains(@class,'action-bar')]//a[@href='#errors']")
    english = open_page("he", apply_task, "en")
    assert "Please fill in" in _words(english, "//*[@id='f-question-error']")
    assert "consent" in _words(english, "//*[@id='errors']//li[@data-whole-form]")


def test_a_field_that_was_filled_in_since_is_no_longer_complained_of(
    world: World, open_page: Open, client: FlaskClient, apply_task: str
) -> None:
    client.post(apply_task, data={"complaint": "突发头痛"})
    etag = html.fromstring(open_page("he", apply_task)).xpath("//form[@id='task']/@data-etag")[0]
    saved = client.post(
        f"{apply_task}/draft",
        data={"complaint": "突发头痛", "question": "是否梗死？"},
        headers={"If-Match": f'"{etag}"'},
    )
    assert saved.status_code == 200, "the draft goes on from the revision the page names"
    page = open_page("he", apply_task)
    assert _words(page, "//*[@id='f-question-error']") == ""
    assert "请填写" in _words(page, "//*[@id='f-summary-error']")


def test_a_program_gets_422_with_the_fields(client: FlaskClient, apply_task: str) -> None:
    answer = client.post(apply_task, data={"complaint": "x"}, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json["code"]) == (422, "form_invalid")
    assert answer.json["errors"]["question"] == ["请填写"]


def test_what_a_gate_says_stands_in_the_form_too(world: World, open_page: Open, client: FlaskClient) -> None:
    world.walk(2)
    task = _task(world, "pre_qc")
    open_page("chen", task)
    answer = client.post(task, data={"decision": "return", "reason": "影像不全"})  # nobody took it yet
    assert answer.status_code == 303
    page = open_page("chen", task)
    client.post(task.replace("/tasks", "/inbox") + "/claim")
    page = open_page("chen", task)
    assert "影像不全" in page
    assert "领取" in _words(page, "//*[@id='errors']")


@pytest.mark.parametrize("lost", ["locked", "ended"])
def test_a_form_sent_without_a_login_is_there_after_it(world: World, client: FlaskClient, lost: str) -> None:
    world.walk(8)
    task = _task(world, "report")
    client.post("/login", data={"login_name": "lin", "password": alliance.PASSWORD})
    if lost == "locked":
        world.clock.advance(timedelta(minutes=16))
    else:
        with world.services.db.transaction() as session:
            session.execute(update(Login).values(revoked_at=world.clock.now()))
    answer = client.post(task, data={"findings": "左侧颞枕叶低密度", "csrf_token": "t"})
    assert answer.status_code == 401
    page = html.fromstring(answer.text)
    assert "内容还在" in _words(answer.text, "//*[contains(@class,'banner')]")
    (kept,) = page.xpath("//input[@name='kept']/@value")
    assert "颞枕叶" not in answer.text
    inside = base64.urlsafe_b64decode(kept + "==")  # whoever sits down at the desk reads nothing of it there either
    assert not [word for word in ("颞枕叶", "\\u989e", "findings") if word.encode() in inside]
    name = {} if lost == "locked" else {"login_name": "lin"}
    wrong = client.post("/login", data=name | {"password": "wrong", "kept": kept, "next": task})
    assert html.fromstring(wrong.text).xpath("//input[@name='kept']/@value") == [kept]
    back = client.post("/login", data=name | {"password": alliance.PASSWORD, "kept": kept, "next": task})
    assert back.headers["Location"] == task
    told = client.get(task).text
    assert "左侧颞枕叶低密度" in _words(told, "//textarea[@name='findings']")
    assert "您写的内容还在" in told


def test_a_form_is_not_handed_to_the_next_person_at_the_desk(world: World, client: FlaskClient) -> None:
    world.walk(8)
    task = _task(world, "report")
    client.post("/login", data={"login_name": "lin", "password": alliance.PASSWORD})
    with client.session_transaction() as cookie:
        cookie["account"] = str(world.accounts["sun"])
    with world.services.db.transaction() as session:
        session.execute(update(Login).values(revoked_at=world.clock.now()))
    (kept,) = html.fromstring(client.post(task, data={"findings": "低密度"}).text).xpath("//input[@name='kept']/@value")
    client.post("/login", data={"login_name": "lin", "password": alliance.PASSWORD, "kept": kept, "next": task})
    assert "低密度" not in _words(client.get(task).text, "//textarea[@name='findings']")


# -- booking ----------------------------------------------------------------------------------------------------------
def test_the_expert_is_not_his_own_substitute(world: World, open_page: Open, client: FlaskClient) -> None:
    world.walk(5)
    task, lin = _task(world, "schedule"), str(world.accounts["lin"])
    offered = html.fromstring(open_page("wu", task)).xpath("//select[@name='backup_expert']/option/@value")
    assert len(offered) > 1
    assert lin not in offered
    client.post(task.replace("/tasks", "/inbox") + "/claim")
    start = (world.clock.now() + timedelta(days=1)).isoformat()
    client.post(task, data={"start_at": start, "minutes": "20", "backup_expert": lin})
    assert "请从列出的选项中选择" in _words(open_page("wu", task), "//*[@id='f-backup_expert-error']")


def test_ending_a_case_says_in_its_form_what_is_missing(world: World, open_page: Open, client: FlaskClient) -> None:
    world.walk(1)
    case = f"/cases/{world.case}"
    open_page("he", case)
    assert client.post(f"{case}/stop", data={"reason": "withdrawn"}).headers["Location"] == f"{case}#errors"
    page = html.fromstring(open_page("he", case))
    assert page.xpath("//details[@open]//*[@id='errors']//a/@href") == ["#stop-sure"]
    assert page.xpath("//*[@id='stop']//input[@name='reason'][@checked]/@value") == ["withdrawn"]


# -- the room ---------------------------------------------------------------------------------------------------------
def test_the_host_starts_and_ends_in_the_room_and_is_led_to_the_report(
    world: World, open_page: Open, client: FlaskClient
) -> None:
    world.walk(6)
    with world.services.db.read() as session:
        room = f"/sessions/{world.services.session.of_case(session, world.case).id}"
    attend = _task(world, "attend")
    assert not html.fromstring(open_page("he", room)).xpath("//form[@id='task']"), "only the host starts"
    page = html.fromstring(open_page("lin", room))
    assert page.xpath("//form[@id='task']/@action") == [attend]
    assert _words(open_page("lin", room), "//button[@form='task']") == "开始会诊"
    assert client.post(attend, data={"room": room, "images_seen": "true"}).location == f"{room}#errors"
    told = open_page("lin", room)
    assert "已核对患者身份" in _words(told, "//*[@id='errors']//a")
    assert html.fromstring(told).xpath("//input[@name='images_seen'][@checked]")
    assert client.post(attend, data={"room": room, "identity_checked": "true", "images_seen": "true"}).location == room
    world.clock.advance(timedelta(minutes=12, seconds=5))
    hold = _task(world, "hold")
    assert "已进行 13 分" in _words(open_page("lin", room), "//*[@data-live='state']")
    ended = {"room": room, "outcome": "done", "points": "已讨论"}
    assert client.post(hold, data=ended | {"minutes_used": "20"}).location == f"{room}#errors"
    assert "更正原因" in _words(open_page("lin", room), "//*[@id='errors']//a")
    assert client.post(hold, data=ended | {"minutes_used": "20", "minutes_reason": "迟按结束"}).location == room
    world.worker.run_until_idle()
    page = open_page("lin", room)
    assert "用时 13 分" in _words(page, "//*[@data-live='moved']")
    assert "更正为 20 分钟 迟按结束" in _words(page, "//*[@data-live='log']")
    assert html.fromstring(page).xpath("//*[@data-live='acts']//a[contains(@class,'solid')]/@href") == [
        _task(world, "report")
    ]
    assert html.fromstring(open_page("he", room)).xpath("//*[@data-live='acts']//a/@href") == [f"/cases/{world.case}"]


def test_minutes_are_counted_by_the_system(world: World) -> None:
    world.walk(7)
    world.clock.advance(timedelta(minutes=7, seconds=1))
    world.submit(*world.steps()[7])
    with world.services.db.read() as session:
        room = world.services.session.of_case(session, world.case)
        (ended,) = [e for e in world.services.session.events(session, room.id) if e.kind == "ended"]
    assert ended.data == {"outcome": "done", "minutes": 8}


def test_who_comes_back_is_there_since_then(world: World, open_page: Open, client: FlaskClient) -> None:
    world.walk(6)
    with world.services.db.read() as session:
        room = f"/sessions/{world.services.session.of_case(session, world.case).id}"
    open_page("he", room)  # 16:00 in Shanghai
    world.clock.advance(timedelta(minutes=3))
    client.post(f"{room}/leave")
    mine = f"//*[@data-attendee='{world.accounts['he']}']"
    assert "已离开 16:03" in _words(open_page("lin", room), mine)
    world.clock.advance(timedelta(minutes=2))
    assert "16:05 进入" in _words(open_page("he", room), mine)


# -- before it is handed in -------------------------------------------------------------------------------------------
def test_a_second_application_is_found_out_before_and_after_it_is_handed_in_by_one_rule(
    world: World, open_page: Open
) -> None:
    world.walk(2)
    with world.services.db.read() as session:
        first = world.services.cases.get(session, world.case).ref
    world.open()
    told = open_page("he", _task(world, "apply"))
    assert first in _words(told, "//*[@data-rule='Q30']"), "while it is written"
    assert "单独的任务补签" in _words(told, "//*[@data-rule='Q25']")
    for step in world.steps()[:2]:
        world.submit(*step)
    with world.services.db.read() as session:
        kept = {c.rule: c for c in world.services.quality.checks(session, world.case)}
    assert (kept["Q30"].severity, kept["Q30"].row["there"]) == ("warn", first)


@pytest.mark.parametrize(("lang", "word"), [("zh", "请先填写"), ("en", "first")])
def test_a_search_for_nobody_says_what_to_fill_in(world: World, open_page: Open, lang: str, word: str) -> None:
    assert "q-error" not in open_page("he", "/applications/new", lang)
    assert word in _words(open_page("he", "/applications/new?q=", lang), "//*[@id='q-error']")
    assert html.fromstring(open_page("he", "/cases?q=RC-nothing", lang)).xpath("//*[@class='empty']//a/@href") == [
        "/cases"
    ]


# -- a task that waits no more ----------------------------------------------------------------------------------------
def test_a_task_that_an_event_took_away_says_so_and_where_to_go(
    world: World, open_page: Open, client: FlaskClient
) -> None:
    world.walk(6)
    attend = _task(world, "attend")
    open_page("lin", attend)
    start = world.clock.now() + timedelta(hours=3)
    world.services.session.rebook(world.actor("wu"), world.case, start, 30, "x", str(uuid7()))
    world.worker.run_until_idle()
    told = _words(open_page("lin", attend, status=410), "//*[@data-gone]")
    assert "收回" in told
    assert "改约" in told
    page = html.fromstring(open_page("lin", attend, "en", status=410))
    assert "taken back" in page.xpath("string(//*[@data-gone])")
    assert page.xpath("//*[@data-gone]//a/@href") == [f"/cases/{world.case}", "/inbox"]
    open_page("feng", attend, status=404)
    with world.services.db.read() as session:
        assert verify(session) == []


def test_what_was_written_for_a_task_that_is_over_can_be_copied(
    world: World, open_page: Open, client: FlaskClient
) -> None:
    world.walk(5)
    task = _task(world, "schedule")
    open_page("wu", task)
    client.post(task.replace("/tasks", "/inbox") + "/claim")
    client.post(f"{task}/draft", data={"note": "请带片子"}, headers={"If-Match": '"0"'})
    open_page("he", "/inbox")
    client.post(f"/cases/{world.case}/stop", data={"reason": "withdrawn", "sure": "true"})
    world.worker.run_until_idle()
    told = open_page("wu", task, status=410)
    assert "已撤回" in _words(told, "//*[@data-gone]")
    assert "请带片子" in _words(told, "//section[contains(@class,'lost')]")
    answer = client.post(task, data={"note": "请带原片"})
    assert answer.status_code == 409
    assert "请带原片" in _words(answer.text, "//section[contains(@class,'lost')]")
    program = client.post(task, data={"note": "x"}, headers={"Accept": "application/json"})
    assert (program.status_code, program.json["code"]) == (409, "task_done")


def test_a_second_window_is_told_what_was_not_taken(world: World, open_page: Open, client: FlaskClient) -> None:
    world.walk(8)
    report = _task(world, "report")
    first = world.steps()[8][2]
    open_page("lin", report)
    assert client.post(report, data=first).status_code == 303
    world.worker.run_until_idle()
    assert client.post(report, data=first).headers["Location"] == report, "a double click: it was taken once"
    other = client.post(report, data=first | {"findings": "另一个窗口里的文字"})
    assert other.status_code == 409
    assert "您这次的内容没有提交" in other.text
    assert _words(other.text, "//section[contains(@class,'lost')]//dd") == "另一个窗口里的文字"


def test_the_next_case_is_offered_only_when_there_is_one(world: World, open_page: Open) -> None:
    world.walk(1)
    assert html.fromstring(open_page("gao", "/inbox")).xpath("//form[@action='/inbox/next']")
    assert not html.fromstring(open_page("lin", "/inbox")).xpath("//form[@action='/inbox/next']")


def test_the_coordinator_keeps_the_course_of_a_case_that_is_published(world: World, open_page: Open) -> None:
    world.walk(12)
    assert world.status()[1] in ("published", "acknowledged")
    for days in (0, 29):
        world.clock.advance(timedelta(days=days))
        with world.services.db.transaction() as session:
            session.execute(update(Login).values(seen_at=world.clock.now()))
        tabs = html.fromstring(open_page("wu", f"/cases/{world.case}")).xpath("//nav//a/@href")
        assert any("tab=log" in tab for tab in tabs), days


# -- a wrong password -------------------------------------------------------------------------------------------------
def test_wrong_passwords_are_counted_down_and_then_the_wait_is_told(world: World, client: FlaskClient) -> None:
    def attempt(name: str) -> str:
        answer = client.post("/login", data={"login_name": name, "password": "wrong"})
        return _words(answer.text, "//*[contains(@class,'banner')]")

    for name in ("lin", "nobody"):  # whether there is such a person is not told
        told = [attempt(name) for _ in range(11)]
        assert "还可以试" not in told[3]
        assert "还可以试 5 次" in told[4]
        assert "最后一次" in told[9]
        assert "请 10 分钟后再试" in told[10]
    world.clock.advance(timedelta(minutes=7))
    assert "请 3 分钟后再试" in attempt("lin")


def test_a_wrong_password_of_a_signature_is_told_at_it_and_signs_nothing(world: World, client: FlaskClient) -> None:
    world.walk(10)
    client.post("/login", data={"login_name": "lin", "password": alliance.PASSWORD})
    sign = _task(world, "sign")
    for _ in range(5):
        answer = client.post(sign, data={"statement": "true", "password": "wrong"})
        assert answer.location == f"{sign}#errors"
    told = client.get(sign).text
    assert "没有签发。还可以试 5 次" in _words(told, "//*[@id='password-error']")
    assert html.fromstring(told).xpath("//*[@id='errors']//a/@href") == ["#password"]
    assert html.fromstring(told).xpath("//input[@name='statement'][@checked]")
    right = {"statement": "true", "password": alliance.PASSWORD}
    assert client.post(sign, data=right).location == "/inbox"


# -- several hospitals ------------------------------------------------------------------------------------------------
def test_who_works_at_two_hospitals_is_told_at_which_one_a_task_is_to_be_done(
    world: World, open_page: Open, client: FlaskClient
) -> None:
    world.walk(1)
    approve = _task(world, "approve")
    assert "own-place" not in open_page("gao", "/inbox"), "who works at one is not told each time"
    for role in ("approver", "applicant"):
        world.services.people.assign(world.accounts["lin"], role, world.home, actor="test")
    for lang, home in (("zh", "青禾县人民医院"), ("en", "Qinghe")):
        row = _words(open_page("lin", "/inbox", lang), f"//tr[@data-task='{approve.rpartition('/')[2]}']//small")
        assert home in row
        assert home in _words(open_page("lin", approve, lang), "//header//*[@data-at]")
        assert home in _words(open_page("lin", "/applications/new?q=QH20461", lang), "//form[@id='open']//*[@data-at]")
    assert "2 家医院" in _words(open_page("lin", "/inbox"), "//details[@class='person']/summary")
    opened = client.post("/applications/new", data={"registration": str(world.registration)})
    assert opened.location.startswith("/tasks/")
