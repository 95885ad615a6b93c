"""Ten thousand cases with their histories: a few walked on the real engine with fakes, then copied under new ids.

A copy differs from its original in every id the walk made (also inside stored states, messages and JSON), in number, patient,
study and time; the hash chains are written anew, so that `lianyi audit verify` holds on the result.
"""

from __future__ import annotations

import importlib.util
import itertools
import random
import re
import shutil
import sys
import tempfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa
from pydicom.data import get_testdata_file

from engine import Database, TestClock, connect, history, uuid7
from engine.db import Base
from engine.tables import history_head
from integrations.dicom import Subject, restamp
from migrations.run import upgrade
from tasks.patients.identity import grams, name_key
from tasks.patients.service import Arrival
from tasks.quality import sampling

ROOT = Path(__file__).resolve().parents[2]
FAMILY = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂英华玉兰红梅建国志"
STEPS = {12: 8500, 1: 150, 2: 150, 3: 250, 4: 150, 5: 200, 6: 150, 8: 250, 9: 100, 11: 100}
"""How many cases of ten thousand stand after so many forms; 12 is published."""
MARK = r"\bR[0-9a-f]{18}\b|2\.25\.\d{20,}"
"""Control numbers of messages, UIDs of documents we made."""
_ID = re.compile(r"\b[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\b")
SHARED = ("ref_counter", "login", "login_failure")
"""Tables that belong to no case."""
SEED = 20261124
Row = dict[str, Any]


@dataclass
class Original:
    """A walked case: its rows by table in writing order, and the words that tell it from another."""

    case: UUID
    rows: list[tuple[sa.Table, Row]]
    words: dict[str, str]
    ids: list[UUID] = field(default_factory=list)
    marks: frozenset[str] = frozenset()  # control numbers of messages, UIDs of sent documents


def fill(url: str, count: int) -> dict[str, Any]:
    """Migrate the database at `url` and write `count` cases into it; logins, ids of open and finished cases."""
    upgrade(url)
    with tempfile.TemporaryDirectory() as home:
        base, originals, accounts = _walked(Path(home))
    db = connect(url)
    if db.dialect == "postgresql":
        with db.transaction() as session:
            session.execute(sa.text("select history_make_partitions((current_date - 210)::date, 8)"))
    writer = Writer(db)
    chains: dict[UUID, tuple[int, str]] = {}
    for table, row in base:
        _write(writer, chains, table, row)
    cases = _copies(writer, chains, originals, count)
    for tenant, (seq, last) in chains.items():
        writer.add(history_head, {"tenant": tenant, "seq": seq, "hash": last})
    writer.close()
    with db.sql.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("analyze")
    db.close()
    return {"accounts": accounts, "cases": cases}


