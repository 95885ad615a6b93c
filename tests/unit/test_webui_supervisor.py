"""The supervisor restarts what dies, waits longer each time, and leaves nobody behind."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from pathlib import Path

from webui import serve
from webui.supervisor import Child, Supervisor, next_backoff

HEAR = "import os,pathlib,signal,sys;pathlib.Path(sys.argv[1]).write_text(str(os.getpid()));signal.pause()"


def test_backoff_doubles_to_its_bound_and_recovers() -> None:
    waits, wait = [], 0.0
    for _ in range(7):
        wait = next_backoff(wait, 0.0)
        waits.append(wait)
    assert waits == [1, 2, 4, 8, 16, 30, 30]
    assert next_backoff(30, 60) == 1


def test_a_killed_child_comes_back_and_stop_ends_it(tmp_path: Path) -> None:
    said: list[str] = []
    ready = tmp_path / "x.ready"
    child = Child("x", [sys.executable, "-c", HEAR, str(ready)], ready)
    back = threading.Event()
    first: list[int] = []

    def note(text: str) -> None:
        said.append(text)

    supervisor = Supervisor([child], dict(os.environ), note)

    def kill_once() -> None:
        assert child.process is not None
        first.append(child.process.pid)
        os.kill(child.process.pid, signal.SIGKILL)
        while not (child.ready and child.process is not None and child.process.pid != first[0]):
            back.wait(0.05)
        supervisor.stop.set()

    assert supervisor.run(kill_once) == 0
    assert said[0] == "ready: x"
    assert "again in 1 s" in said[1]
    assert child.process is not None
    assert child.process.poll() is not None


def test_a_taken_port_is_named() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert not serve.free("127.0.0.1", port)
    assert serve.free("127.0.0.1", port)
