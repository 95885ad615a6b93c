"""Scoring, writing and triage in Chromium: what is given by a slider, cited by a click, offered by a slash, asked in the order of ticks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.timeout(300)


@pytest.mark.parametrize("lang", ["zh", pytest.param("en", marks=pytest.mark.slow)])
def test_a_sentence_is_cited_for_the_dimension_one_is_at(demo: Any, login: Callable[..., Any], lang: str) -> None:
    page = login("zheng", lang)
    page.goto(f"{demo.base}/inbox")
    page.locator("tr[data-form=score] a.what").first.click()
    page.wait_for_url("**/tasks/*")
    page.locator("form#claim button.solid").click()
    page.locator("form#task .action-bar").wait_for()
    try:
        shape = page.locator("[data-pentagon]")
        before = shape.get_attribute("points")
        points = page.locator("input[name=completeness]")
        assert points.input_value() == ""  # nothing is given until it is chosen
        slider = page.locator("[data-field=completeness] [data-slider]")
        slider.focus()
        for _ in range(3):
            page.keyboard.press("ArrowRight")
        assert shape.get_attribute("points") != before
        assert points.input_value() == "16"
        assert page.locator("[data-sum]").inner_text() == "–"
        sentence = page.locator("mark.sentence").first
        words = sentence.inner_text().strip()
        sentence.click()
        box = page.locator("textarea[name=citation]")
        assert box.input_value().endswith(words)
        assert box.input_value() != words  # the dimension stands before it
        assert sentence.get_attribute("aria-pressed") == "true"
        page.locator(".note textarea").fill("见第 3 幅")
        assert box.input_value().endswith(f"{words}｜见第 3 幅")
        sentence.press("Enter")
        assert box.input_value() == ""
        assert sentence.get_attribute("aria-pressed") == "false"
    finally:
        page.locator("button[form=unclaim]").click()
        page.wait_for_url("**/inbox*")


def test_a_slash_offers_phrases_and_a_draft_is_kept_at_a_click(demo: Any, login: Callable[..., Any]) -> None:
    page = login("lin", "zh")
    page.goto(f"{demo.base}/inbox")
    page.locator("tr[data-form=report] a.what").first.click()
    text = page.locator("textarea[name=findings]")
    text.click()
    before = text.input_value()
    text.press("End")
    text.press_sequentially("/中线")
    page.locator(".phrase-list:visible li").first.wait_for()
    text.press("Enter")
    assert text.input_value() == f"{before}中线结构居中。"
    page.locator("[data-keep]").click()
    page.locator("[data-saved]", has_text=":").wait_for()
    assert page.url.split("/tasks/")[1]  # one is still at the report
    text.fill(before)
    page.locator("[data-keep]").click()


def test_experts_are_asked_in_the_order_of_the_ticks(demo: Any, login: Callable[..., Any]) -> None:
    page = login("shen", "zh")
    page.goto(f"{demo.base}/inbox")
    page.locator("tr[data-form=triage] a.what").first.click()
    page.locator("form#claim button.solid").click()
    try:
        boxes = page.locator("input[name=experts]")
        boxes.nth(1).check()
        boxes.nth(0).check()
        assert page.locator("[data-nth]:visible").all_inner_texts() == ["2", "1"]
        sent = page.evaluate("new FormData(document.querySelector('form#task')).getAll('experts')")
        assert sent == [boxes.nth(1).get_attribute("value"), boxes.nth(0).get_attribute("value")]
        boxes.nth(0).uncheck()
        boxes.nth(1).uncheck()
    finally:
        page.locator("button[form=unclaim]").click()
        page.wait_for_url("**/inbox*")
