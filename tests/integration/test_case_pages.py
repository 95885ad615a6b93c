"""Pages of a case through the whole application: what became of a report, and who is hidden from whom."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from lxml import html
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from engine import uuid7
from engine.errors import NotFound
from engine.tables import wait
from tasks.people.models import Shift
from tasks.quality import sampling
from webui import message_words

World = Any
Open = Callable[..., str]
WRITERS = ("林示范", "孙审核")


def _words(page: str, where: str) -> str:
    return " ".join(" ".join(node.text_content().split()) for node in html.fromstring(page).xpath(where))


# -- what people who decide and meet are told ------------------------------------------------------------------------
def test_who_approves_sees_where_it_goes_and_the_consent(world: World, open_page: Open) -> None:
    world.walk(1)
    with world.services.db.read() as session:
        task = session.scalar(select(wait.c.task_id).where(wait.c.form == "approve"))
    told = open_page("gao", f"/tasks/{task}")
    facts = dict(zip(*(_list(told, f"//dl/{tag}") for tag in ("dt", "dd")), strict=False))
    assert facts["受邀医院"] == "示范中心医院"
    assert facts["专业"] == "神经影像"
    assert facts["知情同意"] == "急诊口头"


def _list(page: str, where: str) -> list[str]:
    return [" ".join(node.text_content().split()) for node in html.fromstring(page).xpath(where)]


def test_where_people_meet_is_told_to_both_sides(world: World, open_page: Open) -> None:
    world.walk(5)
    start = world.steps()[5][2]["start_at"]
    world.submit("wu", "schedule", {"start_at": start, "minutes": "30", "room": "A301"})
    for who in ("he", "lin", "wu"):
        assert _words(open_page(who, f"/cases/{world.case}"), "//*[@data-place]") == "A301"


# -- what became of a report ------------------------------------------------------------------------------------------
def test_a_returned_version_says_so_and_what_replaces_it(world: World, open_page: Open) -> None:
    world.walk(11)
    address, article = f"/cases/{world.case}?tab=report", "//article[1]/div|//article[1]/p[@data-returned]"
    assert _words(open_page("he", address), "//*[@data-returned]") == ""
    world.submit("zheng", "score", world.low)
    assert "退回重修" in _words(open_page("he", address), article)
    assert "新版正在重写" in _words(open_page("he", address), "//*[@data-returned='1']")
    for step in world.steps()[8:11]:
        world.submit(*step)
    told = open_page("lin", address, "en")
    assert _words(told, "//*[@data-returned='1']") == "Returned by post-QC; version 2 takes its place."
    assert "Returned" in _words(told, "//article[2]/div")
    assert "Returned" not in _words(told, "//article[1]/div")  # the newest one holds so far


def test_what_is_to_be_ruled_on_is_not_yet_returned_and_then_holds(world: World, open_page: Open) -> None:
    world.walk(11)
    for _ in range(2):
        world.submit("zheng", "score", world.low)
        for step in world.steps()[8:11]:
            world.submit(*step)
    world.submit("zheng", "score", world.low)
    address = f"/cases/{world.case}?tab=report"
    assert "等待裁定" in _words(open_page("he", address), "//*[@data-returned='3']")
    world.submit("wang", "arbitrate", {"decision": "accept", "reason": "x"})
    told = open_page("he", address)
    assert _words(told, "//*[@data-returned='3']") == ""
    assert "由第 2 版取代" in _words(told, "//*[@data-returned='1']")


# -- blind scoring ----------------------------------------------------------------------------------------------------
def _everything(world: World, open_page: Open, login: str, *more: str) -> str:
    """All a scorer can open of the case, in both languages."""
    case = f"/cases/{world.case}"
    paths = [
        "/", "/inbox", "/inbox?tab=done", "/cases", case, *(f"{case}?tab={t}" for t in ("material", "report", "process", "log")),
        f"{case}/standing.json?process=post_qc", f"/api/v1/cases/{world.case}/history", *more,
    ]  # fmt: skip
    return "".join(open_page(login, path, lang, 302 if path == "/" else 200) for path in paths for lang in ("zh", "en"))


@pytest.mark.parametrize("second", [0, 100])
def test_a_scorer_finds_nobody_of_the_report_before_it_is_final(
    world: World, open_page: Open, monkeypatch: pytest.MonkeyPatch, second: int
) -> None:
    monkeypatch.setattr(sampling, "SECOND", second)
    world.walk(11)
    ids = [str(world.accounts[login]) for login in ("lin", "sun")]
    with world.services.db.read() as session:
        task = session.execute(select(wait.c.task_id).where(wait.c.form == "score")).scalar_one()
    for login in ("zheng", "bai"):
        told = _everything(world, open_page, login, f"/inbox?task={task}", f"/tasks/{task}")
        assert world.services.db  # the pages are those of a case he really sees
        assert str(world.case) in told
        assert [word for word in (*WRITERS, *ids) if word in told] == []
        open_page(login, f"/cases/{world.case}/report.pdf", status=404)
    assert "林示范" in open_page("he", f"/cases/{world.case}")
    world.submit("zheng", "score", world.low)
    if second:
        assert [word for word in (*WRITERS, *ids) if word in _everything(world, open_page, "bai")] == []
        world.submit("bai", "score", world.low)
    told = _everything(world, open_page, "zheng")  # it comes back to be scored again
    assert [word for word in (*WRITERS, *ids) if word in told] == []
    for step in world.steps()[8:12]:
        world.submit(*step)
    assert world.status()[1] == "published"
    assert "林示范" in open_page("zheng", f"/cases/{world.case}")


def test_the_expert_is_hidden_in_facts_and_files_too(world: World) -> None:
    world.walk(11)
    with world.services.db.transaction() as session:
        case, blob = world.services.cases.get(session, world.case), world.blobs.put(b"%PDF-1.4 by lin")
        file = world.services.files.add(session, case, "report", "r.pdf", "application/pdf", blob, actor="test").id
    with pytest.raises(NotFound):
        world.services.files.open(world.actor("zheng"), file)
    assert world.services.files.open(world.actor("he"), file)[0].id == file
    with world.services.db.read() as session:
        assert world.services.files.visible(session, world.actor("zheng"), world.case) == []
    with world.services.db.read() as session:
        found = {
            login: world.services.cases.view(session, world.actor(login), world.case).expert
            for login in ("zheng", "he", "lin")
        }
    assert found == {"zheng": None, "he": world.accounts["lin"], "lin": world.accounts["lin"]}


# -- a new time -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_coordinator_moves_a_session_on_its_case(
    world: World, open_page: Open, client: FlaskClient, lang: str
) -> None:
    world.walk(6)
    address = f"/cases/{world.case}"
    for login in ("lin", "he", "shen"):
        assert 'id="move"' not in open_page(login, address, lang)
    assert 'id="move"' in open_page("wu", address, lang)
    past = {"start_at": "2020-01-01T10:00", "minutes": "40", "reason": "<b>手术</b>"}
    bad = client.post(f"{address}/rebook", data=past, follow_redirects=True)
    assert (bad.status_code, bad.request.path) == (200, address)
    told = html.fromstring(open_page("wu", address, lang))  # a reload shows it again
    assert told.xpath("//details[@open]//*[@id='move-start_at-error']")
    assert told.xpath("//details[@open]//*[@id='errors']//a[@href='#move-start_at']")
    assert [told.xpath(f"//*[@id='move-{name}']/@value") for name in ("start_at", "minutes", "reason")] == [
        ["2020-01-01T10:00"], ["40"], ["<b>手术</b>"],
    ]  # fmt: skip
    for empty in ({}, {"start_at": "x"}, {"start_at": "2026-12-01T10:00", "minutes": "x", "reason": "x"}):
        refused = client.post(f"{address}/rebook", data=empty)
        assert refused.headers["Location"] == f"{address}#errors"
        program = client.post(f"{address}/rebook", data=empty, headers={"Accept": "application/json"})
        assert (program.status_code, program.json["code"]) == (422, "form_invalid")
    good = {"start_at": "2026-12-01T10:00", "minutes": "40", "reason": "手术"}
    assert client.post(f"{address}/rebook", data=good | {"key": "k"}).status_code == 303
    assert client.post(f"{address}/rebook", data=good | {"key": "k"}).status_code == 303  # a double click is one
    page = open_page("wu", address, lang)
    assert "12-01 10:00" in _words(page, "//aside//*[@data-moving]"), "until the new room is booked"
    assert 'http-equiv="refresh"' in page
    world.worker.run_until_idle()
    page = open_page("wu", address, lang)
    assert "data-moving" not in page
    assert html.fromstring(page).xpath("//*[@id='move-reason']/@value") == [""], "what was taken is not shown again"
    told = _words(open_page("lin", address, lang), "//aside")
    assert "12-01 10:00" in told
    assert "手术" in told


# -- the room ---------------------------------------------------------------------------------------------------------
def _pulse(open_page: Open, login: str, room: str) -> str:
    return str(json.loads(open_page(login, f"{room}/pulse"))["version"])


def test_a_room_tells_of_itself_what_changed(world: World, open_page: Open, client: FlaskClient) -> None:
    world.walk(6)
    with world.services.db.read() as session:
        room = f"/sessions/{world.services.session.of_case(session, world.case).id}"
    page = open_page("he", room)
    first = str(html.fromstring(page).xpath("//@data-version")[0])
    assert _pulse(open_page, "he", room) == first
    assert "还没有来" in _words(page, "//*[@data-live='people']")
    open_page("lin", room)
    second = _pulse(open_page, "he", room)
    assert second != first
    world.clock.advance(timedelta(seconds=80))
    assert _pulse(open_page, "he", room) == second
    world.clock.advance(timedelta(seconds=30))  # he said that he is here, lin did not
    told = _words(open_page("wu", room), "//*[@data-live='people']")
    assert told.count("已离开") == 1
    third = _pulse(open_page, "he", room)
    assert third != second
    with world.services.db.read() as session:
        task = session.execute(select(wait.c.task_id).where(wait.c.form == "attend")).scalar_one()
    open_page("lin", room)
    begun = client.post(f"/tasks/{task}", data={"identity_checked": "true", "images_seen": "true"})
    assert begun.location == room  # the expert stays in the room
    world.worker.run_until_idle()
    assert _words(open_page("lin", room), "//*[@data-live='acts']") == "结束会诊"
    assert "进行中" in _words(open_page("he", room, "zh"), "//*[@data-live='state']")
    assert _pulse(open_page, "he", room) != third


def test_who_went_out_does_not_come_back_by_a_page_left_open(
    world: World, open_page: Open, client: FlaskClient
) -> None:
    world.walk(6)
    with world.services.db.read() as session:
        room = f"/sessions/{world.services.session.of_case(session, world.case).id}"
    open_page("he", room)
    client.post(f"{room}/leave")
    world.clock.advance(timedelta(seconds=60))
    _pulse(open_page, "he", room)
    assert "已离开" in _words(open_page("wu", room), "//*[@data-live='people']")
    assert json.loads(open_page("he", f"{room}/pulse"))


def test_who_sits_in_a_room_that_was_moved_finds_the_new_one(world: World, open_page: Open) -> None:
    world.walk(6)
    with world.services.db.read() as session:
        room = f"/sessions/{world.services.session.of_case(session, world.case).id}"
    before = str(html.fromstring(open_page("he", room)).xpath("//@data-version")[0])
    start = world.clock.now() + timedelta(hours=3)
    world.services.session.rebook(world.actor("wu"), world.case, start, 30, "x", str(uuid7()))
    world.worker.run_until_idle()
    assert _pulse(open_page, "he", room) != before
    links = html.fromstring(open_page("he", room)).xpath("//*[@data-live='moved']//a/@href")
    assert len(links) == 1
    open_page("he", str(links[0]))


# -- a task that is done, and files that are not taken -----------------------------------------------------------------
def _task(world: World, form: str) -> str:
    with world.services.db.read() as session:
        return f"/tasks/{session.execute(select(wait.c.task_id).where(wait.c.form == form)).scalar_one()}"


def test_a_task_that_is_done_says_by_whom_and_leads_on(world: World, open_page: Open, client: FlaskClient) -> None:
    world.walk(1)
    approve = _task(world, "approve")
    sent = {"decision": "approve"}
    open_page("gao", approve)
    client.post(f"/inbox/{approve.rpartition('/')[2]}/claim")
    assert client.post(approve, data=sent).status_code == 303
    again = client.post(approve, data=sent)  # a second click: it was taken once, and he is told so
    assert (again.status_code, again.location) == (303, approve)
    world.worker.run_until_idle()
    told = _words(open_page("gao", approve), "//*[@data-done]")
    assert "您在" in told
    assert "Gao Shenpi" in _words(open_page("he", approve, "en"), "//*[@data-done]")
    assert client.post(approve, data=sent).status_code == 409
    open_page("feng", approve, status=404)
    assert html.fromstring(open_page("gao", approve)).xpath(f"//a[@href='/cases/{world.case}']")


def test_a_task_that_is_done_keeps_its_scorer_blind(world: World, open_page: Open) -> None:
    world.walk(8)
    report = _task(world, "report")
    for step in world.steps()[8:11]:
        world.submit(*step)
    told = open_page("zheng", report)
    assert "姓名已隐去" in told
    assert "林示范" not in told


def test_a_file_of_the_wrong_kind_is_told_at_its_field_and_nothing_is_lost(
    world: World, open_page: Open, client: FlaskClient
) -> None:
    world.open()
    task = _task(world, "apply")
    page = html.fromstring(open_page("he", task))
    (box,) = page.xpath("//input[@type='file' and @name='consent_file']")
    assert ".pdf" in box.get("accept")
    typed = world.steps()[0][2] | {"consent_method": "paper", "complaint": "突发头痛"}

    def send(*file: Any, **more: Any) -> Any:
        return client.post(
            task, data=typed | {"consent_file": file} | more, content_type="multipart/form-data", follow_redirects=True
        )

    for lang, word in (("zh", "这里不收这种文件"), ("en", "This kind of file is not taken here")):
        client.set_cookie("lang", lang)
        for body, name, kind in (
            (b"MZ", "consent.exe", "application/octet-stream"),
            (b"MZ", "consent.pdf", "application/pdf"),
        ):
            answer = send(io.BytesIO(body), name, kind)
            assert (answer.status_code, answer.request.path) == (200, task)
            assert word in _words(answer.text, "//*[@id='f-consent_file-error']")
            assert name in _words(answer.text, "//*[@role='alert']")
            assert "突发头痛" in answer.text
    answer = send(io.BytesIO(b"%PDF-1.4"), "consent.pdf", "application/pdf", question="")
    (kept,) = html.fromstring(answer.text).xpath("//input[@type='hidden' and @name='consent_file']/@value")
    done = client.post(task, data=typed | {"consent_file": kept})
    assert done.status_code == 303
    with world.services.db.read() as session:
        (handed_in,) = world.services.worklist.submissions(session, world.case, "apply")
        files = world.services.files.of_case(session, world.case, "consent")
    assert [str(f.id) for f in files] == [kept]
    assert kept in str(handed_in.data["consent_file"])


def test_another_file_takes_the_place_of_the_first(world: World, open_page: Open, client: FlaskClient) -> None:
    world.open()
    task = _task(world, "apply")
    open_page("he", task)
    typed = world.steps()[0][2] | {"consent_method": "paper", "question": ""}
    kept = []
    for name in ("a.pdf", "b.pdf"):
        sent = typed | {"consent_file": (io.BytesIO(b"%PDF-1.4"), name, "application/pdf")}
        data = [(k, v) for k, v in sent.items()] + [("consent_file", one) for one in kept]
        answer = client.post(task, data=MultiDict(data), content_type="multipart/form-data", follow_redirects=True)
        kept = html.fromstring(answer.text).xpath("//input[@type='hidden' and @name='consent_file']/@value")
        assert len(kept) == 1
    with world.services.db.read() as session:
        assert [f.name for f in world.services.files.of_case(session, world.case, "consent")] == ["b.pdf"]


# -- what everybody is told -------------------------------------------------------------------------------------------
def test_notices_stand_over_the_list_until_they_are_put_away(
    world: World, open_page: Open, client: FlaskClient
) -> None:
    world.walk(6)
    assert "已排期" in _words(open_page("he", "/inbox"), "//*[@data-notices]")
    assert "is scheduled" in _words(open_page("lin", "/inbox", "en"), "//*[@data-notices]")
    open_page("he", "/inbox")
    client.post("/inbox/notices")
    assert "data-notices" not in open_page("he", "/inbox")
    assert "data-notices" in open_page("lin", "/inbox")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_states_of_messages_are_words(world: World, open_page: Open, lang: str) -> None:
    world.walk(12)
    for tab in ("hl7", "dicom", "sms"):
        page = open_page("wu", f"/messages?tab={tab}", lang)
        states = {text for text in html.fromstring(page).xpath("//td[contains(@class,'how')]/text()") if text.strip()}
        assert states
        assert not states & set(message_words.STATES), "a state of the database"
        assert bool(re.search("[a-z]", "".join(states))) == (lang == "en")


def test_a_phone_reaches_every_entry(world: World, open_page: Open) -> None:
    for login in ("he", "wu", "lin", "jin", "admin"):
        page = html.fromstring(open_page(login, "/sessions"))
        side = page.xpath("//aside//nav//a/@href")
        assert sorted(set(page.xpath("//nav[@class='bottom']//a/@href"))) == (sorted(side) if len(side) > 1 else [])


# -- emergency access -------------------------------------------------------------------------------------------------
def _glass(world: World) -> list[Any]:
    with world.services.db.read() as session:
        return [access for access, _ in world.services.cases.to_review(session, world.actor("jin"))]


def test_emergency_access_needs_a_reason_tells_others_and_ends(
    world: World, open_page: Open, client: FlaskClient
) -> None:
    world.walk(6)
    case = f"/cases/{world.case}"
    for login in ("he", "wu", "lin", "chen", "shen"):
        assert 'id="glass"' not in open_page(login, case)
        assert client.post(f"{case}/glass", data={"reason": "complaint", "words": "x" * 20}).status_code == 404
    assert "王示例" not in open_page("jin", case)
    attempts: list[tuple[dict[str, str], tuple[str, ...]]] = [
        ({}, ("reason", "words")), ({"reason": "complaint", "words": "too short"}, ("words",)), ({"reason": "curious", "words": "x" * 20}, ("reason",)),
    ]  # fmt: skip
    for bad, wrong in attempts:
        assert client.post(f"{case}/glass", data=bad).headers["Location"] == f"{case}#errors"
        page = html.fromstring(open_page("jin", case))
        assert bad.get("words", "") == page.xpath("string(//details[@open]//textarea[@id='glass-words'])").strip()
        assert set(page.xpath("//*[@id='errors']//a/@href")) == {f"#glass-{name}" for name in wrong}
    assert _glass(world) == []
    told = {"reason": "complaint", "words": "家属投诉，须核对会诊意见原文"}
    assert client.post(f"{case}/glass", data=told).status_code == 303
    page = open_page("jin", case)
    assert "王示例" in page
    assert "紧急授权至" in _words(page, "//*[@data-glass]")
    assert "紧急授权查看" in _words(open_page("wu", "/inbox"), "//*[@data-notices]")
    audit = open_page("jin", "/audit", "en")
    assert "家属投诉" in _words(audit, "//*[@data-accesses]")
    assert not html.fromstring(audit).xpath("//button[@name='verdict']")  # one's own is judged by another
    world.clock.advance(timedelta(minutes=61))
    with world.services.db.read() as session:
        assert world.services.cases.view(session, world.actor("jin"), world.case).patient_name is None


def test_emergency_access_is_judged_by_another_auditor(world: World, open_page: Open, client: FlaskClient) -> None:
    world.walk(6)
    world.services.people.assign(world.accounts["wang"], "auditor", world.hub, actor="test")
    world.services.cases.break_glass(world.actor("jin"), world.case, "incident", "不良事件调查需要原始影像")
    (access,) = _glass(world)
    open_page("jin", "/audit")
    address = f"/audit/glass/{access.id}"
    assert client.post(address, data={"verdict": "justified"}).status_code >= 400
    open_page("wu", "/inbox")
    assert client.post(address, data={"verdict": "justified"}).status_code == 404
    open_page("wang", "/audit")
    assert client.post(address, data={"verdict": "justified"}).status_code == 303
    assert _glass(world) == []
    assert "复核紧急授权" in open_page("wang", f"/cases/{world.case}?tab=log")
    assert client.post(address, data={"verdict": "justified"}).status_code == 404


def test_who_works_at_several_hospitals_sees_which_role_he_holds_where(world: World, open_page: Open) -> None:
    world.services.people.assign(world.accounts["wang"], "expert", world.home, actor="test")
    told = _words(open_page("wang", "/inbox"), "//ul[@class='appointments']")
    assert told == "示范中心医院 医务审批青禾县人民医院 会诊专家"
    assert "Approver" in _words(open_page("wang", "/inbox", "en"), "//ul[@class='appointments']")


# -- beside the triage and the scoring --------------------------------------------------------------------------------
def test_the_triage_shows_the_next_hours_of_who_is_proposed(world: World, open_page: Open) -> None:
    world.walk(6)  # 林示范 is booked from 16:05 to 16:35
    world.walk(3)
    task = _task(world, "triage")
    with world.services.db.transaction() as session:
        now = world.clock.now()
        session.add(
            Shift(
                id=uuid7(), account_id=world.accounts["zhou"], hospital_id=world.hub, kind="absent", starts=now,
                ends=now + timedelta(hours=2),
            )
        )  # fmt: skip
    page = html.fromstring(open_page("shen", task))
    rows = {
        row.xpath("string(span)"): row.xpath("string(svg/@aria-label)") for row in page.xpath("//*[@class='rota-row']")
    }
    assert "会诊 今日 16:05 – 今日 16:35" in rows["林示范"]
    assert "不在" in rows["周备选"]
    reasons = {
        n.xpath("string(.//b)"): n.xpath("string(.//*[@class='reasons'])") for n in page.xpath("//*[@data-candidate]")
    }
    assert "16:45 起可约" in reasons["林示范"]
    assert "18:00 起可约" in reasons["周备选"]
    assert "Free from 16:45" in open_page("shen", task, "en")


# -- lists ------------------------------------------------------------------------------------------------------------
def test_the_message_centre_counts_and_names_the_case_of_what_went_out(world: World, open_page: Open) -> None:
    world.walk(12)
    page = open_page("wu", "/messages")
    ref = html.fromstring(open_page("wu", f"/cases/{world.case}")).xpath(
        "string(//*[@class='case-line']//*[@class='ref'])"
    )
    assert html.fromstring(page).xpath("string(//*[contains(@class,'totals')]//dd)").strip() == "0"
    out = "//tr[@data-way='out' and @data-family!='sms']"
    assert html.fromstring(page).xpath(f"{out}//a[@href='/cases/{world.case}']/text()") == [ref, ref]


def test_the_audit_says_what_was_looked_at(world: World, open_page: Open) -> None:
    world.walk(6)
    open_page("he", f"/cases/{world.case}")
    assert "看病例" in _words(open_page("jin", "/audit"), "//td")


def test_rooms_say_of_whom_they_are_without_a_name_for_the_coordinator(world: World, open_page: Open) -> None:
    world.walk(6)
    assert "王示例" in _words(open_page("he", "/sessions"), "//table")
    told = _words(open_page("wu", "/sessions"), "//table")
    assert "青禾县人民医院" in told
    assert "王示例" not in told


def test_the_search_for_a_patient_shows_images_and_order_in_columns(world: World, open_page: Open) -> None:
    page = html.fromstring(open_page("he", "/applications/new?q=王"))
    (row,) = page.xpath("//label[@class='found-row']")
    assert row.xpath("string(*[@class='found-what'])").strip()
    assert "没有医嘱" in row.xpath("string(*[@class='found-order'])")
    assert "先找到患者" in open_page("he", "/applications/new")
