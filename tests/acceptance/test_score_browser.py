"""Scoring in Chromium: the five scores draw a pentagon, and a click on a sentence of the report cites it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.timeout(300)


@pytest.mark.parametrize("lang", ["zh", "en"])
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
        slider = page.locator("input[type=range][name=completeness]")
        slider.focus()
        for _ in range(5):
            page.keyboard.press("ArrowLeft")
        assert shape.get_attribute("points") != before
        sentence = page.locator("mark.sentence").first
        words = sentence.inner_text().strip()
        sentence.click()
        box = page.locator("textarea[name=citation]")
        assert box.input_value().endswith(words)
        assert box.input_value() != words  # the dimension stands before it
        assert sentence.get_attribute("aria-pressed") == "true"
        sentence.press("Enter")
        assert box.input_value() == ""
        assert sentence.get_attribute("aria-pressed") == "false"
    finally:
        page.locator("button[form=unclaim]").click()
        page.wait_for_url("**/inbox*")
