"""A running demo for the acceptance tests, people logged in to it, and a Chromium that tells what went wrong on a page."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from tasks.demo import alliance
from tasks.demo.browser import Browser

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / "webui" / "static" / "dist" / ".vite" / "manifest.json"
FONTS = ROOT / "integrations" / "pdf" / "fonts"
CHROMIUM = Path("/usr/bin/chromium")
PATIENCE = 150
"""Seconds the demo has for its walk."""
SWITCHES = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@dataclass
class Demo:
    """The demo after its walk: where it serves, what it proved, and a script-less browser for each person."""

    base: str
    proofs: list[dict[str, Any]]
    said: list[str]
    ports: dict[str, int] = field(default_factory=dict)
    browsers: dict[str, Browser] = field(default_factory=dict)

    def proof(self, name: str) -> dict[str, Any]:
        """One proof by its name."""
        return next(p for p in self.proofs if p["name"] == name)

    def browser(self, login: str) -> Browser:
        """This person, logged in, without scripts."""
        if login not in self.browsers:
            browser = Browser(self.base)
            browser.open("/login")
            browser.submit({"login_name": login, "password": alliance.PASSWORD})
            self.browsers[login] = browser
        return self.browsers[login]

    @property
    def case(self) -> str:
        """The case the walk carried through: the published one."""
        page = self.browser("he").open("/cases?state=published")
        found = [re.search(r"/cases/([0-9a-f-]{36})", link) for link in page.links("/cases/")]
        return next(m.group(1) for m in found if m)


def _need(ready: bool, reason: str) -> None:
    if not ready and not os.environ.get("LIANYI_REQUIRE_ALL"):
        pytest.skip(reason)


def _ports(pid: int) -> dict[str, int]:
    """The ports the demo's own processes were told to listen on."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    lines = [Path(f"/proc/{child}/cmdline").read_text().split("\0") for child in children]
    told = next(line for line in lines if "--mllp-port" in line)
    return {name: int(told[told.index(f"--{name}-port") + 1]) for name in ("dicom", "mllp")}


