"""How data moves: alembic migrations. A landed file is never edited."""
