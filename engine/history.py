"""What happened, append-only: one hash chain per tenant, so that an edit, a deletion, a reordering or a cut shows.

Entries are gathered while a transaction runs and written when it ends, so that the head of the chain is always the last
row locked; two cases of one hospital wait for each other only for the length of an insert.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, String, Text, insert, literal_column, select, text, type_coerce, update
from sqlalchemy.orm import Session

from engine.db import Database, at_end
from engine.ids import uuid7
from engine.tables import history, history_head
from engine.values import Json, canonical

PLATFORM = UUID(int=0)
"""The tenant of what belongs to no hospital."""
GENESIS = "0" * 64
CHECKED = "chain.checked"
_CHECKED: ColumnElement[str] = literal_column(f"'{CHECKED}'")
"""Spelled out, so that ix_history_checked serves a prepared query too."""
KEPT = 20
"""Of so many breaks a check keeps the place."""
NEWEST = 20_000
"""So many entries of all chains together are verified while somebody waits for a page."""
NOTHING = (0, GENESIS)
_TENANTS = """
with recursive found(tenant) as (
  select * from (select tenant from history order by tenant limit 1) as first
  union all
  select (select tenant from history where tenant > found.tenant order by tenant limit 1) from found
  where found.tenant is not null
) select tenant from found where tenant is not null
"""  # one look into the index a tenant, however many entries there are
_PENDING = "lianyi.history"
_HASHED = (
    "tenant",
    "seq",
    "at",
    "id",
    "kind",
    "actor",
    "on_behalf",
    "instance_id",
    "task_id",
    "node",
    "data",
    "previous",
)
_SEQ, _PREVIOUS = _HASHED.index("seq"), _HASHED.index("previous")


@dataclass(frozen=True)
class Break:
    """A place where a chain does not hold: `seq` is the entry at which it shows, `why` one of edited, missing, cut."""

    tenant: UUID
    seq: int
    why: str


def record(
    session: Session,
    *,
    tenant: UUID,
    kind: str,
    actor: str,
    at: datetime,
    instance_id: UUID | None = None,
    task_id: UUID | None = None,
    node: str | None = None,
    data: Mapping[str, Json] | None = None,
    on_behalf: str | None = None,
) -> None:
    """Add an entry to the tenant's chain when this transaction commits.

    `data` holds ids, codes, numbers and flags only. Access events (a login, a view of patient data, an export) are
    entries too, without an instance. Works in sessions of `Database.transaction()`.
    """
    pending: list[dict[str, Any]] = session.info.setdefault(_PENDING, [])
    if not pending:
        at_end(session, _write)
    pending.append(
        {
            "id": uuid7(),
            "tenant": tenant,
            "kind": kind,
            "actor": actor,
            "at": at,
            "instance_id": instance_id,
            "task_id": task_id,
            "node": node,
            "data": canonical(data or {}).decode(),
            "on_behalf": on_behalf,
        }
    )


def head(session: Session, tenant: UUID) -> tuple[int, str]:
    """The length of a tenant's chain and the hash of its last entry; to be kept outside, or a cut cannot be told."""
    row = session.execute(select(history_head).where(history_head.c.tenant == tenant)).first()
    return (row.seq, row.hash) if row else (0, GENESIS)


def verify(session: Session, tenant: UUID | None = None) -> list[Break]:
    """Walk the chains (of one tenant or of all) and name every place that was edited, removed, reordered or cut off."""
    ends = _ends(session)
    breaks: list[Break] = []
    for one in [tenant] if tenant else sorted(ends):
        breaks += _verify_chain(session, one, ends.get(one, NOTHING))
    return breaks


def _ends(session: Session) -> dict[UUID, tuple[int, str]]:
    """Where every chain ends by its head; a chain that lost its head ends nowhere, so that its entries show as cut."""
    known = {row.tenant: (row.seq, row.hash) for row in session.execute(select(history_head))}
    found = session.execute(text(_TENANTS)).scalars()
    return dict.fromkeys((one if isinstance(one, UUID) else UUID(one) for one in found), NOTHING) | known


@dataclass(frozen=True)
class Standing:
    """How far the chains are known to hold: `at` is the oldest last full check (None: a chain was never checked whole),
    `breaks` what that check found and what does not hold since, `entries` all there are; `unseen` of them neither that check
    nor this look has seen."""

    at: datetime | None
    breaks: list[Break]
    entries: int
    unseen: int = 0


