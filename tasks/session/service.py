"""Books rooms, keeps who was there, and logs what happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import BpmnError, Call, Clock, Database, Engine, NotFound, Permanent, uuid7
from engine.feel import from_json, to_json
from engine.values import Json
from tasks.cases.models import ClinicalCase
from tasks.cases.service import Cases
from tasks.people import directory
from tasks.people.models import Account
from tasks.people.service import Actor
from tasks.session.errors import NotMovable
from tasks.session.models import Attendance, Room, SessionEvent
from tasks.worklist.service import FormInvalid, Submitting, Worklist


@dataclass(frozen=True)
class Present:
    """Somebody who is in the room, `since` when this time, or was in it and went out then."""

    account_id: UUID
    name: str
    hospital_id: UUID
    since: datetime
    here: bool


PAST = "这个时间已经过去，请选一个将来的时间。"
TAKEN = "专家在这段时间已有另一场会诊，请选别的时间。"
WHEN = "请填写新的日期和时间。"
WHY = "请写明改约的原因，双方都会看到。"
BETWEEN = "时长为 10 到 180 分钟。"
SHORTEST, LONGEST = 10, 180
"""Minutes of a session, as the form of the first booking has them."""
LATE = timedelta(minutes=5)
"""A start so little in the past is meant as now."""
SEEN = timedelta(seconds=20)
"""So often it is written down that somebody is still here."""
GONE = timedelta(seconds=90)
"""Somebody not seen for so long has left."""


def lasted(room: Room, now: datetime) -> int:
    """How long a session has lasted, or lasted: whole minutes from its start, one begun counts."""
    if room.started_at is None:
        return 0
    return max(1, -int((room.started_at - (room.ended_at or now)).total_seconds() // 60))


class Rooms:
    """The verbs of the consultation room; hooks on the forms attend and hold mark its start and end."""

    def __init__(self, db: Database, clock: Clock, engine: Engine, cases: Cases, worklist: Worklist) -> None:
        self._db, self._clock, self._engine, self._cases = db, clock, engine, cases
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
        if self._taken(session, case, start, end):
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
        if step.case is not None:
            start = datetime.fromisoformat(str(step.data["start_at"]))
            self._check(step.session, step.case, start, int(step.data["minutes"]), step.now)

    def _check(self, session: Session, case: ClinicalCase, start: datetime, minutes: int, now: datetime) -> None:
        """Whether the case may begin then. FormInvalid when that is past, or its expert has another session."""
        if start < now - LATE:
            raise FormInvalid({"start_at": [PAST]})
        if self._taken(session, case, start, start + timedelta(minutes=minutes)):
            raise FormInvalid({"start_at": [TAKEN]})

    def _taken(self, session: Session, case: ClinicalCase, start: datetime, end: datetime) -> bool:
        """Whether the expert of a case has another session at some moment between."""
        other = select(Room.id).where(
            Room.expert == case.expert,
            Room.state.in_(("booked", "open")),
            Room.starts_at < end,
            Room.ends_at > start,
            Room.case_id != case.id,
        )
        return session.scalar(other.limit(1)) is not None

    # -- move ---------------------------------------------------------------------------------------------------------
    def movable(self, session: Session, actor: Actor, case: ClinicalCase) -> bool:
        """Whether this person could move the consultation now: what the page of its case offers."""
        room = self.of_case(session, case.id)
        booked = room is not None and room.state == "booked" and case.closed_at is None
        return booked and self._cases.allowed(session, actor, case, "case", "reschedule")

    def rebook(self, actor: Actor, case_id: UUID, start: datetime | None, minutes: int, reason: str, key: str) -> None:
        """Move a booked consultation: the old time is free at once, the process books the new one and tells both sides.

        NotFound, NotMovable; FormInvalid when a value is missing or the time does not do. Nothing is changed then.
        """
        with self._db.read() as session:
            case = self._cases.require(session, actor, case_id, "case", "reschedule")
        with self._engine.begin(case.instance_id, key, actor=actor.id) as tx:
            if tx.repeated:
                return
            case = self._cases.require(tx.session, actor, case_id, "case", "reschedule")
            if not self.movable(tx.session, actor, case):
                raise NotMovable(case=str(case_id))
            wrong = {} if reason.strip() else {"reason": [WHY]}
            if not SHORTEST <= minutes <= LONGEST:
                wrong["minutes"] = [BETWEEN]
            if start is None:
                raise FormInvalid({"start_at": [WHEN], **wrong})
            try:
                self._check(tx.session, case, start, minutes, tx.now)
            except FormInvalid as problem:
                wrong |= problem.errors
            if wrong:
                raise FormInvalid(wrong)
            for room in self._of_case(tx.session, case_id, ("booked",)):
                room.state = "cancelled"
                self._log(
                    tx.session,
                    room,
                    "moved",
                    actor.account_id,
                    {"to": start.isoformat(), "reason": reason.strip()[:300]},
                )
            tx.note("case.rebooked", {"minutes": minutes})
            if not tx.message("case.rebook", {"start_at": to_json(start), "minutes": minutes}):
                raise NotMovable(case=str(case_id))

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

    def stay(self, actor: Actor, room_id: UUID) -> None:
        """Say that one is still here, who has not gone out meanwhile; written down three times a minute. NotFound."""
        with self._db.read() as session:
            self._room(session, actor, room_id)
            row = session.get(Attendance, (room_id, actor.account_id))
            still = row is not None and row.left_at is None and self._clock.now() - row.seen_at >= SEEN
        if still:
            self.enter(actor, room_id)

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
        came = self._came(session, room_id)
        found = []
        for r in rows:
            here = r.left_at is None and now - r.seen_at <= GONE
            since = came.get(r.account_id, r.joined_at) if here else r.left_at or r.seen_at
            found.append(Present(r.account_id, names.get(r.account_id, ""), homes[r.account_id], since, here))
        return found

    def _came(self, session: Session, room_id: UUID) -> dict[UUID, datetime]:
        """When each came in last."""
        joined = select(SessionEvent.account_id, func.max(SessionEvent.at)).where(
            SessionEvent.room_id == room_id, SessionEvent.kind == "joined", SessionEvent.account_id.is_not(None)
        )
        return {who: at for who, at in session.execute(joined.group_by(SessionEvent.account_id)) if who is not None}

    # -- look ---------------------------------------------------------------------------------------------------------
    def room(self, session: Session, actor: Actor, room_id: UUID) -> Room:
        """One room. NotFound."""
        return self._room(session, actor, room_id)

    def case_of(self, session: Session, room_id: UUID) -> UUID | None:
        """The case of a room; no permission is asked. None: there is no such room."""
        return session.scalar(select(Room.case_id).where(Room.id == room_id))

    def of_case(self, session: Session, case_id: UUID) -> Room | None:
        """The room of a case that was booked last and not cancelled, whenever an earlier one was to begin."""
        query = select(Room).where(Room.case_id == case_id, Room.state != "cancelled").order_by(Room.id.desc())
        return session.scalars(query.limit(1)).first()

    def moving(self, session: Session, case_id: UUID) -> datetime | None:
        """When a consultation is to be that was moved and has no new room yet."""
        newest = select(Room.id).where(Room.case_id == case_id).order_by(Room.id.desc()).limit(1).scalar_subquery()
        moved = select(SessionEvent.data).where(SessionEvent.room_id == newest, SessionEvent.kind == "moved")
        found = session.scalar(moved)
        return datetime.fromisoformat(str(found["to"])) if found else None

    def moved_for(self, session: Session, case_id: UUID) -> str | None:
        """Why the consultation of a case was moved last, in the coordinator's words."""
        query = select(SessionEvent.data).join(Room, Room.id == SessionEvent.room_id)
        query = query.where(Room.case_id == case_id, SessionEvent.kind == "moved").order_by(SessionEvent.at.desc())
        found = session.scalars(query.limit(1)).first()
        return None if found is None else str(found.get("reason", ""))

    def upcoming(self, session: Session, actor: Actor, limit: int = 50) -> list[Room]:
        """Rooms the actor may enter, the next first."""
        query = select(Room).where(Room.state.in_(("booked", "open"))).order_by(Room.starts_at).limit(500)
        found = [r for r in session.scalars(query) if self._may_enter(session, actor, r)]
        return found[:limit]

    def booked(self, session: Session, experts: Sequence[UUID], begins: datetime, ends: datetime) -> list[Room]:
        """The sessions of these experts that touch a stretch of time, in order; for services and pages about their time."""
        query = select(Room).where(Room.expert.in_(experts), Room.state.in_(("booked", "open")))
        return list(session.scalars(query.where(Room.starts_at < ends, Room.ends_at > begins).order_by(Room.starts_at)))

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
            used = lasted(room, step.now)
            told = {"outcome": step.data.get("outcome"), "minutes": used}
            if step.data.get("minutes_used") is not None:
                told |= {"corrected": step.data["minutes_used"], "reason": step.data.get("minutes_reason")}
            step.process["minutes_used"] = told.get("corrected", used)
            self._log(step.session, room, "ended", step.actor.account_id, told)
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
