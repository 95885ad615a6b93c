"""The web shell without pages: headers, logins, forgery tokens, errors, languages, the gallery of components."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask.testing import FlaskClient

from engine.clock import TestClock
from engine.db import Database
from tasks.people.service import People
from webui import assets
from webui.app import create_app
from webui.config import Config

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def _built(monkeypatch: pytest.MonkeyPatch) -> None:
    """Addresses of assets without a build."""
    built = assets.Built("dist/assets/app.js", ("dist/assets/app.css",))
    monkeypatch.setattr(assets, "built", lambda: built)


@pytest.fixture
def client(db: Database, clock: TestClock, tmp_path: Path) -> Iterator[FlaskClient]:
    people = People(db, clock, PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    hospital = people.create_hospital("QH", "青禾县人民医院", "Qinghe", "primary")
    people.create_account("he", "何演示", hospital, ["auditor"], password=PASSWORD)
    config = Config(tmp_path, "", "http://localhost", "k" * 40)
    worklist = SimpleNamespace(urgent=lambda *_: [], counts=lambda *_: {"all": 0})
    app = create_app(SimpleNamespace(db=db, people=people, worklist=worklist), config, clock, testing=True)
    with app.test_client() as test_client:
        yield test_client


def send(client: FlaskClient, address: str, **fields: str) -> Any:
    """POST a form with the forgery token of the login page."""
    found = re.search(r'data-csrf="([^"]+)"', client.get("/gallery").text)
    assert found
    return client.post(address, data={"csrf_token": found[1], **fields})


def log_in(client: FlaskClient, password: str = PASSWORD, **fields: str) -> Any:
    return send(client, "/login", login_name="he", password=password, **fields)


def test_health_and_headers(client: FlaskClient) -> None:
    answer = client.get("/readyz")
    assert answer.json == {"status": "ready"}
    policy = client.get("/login").headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_page_leads_to_the_login_and_back_but_not_elsewhere(client: FlaskClient) -> None:
    assert client.get("/").headers["Location"] == "/login?next=/"
    assert client.get("/", headers={"Accept": "application/json"}).status_code == 401
    assert log_in(client, "wrong").status_code == 403
    assert log_in(client, next="https://evil.example/").headers["Location"] == "/"
    assert client.get("/login?next=//evil.example").headers["Location"] == "/"
    assert send(client, "/logout").headers["Location"] == "/login"
    assert client.get("/login").status_code == 200


def test_a_form_without_token_is_refused(client: FlaskClient) -> None:
    answer = client.post("/login", data={"login_name": "he", "password": PASSWORD})
    assert answer.status_code == 400
    assert "没有保存" in answer.text


def test_a_lock_asks_for_the_password_only(client: FlaskClient, advance: Callable[..., Any]) -> None:
    log_in(client)
    advance(minutes=20)
    page = client.get("/login").text
    assert "屏幕已锁定" in page
    assert 'name="login_name"' not in page
    assert send(client, "/login", password="wrong").status_code == 403
    assert send(client, "/login", password=PASSWORD, next="/gallery").headers["Location"] == "/gallery"
    assert client.get("/login").status_code == 302


def test_errors_are_pages_or_json(client: FlaskClient) -> None:
    assert "没有这个页面" in client.get("/nothing").text
    told = client.get("/nothing", headers={"Accept": "application/json"})
    assert told.status_code == 404
    assert set(told.json) == {"code", "message", "advice", "errors", "request_id"}


def test_preferences_stay_with_the_work_place(client: FlaskClient) -> None:
    send(client, "/preferences", lang="en", theme="dark", size="large", density="odd")
    page = client.get("/gallery").text
    assert '<html lang="en" class="dark large' in page
    assert "Time left" in page


def test_the_gallery_draws_every_control(client: FlaskClient) -> None:
    page = client.get("/gallery").text
    for part in (
        'type="range"',
        'type="datetime-local"',
        'role="radiogroup"',
        'data-upload="/upload"',
        'class="sla soon"',
    ):
        assert part in page
    assert 'href="#f-question"' in page
    assert "style=" not in page


def test_the_time_left(client: FlaskClient, clock: TestClock) -> None:
    from webui.drawing import time_left

    with client.application.test_request_context():
        now = clock.now()
        assert time_left(now - timedelta(minutes=12)).text == "超时 12 分"
        assert time_left(now + timedelta(minutes=24)).kind == "soon"
        assert time_left(now + timedelta(minutes=130)).text == "2 时 10 分"
        assert time_left(now, paused="待补充").kind == "paused"


def test_the_pulse_of_a_page_nobody_sits_at_lets_the_screen_lock(
    client: FlaskClient, advance: Callable[..., Any]
) -> None:
    log_in(client)
    for _ in range(14):
        advance(minutes=1)
        assert client.get("/inbox/pulse", headers={"Accept": "application/json"}).status_code == 200
    advance(minutes=2)
    told = client.get("/inbox/pulse", headers={"Accept": "application/json"})
    assert (told.status_code, told.json["code"]) == (401, "login_locked")
    send(client, "/login", password=PASSWORD)
    for _ in range(20):
        advance(minutes=1)
        assert client.get("/inbox/pulse?active=1", headers={"Accept": "application/json"}).status_code == 200


def test_too_many_wrong_passwords_are_told_in_words(client: FlaskClient) -> None:
    for _ in range(10):
        assert log_in(client, "wrong").status_code == 403
    answer = log_in(client)
    assert answer.status_code == 429
    assert "密码错误次数太多" in answer.text
