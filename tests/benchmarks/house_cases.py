"""Ten thousand cases with their histories: a few walked on the real engine with fakes, then copied under new ids.

A copy differs from its original in every id the walk made (also inside stored states, messages and JSON), in number, patient,
study and time; the hash chains are written anew, so that `lianyi audit verify` holds on the result.
"""

from __future__ import annotations

import importlib.util
import random
import re
import shutil
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa
from pydicom.data import get_testdata_file

from engine import Database, TestClock, connect, history, uuid7
from engine.db import Base, JsonText
from engine.tables import history_head
from engine.values import canonical
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
DAYS = 180
"""So old is the oldest published case; the last day's entries came after the nightly check of the chains."""
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
    for table, row in base:
        writer.add(table, _values(table, row, _plain))
    cases = _copies(writer, originals, count)
    for tenant, (seq, last) in writer.chains.items():
        writer.add(history_head, [tenant, seq, last])
    writer.close()
    with db.sql.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("analyze")
    db.close()
    return {"accounts": accounts, "cases": cases}


def _copies(writer: Writer, originals: Mapping[int, Original], count: int) -> list[tuple[int, UUID, str]]:
    draw = random.Random(SEED)
    steps = [step for step, share in STEPS.items() for _ in range(max(1, share * count // 10_000))][:count]
    draw.shuffle(steps)
    forms = {step: Form.of(one) for step, one in originals.items()}
    made: list[tuple[int, UUID, str]] = []
    for number, step in enumerate(steps):
        if number == count - max(1, count // DAYS):
            _checked(writer)
        one = originals[step]
        age = timedelta(days=DAYS - DAYS * number / count) if step == 12 else timedelta(hours=draw.uniform(0, 40))
        name = draw.choice(FAMILY) + "".join(draw.choice(GIVEN) for _ in range(draw.choice((1, 2))))
        words = _words(one, number, name, draw)
        forms[step].write(writer, words, age, number, name)
        made.append((step, UUID(words[str(one.case)]), words[one.words["ref"]]))
    return made


def _checked(writer: Writer) -> None:
    """The entries of the nightly check before the last day."""
    at = _plain(datetime.now(UTC) - timedelta(days=1))
    for tenant, (seq, last) in list(writer.chains.items()):
        data = canonical({"seq": seq, "hash": last, "breaks": []}).decode()
        entry: Row = {
            "at": at,
            "id": str(uuid7()),
            "tenant": tenant,
            "kind": history.CHECKED,
            "actor": "worker",
            "data": data,
        }
        writer.add(history.history, [entry.get(column.name) for column in history.history.columns])


def _words(one: Original, number: int, name: str, draw: random.Random) -> dict[str, str]:
    """What a copy calls everything by what its original calls it. Its ids keep the order of the original's."""
    tail = f"{0x8000 | draw.getrandbits(14):04x}-{draw.getrandbits(48):012x}"
    instant = f"{int(time.time() * 1000):012x}"
    begin = f"{instant[:8]}-{instant[8:]}-7"
    words: dict[str, str] = {}
    for place, old in enumerate(one.ids):
        new = f"{begin}{place:03x}-{tail}"
        words[str(old)] = new
        words[old.hex] = new.replace("-", "")
    for mark in one.marks:
        words[mark] = f"R{draw.getrandbits(72):018x}" if mark.startswith("R") else f"2.25.{draw.getrandbits(126)}"
    ref = one.words["ref"]
    words |= {ref: f"{ref[:-4]}{number:05d}", one.words["mrn"]: f"B{number:06d}", one.words["name"]: name}
    return words | {one.words[kind]: f"2.25.9{number:06d}{i}" for i, kind in enumerate(("study", "series", "sop"))}


@dataclass(frozen=True)
class Form:
    """The rows of an original as the database takes them, with the places that differ in a copy: texts (cut where words
    are replaced: every second piece is a word), packed bytes (the same), and times."""

    rows: list[tuple[sa.Table, list[Any], list[tuple[int, list[str]]], list[tuple[int, list[str]]], list[int]]]

    @classmethod
    def of(cls, one: Original) -> Form:
        """Look at every value once."""
        known = {str(i) for i in one.ids} | {i.hex for i in one.ids} | one.marks | set(one.words.values())
        named = [re.escape(one.words[kind]) for kind in ("ref", "mrn", "name", "study", "series", "sop")]
        pattern = re.compile("(" + "|".join([_ID.pattern, MARK, *named]) + ")")
        rows = []
        for table, row in one.rows:
            if table.name == "patient_gram":
                continue
            values = _values(table, row, lambda value: value)
            texts, packed, times = [], [], []
            for place, value in enumerate(values):
                if isinstance(value, datetime):
                    times.append(place)
                    continue
                values[place] = plain = _plain(value)
                text = _unpacked(plain) if isinstance(plain, bytes) else plain
                pieces = _pieces(pattern, text, known) if isinstance(text, str) else []
                if len(pieces) > 1:
                    (packed if isinstance(plain, bytes) else texts).append((place, pieces))
            rows.append((table, values, texts, packed, times))
        return cls(rows)

    def write(self, writer: Writer, words: Mapping[str, str], age: timedelta, number: int, name: str) -> None:
        """Write one copy."""
        moved: dict[datetime, str] = {}
        for table, values, texts, packed, times in self.rows:
            row = values.copy()
            for place, pieces in texts:
                row[place] = _joined(pieces, words)
            for place, pieces in packed:
                row[place] = _packed(_joined(pieces, words), values[place])
            for place in times:
                at = values[place]
                row[place] = moved.get(at) or moved.setdefault(at, _plain(at - age))
            if table.name == "registration":
                _named(writer, table, row, name)
            elif table.name == "hold":
                row[table.columns.keys().index("slot")] = number
            writer.add(table, row)


def _pieces(pattern: re.Pattern[str], text: str, known: Collection[str]) -> list[str]:
    """The text cut into what stays and words, in turns; what looks like a word and is none stays."""
    found = [""]
    for place, piece in enumerate(pattern.split(text)):
        if place % 2 and piece in known:
            found += [piece, ""]
        else:
            found[-1] += piece
    return found


def _joined(pieces: list[str], words: Mapping[str, str]) -> str:
    if len(pieces) == 3 and not pieces[0] and not pieces[2]:
        return words[pieces[1]]
    new = pieces.copy()
    new[1::2] = [words[piece] for piece in pieces[1::2]]
    return "".join(new)


def _unpacked(value: bytes) -> str:
    return (zlib.decompress(value) if value[:1] == b"x" else value).decode("latin-1")


def _packed(text: str, like: bytes) -> bytes:
    new = text.encode("latin-1", "replace")
    return zlib.compress(new, 6) if like[:1] == b"x" else new


def _named(writer: Writer, table: sa.Table, row: list[Any], name: str) -> None:
    columns = table.columns.keys()
    row[columns.index("name")], row[columns.index("name_key")] = name, name_key(name)
    for gram in sorted(grams(name)):
        known = {"tenant": row[columns.index("tenant")], "gram": gram, "record_id": row[columns.index("record_id")]}
        grams_table = Base.metadata.tables["patient_gram"]
        writer.add(grams_table, [known[column.name] for column in grams_table.columns])


def _values(table: sa.Table, row: Row, form: Callable[[Any], Any]) -> list[Any]:
    """The values in the order of the columns; JSON as text, a lone string too."""
    return [
        orjson.dumps(value).decode() if isinstance(column.type, JsonText) and value is not None else form(value)
        for column in table.columns
        for value in [row.get(column.name)]
    ]


def _plain(value: Any) -> Any:
    """A value in words both databases take."""
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    return value


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
