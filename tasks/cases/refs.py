"""Case numbers: `RC261124-QH-0007` is kind, day in China, hospital, running number of that day."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from tasks.cases.models import RefCounter

CHINA = ZoneInfo("Asia/Shanghai")


def format_ref(kind: str, day: str, code: str, number: int) -> str:
    """The number as people read it; it grows past four digits rather than start again."""
    return f"{kind}{day}-{code}-{number:04d}"


def next_ref(session: Session, *, tenant: UUID, code: str, kind: str, at: datetime) -> str:
    """The next number of a hospital's kind and day. Two at once get two numbers; one rolled back may leave a gap."""
    day = at.astimezone(CHINA).strftime("%y%m%d")
    table: Table = RefCounter.__table__  # type: ignore[assignment]
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    counter = dialect.insert(table).values(tenant=tenant, kind=kind, day=day, number=1)
    upsert = counter.on_conflict_do_update(
        index_elements=[table.c.tenant, table.c.kind, table.c.day], set_={"number": table.c.number + 1}
    ).returning(table.c.number)
    return format_ref(kind, day, code, session.execute(upsert).scalar_one())
