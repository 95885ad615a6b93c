"""Who may see a case, said twice: as facts for the rules and as one SQL filter made from the same table of grants."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, SQLColumnExpression, and_, exists, false, or_, select, true
from sqlalchemy.orm import Session

from engine.db import memo
from engine.tables import wait
from tasks.cases.models import BreakGlass, CaseParty, CasePerson, ClinicalCase
from tasks.people.service import ENDS, Actor, Facts, OpenTask, grants

RELATION_LASTS = timedelta(days=30)
"""How long after its end a case stays open to those who worked on it for the applying hospital."""
OWNERS = ("applicant", "owner", "author")


def facts(session: Session, case: ClinicalCase, at: datetime, kind: str = "case") -> Facts:
    """What the rules need to know of a case, seen as this kind of object (case, application, images, report, ...)."""
    return facts_of(session, [case], at, kind)[case.id]


def facts_of(session: Session, cases: Iterable[ClinicalCase], at: datetime, kind: str = "case") -> dict[UUID, Facts]:
    """The facts of many cases by four queries in all; a session that only reads asks for each case once."""
    by_id = {case.id: case for case in cases}
    kept = memo(session)
    known: dict[UUID, _Ties] = {} if kept is None else kept.setdefault(_Ties, {})
    unknown = [case for i, case in by_id.items() if i not in known]
    if unknown:
        known |= _ties(session, unknown)
    return {
        i: Facts(
            kind=kind,
            hospital=case.tenant,
            parties=frozenset(known[i].parties),
            people={part: frozenset(who) for part, who in known[i].people.items()},
            open_tasks=frozenset(known[i].tasks),
            over=case.closed_at is not None and case.closed_at <= at - RELATION_LASTS,
            glass=frozenset(who for who, ends in known[i].glass if ends > at),
            settled=case.published_at is not None or case.closed_at is not None,
        )
        for i, case in by_id.items()
    }


@dataclass
class _Ties:
    """Who has to do with a case; `glass` is by whom and until when it was opened in an emergency."""

    people: dict[str, set[UUID]]
    parties: set[tuple[UUID, str]] = field(default_factory=set)
    tasks: set[OpenTask] = field(default_factory=set)
    glass: set[tuple[UUID, datetime]] = field(default_factory=set)


def _ties(session: Session, cases: Sequence[ClinicalCase]) -> dict[UUID, _Ties]:
    found = {case.id: _Ties({"applicant": {case.applicant}}) for case in cases}
    instances = {case.instance_id: case.id for case in cases}
    party = select(CaseParty.case_id, CaseParty.hospital_id, CaseParty.part).where(CaseParty.case_id.in_(found))
    for case_id, hospital, part in session.execute(party):
        found[case_id].parties.add((hospital, part))
    person = select(CasePerson.case_id, CasePerson.account_id, CasePerson.part).where(CasePerson.case_id.in_(found))
    for case_id, account, part in session.execute(person):
        found[case_id].people.setdefault(part, set()).add(account)
    open_tasks = select(wait.c.instance_id, wait.c.role, wait.c.scope, wait.c.person).where(
        wait.c.kind == "user", wait.c.instance_id.in_(instances)
    )
    for row in session.execute(open_tasks):
        found[instances[row.instance_id]].tasks.add(OpenTask(row.role, row.scope, row.person))
    glass = select(BreakGlass.case_id, BreakGlass.account_id, BreakGlass.ends_at).where(BreakGlass.case_id.in_(found))
    for case_id, account, ends in session.execute(glass):
        found[case_id].glass.add((account, ends))
    return found


def waits_for(actor: Actor) -> ColumnElement[bool]:
    """The user waits an actor is a member of: named himself, standing in, or by role and hospital (`rules.member`)."""
    pools: list[ColumnElement[bool]] = []
    for role in sorted(actor.roles):
        places = actor.places(role)
        scope = true() if None in places else or_(wait.c.scope.is_(None), wait.c.scope.in_(places))
        pools.append(and_(wait.c.role == role, scope))
    persons = {actor.account_id, *actor.stands_in_for}
    pool = or_(*pools) if pools else false()
    return and_(wait.c.kind == "user", or_(wait.c.person.in_(persons), and_(wait.c.person.is_(None), pool)))


def belongs(
    actor: Actor,
    kind: str,
    action: str,
    tenant: SQLColumnExpression[Any],
    case_id: SQLColumnExpression[Any] | None = None,
) -> ColumnElement[bool]:
    """Rows outside a case's own tables that the actor may so treat: of his hospitals (`home`), or of cases in which one of
    them takes part (`party`). `case_id` is None where rows know of no case."""
    clauses: list[ColumnElement[bool]] = []
    for role in sorted(actor.roles):
        places = actor.places(role)
        here = true() if None in places else CaseParty.hospital_id.in_(places)
        for relation in grants(role, kind, action):
            if relation == "home":
                clauses.append(true() if None in places else tenant.in_(places))
            elif relation in ("party", "ever") and case_id is not None:
                clauses.append(case_id.in_(select(CaseParty.case_id).where(here)))
    return or_(*clauses) if clauses else false()


def visible_cases(actor: Actor, at: datetime, *, kind: str = "case", action: str = "list") -> ColumnElement[bool]:
    """A condition on `clinical_case` that holds for exactly the cases on which `may(actor, action, facts)` is true."""
    clauses = [
        and_(_relation(actor, role, relation, at), _lasting(at) if relation in ENDS else true())
        for role in sorted(actor.roles)
        for relation in sorted(grants(role, kind, action))
    ]
    return or_(*clauses) if clauses else false()


def _lasting(at: datetime) -> ColumnElement[bool]:
    return or_(ClinicalCase.closed_at.is_(None), ClinicalCase.closed_at > at - RELATION_LASTS)


def _relation(actor: Actor, role: str, relation: str, at: datetime) -> ColumnElement[bool]:
    places = actor.places(role)
    me = and_(CasePerson.case_id == ClinicalCase.id, CasePerson.account_id == actor.account_id)
    if relation == "own":
        return or_(ClinicalCase.applicant == actor.account_id, exists().where(me, CasePerson.part.in_(OWNERS)))
    if relation == "part":
        asked = exists().where(wait.c.instance_id == ClinicalCase.instance_id, waits_for(actor))
        return or_(ClinicalCase.applicant == actor.account_id, exists().where(me), asked)
    if relation in ("from", "to", "party", "ever"):
        here = true() if None in places else CaseParty.hospital_id.in_(places)
        sides = {"from": CaseParty.part == "from", "to": CaseParty.part == "to", "ever": true()}
        sides["party"] = or_(sides["from"], and_(sides["to"], _lasting(at)))
        return exists().where(CaseParty.case_id == ClinicalCase.id, here, sides[relation])
    if relation == "home":
        return true() if None in places else ClinicalCase.tenant.in_(places)
    if relation == "glass":
        mine = and_(BreakGlass.case_id == ClinicalCase.id, BreakGlass.account_id == actor.account_id)
        return exists().where(mine, BreakGlass.ends_at > at)
    return true()
