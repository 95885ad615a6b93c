"""History is append-only and tells when it was tampered with."""

from __future__ import annotations

from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from engine.clock import TestClock
from engine.db import Database
from engine.history import Break, check, head, make_partitions, record, standing, verify
from engine.ids import uuid7
from migrations.run import current, upgrade
from migrations.run import head as newest

TENANT, OTHER = uuid7(), uuid7()


def _fill(db: Database, clock: TestClock, n: int = 5) -> None:
    for i in range(n):
        with db.transaction() as session:
            for tenant in (OTHER, TENANT):
                record(
                    session,
                    tenant=tenant,
                    kind="login",
                    actor="a",
                    at=clock.now(),
                    data={"n": i, "f": 1.5, "zh": "会诊"},
                )


def _tamper(db: Database, statement: str) -> None:
    with db.transaction() as session:
        if db.dialect == "postgresql":
            session.execute(sa.text("set local session_replication_role = replica"))
        else:
            session.execute(sa.text("drop trigger history_no_update"))
            session.execute(sa.text("drop trigger history_no_delete"))
        session.execute(sa.text(statement), {"t": TENANT if db.dialect == "postgresql" else str(TENANT)})


def _breaks(db: Database) -> list[Break]:
    with db.read() as session:
        return verify(session)


def test_chain_holds_and_heads_count(db: Database, clock: TestClock) -> None:
    _fill(db, clock)
    assert _breaks(db) == []
    with db.read() as session:
        assert head(session, TENANT)[0] == 5
        assert head(session, UUID(int=9)) == (0, "0" * 64)


@pytest.mark.parametrize("statement", ["update history set actor = 'b'", "delete from history"])
def test_update_and_delete_are_refused(db: Database, clock: TestClock, statement: str) -> None:
    _fill(db, clock)
    with pytest.raises(DBAPIError, match="append-only"), db.transaction() as session:
        session.execute(sa.text(statement))
    assert _breaks(db) == []


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("update history set data = replace(data, '会诊', '会珍') where seq = 3 and tenant = :t", "edited"),
        ("update history set data = replace(data, '1.5', '1.50') where seq = 3 and tenant = :t", "edited"),
        ("update history set actor = 'b' where seq = 1 and tenant = :t", "edited"),
        ("delete from history where seq = 3 and tenant = :t", "missing"),
        ("delete from history where seq = 1 and tenant = :t", "missing"),
        ("delete from history where seq >= 4 and tenant = :t", "cut"),
        ("update history set seq = 7 - seq where seq in (3, 4) and tenant = :t", "edited"),
        ("delete from history where tenant = :t", "cut"),
        ("delete from history_head where tenant = :t", "cut"),
    ],
)
def test_tampering_shows(db: Database, clock: TestClock, statement: str, why: str) -> None:
    _fill(db, clock)
    _tamper(db, statement)
    found = _breaks(db)
    assert {b.tenant for b in found} == {TENANT}
    assert why in {b.why for b in found}


def _standing(db: Database) -> list[Break]:
    with db.read() as session:
        return standing(session).breaks


def test_standing_knows_what_was_checked_and_looks_at_the_rest(db: Database, clock: TestClock) -> None:
    _fill(db, clock)
    with db.read() as session:
        assert (standing(session).at, standing(session).breaks, standing(session).entries) == (None, [], 10)
    assert check(db, "jin", clock.now()) == []
    _fill(db, clock, 2)
    with db.read() as session:
        assert (standing(session).at, standing(session).breaks, standing(session).entries) == (clock.now(), [], 16)
    _tamper(db, "update history set actor = 'b' where seq = 8 and tenant = :t")  # after the check: seen at once
    assert _standing(db) == [Break(TENANT, 8, "edited")]


def test_an_old_edit_is_found_by_the_next_check_and_stays_known(db: Database, clock: TestClock) -> None:
    _fill(db, clock)
    check(db, "jin", clock.now())
    _tamper(db, "update history set actor = 'b' where seq = 2 and tenant = :t")
    assert _standing(db) == []
    assert check(db, "jin", clock.now()) == [Break(TENANT, 2, "edited")]
    assert _standing(db) == [Break(TENANT, 2, "edited")]


def test_many_breaks_of_one_chain_hide_none_of_another(db: Database, clock: TestClock) -> None:
    _fill(db, clock, 30)
    _tamper(db, "update history set actor = 'b' where tenant = :t or seq = 2")
    check(db, "jin", clock.now())
    assert {b.tenant for b in _standing(db)} == {OTHER, TENANT}


def test_a_cut_tail_shows_without_a_full_check(db: Database, clock: TestClock) -> None:
    _fill(db, clock)
    check(db, "jin", clock.now())
    _fill(db, clock, 2)
    _tamper(db, "delete from history where seq > 7 and tenant = :t")
    assert {b.why for b in _standing(db)} == {"cut"}


def test_a_chain_that_lost_its_head_is_not_passed_over(db: Database, clock: TestClock) -> None:
    _fill(db, clock)
    _tamper(db, "delete from history_head where tenant = :t")
    assert {b.why for b in _standing(db)} == {"cut"}
    assert {(b.tenant, b.why) for b in check(db, "jin", clock.now())} == {(TENANT, "cut")}


def test_partitions_are_made_ahead_and_migration_is_repeatable(db: Database, db_url: str) -> None:
    upgrade(db_url)
    assert current(db_url) == newest()
    with db.transaction() as session:
        make_partitions(session, 30)
        if db.dialect == "postgresql":
            parts = session.execute(sa.text("select count(*) from pg_inherits where inhparent = 'history'::regclass"))
            assert parts.scalar_one() >= 31


def test_a_chain_nobody_has_checked_is_looked_at_from_its_newest_entries_on(db: Database, clock: TestClock) -> None:
    _fill(db, clock, 30)
    with db.read() as session:
        assert standing(session, most=20).unseen == 40  # ten of each of two chains are looked at
        assert standing(session, most=20).breaks == []
        assert standing(session, most=60).unseen == 0
    check(db, "test", clock.now())
    with db.read() as session:
        assert standing(session, most=20).unseen == 0
