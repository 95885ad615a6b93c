"""The page of a case answers first what was asked: the opinion, how sure it is, what to do; then how it was judged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from lxml import html
from sqlalchemy import select

from engine.tables import wait
from tasks.people.letters import spelled
from tasks.quality import sampling

World = Any
Open = Callable[..., str]
DIMENSIONS = ("logic", "standard", "completeness", "reasoning", "accuracy")


def _said(page: str, where: str) -> str:
    return " ".join(" ".join(node.text_content().split()) for node in html.fromstring(page).xpath(where))


def test_the_opinion_its_certainty_and_the_advice_stand_first(world: World, open_page: Open) -> None:
    world.walk(8)
    report = world.steps()[8][2] | {"impression": "左侧梗死灶。", "advice": "今日补做 MRA。", "critical": "true"}
    world.submit("lin", "report", report)
    for step in world.steps()[9:12]:
        world.submit(*step)
    case = f"/cases/{world.case}"
    answer = _said(open_page("he", case), "//*[@data-answer]")
    for word in ("把握程度 考虑", "危急值", "左侧梗死灶。", "今日补做 MRA。"):
        assert word in answer
    page = html.fromstring(open_page("he", f"{case}?tab=report"))
    (article,) = page.xpath("//article")
    text = article.text_content()
    assert text.index("左侧梗死灶。") < text.index("今日补做 MRA。") < text.index("临床资料")
    assert text.count("左侧梗死灶。") == 1


def test_second_opinion_and_ruling_are_shown_and_remarks_only_to_whom_they_are_meant(
    world: World, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "SECOND", 100)
    world.walk(12)
    low = dict.fromkeys(DIMENSIONS, "10") | {"decision": "return", "comment": "请写明中线"}
    said = str(world.steps()[8][2]["findings"])
    world.submit("bai", "score", low | {"citation": f"描述完整性：{said}｜缺大小"})
    assert world.waiting() == ["arbitrate"]
    with world.services.db.read() as session:
        ruling = session.scalar(select(wait.c.task_id).where(wait.c.form == "arbitrate"))
    asked = open_page("wang", f"/tasks/{ruling}")
    assert [n.get("data-judged") for n in html.fromstring(asked).xpath("//*[@data-judged]")] == ["1-2", "1-1"]
    assert "王示例" in _said(asked, "//*[@class='who']")
    world.submit("wang", "arbitrate", {"decision": "accept", "reason": "第一位评分有据"})
    address = f"/cases/{world.case}?tab=report"
    for login in ("lin", "he"):
        told = _said(open_page(login, address), "//*[@data-judgements]")
        for word in ("90 / 100", "50 / 100", "盲评第二人", "质控裁定", "第一位评分有据"):
            assert word in told, (login, word)
        assert ("请写明中线" in told) == ("缺大小" in told) == (login == "lin")
        assert not [n for n in ("郑评分", "白复评", "王质控") if n in told or spelled(n) in told]
