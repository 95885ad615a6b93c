"""Triage on both databases: who is proposed and why, places taken once, and what happens when somebody declines."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine import BpmnError, uuid7
from engine.errors import LianyiError
from tasks.cases.service import CasePerson, NewCase
from tasks.people.models import Account, Assignment
from tasks.triage.matching import LOAD_CAP
from tasks.triage.models import Hold, TriageProposal
from tasks.worklist.service import FormInvalid

World = Any


def _rank(world: World, title: str = "attending") -> dict[str, TriageProposal]:
    with world.services.db.transaction() as session:
        answer = world.services.triage.rank(world.call(session, pool="neuro", title=title, minutes=30))
        rows = world.services.triage.proposals(session, world.case)
        names = {a.id: a.login_name for a in session.scalars(select(Account))}
    fit = [str(r.account_id) for r in rows if not r.excluded]
    assert answer == {"candidates": fit, "best": fit[0] if fit else ""}
    return {names[r.account_id]: r for r in rows}


def _part(proposal: TriageProposal, name: str) -> float:
    return next(float(p["cost"]) for p in proposal.parts if p["name"] == name)


def _hold(world: World, session: Session, login: str, slot: int, **values: Any) -> Hold:
    row = Hold(
        id=uuid7(), tenant=world.home, case_id=values.pop("case", uuid7()), account_id=world.accounts[login], slot=slot, minutes=30,
        state=values.pop("state", "held"), created_at=values.pop("created", world.clock.now()), **values,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def _other_case(world: World, session: Session) -> UUID:
    cases = world.services.cases
    new = NewCase("RC", world.accounts["feng"], world.home, registration_id=world.registration, to_hospital=world.hub)
    return UUID(str(cases.open(session, new).id))


def test_proposals_name_every_expert_with_reasons(world: World) -> None:
    world.walk(3)
    found = _rank(world)
    assert set(found) == {"lin", "zhou", "qian"}
    assert (found["qian"].excluded, found["qian"].excluded_en) == ("非本专科", "Another specialty")
    assert [found[n].place for n in ("lin", "zhou", "qian")] == [1, 2, 3]
    assert _rank(world, "chief")["zhou"].excluded_en == "Title too low"


def test_every_part_of_the_score_is_fed(world: World) -> None:
    world.walk(3)
    before = _rank(world)["zhou"]
    now, me = world.clock.now(), world.accounts["zhou"]
    with world.services.db.transaction() as session:
        earlier = _other_case(world, session)
        world.services.cases.relate(session, earlier, me, "author")  # the patient is known to him
        for n in range(2):
            _hold(world, session, "zhou", n)
        _hold(world, session, "zhou", 0, state="released")
        _hold(world, session, "zhou", 0, state="freed", answered_at=now)
        _hold(world, session, "zhou", 0, state="freed", answered_at=now - timedelta(days=31))
        account = session.get_one(Account, me)
        account.specialties = ["general", "neuro"]
    with world.services.db.transaction() as session:
        task = session.execute(sa.text("select task_id, tenant, instance_id from wait where form = 'triage'")).one()
        claim = {"t": task[0], "n": task[1], "i": task[2], "a": str(me), "at": now.isoformat(timespec="microseconds")}
        session.execute(
            sa.text("insert into claim (task_id, tenant, instance_id, account_id, claimed_at) values (:t, :n, :i, :a, :at)"), claim
        )  # fmt: skip
    after = _rank(world)["zhou"]
    costs = {n: (_part(before, n), _part(after, n)) for n in ("queue", "load", "continuity", "specialty", "declines", "fairness")}  # fmt: skip
    assert costs == {
        "queue": (0, 6.7), "load": (0, 5), "continuity": (15, 0), "specialty": (0, 5), "declines": (0, 3.3), "fairness": (0, 5),
    }  # fmt: skip


def test_equal_scores_go_to_the_longest_idle(world: World) -> None:
    world.walk(3)
    with world.services.db.transaction() as session:
        for n, login in enumerate(("lin", "zhou")):
            _hold(world, session, login, 0, state="freed", created=world.clock.now() - timedelta(days=40 + n))
    assert _rank(world)["zhou"].place == 1


def test_conflicts_of_interest_exclude_and_cannot_be_chosen(world: World) -> None:
    world.walk(3)
    with world.services.db.transaction() as session:
        session.add(Assignment(id=uuid7(), account_id=world.accounts["lin"], role="expert", hospital_id=world.home, created_at=world.clock.now()))  # fmt: skip
        world.services.cases.relate(session, world.case, world.accounts["zhou"], "author")
    found = _rank(world)
    assert found["lin"].excluded_en == "Conflict of interest: works at the applying hospital"
    assert found["zhou"].excluded_en == "Conflict of interest: took part in the report of this case"
    with world.services.db.transaction() as session:
        world.services.cases.relate(session, world.case, world.accounts["lin"], "approver")
    assert "treating or approving" in _rank(world)["lin"].excluded_en
    with pytest.raises(FormInvalid) as caught:
        world.submit("shen", "triage", {"experts": [str(world.accounts["lin"])], "minutes": "30"})
    assert set(caught.value.errors) == {"experts"}


def test_a_place_is_taken_once_a_case_and_refused_when_all_are(world: World) -> None:
    world.walk(3)
    zhou = str(world.accounts["zhou"])
    with world.services.db.transaction() as session:
        first = world.services.triage.reserve(world.call(session, expert=zhou, minutes=30))
        assert world.services.triage.reserve(world.call(session, expert=zhou, minutes=30)) == first
        for n in range(1, LOAD_CAP):
            _hold(world, session, "zhou", n)
        world.services.triage.release(world.call(session, expert=zhou))
        assert session.get_one(Hold, UUID(str(first["hold"]))).state == "released"
        _hold(world, session, "zhou", 0)
        with pytest.raises(BpmnError) as caught:
            world.services.triage.reserve(world.call(session, expert=zhou, minutes=30))
    assert caught.value.code == "full"
    assert _rank(world)["zhou"].excluded == "在手病例已满"


@pytest.mark.parametrize("same", ["place", "case"])
def test_the_database_itself_refuses_the_second(world: World, same: str) -> None:
    case = uuid7()
    with pytest.raises(IntegrityError), world.services.db.transaction() as session:  # noqa: PT012 - the second is refused
        _hold(world, session, "lin", 3, case=case)
        _hold(world, session, "lin", 3 if same == "place" else 4, case=uuid7() if same == "place" else case)


def test_two_coordinators_cannot_take_the_last_place(world: World) -> None:
    lin = str(world.accounts["lin"])
    with world.services.db.transaction() as session:
        cases = [_other_case(world, session) for _ in range(2)]
        for n in range(1, LOAD_CAP):
            _hold(world, session, "lin", n)
    start, said = threading.Barrier(2), list[str]()

    def ask(case: UUID) -> None:
        start.wait()
        try:
            with world.services.db.transaction() as session:
                world.services.triage.reserve(world.call(session, case=str(case), expert=lin, minutes=30))
            said.append("held")
        except BpmnError as error:
            said.append(error.code)

    threads = [threading.Thread(target=ask, args=(case,)) for case in cases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(said) == ["full", "held"]
    with world.services.db.read() as session:
        slots = list(session.scalars(select(Hold.slot).where(Hold.account_id == UUID(lin), Hold.state == "held")))
    assert sorted(slots) == list(range(LOAD_CAP))


def test_a_full_expert_is_passed_over_by_the_model(world: World) -> None:
    world.walk(3)
    with world.services.db.transaction() as session:
        for n in range(LOAD_CAP):
            _hold(world, session, "lin", n)
    world.submit("shen", "triage", {"experts": [str(world.accounts[n]) for n in ("lin", "zhou")], "minutes": "30"})
    assert world.waiting() == ["offer_reply"]
    world.submit("zhou", "offer_reply", {"accepted": "true"})
    assert world.waiting() == ["schedule"]


def test_a_full_expert_cannot_be_appointed(world: World) -> None:
    world.walk(3)
    world.submit("shen", "triage", {"experts": [str(world.accounts["zhou"])], "minutes": "30"})
    world.submit("zhou", "offer_reply", {"accepted": "false", "decline_reason": "time"})
    with world.services.db.transaction() as session:
        for n in range(LOAD_CAP):
            _hold(world, session, "lin", n)
    with pytest.raises(FormInvalid) as caught:
        world.submit("wu", "dispatch", {"expert": str(world.accounts["lin"]), "reason": "x"})
    assert caught.value.errors == {"expert": ["该专家在手病例已满。"]}
    world.submit("wu", "dispatch", {"expert": str(world.accounts["zhou"]), "reason": "x"})
    with world.services.db.read() as session:
        held = session.scalars(select(Hold).where(Hold.case_id == world.case, Hold.state == "held")).one()
    assert (held.account_id, held.answered_at) == (world.accounts["zhou"], world.clock.now())


def test_who_declined_no_longer_sees_the_case(world: World) -> None:
    world.walk(3)
    world.submit("shen", "triage", {"experts": [str(world.accounts[n]) for n in ("lin", "zhou")], "minutes": "30"})
    world.submit("lin", "offer_reply", {"accepted": "false", "decline_reason": "time"})
    world.submit("zhou", "offer_reply", {"accepted": "true"})
    with world.services.db.read() as session:
        experts = select(CasePerson.account_id).where(CasePerson.case_id == world.case, CasePerson.part == "expert")
        assert list(session.scalars(experts)) == [world.accounts["zhou"]]
        with pytest.raises(LianyiError):
            world.services.cases.view(session, world.actor("lin"), world.case)


def test_the_triage_doctor_sees_age_and_sex_but_no_name(world: World) -> None:
    world.walk(3)
    with world.services.db.read() as session:
        shown = world.services.cases.view(session, world.actor("shen"), world.case)
        treated = world.services.cases.view(session, world.actor("he"), world.case)
    assert (shown.patient_name, shown.patient_birth, shown.patient_sex, shown.patient_age) == (None, None, "M", 67)
    assert treated.patient_name is not None
