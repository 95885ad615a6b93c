"""The people of the alliance: hospitals, accounts, appointments, agreements, rota, logins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from argon2 import PasswordHasher
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.clock import Clock
from engine.db import Database
from engine.errors import NotFound, Refused
from engine.history import PLATFORM, record
from engine.ids import uuid7
from engine.values import Json
from tasks.people import directory
from tasks.people.actor import Actor, Appointment
from tasks.people.errors import Forbidden, NameTaken, UnknownRole, WeakPassword
from tasks.people.logins import FRESH, Logins, fresh
from tasks.people.models import Account, Agreement, Assignment, Department, Hospital, Shift, Substitution
from tasks.people.rules import (
    ENDS,
    ROLES,
    SEPARATE,
    Facts,
    OpenTask,
    barred,
    basis,
    blind_to,
    grants,
    may,
    member,
    opens,
)

__all__ = [
    "ENDS",
    "FRESH",
    "ROLES",
    "SEPARATE",
    "Account",
    "Actor",
    "Appointment",
    "Facts",
    "Forbidden",
    "Hospital",
    "OpenTask",
    "People",
    "barred",
    "basis",
    "blind_to",
    "directory",
    "fresh",
    "grants",
    "may",
    "member",
    "opens",
]

EVERYWHERE = frozenset({"platform_admin", "publisher"})
"""Roles that are held on the whole platform unless a hospital is named."""
MIN_PASSWORD = 12


class People:
    """The verbs. Reads take a session, so that they join any transaction; writes open their own."""

    def __init__(self, db: Database, clock: Clock, hasher: PasswordHasher | None = None) -> None:
        self._db, self._clock = db, clock
        self._hasher = hasher or PasswordHasher()
        self.logins = Logins(db, clock, self._hasher)

    # -- reads --------------------------------------------------------------------------------------------------------
    def actor(self, session: Session, account_id: UUID) -> Actor:
        """The account as an actor, now."""
        return directory.actor(session, account_id, self._clock.now())

    def account(self, session: Session, account_id: UUID) -> Account:
        """One account. NotFound."""
        account = session.get(Account, account_id)
        if account is None:
            raise NotFound("account", id=str(account_id))
        return account

    def reachable(self, session: Session, what: str, id: UUID) -> bool:
        """Whether a task may wait for this id: as `scope` a hospital, as `person` an account somebody works on for now."""
        if what == "scope":
            return session.get(Hospital, id) is not None
        return directory.reachable(session, id, self._clock.now())

    def by_phone(self, session: Session, phone: str) -> list[Account]:
        """The active accounts with this number in E.164."""
        return list(session.scalars(select(Account).where(Account.phone == phone, Account.active)))

    def department(self, session: Session, department_id: UUID | None) -> Department | None:
        """A department, or none."""
        return session.get(Department, department_id) if department_id else None

    def hospital(self, session: Session, hospital_id: UUID) -> Hospital:
        """One hospital. NotFound."""
        hospital = session.get(Hospital, hospital_id)
        if hospital is None:
            raise NotFound("hospital", id=str(hospital_id))
        return hospital

    def hospital_by_code(self, session: Session, code: str) -> Hospital | None:
        """The hospital with this code."""
        return session.scalar(select(Hospital).where(Hospital.code == code))

    def hospital_by_ae(self, session: Session, ae_title: str) -> Hospital | None:
        """The hospital whose modalities call themselves so."""
        return session.scalar(select(Hospital).where(Hospital.ae_title == ae_title))

    def holders(self, session: Session, role: str, hospital_id: UUID | None) -> list[Account]:
        """Who holds a role at a hospital now."""
        return directory.holders(session, role, hospital_id, self._clock.now())

    def list_accounts(self, session: Session, hospital_id: UUID | None = None) -> list[tuple[Account, list[str]]]:
        """Accounts with their roles, by login name."""
        query = select(Account).order_by(Account.login_name)
        if hospital_id is not None:
            query = query.where(Account.hospital_id == hospital_id)
        accounts = list(session.scalars(query))
        roles: dict[UUID, list[str]] = {a.id: [] for a in accounts}
        current = select(Assignment).where(Assignment.ended_at.is_(None)).order_by(Assignment.role)
        for held in session.scalars(current):
            if held.account_id in roles:
                roles[held.account_id].append(held.role)
        return [(a, roles[a.id]) for a in accounts]

    # -- writes -------------------------------------------------------------------------------------------------------
    def create_hospital(
        self,
        code: str,
        name: str,
        name_en: str,
        kind: str,
        *,
        ae_title: str | None = None,
        timezone: str = "Asia/Shanghai",
        actor: str = "system",
    ) -> UUID:
        """A new hospital. `kind` hub or primary. NameTaken when the code exists."""
        if kind not in ("hub", "primary"):
            raise Refused("kind is hub or primary")
        with self._db.transaction() as session:
            if self.hospital_by_code(session, code) is not None:
                raise NameTaken(code)
            hospital = Hospital(
                id=uuid7(),
                code=code,
                name=name,
                name_en=name_en,
                kind=kind,
                ae_title=ae_title,
                timezone=timezone,
                active=True,
                created_at=self._clock.now(),
            )
            session.add(hospital)
            self._note(session, hospital.id, "hospital_created", actor, {"hospital": str(hospital.id)})
            return hospital.id

    def create_account(
        self,
        login_name: str,
        name: str,
        hospital_id: UUID,
        roles: Sequence[str],
        *,
        password: str | None = None,
        title: str | None = None,
        department: str | None = None,
        specialties: Sequence[str] = (),
        phone: str | None = None,
        license_no: str | None = None,
        actor: str = "system",
    ) -> UUID:
        """A new account with its roles at its hospital (platform roles everywhere). NameTaken, UnknownRole, WeakPassword."""
        hashed = self._hashed(password) if password is not None else None
        now = self._clock.now()
        with self._db.transaction() as session:
            self.hospital(session, hospital_id)
            if session.scalar(select(Account.id).where(Account.login_name == login_name)) is not None:
                raise NameTaken(login_name)
            account = Account(
                id=uuid7(),
                login_name=login_name,
                password_hash=hashed,
                name=name,
                hospital_id=hospital_id,
                department_id=self._department(session, hospital_id, department) if department else None,
                title=title,
                phone=phone,
                specialties=list(specialties),
                license_no=license_no,
                active=True,
                created_at=now,
            )
            session.add(account)
            session.flush()
            for role in roles:
                self._assign(session, account.id, role, None if role in EVERYWHERE else hospital_id)
            data: dict[str, Json] = {"account": str(account.id), "roles": list(roles)}
            self._note(session, hospital_id, "account_created", actor, data)
            return account.id

    def set_password(self, account_id: UUID, password: str, *, actor: str = "system") -> None:
        """A new password; every login of the account ends. WeakPassword, NotFound."""
        hashed = self._hashed(password)
        with self._db.transaction() as session:
            account = self.account(session, account_id)
            account.password_hash = hashed
            self.logins.end_all(session, account_id)
            self._note(session, account.hospital_id, "password_set", actor, {"account": str(account_id)})

    def set_active(self, account_id: UUID, active: bool, *, actor: str = "system") -> None:
        """Let an account work, or not; switching it off ends its logins."""
        with self._db.transaction() as session:
            account = self.account(session, account_id)
            account.active = active
            if not active:
                self.logins.end_all(session, account_id)
            data: dict[str, Json] = {"account": str(account_id), "active": active}
            self._note(session, account.hospital_id, "account_active", actor, data)

    def assign(self, account_id: UUID, role: str, hospital_id: UUID | None, *, actor: str = "system") -> None:
        """Appoint somebody to a role; a repeated appointment changes nothing."""
        with self._db.transaction() as session:
            account = self.account(session, account_id)
            self._assign(session, account_id, role, hospital_id)
            data = {"account": str(account_id), "role": role, "hospital": str(hospital_id) if hospital_id else None}
            self._note(session, account.hospital_id, "role_given", actor, data)

    def withdraw_role(self, account_id: UUID, role: str, hospital_id: UUID | None, *, actor: str = "system") -> None:
        """End an appointment now."""
        with self._db.transaction() as session:
            account = self.account(session, account_id)
            held = self._held(session, account_id, role, hospital_id)
            if held is None:
                raise NotFound("appointment", role=role)
            held.ended_at = self._clock.now()
            self._note(session, account.hospital_id, "role_taken", actor, {"account": str(account_id), "role": role})

    def agree(
        self,
        from_hospital: UUID,
        to_hospital: UUID,
        scopes: Sequence[str],
        valid_from: datetime,
        valid_to: datetime,
        *,
        actor: str = "system",
    ) -> UUID:
        """An agreement between two hospitals for kinds of cases."""
        if valid_to <= valid_from or from_hospital == to_hospital:
            raise Refused("an agreement joins two hospitals and ends after it begins")
        with self._db.transaction() as session:
            agreement = Agreement(
                id=uuid7(),
                from_hospital=from_hospital,
                to_hospital=to_hospital,
                scopes=list(scopes),
                valid_from=valid_from,
                valid_to=valid_to,
            )
            session.add(agreement)
            data = {"agreement": str(agreement.id), "to": str(to_hospital), "scopes": list(scopes)}
            self._note(session, from_hospital, "agreement_made", actor, data)
            return agreement.id

    def add_shift(
        self, account_id: UUID, starts: datetime, ends: datetime, kind: str = "duty", *, actor: str = "system"
    ) -> UUID:
        """A row of the rota: duty, oncall or absent."""
        if kind not in ("duty", "oncall", "absent") or ends <= starts or ends - starts > timedelta(days=31):
            raise Refused("a shift is duty, oncall or absent, ends after it starts and lasts at most 31 days")
        with self._db.transaction() as session:
            account = self.account(session, account_id)
            shift = Shift(
                id=uuid7(), account_id=account_id, hospital_id=account.hospital_id, kind=kind, starts=starts, ends=ends
            )
            session.add(shift)
            data = {"shift": str(shift.id), "account": str(account_id), "kind": kind}
            self._note(session, account.hospital_id, "shift_added", actor, data)
            return shift.id

    def substitute(
        self, absent: UUID, substitute: UUID, starts: datetime, ends: datetime, *, actor: str = "system"
    ) -> UUID:
        """Somebody stands in for an absent colleague of the same hospital."""
        with self._db.transaction() as session:
            away, stand_in = self.account(session, absent), self.account(session, substitute)
            if absent == substitute or ends <= starts or away.hospital_id != stand_in.hospital_id:
                raise Refused("two people of one hospital, and an end after the start")
            row = Substitution(
                id=uuid7(), absent=absent, substitute=substitute, starts=starts, ends=ends, created_by=actor
            )
            session.add(row)
            data = {"absent": str(absent), "substitute": str(substitute)}
            self._note(session, away.hospital_id, "substitution_made", actor, data)
            return row.id

    # -- inside -------------------------------------------------------------------------------------------------------
    def _hashed(self, password: str) -> str:
        if len(password) < MIN_PASSWORD:
            raise WeakPassword
        return self._hasher.hash(password)

    def _held(self, session: Session, account_id: UUID, role: str, hospital_id: UUID | None) -> Assignment | None:
        place = Assignment.hospital_id == hospital_id if hospital_id else Assignment.hospital_id.is_(None)
        query = select(Assignment).where(
            Assignment.account_id == account_id, Assignment.role == role, place, Assignment.ended_at.is_(None)
        )
        return session.scalar(query)

    def _assign(self, session: Session, account_id: UUID, role: str, hospital_id: UUID | None) -> None:
        if role not in ROLES:
            raise UnknownRole(role)
        if self._held(session, account_id, role, hospital_id) is None:
            now = self._clock.now()
            session.add(
                Assignment(id=uuid7(), account_id=account_id, role=role, hospital_id=hospital_id, created_at=now)
            )

    def _department(self, session: Session, hospital_id: UUID, name: str) -> UUID:
        query = select(Department.id).where(Department.hospital_id == hospital_id, Department.name == name)
        found = session.scalar(query)
        if found is None:
            found = uuid7()
            session.add(Department(id=found, hospital_id=hospital_id, name=name))
            session.flush()
        return found

    def _note(
        self,
        session: Session,
        tenant: UUID | None,
        kind: str,
        actor: str,
        data: Mapping[str, Json],
    ) -> None:
        record(session, tenant=tenant or PLATFORM, kind=kind, actor=actor, at=self._clock.now(), data=data)
