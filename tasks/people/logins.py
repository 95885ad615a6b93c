"""Logins: a random token in the browser, its sha256 here; a lock after idle time that keeps the work, an absolute end."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from functools import lru_cache
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from engine.clock import Clock
from engine.db import Database
from engine.history import PLATFORM, record
from engine.ids import uuid7
from engine.values import Json
from tasks.people import directory
from tasks.people.actor import Actor
from tasks.people.errors import BadCredentials, LoginEnded, LoginLocked, TooManyLogins
from tasks.people.models import Account, Login, LoginFailure

IDLE = timedelta(minutes=15)
ABSOLUTE = timedelta(hours=12)
FRESH = timedelta(minutes=5)
"""How long a proven password counts for steps that ask for it again."""
_TOUCH = timedelta(seconds=30)
WINDOW = timedelta(minutes=10)
"""Within this time so many failures are borne: of one name, and of one address (a hospital may share one)."""
PER_NAME, PER_ADDRESS = 10, 60
TOLD = 16
"""Failures of one address in an hour that may each be an entry of the record."""
UNKNOWN = "unknown"
"""Who tried to log in by a name nobody has."""
_KEPT = timedelta(days=1)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


@lru_cache(maxsize=4)
def _nobody(time: int, memory: int, lanes: int) -> str:
    """The hash of a password nobody has: an unknown name costs as much time as a wrong password."""
    return PasswordHasher(time, memory, lanes).hash(secrets.token_hex())


class Logins:
    """Opens, checks, locks and ends logins."""

    def __init__(self, db: Database, clock: Clock, hasher: PasswordHasher) -> None:
        self._db, self._clock, self._hasher = db, clock, hasher
        self._nobody = _nobody(hasher.time_cost, hasher.memory_cost, hasher.parallelism)

    def open(self, login_name: str, password: str, *, address: str | None = None) -> tuple[str, Actor]:
        """A new login: its token (256 bits, shown once) and the actor. BadCredentials without saying which was wrong.

        TooManyLogins after several failures, before the password is looked at; the count is in the database, so that it
        holds over every process that serves.
        """
        self._bear(login_name, address)
        with self._db.read() as session:
            account = session.scalar(select(Account).where(Account.login_name == login_name))
        good = self._verify(account.password_hash if account else None, password)
        if account is None or not good or not account.active:
            raise BadCredentials(left=self._failed(login_name, address, account, "login_failed"))
        token, now = secrets.token_urlsafe(32), self._clock.now()
        with self._db.transaction() as session:
            login = Login(
                id=uuid7(),
                account_id=account.id,
                token_hash=_hash(token),
                created_at=now,
                seen_at=now,
                expires_at=now + ABSOLUTE,
                reauth_at=now,
                locked=False,
                address=address,
            )
            session.add(login)
            record(
                session, tenant=account.hospital_id, kind="login", actor=str(account.id), at=now, data=_place(address)
            )  # fmt: skip
            return token, directory.actor(session, account.id, now, login_id=login.id, reauth_at=now, address=address)

    def check(self, token: str, *, touch: bool = True) -> Actor:
        """The actor of a token. LoginEnded after the end or a revocation; LoginLocked after 15 idle minutes.

        Without `touch` the call is no sign that somebody is there: a page that asks by itself keeps no screen open.
        """
        now = self._clock.now()
        with self._db.read() as session:
            login = self._find(session, token, now)
            actor = directory.actor(
                session, login.account_id, now, login_id=login.id, reauth_at=login.reauth_at, address=login.address
            )
        if login.locked or now - login.seen_at > IDLE:
            raise LoginLocked
        if touch and now - login.seen_at > _TOUCH:
            with self._db.transaction() as session:
                session.execute(update(Login).where(Login.id == login.id, Login.seen_at < now).values(seen_at=now))
        return actor

    def lock(self, token: str) -> None:
        """Lock the screen now."""
        with self._db.transaction() as session:
            self._find(session, token, self._clock.now()).locked = True

    def unlock(self, token: str, password: str) -> Actor:
        """Go on after a lock. BadCredentials when the password is wrong."""
        now = self._clock.now()
        login_id = self._prove(token, password)
        with self._db.transaction() as session:
            values = {"locked": False, "seen_at": now, "reauth_at": now}
            session.execute(update(Login).where(Login.id == login_id).values(**values))
        return self.check(token)

    def reauthenticate(self, token: str, password: str) -> Actor:
        """Prove once more who is there; good for five minutes. BadCredentials when the password is wrong."""
        now = self._clock.now()
        login_id = self._prove(token, password)
        with self._db.transaction() as session:
            session.execute(update(Login).where(Login.id == login_id).values(reauth_at=now, seen_at=now))
        return self.check(token)

    def end(self, token: str) -> None:
        """Log out; ending an ended login is no error."""
        now = self._clock.now()
        with self._db.transaction() as session:
            login = session.scalar(select(Login).where(Login.token_hash == _hash(token), Login.revoked_at.is_(None)))
            if login is None:
                return
            login.revoked_at = now
            account = session.get_one(Account, login.account_id)
            record(session, tenant=account.hospital_id, kind="logout", actor=str(account.id), at=now)

    def end_all(self, session: Session, account_id: UUID) -> None:
        """Revoke every login of an account, inside a transaction that changes it."""
        query = update(Login).where(Login.account_id == account_id, Login.revoked_at.is_(None))
        session.execute(query.values(revoked_at=self._clock.now()))

    def _find(self, session: Session, token: str, now: datetime) -> Login:
        login = session.scalar(select(Login).where(Login.token_hash == _hash(token)))
        if login is None or login.revoked_at is not None or now >= login.expires_at:
            raise LoginEnded
        return login

    def _prove(self, token: str, password: str) -> UUID:
        with self._db.read() as session:
            login = self._find(session, token, self._clock.now())
            account = session.get_one(Account, login.account_id)
        self._bear(account.login_name, None)
        if not account.active or not self._verify(account.password_hash, password):
            raise BadCredentials(left=self._failed(account.login_name, login.address, account, "reauth_failed"))
        return login.id

    def _bear(self, login_name: str, address: str | None) -> None:
        """TooManyLogins, with the minutes to wait, when this name or address failed too often of late."""
        limits = [(LoginFailure.name_hash == _hash(login_name), PER_NAME)]
        if address:
            limits.append((LoginFailure.address == address, PER_ADDRESS))
        now = self._clock.now()
        with self._db.read() as session:
            for whose, most in limits:
                recent = select(LoginFailure.at).where(whose, LoginFailure.at > now - WINDOW)
                # when the oldest of the last `most` leaves the window, there is room for one more
                oldest = session.scalar(recent.order_by(LoginFailure.at.desc()).offset(most - 1).limit(1))
                if oldest is not None:
                    raise TooManyLogins(minutes=max(1, -int((now - oldest - WINDOW).total_seconds() // 60)))

    def _failed(self, login_name: str, address: str | None, account: Account | None, kind: str) -> int:
        """Count a failure; returns how many more of the name are borne. The name is hashed, for what is typed there may be a
        password. The record gets the first ones of a name and a place, then every doubling, so that whoever tries for hours
        fills no chain."""
        now = self._clock.now()
        name = _hash(login_name)
        with self._db.transaction() as session:
            session.execute(delete(LoginFailure).where(LoginFailure.at < now - _KEPT))
            session.add(LoginFailure(id=uuid7(), name_hash=name, address=address, at=now))
            session.flush()
            hour = now.replace(minute=0, second=0, microsecond=0)
            since = select(func.count()).select_from(LoginFailure).where(LoginFailure.at >= hour)
            named = session.scalar(since.where(LoginFailure.name_hash == name)) or 0
            placed = session.scalar(since.where(LoginFailure.address == address)) or 0 if address else named
            if notable(named, placed):
                record(
                    session, tenant=account.hospital_id if account else PLATFORM, kind=kind, at=now,
                    actor=str(account.id) if account else UNKNOWN, data={"named": named, "placed": placed} | _place(address),
                )  # fmt: skip
            recent = select(func.count()).where(LoginFailure.name_hash == name, LoginFailure.at > now - WINDOW)
            return max(0, PER_NAME - int(session.scalar(recent) or 0))

    def _verify(self, stored: str | None, password: str) -> bool:
        try:
            return self._hasher.verify(stored or self._nobody, password) and stored is not None
        except (Argon2Error, InvalidHashError):
            return False


def notable(named: int, placed: int) -> bool:
    """Whether the n-th failure of a name and of an address within an hour is an entry of the record: of one address at most
    sixteen and one for each doubling of it."""
    return _doubled(placed) or (placed <= TOLD and _doubled(named)) or (placed <= TOLD and named == PER_NAME)


def _doubled(number: int) -> bool:
    return number > 0 and number & (number - 1) == 0


def _place(address: str | None) -> dict[str, Json]:
    return {"address": address} if address else {}


def fresh(actor: Actor, now: datetime) -> bool:
    """Whether the actor proved who he is within the last five minutes."""
    return actor.reauth_at is not None and now - actor.reauth_at <= FRESH
