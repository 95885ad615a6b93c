"""The next hours of the experts a case is proposed to: who is on duty, away, in a session, and when he is free first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from tasks.people.service import directory
from webui.context import context, services
from webui.i18n import local

HOURS: Final = 12
SLOT: Final = timedelta(minutes=15)


@dataclass(frozen=True)
class Bar:
    """A stretch of time on a row: `kind` is duty, absent or room; place and width are per cent of the row."""

    kind: str
    left: float
    width: float
    starts: datetime
    ends: datetime


@dataclass(frozen=True)
class Row:
    """One expert: his bars, and when he is free first for the length asked about; None: not within these hours."""

    account_id: UUID
    bars: tuple[Bar, ...]
    free: datetime | None


@dataclass(frozen=True)
class Rota:
    """The rows with the hours above them; `now` is the place of this moment."""

    hours: tuple[tuple[float, str], ...]
    rows: tuple[Row, ...]
    now: float

    def of(self, account_id: UUID) -> Row | None:
        """The row of one expert."""
        return next((row for row in self.rows if row.account_id == account_id), None)


def rota(session: Any, accounts: Sequence[UUID], minutes: int) -> Rota:
    """The rota of these people from this hour on."""
    now = context().clock.now()
    begins = local(now).replace(minute=0, second=0, microsecond=0)
    ends = begins + timedelta(hours=HOURS)
    shifts = directory.shifts(session, accounts, begins, ends)
    rooms = services().session.booked(session, accounts, begins, ends)
    rows = []
    for account in accounts:
        spans = [
            (s.kind if s.kind == "absent" else "duty", s.starts, s.ends) for s in shifts if s.account_id == account
        ]
        spans += [("room", r.starts_at, r.ends_at) for r in rooms if r.expert == account]
        order = sorted(spans, key=lambda span: ("duty", "absent", "room").index(span[0]))
        bars = tuple(_bar(kind, a, b, begins) for kind, a, b in order)
        rows.append(Row(account, bars, free(spans, now, ends, timedelta(minutes=minutes))))
    hours = tuple((100 * n / HOURS, f"{begins + timedelta(hours=n):%H:%M}") for n in range(HOURS))
    return Rota(hours, tuple(rows), _place(now, begins))


def _place(moment: datetime, begins: datetime) -> float:
    return min(100.0, max(0.0, 100 * (moment - begins) / timedelta(hours=HOURS)))


def _bar(kind: str, starts: datetime, ends: datetime, begins: datetime) -> Bar:
    left = _place(starts, begins)
    return Bar(kind, left, _place(ends, begins) - left, starts, ends)


def free(
    spans: Sequence[tuple[str, datetime, datetime]], now: datetime, until: datetime, lasts: timedelta
) -> datetime | None:
    """The first quarter of an hour from which somebody is on duty for so long, neither away nor in a session."""
    quarter = now.replace(minute=now.minute - now.minute % 15, second=0, microsecond=0)
    start = quarter if quarter >= now else quarter + SLOT
    while start + lasts <= until:
        end = start + lasts
        on = any(kind == "duty" and a <= start and end <= b for kind, a, b in spans)
        if on and not any(kind != "duty" and a < end and start < b for kind, a, b in spans):
            return start
        start += SLOT
    return None
