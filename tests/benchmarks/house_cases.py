"""Ten thousand cases with their histories: a few walked on the real engine with fakes, then copied under new ids.

A copy differs from its original in every id the walk made (also inside stored states, messages and JSON), in number, patient,
study and time; the hash chains are written anew, so that `lianyi audit verify` holds on the result.
"""

from __future__ import annotations

import random
import re
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa
from house_originals import ID, MARK, STEPS, Original, Row, walked
from house_writer import Writer

from engine import connect, history, uuid7
from engine.db import Base, JsonText
from engine.tables import history_head
from engine.values import canonical
from migrations.run import upgrade
from tasks.patients.identity import grams, name_key

FAMILY = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂英华玉兰红梅建国志"
SEED = 20261124
DAYS = 180
"""So old is the oldest published case; the last day's entries came after the nightly check of the chains."""


def fill(url: str, count: int) -> dict[str, Any]:
    """Migrate the database at `url` and write `count` cases into it; logins, ids of open and finished cases."""
    upgrade(url)
    with tempfile.TemporaryDirectory() as home:
        base, originals, accounts = walked(Path(home))
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
        pattern = re.compile("(" + "|".join([ID.pattern, MARK, *named]) + ")")
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


if __name__ == "__main__":
    sys.stdout.write(f"{fill(sys.argv[1], int(sys.argv[2]))}\n"[:300])
