"""Released models: immutable bundles in the database, executable forms in memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from engine import dmn
from engine.errors import LianyiError, NotFound
from engine.history import PLATFORM, record
from engine.ids import uuid7
from engine.model import Bundle
from engine.spiff import Specs, Stuck, Verdict
from engine.spiff_parser import read
from engine.tables import definition
from engine.values import Json


@dataclass(frozen=True)
class Definition:
    """A version of a process: `hash` names its bundle, `status` is draft, released or retired."""

    id: UUID
    process: str
    version: int
    hash: str
    status: str


@dataclass(frozen=True)
class Compiled:
    """The executable form of a definition."""

    specs: Specs
    decisions: Mapping[str, dmn.Decisions]

    def decide(self, decision: str, data: Mapping[str, Json], now: datetime) -> Verdict:
        """Take a decision of the bundle; Stuck when it cannot be taken."""
        table = self.decisions.get(decision)
        if table is None:
            raise Stuck("decision", "decision_missing", f"the bundle holds no decision {decision}")
        try:
            result = table.decide(decision, data, now=now)
        except LianyiError as error:
            needed = set(table.file.inputs)
            seen = {name: value for name, value in data.items() if name in needed}
            raise Stuck("decision", error.code, str(error), seen) from error
        return Verdict(table.file.decisions[decision].variable or decision, result.value, tuple(result.rules))


class Definitions:
    """Reads and releases definitions; keeps the last `size` executable ones."""

    def __init__(self, size: int = 64) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._cache: OrderedDict[UUID, Compiled] = OrderedDict()

    def release(self, session: Session, bundle: Bundle, *, actor: str, at: datetime) -> Definition:
        """Insert a bundle as the next version of its process; a known hash is a no-op."""
        known = session.execute(select(definition).where(definition.c.hash == bundle.hash)).first()
        if known is not None:
            return _definition(known)
        compile_bundle(bundle)
        newest = select(func.coalesce(func.max(definition.c.version), 0)).where(definition.c.process == bundle.top)
        version = int(session.execute(newest).scalar_one()) + 1
        made = Definition(uuid7(), bundle.top, version, bundle.hash, "released")
        session.execute(
            insert(definition).values(
                id=made.id,
                process=made.process,
                version=made.version,
                hash=made.hash,
                status=made.status,
                content=bundle.to_bytes(),
                created_by=actor,
                created_at=at,
            )
        )
        data: dict[str, Json] = {"process": made.process, "version": made.version, "hash": made.hash}
        record(session, tenant=PLATFORM, kind="definition.released", actor=actor, at=at, data=data)
        return made

    def newest(self, session: Session, process: str) -> Definition:
        """The newest released version of a process."""
        row = session.execute(
            select(definition)
            .where(definition.c.process == process, definition.c.status == "released")
            .order_by(definition.c.version.desc())
            .limit(1)
        ).first()
        if row is None:
            raise NotFound(f"No process {process} is released.", process=process)
        return _definition(row)

    def compiled(self, session: Session, definition_id: UUID) -> Compiled:
        """The executable form; shared, unless running it would change it."""
        with self._lock:
            found = self._cache.get(definition_id)
            if found is not None:
                self._cache.move_to_end(definition_id)
                return found
        content = session.execute(select(definition.c.content).where(definition.c.id == definition_id)).scalar_one()
        made = compile_bundle(Bundle.from_bytes(content))
        if not made.specs.mutable:
            with self._lock:
                self._cache[definition_id] = made
                while len(self._cache) > self._size:
                    self._cache.popitem(last=False)
        return made


def compile_bundle(bundle: Bundle) -> Compiled:
    """The executable form of a bundle; ModelBroken or DmnError when it has none."""
    tables: dict[str, dmn.Decisions] = {}
    for name, content in bundle.files.items():
        if name.endswith(".dmn"):
            table = _decisions(content)
            tables.update(dict.fromkeys(table.file.decisions, table))
    return Compiled(read(bundle.top, bundle.files), tables)


@lru_cache(maxsize=64)
def _decisions(content: bytes) -> dmn.Decisions:
    """A compiled file; deciding does not change it, so bundles and versions that hold the same bytes share it."""
    return dmn.Decisions(dmn.load(content))


def _definition(row: Any) -> Definition:
    return Definition(row.id, row.process, row.version, row.hash, row.status)
