"""The consultation room on both databases: booking, coming and going, what a case leaves behind; two people at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from engine import BpmnError, Permanent, uuid7
from engine.errors import LianyiError, NotFound
from tasks.session.errors import NotMovable
from tasks.session.models import Attendance, Room
from tasks.worklist.service import FormInvalid

World = Any


def _start(world: World, minutes: int) -> dict[str, str]:
    return {"@": "dt", "v": (world.clock.now() + timedelta(minutes=minutes)).isoformat()}


def _room(world: World) -> Room:
    with world.services.db.read() as session:
        found = world.services.session.of_case(session, world.case)
    assert isinstance(found, Room)
    return found


def _log(world: World, room: Room) -> list[str]:
    with world.services.db.read() as session:
        events = world.services.session.events(session, room.id)
    assert [e.seq for e in events] == list(range(1, len(events) + 1))
    return [e.kind for e in events]


def _together(*acts: Callable[[], Any]) -> list[Any]:
    """What each gave, or the error it raised, all begun at once."""
    begin, said = threading.Barrier(len(acts)), list[Any]()

    def one(act: Callable[[], Any]) -> None:
        begin.wait()
        try:
            said.append(act())
        except (LianyiError, BpmnError) as error:
            said.append(error)

    threads = [threading.Thread(target=one, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return said


def test_booking_again_cancels_the_old_room_and_needs_start_and_expert(world: World) -> None:
    world.walk(6)
    first = _room(world)
    with world.services.db.transaction() as session:
        world.services.session.create(world.call(session, start=_start(world, 90), minutes=20))
        with pytest.raises(Permanent):
            world.services.session.create(world.call(session, start="soon", minutes=20))
    second = _room(world)
    assert second.ends_at - second.starts_at == timedelta(minutes=20)
    with world.services.db.read() as session:
        assert session.get_one(Room, first.id).state == "cancelled"


def test_rooms_that_touch_do_not_overlap(world: World) -> None:
    world.walk(6)  # from five minutes on, for thirty
    world.walk(5)
    for begins, fits in ((4, False), (34, False), (35, True)):
        with world.services.db.transaction() as session:
            call = world.call(session, start=_start(world, begins), minutes=10)
            if fits:
                assert world.services.session.create(call)["session"]
            else:
                with pytest.raises(BpmnError, match="double_booked"):
                    world.services.session.create(call)


def test_two_cases_cannot_book_one_expert_at_once(world: World) -> None:
    cases = []
    for _ in range(2):
        world.walk(5)
        cases.append(str(world.case))

    def book(case: str) -> str:
        with world.services.db.transaction() as session:
            world.services.session.create(world.call(session, case=case, start=_start(world, 60), minutes=30))
        return "booked"

    said = _together(*(lambda case=case: book(case) for case in cases))  # type: ignore[misc]
    assert sorted(str(s) for s in said) == ["booked", "double_booked"]


def test_coming_going_and_falling_silent(world: World) -> None:
    world.walk(7)
    verbs, room, lin = world.services.session, _room(world), world.actor("lin")
    verbs.enter(lin, room.id)
    verbs.enter(lin, room.id)
    verbs.leave(lin, room.id)
    verbs.leave(lin, room.id)
    verbs.enter(lin, room.id)
    world.clock.advance(timedelta(seconds=91))
    with world.services.db.read() as session:
        (gone,) = verbs.present(session, room.id)
        assert (gone.account_id, gone.here) == (lin.account_id, False)
        assert [r.id for r in verbs.upcoming(session, lin)] == [room.id]
        assert verbs.upcoming(session, world.actor("chen")) == []
    verbs.enter(lin, room.id)
    assert _log(world, room) == ["booked", "started", "joined", "left", "joined", "joined"]


def test_who_has_no_part_finds_no_room_and_who_reads_the_log_is_not_present(world: World) -> None:
    world.walk(6)
    verbs, room = world.services.session, _room(world)
    for login in ("chen", "feng", "admin", "zheng"):
        for act in (verbs.enter, verbs.leave):
            with pytest.raises(NotFound):
                act(world.actor(login), room.id)
    verbs.enter(world.actor("jin"), room.id)
    with world.services.db.read() as session:
        assert verbs.present(session, room.id) == []


def test_many_enter_at_once_and_every_entry_has_its_number(world: World) -> None:
    world.walk(6)
    verbs, room = world.services.session, _room(world)
    people = [world.actor(login) for login in ("he", "gao", "lin", "wu")]
    said = _together(*(lambda who=who: verbs.enter(who, room.id) for who in people))  # type: ignore[misc]
    assert not [s for s in said if isinstance(s, Exception)]
    assert _log(world, room) == ["booked"] + ["joined"] * 4
    with world.services.db.read() as session:
        assert len(list(session.scalars(select(Attendance).where(Attendance.room_id == room.id)))) == 4


def test_a_closed_room_takes_nobody_in(world: World) -> None:
    world.walk(9)
    room = _room(world)
    assert (room.state, room.outcome) == ("closed", "done")
    assert room.ended_at is not None
    world.services.session.enter(world.actor("lin"), room.id)
    assert _log(world, room) == ["booked", "started", "ended"]


def test_an_aborted_session_is_planned_again(world: World) -> None:
    world.walk(7)
    world.submit("lin", "hold", {"outcome": "aborted", "abort_reason": "x"})
    assert world.waiting() == ["schedule"]
    assert _room(world).outcome == "aborted"
    world.submit(*world.steps()[5])
    assert (_room(world).state, world.waiting()) == ("booked", ["attend"])


# -- moving -----------------------------------------------------------------------------------------------------------
def _rebook(world: World, minutes: int, login: str = "wu", reason: str = "专家临时手术", lasts: int = 30) -> None:
    start = world.clock.now() + timedelta(minutes=minutes)
    world.services.session.rebook(world.actor(login), world.case, start, lasts, reason, str(uuid7()))
    world.worker.run_until_idle()
    assert world.incidents() == []


def _told(world: World) -> list[str]:
    return [text for _, text, _ in world.sms.sent if "改约" in text]


@pytest.mark.parametrize("late", [0, 30])
def test_a_booked_session_is_moved_and_both_sides_are_told(world: World, late: int) -> None:
    world.walk(6)
    if late:  # nobody came, and the coordinator is asked what to do
        world.clock.advance(timedelta(minutes=late))
        world.worker.run_until_idle()
        assert world.waiting() == ["no_show"]
    first, before = _room(world), len(world.sms.sent)
    _rebook(world, 180)
    second = _room(world)
    assert (second.id != first.id, second.starts_at) == (True, world.clock.now() + timedelta(minutes=180))
    assert _log(world, first)[-1] == "moved"
    with world.services.db.read() as session:
        assert session.get_one(Room, first.id).state == "cancelled"
        assert world.services.cases.get(session, world.case).state == "scheduled"
        notices = [
            n.template for login in ("lin", "he") for n in world.services.notify.notices(session, world.actor(login))
        ]
    assert len(_told(world)) == 2
    assert len(world.sms.sent) == before + 2
    assert world.waiting() == []  # it begins a quarter of an hour before the new time
    assert notices.count("rescheduled") == 2
    world.clock.advance(timedelta(minutes=166))
    world.worker.run_until_idle()
    assert world.waiting() == ["attend"]


def test_a_moved_session_can_be_moved_again_and_is_then_held(world: World) -> None:
    world.walk(6)
    _rebook(world, 180)
    _rebook(world, 10)
    assert world.waiting() == ["attend"]
    for step in world.steps()[6:12]:
        world.submit(*step)
    assert world.status() == ("completed", "published")


def test_a_session_that_has_begun_or_has_no_time_is_not_moved(world: World) -> None:
    world.walk(5)
    with pytest.raises(NotMovable):
        _rebook(world, 60)
    world.submit(*world.steps()[5])
    world.submit(*world.steps()[6])
    with pytest.raises(NotMovable):
        _rebook(world, 60)
    assert world.waiting() == ["hold"]


@pytest.mark.parametrize("login", ["lin", "he", "shen", "admin", "chen"])
def test_only_the_coordinator_moves(world: World, login: str) -> None:
    world.walk(6)
    with pytest.raises(NotFound):
        _rebook(world, 60, login)
    assert _room(world).state == "booked"


@pytest.mark.parametrize(
    ("minutes", "reason", "lasts", "field"),
    [(-30, "x", 30, "start_at"), (60, " ", 30, "reason"), (60, "x", 5, "minutes")],
)
def test_what_does_not_do_is_named_and_nothing_is_moved(
    world: World, minutes: int, reason: str, lasts: int, field: str
) -> None:
    world.walk(6)
    with pytest.raises(FormInvalid) as caught:
        _rebook(world, minutes, reason=reason, lasts=lasts)
    assert list(caught.value.errors) == [field]
    assert _room(world).state == "booked"
    assert world.waiting() == ["attend"]


def test_a_time_at_which_the_expert_has_another_session_is_refused_at_once(world: World) -> None:
    world.walk(6)
    first = world.case
    world.walk(5)
    taken = {"start_at": (world.clock.now() + timedelta(minutes=20)).isoformat(), "minutes": "30"}
    with pytest.raises(FormInvalid):
        world.submit("wu", "schedule", taken)
    world.submit("wu", "schedule", taken | {"start_at": (world.clock.now() + timedelta(minutes=120)).isoformat()})
    with pytest.raises(FormInvalid):
        _rebook(world, 10)
    other, world.case = world.case, first
    with pytest.raises(FormInvalid):
        _rebook(world, 130)
    _rebook(world, 60)
    world.case = other
    _rebook(world, 10)  # the time that was left is free


def test_a_time_that_is_taken_in_the_meantime_is_asked_for_again(world: World) -> None:
    world.walk(6)
    start = world.clock.now() + timedelta(minutes=60)
    world.services.session.rebook(world.actor("wu"), world.case, start, 30, "x", str(uuid7()))
    with world.services.db.transaction() as session:  # another case is faster than the worker
        room = session.scalars(select(Room).where(Room.case_id == world.case)).one()
        session.add(
            Room(
                id=uuid7(), tenant=room.tenant, case_id=uuid7(), expert=room.expert, starts_at=start,
                ends_at=start + timedelta(minutes=30), state="booked",
            )
        )  # fmt: skip
    world.worker.run_until_idle()
    assert world.waiting() == ["schedule"]
    later = {"start_at": (start + timedelta(hours=2)).isoformat(), "minutes": "30"}
    world.submit("wu", "schedule", later)
    assert len(_told(world)) == 2
    assert _room(world).starts_at == start + timedelta(hours=2)
