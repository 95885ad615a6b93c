"""Logging in, the lock of the screen and signing with the password, in Chromium and by keyboard."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tasks.demo import alliance

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
Login = Callable[..., Any]


@pytest.fixture
def stranger(login: Login, demo: Any) -> Any:
    """A page nobody is logged in to."""
    page = login("he")
    page.context.clear_cookies(name="lianyi")
    return page


def test_a_wrong_password_then_the_right_one_by_keyboard_alone(demo: Any, stranger: Any) -> None:
    page = stranger
    page.expected.append("403")
    page.goto(f"{demo.base}/cases?state=published")
    assert "/login?next=" in page.url
    assert page.evaluate("document.activeElement.name") == "login_name"
    page.keyboard.type("he")
    page.keyboard.press("Tab")
    page.keyboard.type("wrong password")
    page.keyboard.press("Enter")
    alert = page.locator("[role=alert]")
    alert.wait_for()
    assert "工号或密码不对" in alert.inner_text()
    assert page.locator("[name=login_name]").input_value() == "he"
    assert page.evaluate("document.activeElement.name") == "password"
    page.keyboard.type(alliance.PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/cases?state=published")


def test_the_language_is_chosen_before_logging_in(demo: Any, stranger: Any) -> None:
    page = stranger
    page.goto(f"{demo.base}/login")
    page.locator("form.lang button[value=en]").press("Enter")
    page.locator("html[lang=en]").wait_for(state="attached")
    assert page.locator("h1").inner_text() == "Log in"
    page.locator("[name=login_name]").fill("he")
    page.locator("[name=password]").fill(alliance.PASSWORD)
    page.locator("main form button.solid").press("Enter")
    page.wait_for_url("**/inbox")
    assert page.locator("h1").inner_text() == "Tasks"


def _half_written(page: Any, base: str) -> Any:
    """An application with a sentence nobody has saved yet."""
    page.goto(f"{base}/applications/new?q=王示例")
    page.locator("form#open button.solid").click()
    page.wait_for_url(re.compile(r"/tasks/"))
    box = page.locator("form#task [name=complaint]")
    box.fill("写到一半的主诉")
    return box


def test_a_locked_screen_keeps_what_was_half_written(demo: Any, login: Login) -> None:
    page = login("he")
    page.expected.extend(["403", "401"])
    box = _half_written(page, demo.base)
    page.locator("details.person summary").click()
    page.locator("form[action='/lock'] button").click()
    lock = page.locator("dialog#lock")
    lock.wait_for()
    page.keyboard.press("Escape")
    assert lock.is_visible(), "Escape opens no lock"
    assert demo.base in page.url
    assert page.request.get(f"{demo.base}/inbox", max_redirects=0).status == 302, "locked for every other page too"
    page.locator("#lock-password").fill("wrong password")
    page.keyboard.press("Enter")
    wrong = lock.locator("[data-wrong]")
    wrong.wait_for()
    assert "密码不对" in wrong.inner_text()
    page.keyboard.type(alliance.PASSWORD)
    page.keyboard.press("Enter")
    lock.wait_for(state="hidden")
    assert box.input_value() == "写到一半的主诉"
    page.locator("[data-saved]", has_text="草稿已保存").wait_for()
    page.reload()
    assert page.locator("form#task [name=complaint]").input_value() == "写到一半的主诉"


def test_a_screen_locked_elsewhere_is_covered_here(demo: Any, login: Login) -> None:
    page = login("feng")
    page.expected.append("401")
    page.goto(f"{demo.base}/cases")
    other = page.context.new_page()
    other.goto(f"{demo.base}/inbox")
    other.locator("details.person summary").click()
    other.locator("form[action='/lock'] button").click()
    page.locator("dialog#lock").wait_for(timeout=10_000)
    page.locator("#lock-password").fill(alliance.PASSWORD)
    page.keyboard.press("Enter")
    page.locator("dialog#lock").wait_for(state="hidden")
    demo.browsers.pop("feng", None)
