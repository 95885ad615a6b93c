"""Rows in bulk on either database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine import Database, history
from engine.db import Base


class Writer:
    """Gathers rows and writes them in bulk, history as chains: COPY on PostgreSQL, executemany on SQLite."""

    def __init__(self, db: Database, size: int = 50_000) -> None:
        self._db, self._size, self._count = db, size, 0
        self._rows: dict[sa.Table, list[list[Any]]] = {}
        self.chains: dict[str, tuple[int, str]] = {}
        columns = history.history.columns.keys()
        self._hashed = [columns.index(name) for name in history._HASHED]
        self._chain = [columns.index(name) for name in ("tenant", "seq", "previous", "hash")]

    def add(self, table: sa.Table, row: list[Any]) -> None:
        """Take a row in the order of the table's columns; a history row gets its place in its chain here."""
        if table is history.history:
            tenant, seq, previous, digest = self._chain
            length, last = self.chains.get(row[tenant], history.NOTHING)
            row[seq], row[previous] = length + 1, last
            row[digest] = history._digest([row[place] for place in self._hashed])
            self.chains[row[tenant]] = (length + 1, row[digest])
        self._rows.setdefault(table, []).append(row)
        self._count += 1
        if self._count >= self._size:
            self.close()

    def close(self) -> None:
        """Write what is gathered, parents before children."""
        self._count = 0
        raw = self._db.sql.raw_connection()
        try:
            cursor = raw.cursor()
            if self._db.dialect == "sqlite":  # nothing else reads yet, and a cut fill is begun anew
                for pragma in ("synchronous=off", "cache_size=-200000", "foreign_keys=off"):
                    cursor.execute(f"pragma {pragma}")
                cursor.execute("begin")
            for table in Base.metadata.sorted_tables:
                rows = self._rows.pop(table, [])
                if rows:
                    self._put(cursor, table, rows)
            raw.commit()
        finally:
            raw.close()

    def _put(self, cursor: Any, table: sa.Table, rows: Sequence[Sequence[Any]]) -> None:
        names = ", ".join(f'"{column.name}"' for column in table.columns)
        if self._db.dialect == "sqlite":
            marks = ", ".join("?" * len(table.columns))
            cursor.executemany(f'insert into "{table.name}" ({names}) values ({marks})', rows)
        else:
            with cursor.copy(f'copy "{table.name}" ({names}) from stdin') as copy:
                for row in rows:
                    copy.write_row(row)
