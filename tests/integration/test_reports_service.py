"""Reports on both databases: versions, who may sign what, printing and sending home, refusals of the peer; two people at once."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select, update

from engine import Permanent, uuid7
from engine.errors import LianyiError, NotFound
from engine.tables import job, wait
from tasks.messages.models import Outbound
from tasks.reports.errors import NotYours, TextChanged
from tasks.reports.models import ReportVersion

World = Any


def _versions(world: World) -> list[ReportVersion]:
    with world.services.db.read() as session:
        return list(world.services.reports.versions(session, world.case))


def _call(world: World) -> Any:
    return replace(world.call(None), tx=None)


def test_each_text_is_a_version_and_a_verdict_stays_with_its_version(world: World) -> None:
    world.walk(9)
    world.submit("sun", "review", {"verdict": "send_back", "radpeer": "1", "comment": "x"})
    world.submit(*world.steps()[8])
    newest, oldest = _versions(world)
    assert (newest.version, newest.verdict, oldest.version, oldest.verdict) == (2, None, 1, "send_back")
    assert oldest.reviewer == world.accounts["sun"]
    assert newest.digest != oldest.digest  # the same words, another version


def test_only_the_author_signs_and_only_the_text_that_was_reviewed(world: World) -> None:
    world.walk(10)
    sign = world.steps()[10]
    with world.services.db.transaction() as session:
        session.execute(update(ReportVersion).values(author=world.accounts["zhou"]))
    with pytest.raises(NotYours):
        world.submit(*sign)
    with world.services.db.transaction() as session:
        session.execute(update(ReportVersion).values(author=world.accounts["lin"], content={"impression": "another"}))
    with pytest.raises(TextChanged):
        world.submit(*sign)
    assert world.waiting() == ["sign"]


def test_two_signatures_at_once_are_one(world: World) -> None:
    world.walk(10)
    with world.services.db.read() as session:
        task = session.execute(select(wait.c.task_id).where(wait.c.form == "sign")).scalar_one()
    who = replace(world.actor("lin"), reauth_at=world.clock.now())
    begin, said = threading.Barrier(2), list[str]()

    def sign() -> None:
        begin.wait()
        try:
            world.services.worklist.submit(who, task, {"statement": "true"}, str(uuid7()), take=True)
            said.append("signed")
        except LianyiError:
            said.append("refused")

    threads = [threading.Thread(target=sign) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(said) == ["refused", "signed"]
    world.worker.run_until_idle()
    assert world.waiting() == ["score"]


def test_nothing_unsigned_is_printed_and_nothing_unprinted_is_sent(world: World) -> None:
    world.walk(8)
    verbs = world.services.reports
    with pytest.raises(NotFound):
        verbs.render(_call(world))
    world.submit(*world.steps()[8])
    with pytest.raises(Permanent, match="not signed"):
        verbs.render(_call(world))
    for send in (verbs.publish_dicom, verbs.publish_hl7):
        with pytest.raises(Permanent, match="no signed document"):
            send(_call(world))
    with pytest.raises(NotFound):
        verbs.pdf(world.actor("he"), world.case)


def test_printing_and_sending_again_changes_nothing(world: World) -> None:
    world.walk(12)
    verbs, before = world.services.reports, _versions(world)[0].pdf_sha256
    assert verbs.render(_call(world))["sha256"] == before
    first = verbs.publish_dicom(_call(world)), verbs.publish_hl7(_call(world))
    assert (verbs.publish_dicom(_call(world)), verbs.publish_hl7(_call(world))) == first
    with world.services.db.read() as session:
        files = [f.name for f in world.services.files.of_case(session, world.case, "report")]
        kinds = sorted(session.scalars(select(Outbound.kind).where(Outbound.case_id == world.case)))
    assert len(files) == 1
    assert kinds == ["C-STORE", "ORU^R01"]


def test_taking_the_report_away_is_allowed_to_few_and_recorded(world: World) -> None:
    world.walk(12)
    name, body = world.services.reports.pdf(world.actor("he"), world.case)
    assert name.endswith("-v1.pdf")
    assert body
    for login in ("zheng", "sun", "wu", "jin", "feng", "admin"):
        with pytest.raises(NotFound):
            world.services.reports.pdf(world.actor(login), world.case)


def test_a_published_case_has_carried_out_each_sending_once(world: World) -> None:
    world.walk(12)
    with world.services.db.read() as session:
        done = list(session.scalars(select(job.c.operation).where(job.c.operation.like("reports.%"))))
    assert sorted(done) == ["reports.publish_dicom", "reports.publish_hl7", "reports.render"]
