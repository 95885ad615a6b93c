"""Between begin and commit there is no file, socket or subprocess call, over the whole life of a consultation."""

from __future__ import annotations

import inspect
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import wraps
from typing import Any

import pytest
from sqlalchemy.orm import Session

from engine import Database
from integrations.compression import FakeCompressor
from integrations.dicom import FakeScu
from integrations.hl7 import FakeClient
from integrations.pdf import FakePdf
from integrations.rendering import FakeRenderer
from integrations.sms import FakeSms
from integrations.storage import MemoryStore

FORBIDDEN = (
    *("open", "socket.connect", "socket.bind", "socket.sendto", "socket.getaddrinfo", "subprocess.Popen"),
    *("os.system", "os.posix_spawn", "os.exec", "os.fork", "os.remove", "os.rename", "os.mkdir", "shutil.copyfile"),
)
OUTSIDE = (MemoryStore, FakeScu, FakeClient, FakeSms, FakePdf, FakeCompressor, FakeRenderer)
_inside = threading.local()
_seen: list[str] = []
_installed: list[bool] = []


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook cannot be taken away again: outside the marked transactions it costs one look-up."""
    if not getattr(_inside, "depth", 0) or event not in FORBIDDEN or getattr(_inside, "looking", False):
        return
    _inside.looking = True
    stack = traceback.StackSummary.extract(traceback.walk_stack(None), lookup_lines=False)
    names = [frame.filename for frame in stack]
    # the interpreter loads modules and source lines when it likes
    if not any("importlib" in name or name.endswith(("linecache.py", "traceback.py")) for name in names[1:-1][:12]):
        places = [f"{frame.filename}:{frame.lineno}" for frame in stack[1:12]]
        _seen.append(f"{event} {arguments!r:.200} at {' < '.join(places)}")
    _inside.looking = False


def _telling(method: Callable[..., Any]) -> Callable[..., Any]:
    """A fake opens nothing; what it stands for would."""

    @wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:
        if getattr(_inside, "depth", 0):
            _seen.append(f"{method.__qualname__} at {' < '.join(traceback.format_stack(limit=6)[:-1])}")
        return method(*args, **kwargs)

    return call


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What was opened, connected or started inside a writing transaction."""
    begin = Database.transaction

    @contextmanager
    def transaction(self: Database) -> Iterator[Session]:
        lent: AbstractContextManager[Session] = begin(self)
        with lent as session:
            _inside.depth = getattr(_inside, "depth", 0) + 1
            try:
                yield session
            finally:
                _inside.depth -= 1

    if not _installed:
        sys.addaudithook(_hook)
        _installed.append(True)
    _seen.clear()
    monkeypatch.setattr(Database, "transaction", transaction)
    for port in OUTSIDE:
        for name, method in vars(port).items():
            if inspect.isfunction(method) and not name.startswith("_"):
                monkeypatch.setattr(port, name, _telling(method))
    yield _seen
    _inside.depth = 0


def test_the_watch_sees(db: Database, watched: list[str], tmp_path: Any) -> None:
    file = tmp_path / "a"
    file.write_text("outside")
    assert watched == []
    with db.transaction():
        file.read_text()
    assert len(watched) == 1
    assert watched[0].startswith("open ")


def test_a_consultation_touches_nothing_but_the_database(world: Any, watched: list[str]) -> None:
    world.walk(12)
    assert world.status() == ("completed", "published")
    assert watched == []


def test_nor_does_the_arrival_of_an_image_or_the_end_of_a_case(world: Any, watched: list[str]) -> None:
    world.walk(7)
    world.services.applications.stop(world.actor("he"), world.case, "died", "stop")
    world.worker.run_until_idle()
    assert world.status() == ("completed", "died")
    assert watched == []
