"""What is forgotten, what is not, and that forgetting finds what is old without looking at the rest."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from toys import Toy, complete, release, rows, start

from engine import Database, Engine, NotFound, TestClock, retention
from engine.history import verify
from engine.tables import command_log, history, message

ONE = '<bpmn:startEvent id="s"/>\n<bpmn:userTask id="u"/>\n<bpmn:endEvent id="e"/>\ns>u\nu>e\n'


@pytest.fixture
def engine(db: Database, clock: TestClock, toy: Toy) -> Engine:
    made = Engine(db, {}, clock)
    release(made, toy("a", a=ONE))
    return made


def test_answers_of_ended_cases_go_and_nothing_else(engine: Engine, db: Database, clock: TestClock) -> None:
    ended, runs = (start(engine, "a", bk=name, key=name) for name in ("ended", "runs"))
    complete(engine, ended, "u", key="done")
    with engine.begin(runs, "noted", actor="t") as tx:
        tx.note("seen", {})
    before = len(rows(db, history))
    clock.advance(retention.KEPT + timedelta(days=1))
    assert retention.sweep(db, clock.now()) == 1
    assert {row.key for row in rows(db, command_log)} == {"ended", "runs", "noted"}
    assert len(rows(db, history)) == before
    with db.read() as session:
        assert verify(session) == []
    assert start(engine, "a", bk="ended", key="ended") == ended  # a start is remembered for good
    with pytest.raises(NotFound), engine.begin(ended, "done", actor="t") as tx:
        tx.complete(ended, {})


def test_young_answers_stay(engine: Engine, db: Database, clock: TestClock) -> None:
    complete(engine, start(engine, "a"), "u")
    clock.advance(retention.KEPT - timedelta(days=1))
    assert retention.sweep(db, clock.now()) == 0


def test_messages_stay_until_they_are_settled_and_old(engine: Engine, db: Database, clock: TestClock) -> None:
    engine.deliver("ping", "x", {}, key="waits", actor="t")
    engine.deliver("ping", "y", {}, key="settled", actor="t")
    with db.transaction() as session:
        session.execute(sa.update(message).where(message.c.key == "settled").values(state="delivered"))
    clock.advance(engine.ttl + retention.KEPT + timedelta(days=1))
    assert retention.sweep(db, clock.now()) == 1
    assert [row.key for row in rows(db, message)] == ["waits"]


def test_many_go_in_batches(engine: Engine, db: Database, clock: TestClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    for n in range(5):
        complete(engine, start(engine, "a", bk=f"{n}", key=f"{n}"), "u")
    clock.advance(retention.KEPT + timedelta(days=1))
    assert retention.sweep(db, clock.now()) == 5


def test_what_is_old_is_found_by_an_index(db: Database, clock: TestClock) -> None:
    asked: list[Any] = []
    sa.event.listen(
        db.sql, "before_cursor_execute", lambda _c, _cur, statement, given, *_: asked.append((statement, given))
    )
    retention.sweep(db, clock.now())
    deletes = [(statement, given) for statement, given in asked if statement.startswith("DELETE")]
    with db.sql.connect() as connection:
        connection.exec_driver_sql("set enable_seqscan = off" if db.dialect == "postgresql" else "select 1")
        explain = "explain " if db.dialect == "postgresql" else "explain query plan "
        plans = ["\n".join(map(str, connection.exec_driver_sql(explain + s, g).all())) for s, g in deletes]
    assert "ix_command_log_at" in plans[0]
    assert "ix_message_settled" in plans[1]
