"""The web role: what its parent process is doing at the moment must not stop the child that serves the pages."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import pytest

from tasks.demo.outside import free_port
from webui import bootstrap
from webui.config import Config

ROOT = Path(__file__).resolve().parents[2]
BUSY = """
import importlib._bootstrap as importing, sys, threading
from webui import serve
from webui.config import Config

def hold():
    with importing._ModuleLockManager("webui.app"):
        held.set()
        threading.Event().wait()

held = threading.Event()
threading.Thread(target=hold, daemon=True).start()
held.wait()
assert "webui.app" not in sys.modules
serve.serve("web", Config.from_environ(), serve.Listen(web=int(sys.argv[1])))
"""
"""A parent with a thread that is in the middle of an import when the child is made, as `announce` may be."""


@pytest.mark.timeout(90)
def test_the_pages_come_up_while_the_parent_imports(tmp_path: Path) -> None:
    config = Config(tmp_path, f"sqlite:///{tmp_path}/l.db", "http://127.0.0.1", "k" * 40)
    list(bootstrap.migrate(config))
    own = {"LIANYI_DATA": str(tmp_path), "LIANYI_DATABASE_URL": config.database_url, "PYTHONPATH": str(ROOT)}
    environment = {k: v for k, v in os.environ.items() if not k.startswith("LIANYI_")} | own
    port = free_port()
    parent = subprocess.Popen([sys.executable, "-c", BUSY, str(port)], env=environment, cwd=tmp_path)
    try:
        assert _answers(f"http://127.0.0.1:{port}/healthz", 60)
    finally:
        parent.kill()
        parent.wait()


def _answers(url: str, seconds: float) -> bool:
    late, pause = time.monotonic() + seconds, threading.Event()
    while time.monotonic() < late:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return True
        except OSError:
            pause.wait(0.2)
    return False
