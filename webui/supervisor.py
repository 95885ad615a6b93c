"""Runs every process of a single machine: starts, watches, restarts with backoff, drains on SIGTERM."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

BACKOFF_FIRST, BACKOFF_MOST = 1.0, 30.0
DRAIN_SECONDS = 10.0
STEADY_SECONDS = 20.0
"""A child that ran this long starts again at the first backoff."""


def next_backoff(previous: float, ran_for: float) -> float:
    """Seconds to wait before the next start: 1, 2, 4 … 30; back to 1 after a steady run."""
    if previous <= 0 or ran_for >= STEADY_SECONDS:
        return BACKOFF_FIRST
    return min(BACKOFF_MOST, previous * 2)


@dataclass
class Child:
    """One process under supervision."""

    role: str
    command: Sequence[str]
    ready_file: Path
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    backoff: float = 0.0
    start_at: float = 0.0

    @property
    def ready(self) -> bool:
        """True when the process that runs now has said so."""
        try:
            return self.process is not None and self.ready_file.read_text().strip() == str(self.process.pid)
        except OSError:
            return False


@dataclass
class Supervisor:
    """Keeps the children of `lianyi serve` running until it is told to stop."""

    children: list[Child]
    environment: Mapping[str, str]
    say: Callable[[str], None]
    stop: threading.Event = field(default_factory=threading.Event)
    patience: float | None = None
    """Seconds within which all must be ready, else the supervisor gives up with exit code 1; None waits for ever."""

    def run(self, on_ready: Callable[[], None] | None = None) -> int:
        """Run until SIGTERM, SIGINT or `stop`; returns the exit code. `on_ready` is called once, when all are up."""
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: self.stop.set())
        told, begun = False, time.monotonic()
        while not self.stop.is_set():
            now = time.monotonic()
            for child in self.children:
                self._tend(child, now)
            if not told and all(child.ready for child in self.children):
                told = True
                self.say("ready: " + " ".join(child.role for child in self.children))
                if on_ready is not None:
                    threading.Thread(target=on_ready, name="ready", daemon=True).start()
            if not told and self.patience is not None and time.monotonic() - begun > self.patience:
                self.say("gave up: not ready " + " ".join(c.role for c in self.children if not c.ready))
                self._drain()
                return 1
            self.stop.wait(0.1)
        self._drain()
        return 0

    def _tend(self, child: Child, now: float) -> None:
        if child.process is not None:
            code = child.process.poll()
            if code is None:
                return
            child.backoff = next_backoff(child.backoff, now - child.started)
            child.start_at = now + child.backoff
            child.process = None
            self.say(f"{child.role} ended with {code}; again in {child.backoff:.0f} s")
        if now >= child.start_at:
            child.ready_file.unlink(missing_ok=True)
            child.process = subprocess.Popen(child.command, env=dict(self.environment), start_new_session=True)
            child.started = now

    def _drain(self) -> None:
        running = [c.process for c in self.children if c.process is not None and c.process.poll() is None]
        for process in running:
            process.terminate()
        until = time.monotonic() + DRAIN_SECONDS
        for process in running:
            try:
                process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def child(role: str, run_folder: Path, arguments: Sequence[str] = ()) -> Child:
    """A child running `lianyi serve ROLE` with the interpreter of this process."""
    run_folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "webui.cli", "serve", role, *arguments]
    return Child(role=role, command=command, ready_file=run_folder / f"{role}.ready")


def say_ready(run_folder: Path, role: str) -> None:
    """Called by a child once it serves: the supervisor and `/readyz` read this file."""
    run_folder.mkdir(parents=True, exist_ok=True)
    (run_folder / f"{role}.ready").write_text(str(os.getpid()))


class ParentWatch(threading.Thread):
    """Ends this process when its parent is gone, so that a killed supervisor leaves nobody behind."""

    def __init__(self, stop: Callable[[], None]) -> None:
        super().__init__(name="parent-watch", daemon=True)
        self._parent = os.getppid()
        self._stop_process = stop

    def run(self) -> None:
        """Look once a second."""
        while os.getppid() == self._parent:
            time.sleep(1)
        self._stop_process()
