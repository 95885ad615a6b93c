"""Books rooms, keeps who was there, and logs what happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import BpmnError, Call, Clock, Database, NotFound, Permanent, uuid7
from engine.feel import from_json
from engine.values import Json
from tasks.cases.models import ClinicalCase
from tasks.cases.service import Cases
from tasks.people import directory
from tasks.people.models import Account
from tasks.people.service import Actor
from tasks.session.models import Attendance, Room, SessionEvent
from tasks.worklist.service import FormInvalid, Submitting, Worklist


@dataclass(frozen=True)
class Present:
    """Somebody who is or was in the room."""

    account_id: UUID
    name: str
    hospital_id: UUID
    joined_at: datetime
    here: bool


PAST = "这个时间已经过去，请选一个将来的时间。"
LATE = timedelta(minutes=5)
"""A start so little in the past is meant as now."""
GONE = timedelta(seconds=90)
"""Somebody not seen for so long has left."""


class Rooms:
    """The verbs of the consultation room; hooks on the forms attend and hold mark its start and end."""

    def __init__(self, db: Database, clock: Clock, cases: Cases, worklist: Worklist) -> None:
        self._db, self._clock, self._cases = db, clock, cases
        cases.on_end(self._case_ended)
        worklist.before_submit("schedule", self._planned)
        worklist.before_submit("attend", self._started)
        worklist.before_submit("hold", self._ended)

    # -- operations ---------------------------------------------------------------------------------------------------
    def create(self, call: Call) -> Mapping[str, Json]:
        """`session.create`: book the expert's time; BpmnError double_booked when he has another session then."""
        session = call.session
        case = self._cases.get(session, UUID(str(call.args["case"])))
        start, minutes = from_json(call.args["start"]), int(str(call.args["minutes"]))
        if not isinstance(start, datetime) or case.expert is None:
            raise Permanent("a session needs a start and an expert")
        end = start + timedelta(minutes=minutes)
        session.get(Account, case.expert, with_for_update=True)  # one booking of an expert at a time
        other = select(Room.id).where(
            Room.expert == case.expert,
            Room.state.in_(("booked", "open")),
            Room.starts_at < end,
            Room.ends_at > start,
            Room.case_id != case.id,
        )
        if session.scalar(other.limit(1)) is not None:
            raise BpmnError("double_booked")
        for old in session.scalars(select(Room).where(Room.case_id == case.id, Room.state == "booked")):
            old.state = "cancelled"
        room = Room(
            id=uuid7(),
            tenant=case.tenant,
            case_id=case.id,
            expert=case.expert,
            starts_at=start,
            ends_at=end,
            state="booked",
        )
        session.add(room)
        session.flush()
        self._log(session, room, "booked", None, {"minutes": minutes})
        if case.closed_at is None:
            self._cases.set_state(session, case.id, "scheduled")
        return {"session": str(room.id)}

    def close(self, call: Call) -> Mapping[str, Json]:
        """`session.close`: nobody comes in any more."""
        for room in self._of_case(call.session, UUID(str(call.args["case"])), ("booked", "open")):
            room.state, room.outcome = "closed", str(call.args["outcome"])
            room.ended_at = room.ended_at or call.now
        return {}

    def _case_ended(self, session: Session, case: ClinicalCase) -> None:
        """Its rooms end with it and their time is free again."""
        for room in self._of_case(session, case.id, ("booked", "open")):
            room.state = "cancelled"
            self._log(session, room, "cancelled", None, {})

    def _planned(self, step: Submitting) -> None:
        start = datetime.fromisoformat(str(step.data["start_at"]))
        if start < step.now - LATE:
            raise FormInvalid({"start_at": [PAST]})

    # -- people -------------------------------------------------------------------------------------------------------
    def enter(self, actor: Actor, room_id: UUID) -> Room:
        """Come in, or say that one is still here; who may only read the log is not written down as present. NotFound."""
        now = self._clock.now()
        with self._db.transaction() as session:
            room = self._room(session, actor, room_id, lock=True)
            if not self._may(session, actor, room, "join", "host", "open"):
                return room
            row = session.get(Attendance, (room_id, actor.account_id))
            if room.state in ("closed", "cancelled"):
                return room
            if row is None:
                session.add(
                    Attendance(
                        room_id=room_id,
                        account_id=actor.account_id,
                        tenant=room.tenant,
                        joined_at=now,
                        seen_at=now,
                        left_at=None,
                    )
                )
                self._log(session, room, "joined", actor.account_id, {})
            else:
                if row.left_at is not None or now - row.seen_at > GONE:
                    self._log(session, room, "joined", actor.account_id, {})
                row.seen_at, row.left_at = now, None
            return room

    def leave(self, actor: Actor, room_id: UUID) -> None:
        """Go out."""
        with self._db.transaction() as session:
            room = self._room(session, actor, room_id, lock=True)
            row = session.get(Attendance, (room_id, actor.account_id))
            if row is not None and row.left_at is None:
                row.left_at = self._clock.now()
                self._log(session, room, "left", actor.account_id, {})

    def present(self, session: Session, room_id: UUID) -> list[Present]:
        """Everybody who came, in order."""
        now = self._clock.now()
        rows = list(
            session.scalars(select(Attendance).where(Attendance.room_id == room_id).order_by(Attendance.joined_at))
        )
        names = directory.names(session, [r.account_id for r in rows])
        homes = {
            a.id: a.hospital_id
            for a in session.scalars(select(Account).where(Account.id.in_([r.account_id for r in rows])))
        }
        return [
            Present(
                r.account_id,
                names.get(r.account_id, ""),
                homes[r.account_id],
                r.joined_at,
                r.left_at is None and now - r.seen_at <= GONE,
            )
            for r in rows
        ]

    # -- look ---------------------------------------------------------------------------------------------------------
    def room(self, session: Session, actor: Actor, room_id: UUID) -> Room:
        """One room. NotFound."""
        return self._room(session, actor, room_id)

    def of_case(self, session: Session, case_id: UUID) -> Room | None:
        """The room of a case that was booked last and not cancelled, whenever an earlier one was to begin."""
        query = select(Room).where(Room.case_id == case_id, Room.state != "cancelled").order_by(Room.id.desc())
        return session.scalars(query.limit(1)).first()

    def upcoming(self, session: Session, actor: Actor, limit: int = 50) -> list[Room]:
        """Rooms the actor may enter, the next first."""
        query = select(Room).where(Room.state.in_(("booked", "open"))).order_by(Room.starts_at).limit(500)
        found = [r for r in session.scalars(query) if self._may_enter(session, actor, r)]
        return found[:limit]

    def events(self, session: Session, room_id: UUID) -> list[SessionEvent]:
        """The log in order."""
        return list(
            session.scalars(select(SessionEvent).where(SessionEvent.room_id == room_id).order_by(SessionEvent.seq))
        )

    # -- inside -------------------------------------------------------------------------------------------------------
    def _started(self, step: Submitting) -> None:
        if step.case is None:
            return
        for room in self._of_case(step.session, step.case.id, ("booked",)):
            room.state, room.started_at = "open", step.now
            self._log(step.session, room, "started", step.actor.account_id, {})
        self._cases.set_state(step.session, step.case.id, "session")

    def _ended(self, step: Submitting) -> None:
        if step.case is None:
            return
        for room in self._of_case(step.session, step.case.id, ("open",)):
            room.ended_at = step.now
            self._log(step.session, room, "ended", step.actor.account_id, {"outcome": step.data.get("outcome")})
        self._cases.set_state(
            step.session, step.case.id, "reporting" if step.data.get("outcome") == "done" else "accepted"
        )

    def _of_case(self, session: Session, case_id: UUID, states: tuple[str, ...]) -> list[Room]:
        return list(session.scalars(select(Room).where(Room.case_id == case_id, Room.state.in_(states))))

    def _room(self, session: Session, actor: Actor, room_id: UUID, lock: bool = False) -> Room:
        """The room, for whom it is open; locked where its log is to be added to, so that entries take their numbers in turn."""
        room = session.get(Room, room_id, with_for_update=lock)
        if room is None or not self._may_enter(session, actor, room):
            raise NotFound("room", id=str(room_id))
        return room

    def _may_enter(self, session: Session, actor: Actor, room: Room) -> bool:
        """Who takes part, who opens and closes it, who keeps its log."""
        return self._may(session, actor, room, "join", "host", "open", "log")

    def _may(self, session: Session, actor: Actor, room: Room, *actions: str) -> bool:
        case = self._cases.get(session, room.case_id)
        return any(self._cases.allowed(session, actor, case, "session", action) for action in actions)

    def _log(self, session: Session, room: Room, kind: str, account: UUID | None, data: Mapping[str, Any]) -> None:
        newest = session.scalar(
            select(func.coalesce(func.max(SessionEvent.seq), 0)).where(SessionEvent.room_id == room.id)
        )
        session.add(
            SessionEvent(
                room_id=room.id,
                seq=int(newest or 0) + 1,
                tenant=room.tenant,
                at=self._clock.now(),
                kind=kind,
                account_id=account,
                data=dict(data),
            )
        )
        session.flush()
