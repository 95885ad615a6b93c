"""What time it is in a model."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from toys import Toy, release, start

from engine import Database, Engine, TestClock, state
from engine.spiff import Context
from engine.tables import instance


def test_models_live_in_the_zone_of_the_platform(db: Database, toy: Toy) -> None:
    """After eight in the evening UTC it is tomorrow in China: today, the hour of now and of an instant say so."""
    clock = TestClock(datetime(2026, 11, 24, 20, 30, tzinfo=UTC))
    script = "day = today()\nhour = now().hour\nbegins = start_at.hour\nat = start_at + duration(&quot;PT1H&quot;)"
    body = (
        f'<bpmn:startEvent id="s"/>\n<bpmn:scriptTask id="x"><bpmn:script>{script.replace(chr(10), "&#10;")}</bpmn:script></bpmn:scriptTask>\n'
        '<bpmn:userTask id="u"/>\n<bpmn:endEvent id="e"/>\ns>x\nx>u\nu>e\n'
    )
    engine = Engine(db, {}, clock, zone=ZoneInfo("Asia/Shanghai"))
    release(engine, toy("a", a=body))
    case = start(engine, "a", {"start_at": {"@": "dt", "v": "2026-11-24T20:45:00+00:00"}})
    with db.read() as session:
        row = session.execute(sa.select(instance).where(instance.c.id == case)).one()
        compiled = engine.definitions.compiled(session, row.definition_id)
        flow = state.load(row.state, compiled.specs, Context(clock.now(), "x"))
    (task,) = [task for task in flow.get_tasks() if task.task_spec.name == "u"]
    assert task.data["day"] == {"@": "d", "v": "2026-11-25"}
    assert (task.data["hour"], task.data["begins"]) == (4, 4)
    assert task.data["at"] == {"@": "dt", "v": "2026-11-25T05:45:00+08:00"}
