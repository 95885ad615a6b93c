"""Nothing of the running demo opens without a login, and nothing changes without a forgery token."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from webui.app import create_app
from webui.config import Config

pytestmark = pytest.mark.timeout(300)

OPEN = {"login.form", "login.log_in", "login.log_out", "login.preferences", "healthz", "readyz", "static"}
SIGNED = {"sms.status", "sms.reply"}
"""Called by the SMS provider: its signature stands for login and token."""
NOWHERE = "0192f000-0000-7000-8000-000000000000"


def _routes() -> list[tuple[str, str, str]]:
    """(method, path, endpoint) of every route; the places in a path are filled with ids of nothing."""
    config = Config.from_environ({"LIANYI_DATA": "build/none", "LIANYI_PUBLIC_URL": "http://127.0.0.1"})
    found = []
    for rule in create_app(SimpleNamespace(), config).url_map.iter_rules():
        path = re.sub(r"<uuid:\w+>", NOWHERE, re.sub(r"<int:\w+>", "1", rule.rule))
        path = re.sub(r"<[^>]+>", "x", path)
        found += [(method, path, rule.endpoint) for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})]
    return sorted(found)


ROUTES = _routes()
CLOSED = [(method, path) for method, path, endpoint in ROUTES if endpoint not in OPEN | SIGNED]
CHANGING = [(method, path) for method, path, endpoint in ROUTES if method != "GET" and endpoint not in SIGNED]
WEBHOOKS = [(method, path) for method, path, endpoint in ROUTES if endpoint in SIGNED]


@pytest.fixture
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


def test_there_are_routes_of_each_kind() -> None:
    assert len(CLOSED) >= 30
    assert len(CHANGING) >= 10
    assert len(WEBHOOKS) == 2


@pytest.mark.parametrize(("method", "path"), CLOSED)
def test_without_a_login_nothing_opens(demo: Any, http: requests.Session, method: str, path: str) -> None:
    answer = http.request(method, demo.base + path, allow_redirects=False, timeout=30)
    if answer.status_code in (302, 303):
        assert answer.headers["Location"].startswith("/login")
    else:
        assert answer.status_code in (400, 401, 403, 404)
        assert method != "GET" or answer.status_code != 400
    assert "王示例" not in answer.text


@pytest.mark.parametrize(("method", "path"), CHANGING)
def test_without_a_token_nothing_changes(demo: Any, http: requests.Session, method: str, path: str) -> None:
    for cookie in demo.browser("admin").http.cookies:
        if cookie.name == "lianyi":
            http.cookies.set_cookie(cookie)
    answer = http.request(method, demo.base + path, data={"lang": "en"}, allow_redirects=False, timeout=30)
    assert answer.status_code == 400
    assert "Set-Cookie" not in answer.headers or "lang=" not in answer.headers["Set-Cookie"]
    assert http.get(f"{demo.base}/messages", allow_redirects=False, timeout=30).status_code == 200, "still logged in"


@pytest.mark.parametrize(("method", "path"), WEBHOOKS)
def test_an_unsigned_webhook_is_refused(demo: Any, http: requests.Session, method: str, path: str) -> None:
    assert http.request(method, demo.base + path, data={"Body": "1"}, timeout=30).status_code == 403


def test_every_page_forbids_framing_and_foreign_scripts(demo: Any, http: requests.Session) -> None:
    headers = http.get(f"{demo.base}/login", timeout=30).headers
    policy = headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-eval" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
