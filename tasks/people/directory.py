"""Questions to the directory: who is this, who holds a role, who is on duty, what is agreed. Read only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select, true
from sqlalchemy.orm import Session

from engine.errors import NotFound
from tasks.people.actor import Actor, Appointment
from tasks.people.letters import spelled
from tasks.people.models import Account, Agreement, Assignment, Hospital, Shift, Substitution


def actor(
    session: Session,
    account_id: UUID,
    at: datetime,
    *,
    login_id: UUID | None = None,
    reauth_at: datetime | None = None,
    address: str | None = None,
) -> Actor:
    """The account with what it is appointed to and for whom it stands in at this instant. NotFound when inactive."""
    account = session.get(Account, account_id)
    if account is None or not account.active:
        raise NotFound("account", id=str(account_id))
    rows = session.scalars(
        select(Assignment).where(Assignment.account_id == account_id, _current(at)).order_by(Assignment.id)
    )
    absent = session.scalars(
        select(Substitution.absent).where(
            Substitution.substitute == account_id, Substitution.starts <= at, Substitution.ends > at
        )
    )
    return Actor(
        account_id=account.id,
        name=account.name,
        hospital_id=account.hospital_id,
        assignments=tuple(Appointment(r.role, r.hospital_id, r.department_id) for r in rows),
        stands_in_for=frozenset(absent),
        login_id=login_id,
        reauth_at=reauth_at,
        address=address,
    )


def reachable(session: Session, account_id: UUID, at: datetime) -> bool:
    """Whether what waits for this account reaches anybody: it is active, or an active colleague stands in for it."""
    account = session.get(Account, account_id)
    if account is None or account.active:
        return account is not None
    stands_in = (
        select(Substitution.id)
        .join(Account, Account.id == Substitution.substitute)
        .where(Substitution.absent == account_id, Substitution.starts <= at, Substitution.ends > at, Account.active)
    )
    return session.scalar(stands_in.limit(1)) is not None


def holders(session: Session, role: str, hospital_id: UUID | None, at: datetime) -> list[Account]:
    """The active people who hold a role at a hospital (None: anywhere), by name."""
    place = or_(Assignment.hospital_id == hospital_id, Assignment.hospital_id.is_(None)) if hospital_id else true()
    query = (
        select(Account)
        .join(Assignment, Assignment.account_id == Account.id)
        .where(Assignment.role == role, place, _current(at), Account.active)
        .distinct()
        .order_by(Account.name, Account.id)
    )
    return list(session.scalars(query))


def staff(session: Session, hospital_id: UUID, at: datetime) -> set[UUID]:
    """Who works at a hospital: belongs to it or is appointed there now."""
    appointed = select(Assignment.account_id).where(Assignment.hospital_id == hospital_id, _current(at))
    return set(
        session.scalars(select(Account.id).where(or_(Account.hospital_id == hospital_id, Account.id.in_(appointed))))
    )


def held(session: Session, roles: Sequence[str], hospital_id: UUID) -> set[UUID]:
    """Everybody who holds or ever held one of these roles at a hospital, or on the whole platform."""
    here = or_(Assignment.hospital_id == hospital_id, Assignment.hospital_id.is_(None))
    return set(session.scalars(select(Assignment.account_id).where(Assignment.role.in_(roles), here)))


def shifts(session: Session, accounts: Sequence[UUID], begins: datetime, ends: datetime) -> list[Shift]:
    """The rows of the rota of these people that touch a stretch of time, in order."""
    query = select(Shift).where(Shift.account_id.in_(accounts), Shift.starts < ends, Shift.ends > begins)
    return list(session.scalars(query.order_by(Shift.starts)))


def on_duty(
    session: Session, hospital_id: UUID, at: datetime, *, role: str | None = None, specialty: str | None = None
) -> list[tuple[Account, Shift]]:
    """Who is on the rota of a hospital at an instant and not absent, with the shift; narrowed by role and specialty."""
    absent = select(Shift.account_id).where(Shift.kind == "absent", Shift.starts <= at, Shift.ends > at)
    query = (
        select(Account, Shift)
        .join(Shift, Shift.account_id == Account.id)
        .where(
            Shift.hospital_id == hospital_id,
            Shift.kind != "absent",
            Shift.starts <= at,
            Shift.ends > at,
            Account.active,
            Account.id.not_in(absent),
        )
        .order_by(Account.name, Account.id, Shift.starts)
    )
    if role is not None:
        held = select(Assignment.account_id).where(
            Assignment.role == role,
            or_(Assignment.hospital_id == hospital_id, Assignment.hospital_id.is_(None)),
            _current(at),
        )
        query = query.where(Account.id.in_(held))
    pairs = [(account, shift) for account, shift in session.execute(query)]
    return [p for p in pairs if specialty is None or specialty in p[0].specialties]


def agreement(session: Session, from_hospital: UUID, to_hospital: UUID, kind: str, at: datetime) -> Agreement | None:
    """The agreement by which one hospital may ask another for this kind of case now; None: there is none."""
    query = (
        select(Agreement)
        .where(
            Agreement.from_hospital == from_hospital,
            Agreement.to_hospital == to_hospital,
            Agreement.valid_from <= at,
            Agreement.valid_to > at,
        )
        .order_by(Agreement.valid_to.desc())
    )
    return next((a for a in session.scalars(query) if kind in a.scopes), None)


def partners(session: Session, from_hospital: UUID, kind: str, at: datetime) -> list[Hospital]:
    """The hospitals this one may ask for this kind of case now."""
    query = (
        select(Hospital, Agreement)
        .join(Agreement, Agreement.to_hospital == Hospital.id)
        .where(Agreement.from_hospital == from_hospital, Agreement.valid_from <= at, Agreement.valid_to > at)
        .order_by(Hospital.name)
    )
    return list({h.id: h for h, a in session.execute(query) if kind in a.scopes}.values())


def names(session: Session, account_ids: Sequence[UUID]) -> dict[UUID, str]:
    """The names of these accounts."""
    rows = session.execute(select(Account.id, Account.name).where(Account.id.in_(set(account_ids))))
    return {row.id: row.name for row in rows}


def called(session: Session, words: str, limit: int = 20) -> list[Account]:
    """The accounts with this id, log-in name or name, also as it is written in Latin letters."""
    try:
        one = session.get(Account, UUID(words))
        return [one] if one else []
    except ValueError:
        named = or_(Account.login_name == words, Account.name == words)
    found = list(session.scalars(select(Account).where(named).order_by(Account.id).limit(limit)))
    if found or not words.isascii():
        return found
    rows = session.execute(select(Account.id, Account.name).order_by(Account.id))
    spelt = [row.id for row in rows if spelled(row.name).casefold() == words.casefold()]
    return list(session.scalars(select(Account).where(Account.id.in_(spelt[:limit])).order_by(Account.id)))


def hospitals(session: Session) -> list[Hospital]:
    """Every active hospital, hubs first."""
    return list(session.scalars(select(Hospital).where(Hospital.active).order_by(Hospital.kind, Hospital.code)))


def _current(at: datetime) -> ColumnElement[bool]:
    return and_(or_(Assignment.ended_at.is_(None), Assignment.ended_at > at))
