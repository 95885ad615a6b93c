"""The consultation on the real engine with fakes outside: straight through, stopped from every human step, declined, returned."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from engine.errors import LianyiError
from engine.tables import history, instance, job, wait
from integrations import Outcome, OutcomeClass, tls
from integrations.tls import Trust
from tasks.messages.models import Delivery
from tasks.session.models import Room
from tasks.triage.models import Hold
from webui import certs

World = Any
MARK = "马克标记甲乙丙"


def test_straight_through_and_no_text_leaves_the_domain(world: World) -> None:
    world.walk(12)
    assert world.status() == ("completed", "published")
    assert len(world.hl7.sent) == 1
    assert len(world.dicom.stored) == 1
    with world.services.db.read() as session:
        seen = [str(r) for t in (history, job, wait) for r in session.execute(select(t)).all()]
        seen += [str(row.state) for row in session.execute(select(instance)).all()]
        calls = session.scalar(select(func.count()).select_from(job).where(job.c.state != "done"))
    assert not [s for s in seen if MARK in s or "王示例" in s]
    assert calls == 0
    assert not [text for _, text, _ in world.sms.sent if MARK in text or "王示例" in text]


def test_results_go_by_tls_where_the_line_says_so_and_again_when_it_fails(world: World, tmp_path: Path) -> None:
    _, _, ca = certs.issue(tmp_path, ["pacs.example"])
    authority, messages = ca.read_text(), world.services.messages
    for kind in ("hl7", "dicom"):
        messages.set_endpoint(
            world.home, kind, name=kind, host="pacs.example", port=1, application="X", tls=True, authority=authority
        )
    world.walk(11)
    world.dicom.answer = tls.named("tls_untrusted")
    with pytest.raises(AssertionError, match=r"reports\.publish_dicom not_delivered"):
        world.submit(*world.steps()[11])
    assert world.hl7.trusts == [Trust(authority)]
    with world.services.db.read() as session:
        (failed,) = session.scalars(select(Delivery).where(Delivery.outcome == "transient"))
        assert (failed.code, failed.detail) == ("tls_untrusted", tls.WORDS["tls_untrusted"])
    world.dicom.answer = Outcome(OutcomeClass.OK, "0x0000")
    world.clock.advance(timedelta(minutes=2))
    world.worker.run_until_idle()
    assert [peer.trust for peer, _ in world.dicom.stored] == [Trust(authority)]


@pytest.mark.slow
@pytest.mark.parametrize("done", range(12))
def test_a_case_ends_from_every_human_step(world: World, done: int) -> None:
    world.walk(done)
    assert world.waiting() == [world.steps()[done][1]]
    world.services.applications.stop(world.actor("he"), world.case, "died", "stop")
    world.worker.run_until_idle()
    assert world.waiting() == []
    assert world.status() == ("completed", "died")


@pytest.mark.slow
@pytest.mark.parametrize("done", range(12))
def test_withdrawal_until_the_signature_and_not_after(world: World, done: int) -> None:
    world.walk(done)
    act: Callable[[], None] = lambda: world.services.applications.stop(world.actor("he"), world.case, "withdrawn", "w")  # noqa: E731
    if done >= 11:
        with pytest.raises(LianyiError) as caught:
            act()
        assert caught.value.advice
        assert world.status()[0] == "running"
        return
    act()
    world.worker.run_until_idle()
    assert world.status() == ("completed", "withdrawn")


def test_a_declined_offer_goes_to_the_next_and_nobody_to_the_coordinator(world: World) -> None:
    world.walk(3)
    both = [str(world.accounts[n]) for n in ("lin", "zhou")]
    world.submit("shen", "triage", {"experts": both, "minutes": "30"})
    world.submit("lin", "offer_reply", {"accepted": "false", "decline_reason": "time"})
    world.submit("zhou", "offer_reply", {"accepted": "false", "decline_reason": "field"})
    assert world.waiting() == ["dispatch"]
    world.submit("wu", "dispatch", {"expert": both[0], "reason": MARK})
    assert world.waiting() == ["schedule"]


def test_silence_reminds_and_passes_on(world: World) -> None:
    world.walk(3)
    both = [str(world.accounts[n]) for n in ("lin", "zhou")]
    world.submit("shen", "triage", {"experts": both, "minutes": "30"})
    sent = len(world.sms.sent)
    world.clock.advance(timedelta(minutes=11))
    world.worker.run_until_idle()
    assert len(world.sms.sent) == sent + 1
    world.clock.advance(timedelta(days=2))
    world.worker.run_until_idle()
    with world.services.db.read() as session:
        asked = session.scalars(select(wait.c.person).where(wait.c.form == "offer_reply")).all()
    assert asked == [world.accounts["zhou"]]


def test_a_failed_report_comes_back_twice_and_is_then_ruled_on(world: World) -> None:
    world.walk(11)
    rework = world.steps()[8:11]
    for _ in range(2):
        world.submit("zheng", "score", world.low)
        assert world.waiting() == ["report"]
        for login, form, data in rework:
            world.submit(login, form, data)
    world.submit("zheng", "score", world.low)
    assert world.waiting() == ["arbitrate"]
    world.submit("wang", "arbitrate", {"decision": "accept", "reason": MARK})
    assert world.status() == ("completed", "published")


def test_a_supplement_pauses_the_clock_and_is_bounded(world: World) -> None:
    world.walk(2)
    for _ in range(3):
        world.submit("chen", "pre_qc", {"decision": "supplement", "reason": MARK})
        assert world.waiting() == ["supplement"]
        world.submit("he", "supplement", {"answer": MARK})
    world.submit("chen", "pre_qc", {"decision": "supplement", "reason": MARK})
    assert world.status() == ("completed", "rejected")


def test_a_rejected_application_ends(world: World) -> None:
    world.walk(1)
    world.submit("gao", "approve", {"decision": "reject", "comment": MARK})
    assert world.status() == ("completed", "rejected")


def test_a_case_that_ends_gives_back_the_expert_and_the_room(world: World) -> None:
    world.walk(6)
    with world.services.db.read() as session:
        assert session.scalars(select(Hold.state).where(Hold.case_id == world.case, Hold.state == "held")).all()
    world.services.applications.stop(world.actor("he"), world.case, "died", "stop")
    world.worker.run_until_idle()
    with world.services.db.read() as session:
        holds = set(session.scalars(select(Hold.state).where(Hold.case_id == world.case)))
        rooms = set(session.scalars(select(Room.state).where(Room.case_id == world.case)))
    assert holds <= {"freed", "released"}
    assert "freed" in holds
    assert rooms
    assert not rooms & {"booked", "open"}


def test_a_published_case_gives_back_the_expert(world: World) -> None:
    world.walk(len(world.steps()))
    assert world.status()[1] == "published"
    with world.services.db.read() as session:
        assert set(session.scalars(select(Hold.state).where(Hold.case_id == world.case))) == {"freed"}
