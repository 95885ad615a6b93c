"""The record as an auditor reads it: a page of entries by patient, person, kind and time, and who had to do with one patient."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select, tuple_
from sqlalchemy.orm import Session

from engine.db import Instant, Uuid
from engine.history import PLATFORM
from engine.tables import history, instance
from tasks.cases.kinds import ASIDE, GROUPS, OTHERS, TOLD
from tasks.cases.models import CasePerson, ClinicalCase
from tasks.cases.trace import step_names
from tasks.cases.visibility import belongs, visible_cases
from tasks.people.actor import Actor
from tasks.people.models import Account
from tasks.people.rules import opens

PAGE = 50
SUMMED = 5000
"""Of so many entries of one patient the sums are made; a longer record is told as such."""


@dataclass(frozen=True)
class Question:
    """What an auditor asks. `instances` are the cases meant (None: any; empty: none), `people` accounts, `group` one of
    `kinds.GROUPS` or `acted` (empty: everything but the engine's own steps, the administration and auditors' searches), `since` and `until` (excluded) instants."""

    instances: tuple[UUID, ...] | None = None
    people: tuple[UUID, ...] = ()
    group: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Line:
    """One entry. `actor` is the account, None for what acts by itself; then `by` is its word. `node` are the step's names in
    Chinese and English."""

    id: UUID
    at: datetime
    seq: int
    hash: str
    tenant: UUID
    kind: str
    by: str
    actor: UUID | None
    name: str
    hospital: UUID | None
    title: str | None
    ref: str
    case_id: UUID | None
    node: tuple[str, str]
    data: Mapping[str, Any]


def page(
    session: Session, actor: Actor, asked: Question, *, before: tuple[datetime, UUID] | None = None, limit: int = PAGE
) -> list[Line]:
    """The newest entries of the actor's hospitals and their cases that fit the question, newest first."""
    if asked.instances == ():
        return []
    found: dict[UUID, Any] = {}
    for query in queries(actor, asked, before, limit):
        found |= {row.id: row for row in session.execute(query)}
    newest = sorted(found.values(), key=lambda row: (row.at, str(row.id)), reverse=True)[:limit]
    return _lines(session, newest)


def queries(
    actor: Actor, asked: Question, before: tuple[datetime, UUID] | None = None, limit: int = PAGE
) -> list[Select[Any]]:
    """The queries whose rows together, newest first, are the page; each walks one index from where the page begins."""
    newest = history.c.at.desc(), history.c.id.desc()
    found = [_rows(actor).where(branch, *_times(asked, before)) for branch in _branches(asked)]
    return [query.order_by(*newest).limit(limit) for query in found]


def summed(session: Session, actor: Actor, asked: Question) -> list[Line]:
    """Every entry that fits, up to `SUMMED`, oldest first: for the sums of one patient."""
    return page(session, actor, asked, limit=SUMMED)[::-1]


def since(session: Session, actor: Actor, group: str, moment: datetime, most: int = 1000) -> int:
    """How many entries of a small group there are from an instant on, counted up to `most`."""
    rows = _rows(actor).where(_kinds(GROUPS[group]), history.c.at >= moment).limit(most).subquery()
    return int(session.scalar(select(func.count()).select_from(rows)) or 0)


def instances_of(session: Session, actor: Actor, at: datetime, registrations: Sequence[UUID]) -> tuple[UUID, ...]:
    """The instances of the cases opened for these registrations of a patient, as far as the actor reads their record."""
    query = select(ClinicalCase.instance_id).where(ClinicalCase.registration_id.in_(registrations))
    return tuple(session.scalars(query.where(visible_cases(actor, at, kind="history", action="read"))))


def instances_by_ref(session: Session, actor: Actor, at: datetime, ref: str) -> tuple[UUID, ...]:
    """The instance of the case with this number; none, where the actor does not read its record: empty."""
    query = select(ClinicalCase.instance_id).where(ClinicalCase.ref == ref)
    return tuple(session.scalars(query.where(visible_cases(actor, at, kind="history", action="read"))))


