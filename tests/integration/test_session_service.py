"""The consultation room on both databases: booking, coming and going, what a case leaves behind; two people at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from engine import BpmnError, Permanent
from engine.errors import LianyiError, NotFound
from tasks.session.models import Attendance, Room

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
    world.submit("lin", "hold", {"outcome": "aborted", "minutes_used": "1", "abort_reason": "x"})
    assert world.waiting() == ["schedule"]
    assert _room(world).outcome == "aborted"
    world.submit(*world.steps()[5])
    assert (_room(world).state, world.waiting()) == ("booked", ["attend"])