def standing(session: Session, most: int = NEWEST) -> Standing:
    """Verify what came since each chain's last full check, but of all chains at `most` so many entries, the newest of each: the
    cost grows neither with the age of the house nor while nobody checks it."""
    unseen = 0
    known = _ends(session)
    share = max(1, most // max(1, len(known)))
    times: list[datetime | None] = []
    breaks: list[Break] = []
    for tenant, end in known.items():
        query = select(history.c.at, history.c.data).where(history.c.tenant == tenant, history.c.kind == _CHECKED)
        last = session.execute(query.order_by(history.c.seq.desc()).limit(1)).first()
        said: dict[str, Any] = json.loads(last.data) if last else {"seq": 0, "hash": GENESIS, "breaks": []}
        times.append(last.at if last else None)
        found = [Break(tenant, int(seq), str(why)) for seq, why in said["breaks"]]
        start = int(said["seq"]), str(said["hash"])
        if not found and end[0] - start[0] > share and (later := _place(session, tenant, end[0] - share)) is not None:
            unseen += later[0] - start[0]
            start = later
        breaks += found or _verify_chain(session, tenant, end, start)
    at = None if None in times or not times else min(t for t in times if t is not None)
    return Standing(at, breaks, sum(seq for seq, _ in known.values()), unseen)


def _place(session: Session, tenant: UUID, seq: int) -> tuple[int, str] | None:
    """A place in a chain from which on it can be verified; None when no entry stands there."""
    query = select(history.c.seq, history.c.hash).where(history.c.tenant == tenant, history.c.seq == seq)
    row = session.execute(query.limit(1)).first()
    return (row.seq, row.hash) if row else None


def check(db: Database, actor: str, at: datetime) -> list[Break]:
    """Verify every chain from its first entry, and write into each what was found: an entry like any other."""
    with db.read() as session:
        ends = _ends(session)
        breaks = [b for tenant, end in ends.items() for b in _verify_chain(session, tenant, end)]
    with db.transaction() as session:
        for tenant, (seq, last) in ends.items():
            places: list[Json] = []
            places += [[b.seq, b.why] for b in [b for b in breaks if b.tenant == tenant][:KEPT]]
            record(
                session, tenant=tenant, kind=CHECKED, actor=actor, at=at, data={"seq": seq, "hash": last, "breaks": places}
            )  # fmt: skip
    return breaks


def heads(session: Session) -> list[tuple[UUID, int, str]]:
    """Tenant, number of entries and last hash of every chain: written down elsewhere, they prove that no tail was cut."""
    rows = session.execute(select(history_head).order_by(history_head.c.tenant))
    return [(row.tenant, row.seq, row.hash) for row in rows]


def make_partitions(session: Session, months: int = 24) -> None:
    """Make the monthly partitions from now on ahead (PostgreSQL; nothing to do on SQLite)."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("select history_make_partitions(current_date, :months)"), {"months": months})


def _verify_chain(
    session: Session, tenant: UUID, expected: tuple[int, str], start: tuple[int, str] = NOTHING
) -> list[Break]:
    breaks: list[Break] = []
    seq, previous = start
    rows = session.execute(
        select(*_columns(session))
        .where(history.c.tenant == tenant, history.c.seq > seq)
        .order_by(history.c.seq, history.c.at, history.c.id)
        .execution_options(yield_per=1000)
    )
    for *hashed, kept in rows:
        place, before = hashed[_SEQ], hashed[_PREVIOUS]
        if place != seq + 1:
            breaks.append(Break(tenant, seq + 1, "missing"))
        elif before != previous or _digest(hashed) != kept:
            breaks.append(Break(tenant, place, "edited"))
        seq, previous = place, kept
    if expected != (seq, previous):
        breaks.append(Break(tenant, seq + 1, "cut"))
    return breaks


def _columns(session: Session) -> list[ColumnElement[Any]]:
    """What is hashed, then the hash. SQLite keeps ids and instants in the very words that are hashed: read as they are,
    a chain is verified in half the time."""
    raw = String if session.get_bind().dialect.name == "sqlite" else None
    columns = [history.c[name] for name in (*_HASHED, "hash")]
    return [
        type_coerce(c, Text) if c.name == "data" else type_coerce(c, raw) if raw and c.name != "seq" else c
        for c in columns
    ]


def _hash(entry: Mapping[str, Any]) -> str:
    return _digest([entry[name] for name in _HASHED])


def _digest(values: Sequence[Any]) -> str:
    words = [v.isoformat(timespec="microseconds") if isinstance(v, datetime) else v for v in values]
    return hashlib.sha256(canonical([str(w) if isinstance(w, UUID) else w for w in words])).hexdigest()


def _write(session: Session) -> None:
    pending: list[dict[str, Any]] = session.info.pop(_PENDING, [])
    for tenant in sorted({entry["tenant"] for entry in pending}):
        _append(session, tenant, [entry for entry in pending if entry["tenant"] == tenant])


def _append(session: Session, tenant: UUID, entries: Sequence[dict[str, Any]]) -> None:
    insert_head = text("insert into history_head (tenant, seq, hash) values (:t, 0, :h) on conflict do nothing")
    bound = tenant if session.get_bind().dialect.name == "postgresql" else str(tenant)
    session.execute(insert_head, {"t": bound, "h": GENESIS})
    row = session.execute(select(history_head).where(history_head.c.tenant == tenant).with_for_update()).one()
    seq, previous = row.seq, row.hash
    for entry in entries:
        seq += 1
        entry.update(seq=seq, previous=previous)
        previous = entry["hash"] = _hash(entry)
    session.execute(insert(history), list(entries))
    session.execute(update(history_head).where(history_head.c.tenant == tenant).values(seq=seq, hash=previous))
