"""Set up a whole alliance from one document; sent twice, it changes nothing the second time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from engine.db import Database
from tasks.people import directory
from tasks.people.models import Account, Shift
from tasks.people.service import People


@dataclass
class Loaded:
    """The identifiers behind the codes and login names of the document."""

    hospitals: dict[str, UUID] = field(default_factory=dict)
    accounts: dict[str, UUID] = field(default_factory=dict)


def load(people: People, db: Database, document: Mapping[str, Any], *, actor: str) -> Loaded:
    """Hospitals, accounts with roles, agreements and shifts of the document; what exists already stays as it is."""
    loaded = Loaded()
    _hospitals(people, db, document.get("hospitals", ()), loaded, actor)
    _accounts(people, db, document.get("accounts", ()), loaded, actor)
    for row in document.get("agreements", ()):
        sides = loaded.hospitals[row["from"]], loaded.hospitals[row["to"]]
        starts, ends = datetime.fromisoformat(row["valid_from"]), datetime.fromisoformat(row["valid_to"])
        with db.read() as session:
            missing = [s for s in row["scopes"] if directory.agreement(session, *sides, s, starts) is None]
        if missing:
            people.agree(*sides, missing, starts, ends, actor=actor)
    for row in document.get("shifts", ()):
        account = loaded.accounts[row["login"]]
        starts, ends = datetime.fromisoformat(row["starts"]), datetime.fromisoformat(row["ends"])
        with db.read() as session:
            same = select(Shift.id).where(Shift.account_id == account, Shift.starts == starts, Shift.ends == ends)
            exists = session.scalar(same) is not None
        if not exists:
            people.add_shift(account, starts, ends, row.get("kind", "duty"), actor=actor)
    return loaded


def _hospitals(people: People, db: Database, rows: Sequence[Mapping[str, Any]], loaded: Loaded, actor: str) -> None:
    for row in rows:
        with db.read() as session:
            existing = people.hospital_by_code(session, row["code"])
        loaded.hospitals[row["code"]] = (
            existing.id
            if existing
            else people.create_hospital(
                row["code"], row["name"], row["name_en"], row["kind"], ae_title=row.get("ae_title"), actor=actor
            )
        )


def _accounts(people: People, db: Database, rows: Sequence[Mapping[str, Any]], loaded: Loaded, actor: str) -> None:
    for row in rows:
        with db.read() as session:
            existing = session.scalar(select(Account.id).where(Account.login_name == row["login"]))
        loaded.accounts[row["login"]] = existing or people.create_account(
            row["login"],
            row["name"],
            loaded.hospitals[row["hospital"]],
            row["roles"],
            password=row.get("password"),
            title=row.get("title"),
            department=row.get("department"),
            specialties=row.get("specialties", ()),
            phone=row.get("phone"),
            license_no=row.get("license_no"),
            actor=actor,
        )
