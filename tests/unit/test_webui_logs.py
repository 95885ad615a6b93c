"""Nothing a log says of an exception can hold a patient's name, whoever logs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAME = "王示例"
SETUP = f"""
import logging, threading, structlog
from webui import logs
logs.configure("info")
def fail():
    raise ValueError("{NAME}")
"""
WAYS = {
    "standard": "try:\n    fail()\nexcept ValueError:\n    logging.getLogger('any').exception('job failed')",
    "structlog": "try:\n    fail()\nexcept ValueError as e:\n    structlog.get_logger().error('job_failed', exc_info=e, name='王示例')",
    "thread": "t = threading.Thread(target=fail); t.start(); t.join()",
    "main": "fail()",
}


@pytest.mark.parametrize("way", WAYS)
def test_an_exception_is_told_without_its_text(way: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SETUP + WAYS[way]],
        cwd=ROOT,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert NAME not in done.stderr
    assert "ValueError" in done.stderr
    assert "fail" in done.stderr
    assert (done.returncode != 0) is (way == "main")
