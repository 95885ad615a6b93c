"""The migrations make exactly the tables the code maps."""

from __future__ import annotations

import importlib
import pkgutil

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

import tasks
from engine import tables
from engine.db import Base, Database


def test_migrated_database_matches_the_mapped_tables(db: Database) -> None:
    assert tables.metadata is Base.metadata
    for module in pkgutil.walk_packages(tasks.__path__, "tasks."):
        if module.name.endswith(".models"):
            importlib.import_module(module.name)
    with db.sql.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": db.dialect == "postgresql"})
        differences = compare_metadata(context, Base.metadata)
    assert [d for d in differences if "history_" not in str(d)] == []
