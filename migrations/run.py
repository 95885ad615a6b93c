"""Bring a database to the newest schema, or say where it stands."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from engine.db import connect


def upgrade(db_url: str, revision: str = "head") -> None:
    """Apply every missing migration. Two processes may call this at once: the second waits and finds nothing to do."""
    db = connect(db_url)
    try:
        with db.sql.connect() as connection:
            if db.dialect == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                connection.execute(text("select pg_advisory_xact_lock(7310458)"))
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
            connection.commit()
    finally:
        db.close()


def current(db_url: str) -> str | None:
    """The revision the database stands at; None when it is empty."""
    db = connect(db_url)
    try:
        with db.sql.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    finally:
        db.close()


def head() -> str | None:
    """The newest revision this code brings."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config
