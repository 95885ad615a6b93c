"""The page on which an expert is chosen: what the rules decided, the hours until he is needed, and in which order he is asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from lxml import html
from sqlalchemy import select

from engine.tables import wait
from webui.pages import triaging

World = Any
Open = Callable[..., str]


def _task(world: World) -> str:
    with world.services.db.read() as session:
        query = select(wait.c.task_id).where(wait.c.instance_id == world.case, wait.c.form == "triage")
        return f"/tasks/{session.scalar(query)}"


def _said(page: str, where: str) -> str:
    return " ".join(" ".join(node.text_content().split()) for node in html.fromstring(page).xpath(where))


@pytest.mark.parametrize(("minutes", "hours"), [(0, 4), (10, 4), (240, 5), (720, 13), (4320, 72), (99999, 72)])
def test_the_rota_reaches_to_the_time_by_which_somebody_is_needed(minutes: int, hours: int) -> None:
    assert triaging.window(minutes) == hours


def test_the_head_tells_age_sex_department_and_no_name_and_the_rules_are_said_in_words(
    world: World, open_page: Open
) -> None:
    world.walk(3, tag="stroke", urgency="U")
    page = open_page("shen", _task(world))
    head = _said(page, "//aside[contains(@class,'pane-296')]/section[1]")
    assert "男，67 岁" in head
    assert "神经内科" in head
    assert "王示例" not in page
    rules = _said(page, "//*[@data-rules]")
    for word in ("专家组 神经影像", "最低职称", "阅片", "分诊表第", "时限表第"):
        assert word.replace(" ", "") in rules.replace(" ", ""), rules
    assert "Triage table, row" in open_page("shen", _task(world), "en")
    listed = _said(open_page("shen", "/inbox"), "//table")
    assert "RC2611" in listed
    assert "男 67" in listed


def test_the_window_and_the_latest_beginning_follow_the_deadline_of_the_case(world: World, open_page: Open) -> None:
    hours, said = {}, {}
    for urgency in ("U", "R"):
        world.walk(3, urgency=urgency)
        page = html.fromstring(open_page("shen", _task(world)))
        (rota,) = page.xpath("//*[@class='rota']")
        hours[urgency], said[urgency] = int(rota.get("data-hours")), " ".join(rota.xpath("string(h2)").split())
        assert len(rota.xpath(".//*[contains(@class,'rota-head')]//*[local-name()='text']")) <= 12
    assert hours["U"] < hours["R"]
    assert "最迟" in said["U"]


def test_who_is_named_first_is_asked_first_and_a_draft_keeps_the_order(
    world: World, open_page: Open, client: FlaskClient
) -> None:
    world.walk(3)
    task = _task(world)
    open_page("shen", task)
    client.post(f"/inbox/{task.rpartition('/')[2]}/claim")
    first, second = str(world.accounts["zhou"]), str(world.accounts["lin"])
    client.post(f"{task}/draft", data={"experts": [first, second]}, headers={"If-Match": '"0"'})
    page = html.fromstring(open_page("shen", task))
    places = {b.get("value"): b.get("data-place") for b in page.xpath("//input[@name='experts'][@data-place]")}
    assert places == {first: "0", second: "1"}
    client.post(task, data={"experts": [first, second], "minutes": "30"})
    world.worker.run_until_idle()
    with world.services.db.read() as session:
        asked = session.scalar(select(wait.c.person).where(wait.c.form == "offer_reply"))
    assert str(asked) == first


def test_triage_sends_a_case_back_to_pre_qc_with_a_reason_and_gets_it_again(
    world: World, open_page: Open, client: FlaskClient
) -> None:
    world.walk(3)
    task = _task(world)
    page = html.fromstring(open_page("shen", task))
    client.post(f"/inbox/{task.rpartition('/')[2]}/claim")
    page = html.fromstring(open_page("shen", task))
    assert page.xpath("//details[@id='back']//*[self::button or self::textarea]/@form") == ["send-back"] * 2
    assert page.xpath("//form[@id='send-back']/input[@name='back']/@value") == ["true"]  # not of the form that invites
    client.post(task, data={"back": "true", "minutes": "30"})
    assert world.waiting() == ["triage"]  # without a reason it stays
    told = _said(open_page("shen", task), "//*[@role='alert']")
    assert "退回原因" in told
    assert (
        client.post(task, data={"back": "true", "back_reason": "影像与申请部位不符", "minutes": "30"}).status_code
        == 303
    )
    assert "已退回前质控" in _said(open_page("shen", "/inbox"), "//*[@data-toasts]")
    world.worker.run_until_idle()
    assert world.incidents() == []
    assert (world.waiting(), world.status()[1]) == (["pre_qc"], "preqc")
    with world.services.db.read() as session:
        query = select(wait.c.task_id).where(wait.c.instance_id == world.case, wait.c.form == "pre_qc")
        again = f"/tasks/{session.scalar(query)}"
    assert "影像与申请部位不符" in _said(open_page("chen", again), "//*[@class='said']")
    assert "前质控" in _said(open_page("he", f"/cases/{world.case}"), "//li[@aria-current='step']")
    world.submit("chen", "pre_qc", {"decision": "pass", "accept_warnings": "true"})
    assert (world.waiting(), world.status()[1]) == (["triage"], "triage")
    for step in world.steps()[3:12]:
        world.submit(*step)
    assert world.status()[1] == "published"
