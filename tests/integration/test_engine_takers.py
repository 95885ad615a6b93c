"""A user task lies in somebody's list, or it is an incident that a person settles."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.orm import Session
from toys import Toy, nodes, release, rows, start, user, waits

from engine import Database, Engine, Takers, TestClock, uuid7
from engine import incidents as verbs
from engine.tables import incident, instance

HOME, DOCTOR = uuid7(), uuid7()
GIVEN = {"role": "case.role", "scope": "case.to", "person": "case.doctor", "due": "case.due", "reauth": "case.again"}
RIGHT: dict[str, Any] = {"role": "expert", "to": str(HOME), "doctor": str(DOCTOR), "due": None, "again": False}


def known(_session: Session, what: str, id: UUID) -> bool:
    return id == {"scope": HOME, "person": DOCTOR}[what]


def begun(db: Database, clock: TestClock, toy: Toy, **case: Any) -> Engine:
    given = {name: source for name, source in GIVEN.items() if case.get(source.removeprefix("case."), "") != "left out"}
    body = f'<bpmn:startEvent id="s"/>\n{user("u", **given)}\n<bpmn:endEvent id="e"/>\ns>u\nu>e'
    engine = Engine(db, {}, clock, takers=Takers(frozenset({"expert"}), known))
    release(engine, toy("a", a=body))
    start(engine, "a", {"case": RIGHT | case})
    return engine


@pytest.mark.parametrize(
    ("code", "case"),
    [
        ("wait_nobody", {"role": None, "doctor": None}),
        ("wait_nobody", {"role": None, "doctor": "left out"}),
        ("wait_nobody", {"role": "left out", "doctor": None}),
        ("wait_role", {"role": "exprt"}),
        ("wait_role", {"role": ["expert"]}),
        ("wait_scope", {"to": None}),
        ("wait_scope", {"to": "QH"}),
        ("wait_scope", {"to": str(uuid7())}),
        ("wait_person", {"doctor": "lin"}),
        ("wait_person", {"doctor": str(uuid7())}),
        ("wait_due", {"due": "tomorrow"}),
        ("wait_due", {"due": 3}),
        ("wait_due", {"due": {"@": "dur", "v": "P9999999D"}}),
        ("wait_reauth", {"again": "yes"}),
    ],
)
def test_a_task_that_would_lie_in_no_list_is_an_incident(
    db: Database, clock: TestClock, toy: Toy, code: str, case: dict[str, Any]
) -> None:
    engine = begun(db, clock, toy, **case)
    (found,) = rows(db, incident)
    assert (found.code, found.node, found.state) == (code, "u", "open")
    assert found.detail["inputs"]["case"].items() >= {k: v for k, v in case.items() if v != "left out"}.items()
    assert waits(db) == []
    verbs.retry(engine, found.id, actor="op", reason="as it was")
    assert [(r.code, r.state) for r in rows(db, incident)] == [(code, "resolved"), (code, "open")]
    due = {"@": "dur", "v": "PT1H"}
    verbs.retry(engine, rows(db, incident)[1].id, actor="op", reason="put right", data={"case": RIGHT | {"due": due}})
    (row,) = waits(db)
    assert (row.node, row.scope, row.due) == ("u", HOME, clock.now() + timedelta(hours=1))
    assert [r.state for r in rows(db, incident)] == ["resolved", "resolved"]


@pytest.mark.parametrize("case", [{"doctor": None}, {"role": None}, {"due": "PT1H"}, {"role": None, "to": None}])
def test_one_of_role_and_person_is_enough(db: Database, clock: TestClock, toy: Toy, case: dict[str, Any]) -> None:
    begun(db, clock, toy, **case)
    assert rows(db, incident) == []
    assert nodes(db) == ["u"]
    assert [r.status for r in rows(db, instance)] == ["running"]
