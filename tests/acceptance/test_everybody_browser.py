"""Everybody of the demo opens every page his navigation shows; an urgent task rings; a swipe claims; filters stay in the address."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tasks.demo import alliance
from tasks.demo.outside import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]
Login = Callable[..., Any]
EVERYBODY = [person[0] for person in alliance.PEOPLE]
RING = """
window.rang = 0;
const make = AudioContext.prototype.createOscillator;
AudioContext.prototype.createOscillator = function () { window.rang += 1; return make.call(this); };
"""


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("who", EVERYBODY)
def test_everybody_opens_what_the_navigation_shows(demo: Any, login: Login, axe: Any, who: str, lang: str) -> None:
    page = login(who, lang)
    bad: list[str] = []
    page.on("response", lambda r: bad.append(f"{r.status} {r.url}") if r.status >= 400 else None)
    page.goto(f"{demo.base}/")
    shown = [a.get_attribute("href") for a in page.locator(".side nav.nav a").all()]
    assert shown
    found: list[str] = []
    for path in shown:
        page.goto(demo.base + str(path))
        assert page.locator("h1").count() == 1, path
        assert page.locator(".nav a[aria-current]").get_attribute("href") == path
        assert page.locator("main .btn.solid:visible").count() <= 1, f"two solid buttons on {path}"
        found += axe(page)
        first = page.locator("main table tbody a[href^='/']:visible, main ol.timeline a[href^='/']:visible").first
        if first.count():
            page.goto(demo.base + str(first.get_attribute("href")))
            found += axe(page)
    assert found == []
    assert bad == []


def _emergency(page: Any, base: str) -> None:
    """An emergency goes without consent, so the form is short."""
    page.goto(f"{base}/applications/new?q=QH20461")
    page.locator("form#open button.solid").click()
    page.wait_for_url(re.compile(r"/tasks/"))
    for name, value in (("modality", "CT"), ("body_part", "head"), ("tag", "none"), ("specialty", "neuro")):
        page.locator(f"form#task select[name={name}]").select_option(value)
    for name, value in (("laterality", "N"), ("urgency", "E")):
        page.locator(f"form#task label:has(input[name={name}][value={value}])").click()
    page.locator("form#task input[name=purpose]").first.check()
    texts = {
        "clinical_diagnosis": "脑梗死？", "complaint": "突发失语 1 小时", "windows": "现在", "callback": "+8613800000009",
        "summary": "男，67 岁，突发失语 1 小时，既往房颤，未规律抗凝。查体：右侧肢体肌力 3 级。", "question": "是否大血管闭塞？",
        "urgency_reason": "时间窗内",
    }  # fmt: skip
    for name, text in texts.items():
        page.locator(f"form#task [name={name}]").fill(text)


def test_an_urgent_task_shows_and_sounds_within_two_seconds(demo: Any, login: Login) -> None:
    waiting, page = login("gao"), login("he")
    waiting.add_init_script(RING)
    waiting.goto(f"{demo.base}/cases")
    wait_for("the first question", lambda: waiting.evaluate("sessionStorage.getItem('lianyi.urgent') !== null"))
    _emergency(page, demo.base)
    page.locator("form#task .action-bar button.solid").click()
    page.wait_for_url(re.compile(r"/cases/"))
    waiting.locator("[data-toasts] a[href^='/tasks/']").first.wait_for(timeout=2_000)
    assert waiting.evaluate("window.rang") == 2, "two tones"
    count = waiting.locator("[data-count=inbox]").inner_text()
    assert int(count) >= 1


def test_a_swipe_claims_and_can_be_undone(demo: Any, login: Login) -> None:
    page = login("tang", width=390, height=844, has_touch=True)
    page.goto(f"{demo.base}/inbox")
    row = page.locator("tr[data-claim]").first
    task = row.get_attribute("data-task")
    box = row.bounding_box()
    assert box
    assert box["height"] >= 44
    hand = page.context.new_cdp_session(page)
    y = box["y"] + box["height"] / 2
    for kind, x in (("touchStart", 40), ("touchMove", 120), ("touchMove", 200), ("touchEnd", None)):
        points = [] if x is None else [{"x": x, "y": y}]
        hand.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    toast = page.locator(".toast", has_text="已领取")
    toast.wait_for()
    assert demo.browser("tang").open(f"/tasks/{task}").tree.xpath("//form[@id='unclaim']")
    toast.locator("button").click()
    page.locator(f"tr[data-task='{task}'][data-claim]").wait_for()


def test_the_preview_follows_and_filters_stay_in_the_address(demo: Any, login: Login) -> None:
    page = login("he")
    page.goto(f"{demo.base}/inbox")
    if page.locator("tr[data-task]").count() < 2:
        page.goto(f"{demo.base}/applications/new?q=QH20461")
        page.locator("form#open button.solid").click()
        page.wait_for_url(re.compile(r"/tasks/"))
        page.goto(f"{demo.base}/inbox")
    second = page.locator("tr[data-task]").nth(1).get_attribute("data-task")
    page.keyboard.press("j")
    page.locator(f"[data-preview] .btn.solid[href$='/tasks/{second}']").wait_for()
    assert f"task={second}" in page.url
    page.locator("a.chip", has_text="急诊与今日").click()
    page.wait_for_url("**urgent=1**")
    assert page.locator("a.chip[aria-current]").count() == 1


def test_what_is_signed_is_bound_to_the_password(demo: Any) -> None:
    """The walk signed twice and was refused twice: the refusals are entries of the audit too."""
    assert demo.proof("sign.reauth")["ok"]
    page = demo.browser("jin").open("/audit")
    text = page.text
    last = page.tree.xpath("//a[contains(@href, 'before')]/@href") or page.tree.xpath("//p[@class='more']//a/@href")
    while "再次验证失败" not in text and last:
        page = demo.browser("jin").open(str(last[0]))
        text += page.text
        last = page.tree.xpath("//p[@class='more']//a/@href")
    assert "再次验证失败" in text
