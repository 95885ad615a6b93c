"""What pages say, in both languages: names, numbers, times, steps and errors as words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from lxml import html
from sqlalchemy import select

from engine.tables import wait
from tasks.people.letters import spelled
from webui.done_words import DONE
from webui.i18n import catalogue

World = Any
Open = Callable[..., str]


def _words(page: str, where: str) -> str:
    return " ".join(" ".join(node.text_content().split()) for node in html.fromstring(page).xpath(where))


def _task(world: World, form: str) -> str:
    with world.services.db.read() as session:
        query = select(wait.c.task_id).where(wait.c.instance_id == world.case, wait.c.form == form)
        return f"/tasks/{session.scalar(query)}"


@pytest.mark.parametrize(
    ("name", "letters"),
    [("林示范", "Lin Shifan"), ("欧阳修", "Ouyang Xiu"), ("单雄信", "Shan Xiongxin"), ("Ann Lee", "Ann Lee"), ("", "")],
)
def test_names_are_spelled_family_name_first(name: str, letters: str) -> None:
    assert spelled(name) == letters


def test_colleagues_are_named_in_letters_on_english_pages_and_patients_as_registered(
    world: World, open_page: Open
) -> None:
    world.walk(6)
    case = f"/cases/{world.case}"
    page = open_page("he", case, "en")
    assert "Lin Shifan" in _words(page, "//ul[@class='people']")
    assert "He Yanshi" in _words(page, "//details[@class='person']")
    assert "He Yanshi" in _words(page, "//ol[@class='stepper']")
    assert "王示例" in _words(page, "//header")
    assert "林示范" not in page
    assert "林示范" in open_page("he", case)
    assert "Lin Shifan" in _words(open_page("jin", f"{case}?tab=log", "en"), "//table")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_log_names_every_step_and_every_event(world: World, open_page: Open, lang: str) -> None:
    world.walk(12)
    page = html.fromstring(open_page("jin", f"/cases/{world.case}?tab=log", lang))
    cells = {" ".join(c.text_content().split()) for c in page.xpath("//table//td[position()=2 or position()=3]")}
    ids = {
        "again",
        "opened",
        "join",
        "merge",
        "split",
        "wait",
        "ready",
        "consented",
        "reminded",
        "start",
        "end",
        "plan",
    }
    assert not cells & ids
    assert {"zh": {"汇合", "开始"}, "en": {"Ways meet", "Start"}}[lang] <= cells


def test_errors_are_sentences(client: FlaskClient, open_page: Open) -> None:
    for lang, said in (("zh", "没有这个页面，或您无权查看。"), ("en", "There is no such page, or you may not see it.")):
        page = open_page("he", "/nowhere", lang, status=404)
        assert _words(page, "//h1") == said
        assert "http_404" not in _words(page, "//body")
    answer = client.put("/inbox")
    assert answer.status_code == 405
    assert "http_405" not in html.fromstring(answer.text).text_content()


def test_one_is_singular(world: World, open_page: Open) -> None:
    world.walk(3)
    page = open_page("shen", _task(world, "triage"), "en")
    assert "1 image" in page
    assert "1 images" not in page
    assert "1 tasks" not in page
    english = catalogue("en")
    assert english.ngettext("%(n)s 项提醒", "%(n)s 项提醒", 1) == "%(n)s warning"


def test_what_was_handed_in_is_told_as_what_happened(world: World, open_page: Open, client: FlaskClient) -> None:
    world.walk(6)
    task = _task(world, "attend")
    open_page("lin", task, "en")
    client.post(task, data={"identity_checked": "true", "images_seen": "true"})
    told = _words(open_page("lin", "/cases", "en"), "//*[@data-toasts]")
    assert told == "Session started"
    assert set(DONE) >= {"apply", "triage", "report", "sign", "score", "hold"}


def test_a_draft_says_when_it_was_kept_by_the_clock_of_the_page(
    world: World, open_page: Open, client: FlaskClient
) -> None:
    world.open()
    task = _task(world, "apply")
    open_page("he", task)
    answer = client.post(f"{task}/draft", data={"complaint": "x"}, headers={"If-Match": '"0"'})
    assert answer.json["at"] == "16:00"  # 08:00 UTC in Shanghai
