"""Commands on toy models, on both databases: each happens once, whole, and to its own instance only."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa
from toys import LOOP, Toy, complete, release, rows, start, status, user, waits

from engine import (
    Busy,
    Database,
    Engine,
    LintRefused,
    NotFound,
    TestClock,
    uuid7,
)
from engine.history import verify
from engine.tables import command_log, definition, instance


def test_loop_costs_the_same_for_ever(db: Database, clock: TestClock, toy: Toy) -> None:
    engine = Engine(db, {}, clock)
    release(engine, toy("loop", loop=LOOP))
    one = start(engine, "loop", {"case": {"n": 0}})
    sizes = []
    for i in range(60):
        complete(engine, one, "u", {"again": i < 59})
        with db.read() as session:
            sizes.append(len(session.execute(sa.select(instance.c.state)).scalar_one()))
    assert max(sizes[1:-1]) - min(sizes[1:-1]) < 16
    assert status(db, one) == "completed"
    assert waits(db) == []
    with db.read() as session:
        assert verify(session) == []


def test_wait_row_holds_what_the_inbox_needs(db: Database, clock: TestClock, toy: Toy) -> None:
    scope, person = uuid7(), uuid7()
    given = {
        "form": "apply",
        "role": "&quot;expert&quot;",
        "scope": "case.to",
        "person": "case.applicant",
        "due": "PT15M",
        "reauth": "true",
        "name_en": "Apply",
    }
    body = f'<bpmn:startEvent id="s"/>\n{user("u", **given)}\n<bpmn:endEvent id="e"/>\ns>u\nu>e'
    engine = Engine(db, {}, clock)
    release(engine, toy("a", a=body))
    start(engine, "a", {"case": {"to": str(scope), "applicant": str(person)}})
    (row,) = waits(db)
    assert (row.kind, row.form, row.role, row.scope, row.person) == ("user", "apply", "expert", scope, person)
    assert row.due == clock.now() + timedelta(minutes=15)
    assert row.reauth is True
    assert row.name_en == "Apply"


def test_a_repeated_key_gets_the_first_answer(db: Database, clock: TestClock, toy: Toy) -> None:
    engine = Engine(db, {}, clock)
    release(engine, toy("loop", loop=LOOP))
    one = start(engine, "loop", {"case": {"n": 0}})
    assert start(engine, "loop", {"case": {"n": 0}}) == one
    (row,) = waits(db)
    for _ in range(2):
        with engine.begin(one, "twice", actor="t") as tx:
            if not tx.repeated:
                tx.complete(row.task_id, {"again": True})
                tx.reply({"round": 2})
        assert tx.answer == {"round": 2}
    with pytest.raises(NotFound), engine.begin(one, "late", actor="t") as tx:
        tx.complete(row.task_id, {})
    assert len([r for r in rows(db, command_log) if r.key in ("twice", "late")]) == 1


def test_two_hundred_completes_at_once_apply_once(db: Database, clock: TestClock, toy: Toy) -> None:
    engine = Engine(db, {}, clock)
    release(engine, toy("loop", loop=LOOP))
    one = start(engine, "loop", {"case": {"n": 0}})
    (row,) = waits(db)
    outcomes: list[str] = []

    def act(number: int) -> None:
        try:
            with engine.begin(one, f"c{number}", actor="t") as tx:
                tx.complete(row.task_id, {"again": True})
            outcomes.append("done")
        except NotFound:
            outcomes.append("gone")
        except Busy:
            outcomes.append("busy")

    threads = [threading.Thread(target=act, args=(i,)) for i in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["done"] + ["gone"] * 11


def test_instances_do_not_touch_each_other(db: Database, clock: TestClock, toy: Toy) -> None:
    engine = Engine(db, {}, clock)
    release(engine, toy("loop", loop=LOOP))
    a = start(engine, "loop", {"case": {"n": 0}}, key="a")
    b = start(engine, "loop", {"case": {"n": 100}}, key="b", bk="case-2")
    for _ in range(3):
        complete(engine, a, "u", {"again": True})
    assert [row.instance_id for row in waits(db)].count(b) == 1
    with db.read() as session:
        revs = dict(session.execute(sa.select(instance.c.id, instance.c.rev)).all())
    assert revs == {a: 4, b: 1}


def test_release_is_refused_by_the_check_and_idempotent(db: Database, clock: TestClock, toy: Toy) -> None:
    engine = Engine(db, {}, clock)
    with pytest.raises(LintRefused) as refused:
        engine.release(toy("loop", loop=LOOP), actor="t")
    assert refused.value.status == 422
    release(engine, toy("loop", loop=LOOP))
    release(engine, toy("loop", loop=LOOP))
    assert [row.version for row in rows(db, definition)] == [1]
