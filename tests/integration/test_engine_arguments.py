"""What is handed to an operation is what it takes; otherwise nothing is sent, and a person is told what is wrong."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import sqlalchemy as sa
from toys import Toy, complete, release, rows, service, sigs, start

from engine import Busy, Database, Effect, Engine, Signature, TestClock, Type
from engine import incidents as verbs
from engine.runner import ModelStuck
from engine.tables import incident, instance, job

BOOK = Signature(
    "t.book",
    Effect.ONCE,
    {"minutes": Type.NUMBER, "mood": Type.TEXT, "due": Type.DATETIME, "note": Type.ANY},
    optional=frozenset(["mood", "due"]),
    words={"mood": frozenset(["calm", "hurried"])},
)
CALL = service("book", "t.book", minutes="minutes", mood="mood", due="due", note="note")
BODY = f'<bpmn:startEvent id="s"/>\n{CALL}\n<bpmn:endEvent id="e"/>\ns>book\nbook>e\n'


def _begun(db: Database, clock: TestClock, toy: Toy, data: dict[str, Any]) -> Engine:
    engine = Engine(db, sigs(BOOK), clock)
    release(engine, toy("a", a=BODY))
    start(engine, "a", data)
    return engine


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"minutes": "thirty"}, "minutes is no number"),
        ({}, "minutes is null"),
        ({"minutes": 30, "mood": "cross"}, "mood is none of calm, hurried"),
        ({"minutes": 30, "due": "tomorrow"}, "due is no datetime"),
    ],
)
def test_what_does_not_fit_is_an_incident_and_no_job(
    db: Database, clock: TestClock, toy: Toy, data: dict[str, Any], said: str
) -> None:
    engine = _begun(db, clock, toy, data)
    (stopped,) = rows(db, incident)
    assert (stopped.kind, stopped.code, stopped.node) == ("expression", "argument", "book")
    assert stopped.detail["text"] == f"t.book: {said}"
    assert rows(db, job) == []
    good = {"minutes": 30, "mood": "calm", "due": {"@": "dt", "v": "2026-11-24T08:00:00Z"}}
    verbs.retry(engine, stopped.id, actor="wu", reason="corrected", data=good)
    (sent,) = rows(db, job)
    assert sent.args == {**good, "due": {"@": "dt", "v": "2026-11-24T08:00:00+00:00"}, "note": None}


def test_what_may_be_left_out_may_be_null(db: Database, clock: TestClock, toy: Toy) -> None:
    _begun(db, clock, toy, {"minutes": 30})
    assert rows(db, incident) == []
    assert rows(db, job)[0].args == {"minutes": 30, "mood": None, "due": None, "note": None}


def test_a_loop_ends_early_on_true_or_false_only(db: Database, clock: TestClock, toy: Toy) -> None:
    loop = (
        "<bpmn:multiInstanceLoopCharacteristics><bpmn:loopCardinality>2</bpmn:loopCardinality>"
        "<bpmn:completionCondition>enough</bpmn:completionCondition></bpmn:multiInstanceLoopCharacteristics>"
    )
    body = (
        f'<bpmn:startEvent id="s"/>\n<bpmn:userTask id="u">{loop}</bpmn:userTask>\n<bpmn:endEvent id="e"/>\ns>u\nu>e\n'
    )
    engine = Engine(db, {}, clock)
    release(engine, toy("a", a=body))
    case = start(engine, "a")
    with pytest.raises(ModelStuck, match="enough is None"):
        complete(engine, case, "u", {})
    complete(engine, case, "u", {"enough": False})
    complete(engine, case, "u", {"enough": True})
    assert rows(db, instance)[0].status == "completed"


def test_two_that_wait_for_each_other_are_told_to_try_again(db: Database, clock: TestClock, toy: Toy) -> None:
    """A deadlock of PostgreSQL, a held lock of SQLite: Busy, never an error of the database."""
    engine = Engine(db, {}, clock)
    release(
        engine, toy("a", a='<bpmn:startEvent id="s"/>\n<bpmn:userTask id="u"/>\n<bpmn:endEvent id="e"/>\ns>u\nu>e\n')
    )
    ids = [start(engine, "a", bk=f"case-{n}", key=f"k{n}") for n in range(2)]
    if db.dialect == "sqlite":
        sa.event.listen(db.sql, "checkout", lambda raw, *_: raw.execute("PRAGMA busy_timeout=50"))
    met, ended = threading.Barrier(2, timeout=20), []

    def both(mine: list[Any]) -> None:
        try:
            with db.transaction() as session:
                for place, one in enumerate(mine):
                    session.execute(sa.update(instance).where(instance.c.id == one).values(rev=instance.c.rev))
                    if place == 0 and db.dialect == "postgresql":
                        met.wait()
                    elif place == 0:
                        threading.Event().wait(0.5)
            ended.append("done")
        except Busy:
            ended.append("busy")

    threads = [threading.Thread(target=both, args=(order,)) for order in (ids, ids[::-1])]
    for one in threads:
        one.start()
    for one in threads:
        one.join(30)
    assert sorted(ended) == ["busy", "done"]
