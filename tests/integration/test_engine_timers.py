"""Timers on toy models: reminders, deadlines, and one that has no instant."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from toys import Toy, complete, nodes, release, ringing, rows, service, start, status, waits

from engine import (
    Database,
    TestClock,
    timers,
)
from engine import incidents as incident_verbs
from engine.tables import incident


def timer_model(kind: str, text: str, cancel: bool) -> str:
    return f"""
<bpmn:startEvent id="s"/>
<bpmn:userTask id="u"/>
<bpmn:boundaryEvent id="b" attachedToRef="u" cancelActivity="{str(cancel).lower()}"><bpmn:timerEventDefinition><bpmn:{kind}>{text}</bpmn:{kind}></bpmn:timerEventDefinition></bpmn:boundaryEvent>
{service("ring", "t.ring")}
<bpmn:endEvent id="e"/>
<bpmn:endEvent id="be"/>
s>u
u>e
b>ring
ring>be
"""


def test_cycle_reminds_until_the_task_is_done(
    db: Database, clock: TestClock, toy: Toy, advance: Callable[..., datetime]
) -> None:
    engine, worker, calls = ringing(db, clock)
    release(engine, toy("a", a=timer_model("timeCycle", "R3/PT10M", False)))
    one = start(engine, "a")
    for minutes, expected in ((5, 0), (5, 1), (5, 1), (5, 2), (10, 3), (10, 3)):
        worker.run_until_idle()
        advance(minutes=minutes)
        worker.run_until_idle()
        assert len(calls) == expected
    assert "u" in nodes(db)
    complete(engine, one, "u")
    worker.run_until_idle()
    assert status(db, one) == "completed"
    assert waits(db) == []


def test_deadline_interrupts(db: Database, clock: TestClock, toy: Toy, advance: Callable[..., datetime]) -> None:
    engine, worker, calls = ringing(db, clock)
    release(engine, toy("a", a=timer_model("timeDuration", "PT10M", True)))
    one = start(engine, "a")
    advance(minutes=9, seconds=59)
    assert worker.run_until_idle() == 0
    advance(seconds=1)
    worker.run_until_idle()
    assert len(calls) == 1
    assert status(db, one) == "completed"


@pytest.mark.parametrize("inside", [True, False])
def test_a_timer_without_instant_waits_for_a_person(db: Database, clock: TestClock, toy: Toy, inside: bool) -> None:
    body = timer_model("timeDate", "case.deadline", True)
    if inside:
        body = body.replace("s>u", '<bpmn:userTask id="first"/>\ns>first\nfirst>u')
    engine, worker, calls = ringing(db, clock)
    release(engine, toy("a", a=body))
    one = start(engine, "a", {"case": {"deadline": None}})
    if inside:
        complete(engine, one, "first")
    (found,) = rows(db, incident)
    assert (found.code, found.node) == ("timer_value", "b")
    assert nodes(db) == ["u"]
    at = {"@": "dt", "v": (clock.now() + timedelta(hours=1)).isoformat()}
    incident_verbs.retry(engine, found.id, actor="op", reason="agreed by phone", data={"case": {"deadline": at}})
    assert nodes(db) == ["b", "u"]
    clock.advance(timedelta(hours=1))
    worker.run_until_idle()
    assert len(calls) == 1
    assert status(db, one) == "completed"


@pytest.mark.parametrize("value", ["R/PT0S", "R/-PT1H", "R0/PT1H", "P1W", {"@": "dur", "v": "P9999999D"}])
def test_a_time_that_never_comes_waits_for_a_person(db: Database, clock: TestClock, toy: Toy, value: Any) -> None:
    engine, worker, calls = ringing(db, clock)
    release(engine, toy("a", a=timer_model("timeCycle", "case.deadline", False)))
    start(engine, "a", {"case": {"deadline": value}})
    assert [(r.code, r.node) for r in rows(db, incident)] == [("timer_value", "b")]
    clock.advance(timedelta(days=1))
    worker.run_until_idle()
    assert calls == []


@pytest.mark.parametrize(("every", "next_in"), [("PT1S", timedelta(seconds=1)), ("P1M", timedelta(days=30))])
def test_a_cycle_that_was_asleep_for_a_year_rings_once(
    db: Database, clock: TestClock, toy: Toy, every: str, next_in: timedelta
) -> None:
    engine, worker, calls = ringing(db, clock)
    release(engine, toy("a", a=timer_model("timeCycle", f"R/{every}", False)))
    start(engine, "a")
    clock.advance(timedelta(days=365, milliseconds=300))
    worker.run_until_idle()
    assert len(calls) == 1
    (due,) = [row.due for row in waits(db) if row.kind == "timer"]
    assert clock.now() < due <= clock.now() + next_in


def test_a_clock_that_steps_back_between_seeing_and_firing_loses_no_timer(
    db: Database, clock: TestClock, toy: Toy
) -> None:
    engine, worker, calls = ringing(db, clock)
    release(engine, toy("a", a=timer_model("timeDuration", "PT1H", True)))
    start(engine, "a")
    (row,) = [row for row in waits(db) if row.kind == "timer"]
    assert timers._fire(engine, row) is False  # another worker's clock runs ahead, or this one was set back
    assert not worker.run_once()
    clock.advance(timedelta(hours=1))
    worker.run_until_idle()
    assert len(calls) == 1


def test_a_reminder_that_leads_straight_to_a_person_counts_as_work(db: Database, clock: TestClock, toy: Toy) -> None:
    engine, worker, _ = ringing(db, clock)
    body = timer_model("timeCycle", "R/PT1H", False).replace("b>ring", '<bpmn:userTask id="note"/>\nb>note\nnote>ring')
    release(engine, toy("a", a=body))
    start(engine, "a")
    clock.advance(timedelta(hours=1))
    assert worker.run_once()
    assert nodes(db) == ["b", "note", "u"]
    assert not worker.run_once()