def _rows(actor: Actor) -> Select[Any]:
    join = history.outerjoin(ClinicalCase.__table__, ClinicalCase.instance_id == history.c.instance_id)
    join = join.outerjoin(instance, instance.c.id == history.c.instance_id)
    columns = ClinicalCase.ref, ClinicalCase.id.label("case_id"), instance.c.definition_id
    mine = belongs(actor, "history", "read", history.c.tenant, ClinicalCase.id)
    if opens(actor, "history", "verify"):
        mine = or_(mine, history.c.tenant == PLATFORM)
    return select(history, *columns).select_from(join).where(mine)


def _branches(asked: Question) -> list[ColumnElement[bool]]:
    """Conditions whose rows together are what was asked for; each is read off one index, newest first."""
    if asked.instances is not None:
        narrowed = [history.c.instance_id.in_(asked.instances)]
        if asked.people:
            narrowed.append(history.c.actor.in_([str(p) for p in asked.people]))
        return [and_(*narrowed, _group(asked.group))]
    if asked.people:
        return [and_(history.c.actor == str(p), _group(asked.group)) for p in asked.people]
    if asked.group in GROUPS and asked.group != "flow":
        return [and_(TOLD, history.c.kind == kind) for kind in GROUPS[asked.group]]
    return [_group(asked.group)]


def _group(group: str) -> ColumnElement[bool]:
    if group == "flow":
        return _kinds(GROUPS["flow"])
    if group == "acted":
        return and_(TOLD, history.c.kind.not_in(OTHERS))
    if group in GROUPS:
        return and_(TOLD, _kinds(GROUPS[group]))
    return and_(TOLD, history.c.kind.not_in(ASIDE))


def _kinds(kinds: Sequence[str]) -> ColumnElement[bool]:
    return history.c.kind.in_(kinds)


def _times(asked: Question, before: tuple[datetime, UUID] | None) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if asked.since is not None:
        found.append(history.c.at >= asked.since)
    if asked.until is not None:
        found.append(history.c.at < asked.until)
    if before is not None:
        found.append(tuple_(history.c.at, history.c.id) < tuple_(literal(before[0], Instant), literal(before[1], Uuid)))
    return found


def _lines(session: Session, rows: Sequence[Any]) -> list[Line]:
    accounts = _accounts(session, {a for row in rows if (a := account_of(row.actor)) is not None})
    known = {d: step_names(session, d) for d in {row.definition_id for row in rows if row.definition_id}}
    parts = _parts(session, {row.case_id for row in rows if row.kind in ("view", "file.opened") and row.case_id})
    return [_line(row, accounts, known, parts) for row in rows]


def _line(row: Any, accounts: Mapping[UUID, Any], known: Mapping[UUID, Any], parts: Mapping[Any, str]) -> Line:
    who = account_of(row.actor)
    account = accounts.get(who) if who else None
    data = json.loads(row.data)
    if "by" not in data and (row.case_id, who) in parts:  # an entry from before the reason was kept with it
        data["by"], data["part"] = "part", parts[row.case_id, who]
    return Line(
        id=row.id, at=row.at, seq=row.seq, hash=row.hash, tenant=row.tenant, kind=row.kind, by=row.actor, actor=who,
        name=account.name if account else "", hospital=account.hospital_id if account else None, title=account.title if account else None,
        ref=row.ref or "", case_id=row.case_id, node=known.get(row.definition_id, {}).get(row.node, (row.node or "", row.node or "")), data=data,
    )  # fmt: skip


def _accounts(session: Session, ids: set[UUID]) -> dict[UUID, Any]:
    rows = session.execute(
        select(Account.id, Account.name, Account.hospital_id, Account.title).where(Account.id.in_(ids))
    )
    return {row.id: row for row in rows}


def _parts(session: Session, cases: set[UUID]) -> dict[Any, str]:
    rows = session.execute(
        select(CasePerson.case_id, CasePerson.account_id, CasePerson.part).where(CasePerson.case_id.in_(cases))
    )
    return {(row.case_id, row.account_id): row.part for row in rows}


def account_of(actor: str) -> UUID | None:
    """The account behind an entry's actor; None for what acts by itself."""
    try:
        return UUID(actor)
    except ValueError:
        return None
