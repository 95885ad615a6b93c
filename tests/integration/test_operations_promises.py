"""Every operation really carried out, with the result it declares; every declared error really raised."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from engine import BpmnError, uuid7
from engine.promises import accept
from engine.tables import job
from tasks import catalogue
from tasks.triage.matching import LOAD_CAP
from tasks.triage.models import Hold

World = Any


def _done(world: World) -> dict[str, list[Any]]:
    with world.services.db.read() as session:
        found: dict[str, list[Any]] = {}
        for row in session.execute(select(job.c.operation, job.c.result).where(job.c.state == "done", job.c.error.is_(None))):  # fmt: skip
            found.setdefault(row.operation, []).append(row.result)
        return found


def _everything(world: World) -> None:
    """One case through a supplement, a silent expert, another date and a rework to its end; a second one stopped; a third without consent."""
    world.walk(2)
    world.submit("chen", "pre_qc", {"decision": "supplement", "reason": "x"})
    world.submit("he", "supplement", {"answer": "x"})
    steps = world.steps()
    world.submit(*steps[2])
    experts = [str(world.accounts[n]) for n in ("zhou", "lin")]
    world.submit("shen", "triage", {"experts": experts, "minutes": "30"})
    world.submit("zhou", "offer_reply", {"accepted": "false", "decline_reason": "time"})
    for step in world.steps()[4:]:
        world.submit(*step)
    assert world.status() == ("completed", "published")
    world.walk(3)
    world.services.applications.stop(world.actor("he"), world.case, "died", "stop")
    world.worker.run_until_idle()
    world.walk(2, urgency="E", urgency_reason="x", consent="")  # an emergency whose consent never comes
    world.clock.advance(timedelta(hours=25))
    world.worker.run_until_idle()


def test_every_operation_gives_what_it_declares(world: World) -> None:
    _everything(world)
    done = _done(world)
    assert sorted(set(catalogue.SIGNATURES) - set(done)) == []
    for name, results in done.items():
        for result in results:
            accept(catalogue.SIGNATURES[name], result)


def _double_booked(world: World) -> None:
    start = {"@": "dt", "v": (world.clock.now() + timedelta(minutes=10)).isoformat()}
    world.walk(6)
    world.walk(5)
    with world.services.db.transaction() as session:
        world.services.session.create(world.call(session, start=start, minutes=30))


def _full(world: World) -> None:
    world.walk(3)
    lin = world.accounts["lin"]
    with world.services.db.transaction() as session:
        session.add_all(
            Hold(id=uuid7(), tenant=world.home, case_id=uuid7(), account_id=lin, slot=n, minutes=30, state="held", created_at=world.clock.now())
            for n in range(LOAD_CAP)
        )  # fmt: skip
        world.services.triage.reserve(world.call(session, expert=str(lin), minutes=30))


RAISED: dict[tuple[str, str], Callable[[World], None]] = {
    ("session.create", "double_booked"): _double_booked,
    ("triage.reserve", "full"): _full,
}
DECLARED = sorted((name, code) for name, signature in catalogue.SIGNATURES.items() for code in signature.errors)


@pytest.mark.parametrize(("operation", "code"), DECLARED)
def test_every_declared_error_can_be_raised(world: World, operation: str, code: str) -> None:
    with pytest.raises(BpmnError) as caught:
        RAISED[operation, code](world)
    assert caught.value.code == code
