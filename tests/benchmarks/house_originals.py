"""Cases walked on the real engine with fakes: the rows each leaves behind, and the words that tell it from another."""

from __future__ import annotations

import importlib.util
import re
import shutil
import sys
import zlib
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from pydicom.data import get_testdata_file

from engine import Database, TestClock, connect
from engine.db import Base
from integrations.dicom import Subject, restamp
from migrations.run import upgrade
from tasks.patients.service import Arrival
from tasks.quality import sampling

ROOT = Path(__file__).resolve().parents[2]
STEPS = {12: 8500, 1: 150, 2: 150, 3: 250, 4: 150, 5: 200, 6: 150, 8: 250, 9: 100, 11: 100}
"""How many cases of ten thousand stand after so many forms; 12 is published."""
MARK = r"\bR[0-9a-f]{18}\b|2\.25\.\d{20,}"
"""Control numbers of messages, UIDs of documents we made."""
ID = re.compile(r"\b[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\b")
SHARED = ("ref_counter", "login", "login_failure")
"""Tables that belong to no case."""
Row = dict[str, Any]


@dataclass
class Original:
    """A walked case: its rows by table in writing order, and the words that tell it from another."""

    case: UUID
    rows: list[tuple[sa.Table, Row]]
    words: dict[str, str]
    ids: list[UUID] = field(default_factory=list)
    marks: frozenset[str] = frozenset()  # control numbers of messages, UIDs of sent documents


def walked(home: Path) -> tuple[list[tuple[sa.Table, Row]], dict[int, Original], dict[str, UUID]]:
    """The rows of the alliance, one walked case for every step, and the accounts by login name."""
    spec = importlib.util.spec_from_file_location("house_world", ROOT / "tests/integration/conftest.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    sampling.SECOND = 0
    url = f"sqlite:///{home / 'walk.db'}"
    upgrade(url)
    db = connect(url)
    world = module._world(db, TestClock(datetime.now(UTC).replace(microsecond=0)))
    with db.transaction() as session:  # everybody may log in: the one hash is lin's
        session.execute(
            sa.text("update account set password_hash = (select password_hash from account where login_name = 'lin')")
        )
    base = _rows(db)
    with db.sql.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    originals: dict[int, Original] = {}
    for step in STEPS:  # each on a copy of its own, or they would take each other's expert and hour
        own = connect(f"sqlite:///{shutil.copy(home / 'walk.db', home / f'{step}.db')}")
        originals[step] = _walk(module._over(own, TestClock(world.clock.now()), world), own, step)
        own.close()
    return list(base.values()), originals, dict(world.accounts)


def _walk(world: Any, db: Database, step: int) -> Original:
    before = _rows(db)
    words = {"mrn": f"TEMPLATE{step:02d}", "name": "样本甲", "ref": ""}
    words |= {kind: f"2.25.77{step:02d}{i}" for i, kind in enumerate(("study", "series", "sop"))}
    now = world.clock.now()
    raw = Path(str(get_testdata_file("CT_small.dcm"))).read_bytes()
    subject = Subject(words["mrn"], words["name"], "M", "19590312", words["study"], "A1")
    part10 = restamp(raw, subject, series_uid=words["series"], sop_uid=words["sop"], when=now, label="T")
    assert world.services.imaging.ingest(part10, "QH_CT", "bench") == 0
    with db.transaction() as session:
        arrival = Arrival(world.home, "QH_HIS", words["mrn"], words["name"], "M", date(1959, 3, 12))
        world.registration = world.services.applications.receive_patient(
            session, arrival, actor="bench"
        ).registration_id
    world.walk(step, studies=[words["study"]])
    rows = [pair for key, pair in _rows(db).items() if key not in before and pair[0].name not in SHARED]
    with db.read() as session:
        words["ref"] = world.services.cases.get(session, world.case).ref
    known = {value for _, row in before.values() for value in row.values() if isinstance(value, UUID)}
    known |= set(world.accounts.values())
    found = {value for _, row in rows for value in row.values() if isinstance(value, UUID)} - known
    text = " ".join(map(_legible, rows))
    inside = {UUID(one) for one in re.findall(ID, text)}
    found |= {one for one in inside - known if one.version in (4, 5, 7)}
    return Original(world.case, rows, words, sorted(found), frozenset(re.findall(MARK, text)))


def _legible(pair: tuple[sa.Table, Row]) -> str:
    values = [v for v in pair[1].values() if isinstance(v, str | bytes | dict | list)]
    texts = [
        (zlib.decompress(v) if v[:1] == b"x" else v).decode("latin-1") if isinstance(v, bytes) else str(v)
        for v in values
    ]
    return " ".join(texts)


def _rows(db: Database) -> dict[tuple[Any, ...], tuple[sa.Table, Row]]:
    """Every row of every table by its key."""
    found: dict[tuple[Any, ...], tuple[sa.Table, Row]] = {}
    with db.read() as session:
        for table in Base.metadata.sorted_tables:
            order = [table.c.tenant, table.c.seq] if table.name == "history" else list(table.primary_key.columns)
            for row in session.execute(sa.select(table).order_by(*order)).mappings():
                key = (table.name, *(str(row[c.name]) for c in table.primary_key.columns))
                if table.name != "history_head":
                    found[key] = (table, dict(row))
    return found
