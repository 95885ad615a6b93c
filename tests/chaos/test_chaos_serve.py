"""`lianyi serve` itself: a killed worker and a killed web process come back, and SIGTERM leaves nobody behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.demo.outside import free_port

ROOT = Path(__file__).resolve().parents[2]
ROLES = ("web", "worker", "dicom", "mllp")


def _until(what: str, seen: Callable[[], bool], seconds: float = 90.0) -> None:
    late, pause = time.monotonic() + seconds, threading.Event()
    while not seen():
        assert time.monotonic() < late, what
        pause.wait(0.1)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_killed_processes_come_back_and_sigterm_drains(db_url: str, tmp_path: Path) -> None:
    web = free_port()
    own = {
        "LIANYI_DATA": str(tmp_path),
        "LIANYI_DATABASE_URL": db_url,
        "LIANYI_LOG": "warning",
        "PYTHONPATH": str(ROOT),
    }
    environment = {k: v for k, v in os.environ.items() if not k.startswith("LIANYI_")} | own
    ports = ["--web-port", str(web), "--dicom-port", str(free_port()), "--mllp-port", str(free_port())]
    command = [sys.executable, "-m", "webui.cli", "serve", *ports]
    served = subprocess.Popen(command, env=environment, cwd=ROOT)

    def pid(role: str) -> int:
        path = tmp_path / "run" / f"{role}.ready"
        try:
            return int(path.read_text() or 0)
        except (OSError, ValueError):
            return 0

    def answers() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{web}/healthz", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    try:
        _until("all ready", lambda: all(map(pid, ROLES)))
        for role in ("worker", "web"):
            first = pid(role)
            os.kill(first, signal.SIGKILL)
            _until(f"{role} is back", lambda role=role, first=first: pid(role) not in (0, first))
        _until("the pages answer", answers)
        last = [pid(role) for role in ROLES]
        served.send_signal(signal.SIGTERM)
        assert served.wait(30) == 0
        _until("nobody is left", lambda: not any(map(_alive, last)), 15)
    finally:
        if served.poll() is None:
            served.kill()
            served.wait()