@contextmanager
def _serving(folder: Path, settings: dict[str, str]) -> Iterator[Demo]:
    """`lianyi demo` in a folder of its own, after its walk and until the tests end."""
    _need(BUILT.exists() and any(FONTS.glob("*.ttf")), "the front end is not built; run `make build`")
    proofs = folder / "proofs.json"
    command = [sys.executable, "-m", "webui.cli", "demo", "--folder", str(folder / "data"), "--json", str(proofs)]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("LIANYI_")} | settings
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    said: list[str] = []
    serving, base = threading.Event(), []

    def listen() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line)
            if found := re.search(r"Serving (http://127\.0\.0\.1:\d+) until Ctrl-C", line):
                base.append(found.group(1))
                serving.set()
        serving.set()

    reader = threading.Thread(target=listen, daemon=True)
    reader.start()
    try:
        serving.wait(PATIENCE)
        if not base:
            pytest.fail("the demo does not serve:\n" + "".join(said[-60:]), pytrace=False)
        yield Demo(base[0], json.loads(proofs.read_text())["proofs"], said, _ports(process.pid))
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)
        reader.join(10)
        if process.stdout is not None:
            process.stdout.close()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def _demo_en(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The demo on SQLite, where the English runs are."""
    with _serving(tmp_path_factory.mktemp("demo"), {}) as demo:
        yield demo


@pytest.fixture(scope="session")
def _demo_zh(tmp_path_factory: pytest.TempPathFactory, _postgresql_server: sa.URL) -> Iterator[Demo]:
    """The demo on a PostgreSQL database of its own, where the Chinese runs are."""
    name = f"demo_{uuid.uuid4().hex}"
    admin = sa.create_engine(_postgresql_server, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with admin.connect() as connection:
        connection.execute(sa.text(f"create database {name}"))
    url = _postgresql_server.set(database=name).render_as_string(hide_password=False)
    with _serving(tmp_path_factory.mktemp("demo"), {"LIANYI_DATABASE_URL": url}) as demo:
        yield demo
    with admin.connect() as connection:
        connection.execute(sa.text(f"drop database {name} with (force)"))
    admin.dispose()


def _language(item: Any) -> str:
    """The language of a test: its parameter `lang`, Chinese where it has none."""
    return str(getattr(item, "callspec", SimpleNamespace(params={})).params.get("lang", "zh"))


@pytest.hookimpl(tryfirst=True)  # before those who put the groups into effect
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests with one demo run in one process, so that each demo is started once: `--dist loadgroup`."""
    for item in items:
        if "demo" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group(f"demo {_language(item)}"))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Say it when the groups have no effect: every process would start every demo, and a journey would be torn apart.

    pytest-xdist 3.8 names them in vain with pytest 9.2, so the lock keeps 9.1.
    """
    grouped = [i for i in session.items if i.get_closest_marker("xdist_group")]
    if getattr(session.config.option, "loadgroup", False) and not all("@" in item.nodeid for item in grouped):
        raise pytest.UsageError("tests are not grouped by their demo: install what requirements-dev.lock names")


@pytest.fixture
def demo(request: pytest.FixtureRequest) -> Demo:
    """The running demo for this test: on PostgreSQL where it speaks Chinese, on SQLite where it speaks English."""
    found: Demo = request.getfixturevalue(f"_demo_{_language(request.node)}")
    return found


@pytest.fixture(scope="session")
def _chromium() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    _need(CHROMIUM.exists(), f"{CHROMIUM} is not installed")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=SWITCHES)
        yield browser
        browser.close()


@pytest.fixture
def login(_chromium: Any, demo: Demo) -> Iterator[Callable[..., Any]]:
    """`login(who, lang=…, theme=…, width=…, height=…)`: a page in a profile of its own, logged in.

    After the test no page may have said an error in its console, apart from answers listed in `page.expected`, a list
    of texts each of which excuses the messages that contain it.
    """
    contexts: list[Any] = []
    trouble: list[tuple[str, list[str]]] = []

    def enter(
        who: str, lang: str = "zh", theme: str = "light", width: int = 1440, height: int = 900, **more: Any
    ) -> Any:
        context = _chromium.new_context(
            viewport={"width": width, "height": height}, timezone_id="Asia/Shanghai", reduced_motion="reduce",
            locale="en-US", **more,
        )  # fmt: skip
        contexts.append(context)
        kept = [{"name": n, "value": v, "url": demo.base} for n, v in (("lang", lang), ("theme", theme))]
        kept += [
            {"name": c.name, "value": c.value, "url": demo.base, "httpOnly": True, "sameSite": "Lax"}
            for c in demo.browser(who).http.cookies
            if c.name == "lianyi"
        ]
        context.add_cookies(kept)
        page = context.new_page()
        page.expected = []
        page.set_default_timeout(15_000)

        def note(text: str) -> None:
            trouble.append((f"{who} {lang} {page.url}: {text}", page.expected))

        page.on("console", lambda m: note(f"{m.text} {m.location.get('url', '')}") if m.type == "error" else None)
        page.on("pageerror", lambda e: note(str(e)))
        return page

    yield enter
    for context in contexts:
        context.close()
    assert [told for told, excused in trouble if not any(text in told for text in excused)] == []


@pytest.fixture
def axe() -> Callable[[Any], list[str]]:
    """What axe finds on a page, one line a rule; the drawing of bpmn-js is not ours to change."""
    module = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")

    def run(page: Any) -> list[str]:
        options = {"resultTypes": ["violations"]}
        found = module.Axe().run(page, context={"exclude": [["bpmn-view"]]}, options=options).response["violations"]
        return [
            f"{page.url} {v['id']}: {v['help']} {[(n['target'], n.get('failureSummary', '')[:160]) for n in v['nodes'][:3]]}"
            for v in found
        ]

    return run