def _copies(
    writer: Writer, chains: dict[UUID, tuple[int, str]], originals: Mapping[int, Original], count: int
) -> list[tuple[int, UUID, str]]:
    draw = random.Random(SEED)
    steps = [step for step, share in STEPS.items() for _ in range(max(1, share * count // 10_000))][:count]
    draw.shuffle(steps)
    made: list[tuple[int, UUID, str]] = []
    for number, step in enumerate(steps):
        one = originals[step]
        age = timedelta(days=180 - 180 * number / count) if step == 12 else timedelta(hours=draw.uniform(0, 40))
        name = draw.choice(FAMILY) + "".join(draw.choice(GIVEN) for _ in range(draw.choice((1, 2))))
        change = _change(one, number, name)
        for table, row in one.rows:
            if table.name == "patient_gram":
                continue
            new = {key: _renewed(value, change, age) for key, value in row.items()}
            if table.name == "registration":
                new |= {"name": name, "name_key": name_key(name)}
                for gram in sorted(grams(name)):
                    gram_row = {"tenant": new["tenant"], "gram": gram, "record_id": new["record_id"]}
                    writer.add(Base.metadata.tables["patient_gram"], gram_row)
            if table.name == "hold":
                new["slot"] = number
            _write(writer, chains, table, new)
        made.append((step, change.ids[one.case], change.words[one.words["ref"]]))
    return made


@dataclass(frozen=True)
class Change:
    """What a copy calls everything: ids and words, and the pattern that finds them in texts."""

    ids: Mapping[UUID, UUID]
    words: Mapping[str, str]
    pattern: re.Pattern[str]

    def text(self, value: str) -> str:
        return self.pattern.sub(lambda match: self.words.get(match.group(), match.group()), value)


_PATTERNS: dict[UUID, re.Pattern[str]] = {}


def _change(one: Original, number: int, name: str) -> Change:
    ids = {old: uuid7() for old in one.ids}
    words = {str(old): str(new) for old, new in ids.items()} | {old.hex: new.hex for old, new in ids.items()}
    for mark in one.marks:
        words[mark] = f"R{uuid7().hex[-18:]}" if mark.startswith("R") else f"2.25.{uuid7().int}"
    ref = one.words["ref"]
    words |= {ref: f"{ref[:-4]}{number:05d}", one.words["mrn"]: f"B{number:06d}", one.words["name"]: name}
    words |= {one.words[kind]: f"2.25.9{number:06d}{i}" for i, kind in enumerate(("study", "series", "sop"))}
    pattern = _PATTERNS.get(one.case)
    if pattern is None:
        named = [re.escape(one.words[kind]) for kind in ("ref", "mrn", "name", "study", "series", "sop")]
        pattern = _PATTERNS[one.case] = re.compile("|".join([_ID.pattern, MARK, *named]))
    return Change(ids, words, pattern)


def _renewed(value: Any, change: Change, age: timedelta) -> Any:
    if isinstance(value, UUID):
        return change.ids.get(value, value)
    if isinstance(value, str):
        return change.text(value) if len(value) > 5 else value
    if isinstance(value, datetime):
        return value - age
    if isinstance(value, dict | list):
        return orjson.loads(change.text(orjson.dumps(value).decode()))
    if isinstance(value, bytes) and value:
        return _bytes(value, change)
    return value


def _bytes(value: bytes, change: Change) -> bytes:
    packed = value[:1] == b"x"
    text = (zlib.decompress(value) if packed else value).decode("latin-1")
    new = change.text(text).encode("latin-1", "replace")
    return zlib.compress(new, 6) if packed else new


def _write(writer: Writer, chains: dict[UUID, tuple[int, str]], table: sa.Table, row: Row) -> None:
    if table.name == "history":
        seq, last = chains.get(row["tenant"], history.NOTHING)
        row = {**row, "seq": seq + 1, "previous": last}
        row["hash"] = history._hash(row)
        chains[row["tenant"]] = (seq + 1, row["hash"])
    writer.add(table, row)


class Writer:
    """Gathers rows and writes them in bulk: COPY on PostgreSQL, executemany on SQLite."""

    def __init__(self, db: Database, size: int = 20_000) -> None:
        self._db = db
        self._size = size
        self._rows: dict[sa.Table, list[tuple[Any, ...]]] = {}
        self._count = itertools.count(1)
        self._form: Callable[[Any], Any] = _for_sqlite if db.dialect == "sqlite" else _for_postgresql

    def add(self, table: sa.Table, row: Row) -> None:
        self._rows.setdefault(table, []).append(tuple(self._form(row.get(column.name)) for column in table.columns))
        if next(self._count) % self._size == 0:
            self.close()

    def close(self) -> None:
        """Write what is gathered, parents before children."""
        raw = self._db.sql.raw_connection()
        try:
            cursor = raw.cursor()
            if self._db.dialect == "sqlite":
                cursor.execute("begin")
            for table in Base.metadata.sorted_tables:
                rows = self._rows.pop(table, [])
                if rows:
                    self._put(cursor, table, rows)
            raw.commit()
        finally:
            raw.close()

    def _put(self, cursor: Any, table: sa.Table, rows: Sequence[tuple[Any, ...]]) -> None:
        names = ", ".join(f'"{column.name}"' for column in table.columns)
        if self._db.dialect == "sqlite":
            marks = ", ".join("?" * len(table.columns))
            cursor.executemany(f'insert into "{table.name}" ({names}) values ({marks})', rows)
        else:
            with cursor.copy(f'copy "{table.name}" ({names}) from stdin') as copy:
                for row in rows:
                    copy.write_row(row)


def _for_postgresql(value: Any) -> Any:
    return orjson.dumps(value).decode() if isinstance(value, dict | list) else value


def _for_sqlite(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    return orjson.dumps(value).decode() if isinstance(value, dict | list) else value


def _walked(home: Path) -> tuple[list[tuple[sa.Table, Row]], dict[int, Original], dict[str, UUID]]:
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
    inside = {UUID(one) for one in re.findall(_ID, text)}
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


if __name__ == "__main__":
    sys.stdout.write(f"{fill(sys.argv[1], int(sys.argv[2]))}\n"[:300])
