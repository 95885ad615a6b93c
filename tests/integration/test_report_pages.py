"""Writing, reviewing, signing and scoring a report through the pages, the first time and when it comes back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask.testing import FlaskClient
from lxml import html
from sqlalchemy import select

from engine.tables import wait
from tasks.people.letters import spelled
from tasks.reports import phrases

World = Any
Open = Callable[..., str]
DIMENSIONS = ("logic", "standard", "completeness", "reasoning", "accuracy")


def _words(page: str, where: str) -> str:
    return " ".join(" ".join(node.text_content().split()) for node in html.fromstring(page).xpath(where))


def _task(world: World, form: str) -> str:
    with world.services.db.read() as session:
        query = select(wait.c.task_id).where(wait.c.instance_id == world.case, wait.c.form == form)
        return f"/tasks/{session.scalar(query)}"


def _returned(world: World) -> str:
    """Walk to the rework after a first round of 52 points with a citation and a remark; the sentence that was cited."""
    world.walk(11)
    said = world.steps()[8][2]["findings"]
    low = dict.fromkeys(DIMENSIONS, "10") | {"completeness": "12", "decision": "return", "errors": ["missed"]}
    world.submit("zheng", "score", low | {"citation": f"描述完整性：{said}｜请写明中线", "comment": "请补充中线结构"})
    return str(said)


def test_a_rework_is_called_so_and_shows_its_author_what_was_said_but_not_who(world: World, open_page: Open) -> None:
    said = _returned(world)
    task = _task(world, "report")
    for path in ("/inbox", f"/cases/{world.case}", task):
        assert "重修报告" in open_page("lin", path), path
        assert "Rework report" in open_page("lin", path, "en"), path
    assert "书写报告" not in _words(open_page("lin", task), "//header")
    assert "重修报告" in open_page("wu", "/monitor")
    told = _words(open_page("lin", task), "//*[@data-returned]")
    assert "52 / 100" in told
    for word in ("第 1 次，最多 2 次", "描述完整性12", "请写明中线", "请补充中线结构", "漏诊", said):
        assert word in told, word
    noted = html.fromstring(open_page("lin", task)).xpath("//aside//*[@class='note']")
    assert {" ".join(n.text_content().split()) for n in noted} == {
        "描述完整性请写明中线"
    }  # beside the sentence it is about
    for lang in ("zh", "en"):
        page = open_page("lin", task, lang)
        assert not [n for n in ("郑评分", spelled("郑评分")) if n in page]


def test_a_report_sent_back_by_its_reviewer_is_revised(world: World, open_page: Open) -> None:
    world.walk(9)
    world.submit("sun", "review", {"verdict": "send_back", "radpeer": "2a", "comment": "侧别请再核对"})
    page = open_page("lin", _task(world, "report"))
    assert "修改报告" in _words(page, "//header")
    assert "侧别请再核对" in _words(page, "//*[@data-sent-back]")


def test_writing_shows_what_changes_against_the_version_that_came_back(
    world: World, open_page: Open, client: FlaskClient
) -> None:
    _returned(world)
    task, report = _task(world, "report"), world.steps()[8][2]
    assert "还没有改动" in _words(open_page("lin", task), "//*[@data-changing]")
    answer = client.post(f"{task}/checks", data=report | {"findings": report["findings"] + "中线居中。"})
    assert "侧别一致" in html.fromstring(answer.text).xpath("string(//*[@data-passed])")
    (added,) = html.fromstring(answer.text).xpath("//*[@data-changing]//ins")
    assert added.text_content() == "中线居中。"


def test_the_next_round_shows_its_scorer_the_changes_and_the_scores_before(world: World, open_page: Open) -> None:
    _returned(world)
    steps = world.steps()
    world.submit("lin", "report", steps[8][2] | {"findings": steps[8][2]["findings"] + "中线居中。"})
    for step in steps[9:11]:
        world.submit(*step)
    page = html.fromstring(open_page("zheng", _task(world, "score")))
    assert page.xpath("//input[@name='paper']/@value") == ["marked", "clean", "side"]
    (section,) = page.xpath("//*[@data-section='findings']")
    assert section.xpath("string(.//*[contains(@class,'marked')]//ins)") == "中线居中。"
    assert "中线居中" not in section.xpath("string(.//*[contains(@class,'old')])")
    assert "未改" in page.xpath("string(//*[@data-section='advice'])")
    assert "52 / 100" in " ".join(page.xpath("string(//*[@data-earlier])").split())
    assert page.xpath("//*[@data-was]/text()") == ["上轮 10", "上轮 10", "上轮 12", "上轮 10", "上轮 10"]
    first = html.fromstring(open_page("sun", f"/cases/{world.case}"))
    assert not first.xpath("//*[@data-judged]")  # who reviewed it may not read the scores


def test_a_first_round_has_nothing_to_compare_and_no_score_is_given_before_it_is_chosen(
    world: World, open_page: Open, client: FlaskClient
) -> None:
    world.walk(11)
    task = _task(world, "score")
    page = html.fromstring(open_page("zheng", task))
    boxes = page.xpath("//*[@class='score-row']//input[@type='number']")
    assert [(b.get("name"), b.get("value")) for b in boxes] == [(name, "") for name in DIMENSIONS]
    assert not page.xpath("//input[@name='paper']")
    client.post(f"/inbox/{task.rpartition('/')[2]}/claim")
    assert client.post(task, data={"decision": "pass"}).status_code in (303, 422)
    assert world.waiting() == ["score"]
    assert "逻辑性" in _words(open_page("zheng", task), "//*[@role='alert']") or "score-row" in open_page("zheng", task)


def test_reviewer_and_signer_see_the_patient_and_how_sure_the_author_is(world: World, open_page: Open) -> None:
    world.walk(9)
    for login, form in (("sun", "review"), ("lin", "sign")):
        page = open_page(login, _task(world, form))
        assert "王示例" in _words(page, "//*[@class='who']"), form
        assert _words(page, "//*[@data-certainty]") == "把握程度 考虑", form
        if form == "review":
            world.submit(*world.steps()[9])
        else:
            signer = _words(page, "//*[contains(@class,'signer')]")
            assert "以林示范的名义签发" in signer
            assert "主任医师" in signer
            assert "提醒" in signer
    world.submit(*world.steps()[10])
    assert "王示例" not in open_page("zheng", _task(world, "score"))


def test_a_draft_is_kept_at_a_click_without_scripts(world: World, open_page: Open, client: FlaskClient) -> None:
    world.walk(8)
    task = _task(world, "report")
    assert "存草稿" in _words(open_page("lin", task), "//*[@data-keep]")
    assert client.post(f"{task}/keep", data={"findings": "左侧低密度", "key": "x"}).status_code == 303
    page = open_page("lin", task)
    assert "草稿已保存 16:" in _words(page, "//*[@data-toasts]")
    assert "左侧低密度" in _words(page, "//textarea[@name='findings']")


def test_the_preview_is_the_page_that_would_be_printed_and_says_that_nobody_signed(
    world: World, open_page: Open, client: FlaskClient
) -> None:
    world.walk(8)
    task = _task(world, "report")
    open_page("lin", task)
    answer = client.post(f"{task}/preview", data=world.steps()[8][2] | {"findings": "只在预览里的话"})
    assert answer.mimetype == "application/pdf"
    text = answer.data.decode(errors="replace")
    assert "只在预览里的话" in text
    assert "未签发" in text
    assert "签发 " not in text
    with world.services.db.read() as session:
        assert world.services.reports.versions(session, world.case) == []


def test_phrases_suit_the_examination(world: World, open_page: Open) -> None:
    head = [p.zh for p in phrases.fitting("CT", "head") if p.section == "findings"]
    chest = [p.zh for p in phrases.fitting("CT", "chest") if p.section == "findings"]
    assert "中线结构居中。" in head
    assert "中线结构居中。" not in chest
    assert all(p.zh and p.en and p.section for p in phrases.every())
    world.walk(8)
    assert "中线结构居中。" in html.fromstring(open_page("lin", _task(world, "report"))).xpath(
        "string(//@data-phrases)"
    )
