"""The queries behind the inbox: everything that waits for a person, by tab, page by page, sorted by due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal, get_args
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, literal, not_, or_, select, tuple_
from sqlalchemy.orm import Session

from engine.db import Instant, Uuid
from engine.tables import wait
from tasks.cases.service import CaseFacts, CasePerson, Cases, ClinicalCase, waits_for
from tasks.people.service import SEPARATE, Actor
from tasks.worklist.models import Claim, Submission

PAGE: Final = 100
Tab = Literal["all", "claimed", "team", "substitute", "done"]
TABS: Final[tuple[Tab, ...]] = get_args(Tab)
GUARDED: Final = {
    # form: (object, action) whose separation of duties holds for it
    "approve": ("application", "sign"),
    "review": ("report", "review"),
    "score": ("qc", "score"),
    "arbitrate": ("qc", "arbitrate"),
}
AT_NODE: Final = {
    # (form, node): where the same form is asked of a second person, whom more keeps from it
    ("score", "second"): ("qc", "second"),
}
_FAR = datetime(9999, 1, 1, tzinfo=UTC)
Cursor = tuple[datetime, UUID]


@dataclass(frozen=True)
class InboxRow:
    """A task in the list. `case` is None for a process without a case; `claimed_by` an account id; `again`: the same step of

    the case was done before and came back."""

    task_id: UUID
    instance_id: UUID
    process: str
    node: str
    name: str | None
    name_en: str | None
    form: str | None
    role: str | None
    scope: UUID | None
    person: UUID | None
    due: datetime | None
    reauth: bool
    created_at: datetime
    claimed_by: UUID | None
    on_behalf: UUID | None
    case: CaseFacts | None
    again: bool = False

    @property
    def cursor(self) -> Cursor:
        """Where the next page begins."""
        return self.due or _FAR, self.task_id


@dataclass(frozen=True)
class DoneRow:
    """A form that was handed in."""

    submission_id: UUID
    task_id: UUID
    form: str
    name: str | None
    name_en: str | None
    submitted_at: datetime
    on_behalf: UUID | None
    case: CaseFacts | None


def members(actor: Actor) -> ColumnElement[bool]:
    """The user waits an actor may work on: he is a member, and no part he took in the case keeps him from it."""
    barred = [
        and_(wait.c.form == form, CasePerson.part.in_(SEPARATE[guard])) for form, guard in sorted(GUARDED.items())
    ]
    barred += [
        and_(wait.c.form == form, wait.c.node == node, CasePerson.part.in_(SEPARATE[guard]))
        for (form, node), guard in sorted(AT_NODE.items())
    ]
    took_part = exists().where(
        CasePerson.case_id == ClinicalCase.id, CasePerson.account_id == actor.account_id, or_(*barred)
    )
    return and_(waits_for(actor), or_(ClinicalCase.id.is_(None), not_(took_part)))


def guard_of(form: str | None, node: str) -> tuple[str, str] | None:
    """The object and action whose separation of duties holds for a task; None when any member may do it."""
    return AT_NODE.get((form or "", node)) or GUARDED.get(form or "")


def rows(
    session: Session,
    cases: Cases,
    actor: Actor,
    tab: Tab,
    after: Cursor | None,
    limit: int,
    only: ColumnElement[bool] | None = None,
) -> list[InboxRow]:
    """One page of a tab (not `done`), or what is in it of `only`."""
    key = func.coalesce(wait.c.due, literal(_FAR, Instant))
    query = _open_tasks().where(_tabs(actor)[tab]).order_by(key, wait.c.task_id).limit(limit)
    if only is not None:
        query = query.where(only)
    if after is not None:
        query = query.where(tuple_(key, wait.c.task_id) > tuple_(literal(after[0], Instant), literal(after[1], Uuid)))
    found = list(session.execute(query))
    shown = {c.id: c for c in cases.shown_to(session, actor, [r.ClinicalCase for r in found if r.ClinicalCase])}
    return [row(r, shown) for r in found]


def urgent() -> ColumnElement[bool]:
    """Tasks of emergencies."""
    return ClinicalCase.urgency == "E"


def of_instance(instance_id: UUID) -> ColumnElement[bool]:
    """Tasks of one instance."""
    return wait.c.instance_id == instance_id


def counts(session: Session, actor: Actor) -> dict[Tab, int]:
    """How many tasks each tab holds, by two queries."""
    tabs = _tabs(actor)
    sums = [func.coalesce(func.sum(case((condition, 1), else_=0)), 0).label(name) for name, condition in tabs.items()]
    query = _joined(select(*sums).select_from(wait)).where(wait.c.kind == "user")
    open_ones = session.execute(query).mappings().one()
    done = select(func.count()).select_from(Submission).where(Submission.account_id == actor.account_id)
    numbers: dict[Tab, int] = {name: int(open_ones[name]) for name in tabs}
    return {**numbers, "done": session.execute(done).scalar_one()}


def done(session: Session, cases: Cases, actor: Actor, before: Cursor | None, limit: int) -> list[DoneRow]:
    """What the actor handed in, newest first."""
    query = (
        select(Submission, ClinicalCase)
        .outerjoin(ClinicalCase, ClinicalCase.id == Submission.case_id)
        .where(Submission.account_id == actor.account_id)
        .order_by(Submission.submitted_at.desc(), Submission.id.desc())
        .limit(limit)
    )
    if before is not None:
        bound = tuple_(literal(before[0], Instant), literal(before[1], Uuid))
        query = query.where(tuple_(Submission.submitted_at, Submission.id) < bound)
    found = list(session.execute(query))
    shown = {c.id: c for c in cases.shown_to(session, actor, [c for _, c in found if c is not None])}
    return [
        DoneRow(s.id, s.task_id, s.form, s.name, s.name_en, s.submitted_at, s.on_behalf, shown.get(s.case_id))
        for s, _ in found
    ]


def next_task(session: Session, actor: Actor, forms: tuple[str, ...]) -> UUID | None:
    """The unclaimed task that comes first by rule: urgency, then due, then age. Nobody picks cherries."""
    rank = case((ClinicalCase.urgency == "E", 0), (ClinicalCase.urgency == "U", 1), else_=2)
    key = func.coalesce(wait.c.due, literal(_FAR, Instant))
    query = _joined(select(wait.c.task_id).select_from(wait)).where(members(actor), Claim.task_id.is_(None))
    if forms:
        query = query.where(wait.c.form.in_(forms))
    found: UUID | None = session.scalar(query.order_by(rank, key, wait.c.created_at, wait.c.task_id).limit(1))
    return found


def one(session: Session, task_id: UUID) -> Any | None:
    """A waiting user task with its claim and its case, or None."""
    return session.execute(_open_tasks().where(wait.c.task_id == task_id, wait.c.kind == "user")).first()


def row(found: Any, shown: dict[UUID, CaseFacts]) -> InboxRow:
    """The database's row as the pages want it."""
    return InboxRow(
        task_id=found.task_id,
        instance_id=found.instance_id,
        process=found.process,
        node=found.node,
        name=found.name,
        name_en=found.name_en,
        form=found.form,
        role=found.role,
        scope=found.scope,
        person=found.person,
        due=found.due,
        reauth=bool(found.reauth),
        created_at=found.created_at,
        claimed_by=found.Claim.account_id if found.Claim else None,
        on_behalf=found.Claim.on_behalf if found.Claim else None,
        case=shown.get(found.ClinicalCase.id) if found.ClinicalCase else None,
        again=bool(found.again),
    )


def _tabs(actor: Actor) -> dict[Tab, ColumnElement[bool]]:
    mine, free = Claim.account_id == actor.account_id, Claim.task_id.is_(None)
    user = wait.c.kind == "user"
    return {
        "all": and_(members(actor), or_(free, mine)),
        "claimed": and_(user, mine),
        "team": and_(members(actor), not_(free), not_(mine)),
        "substitute": and_(user, wait.c.person.in_(actor.stands_in_for), or_(free, mine)),
    }


def _joined(query: Select[Any]) -> Select[Any]:
    joined = query.outerjoin(Claim, Claim.task_id == wait.c.task_id)
    return joined.outerjoin(ClinicalCase, ClinicalCase.instance_id == wait.c.instance_id)


def _open_tasks() -> Select[Any]:
    before = exists().where(
        Submission.case_id == ClinicalCase.id, Submission.form == wait.c.form, Submission.node == wait.c.node
    )
    return _joined(select(wait, Claim, ClinicalCase, before.label("again")).select_from(wait))
