"""The one place where a transaction begins and ends, on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import DateTime, Dialect, MetaData, String, Text, create_engine, event
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import UUID as PgUUID
from sqlalchemy.engine import Engine as SqlEngine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator, TypeEngine

from engine.errors import Busy

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """The one declarative base: engine uses its metadata with Core tables, tasks maps classes on it."""

    metadata = MetaData(naming_convention=NAMING)


class Uuid(TypeDecorator[UUID]):
    """A UUID: native on PostgreSQL, 36 characters on SQLite."""

    impl = String(36)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The column type of the database at hand."""
        return dialect.type_descriptor(PgUUID(as_uuid=True) if dialect.name == "postgresql" else String(36))

    def process_bind_param(self, value: UUID | str | None, dialect: Dialect) -> Any:
        """To the driver."""
        if value is None:
            return None
        value = value if isinstance(value, UUID) else UUID(value)
        return value if dialect.name == "postgresql" else str(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> UUID | None:  # noqa: ARG002 - the interface
        """From the driver."""
        return value if value is None or isinstance(value, UUID) else UUID(value)


class Instant(TypeDecorator[datetime]):
    """An aware instant in UTC; a naive one is refused. SQLite keeps sortable ISO text with microseconds."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The column type of the database at hand."""
        return dialect.type_descriptor(DateTime(timezone=True) if dialect.name == "postgresql" else String(32))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """To the driver."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive time refused: attach the sender's zone before it reaches the database")
        value = value.astimezone(UTC)
        return value if dialect.name == "postgresql" else value.isoformat(timespec="microseconds")

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - the interface
        """From the driver."""
        if value is None:
            return None
        return (value if isinstance(value, datetime) else datetime.fromisoformat(value)).astimezone(UTC)


class JsonText(TypeDecorator[Any]):
    """A JSON value: jsonb on PostgreSQL, text on SQLite."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The column type of the database at hand."""
        return dialect.type_descriptor(JSONB() if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """To the driver."""
        if value is None or dialect.name == "postgresql":
            return value
        return orjson.dumps(value).decode()

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """From the driver."""
        return orjson.loads(value) if isinstance(value, str) and dialect.name != "postgresql" else value


_AT_END = "lianyi.at_end"
_MEMO = "lianyi.memo"


class Database:
    """A connected database. Writes go through `transaction()`, reads through `read()`; nothing else opens a session."""

    def __init__(self, sql: SqlEngine) -> None:
        self.sql = sql
        self.dialect = sql.dialect.name

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """One writing transaction: BEGIN IMMEDIATE on SQLite, READ COMMITTED with row locks on PostgreSQL.

        Busy when a lock did not come, or two transactions waited for each other: nothing was written, do it again."""
        with _told(), self.sql.connect() as connection:
            if self.dialect == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            with Session(bind=connection, expire_on_commit=False, autoflush=True) as session:
                try:
                    yield session
                    session.flush()
                    for last in session.info.pop(_AT_END, []):
                        last(session)
                    crash_point("before_commit")
                    connection.commit()
                    crash_point("after_commit")
                except BaseException:
                    connection.rollback()
                    raise

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session for reading; whatever is changed in it is rolled back."""
        with self.sql.connect() as connection:
            if self.dialect == "sqlite":
                connection.exec_driver_sql("BEGIN")
            with Session(bind=connection, expire_on_commit=False, autoflush=False) as session:
                session.info[_MEMO] = {}
                try:
                    yield session
                finally:
                    connection.rollback()

    def close(self) -> None:
        """Close every pooled connection."""
        self.sql.dispose()


_LOCKED = frozenset(["55P03", "40P01", "40001"])
"""PostgreSQL: lock not available, deadlock detected, could not serialize."""


@contextmanager
def _told() -> Iterator[None]:
    """The databases' words for a lock that did not come, as Busy."""
    try:
        yield
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) in _LOCKED or "database is locked" in str(error.orig):
            raise Busy() from error
        raise


def at_end(session: Session, last: Callable[[Session], None]) -> None:
    """Run `last` just before the transaction of this session commits, after everything else was written."""
    session.info.setdefault(_AT_END, []).append(last)


def memo(session: Session) -> dict[Any, Any] | None:
    """What was read once in a session of `read()` and may be used again until it ends; None in one that writes."""
    found: dict[Any, Any] | None = session.info.get(_MEMO)
    return found


def connect(url: str) -> Database:
    """Open `sqlite:///path` or `postgresql+psycopg://…`; nothing is created or migrated here."""
    parsed = make_url(url)
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise ValueError("LIANYI_DATABASE_URL must start with sqlite:/// or postgresql+psycopg://")
    sqlite = parsed.get_backend_name() == "sqlite"
    args: dict[str, Any] = (
        {"connect_args": {"timeout": 5, "check_same_thread": False}} if sqlite else {"pool_pre_ping": True}
    )
    sql = create_engine(parsed, pool_size=8, max_overflow=16, hide_parameters=True, **args)
    if sqlite:
        event.listen(sql, "connect", _sqlite_connect)
    return Database(sql)


def _sqlite_connect(raw: Any, _record: Any) -> None:
    raw.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=5000"):
        raw.execute(f"PRAGMA {pragma}").close()


CRASH_POINTS = (
    *("begun", "locked", "unseen", "loaded", "applied", "recorded", "compacted", "saved", "waits_written"),
    *("jobs_written", "answered", "before_commit", "after_commit"),
    *("claimed", "sent", "effected"),
)
"""Every arrow of a command's transaction in its order, and those of a worker around it."""

_armed: dict[str, int] = {}


def arm(name: str, after: int = 1) -> None:
    """Make this process kill itself (SIGKILL) when it passes the named crash point for the `after`-th time; for tests."""
    if name not in CRASH_POINTS:
        raise ValueError(f"no crash point {name}")
    _armed[name] = after


def crash_point(name: str) -> None:
    """A named arrow of the transaction. Costs one dictionary look-up unless a test armed it."""
    if _armed and name in _armed:
        _armed[name] -= 1
        if _armed[name] <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
