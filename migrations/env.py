"""Alembic's entry: one connection, one transaction a migration run."""

from __future__ import annotations

from alembic import context

from engine.db import Base

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata, transaction_per_migration=False)
with context.begin_transaction():
    context.run_migrations()
