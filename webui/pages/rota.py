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
    """The rows with the hours above them; `now` is the place of this moment, `needed` that of the latest beginning."""

    hours: tuple[tuple[float, str], ...]
    rows: tuple[Row, ...]
    now: float
    needed: float | None
    until: datetime | None
    lasts: int

    def of(self, account_id: UUID) -> Row | None:
        """The row of one expert."""
        return next((row for row in self.rows if row.account_id == account_id), None)


def rota(session: Any, accounts: Sequence[UUID], minutes: int, lasts: int, until: datetime | None = None) -> Rota:
    """The rota of these people for so many hours from this one on; who is needed for `minutes`, at `until` at the latest."""
    now = context().clock.now()
    begins = local(now).replace(minute=0, second=0, microsecond=0)
    whole = timedelta(hours=lasts)
    ends = begins + whole
    shifts = directory.shifts(session, accounts, begins, ends)
    rooms = services().session.booked(session, accounts, begins, ends)
    rows = []
    for account in accounts:
        spans = [
            (s.kind if s.kind == "absent" else "duty", s.starts, s.ends) for s in shifts if s.account_id == account
        ]
        spans += [("room", r.starts_at, r.ends_at) for r in rooms if r.expert == account]
        order = sorted(spans, key=lambda span: ("duty", "absent", "room").index(span[0]))
        bars = tuple(_bar(kind, a, b, begins, whole) for kind, a, b in order)
        rows.append(Row(account, bars, free(spans, now, ends, timedelta(minutes=minutes))))
    needed = _place(until, begins, whole) if until is not None and until <= ends else None
    return Rota(_scale(begins, lasts), tuple(rows), _place(now, begins, whole), needed, until, lasts)


def _scale(begins: datetime, lasts: int) -> tuple[tuple[float, str], ...]:
    """Twelve words at most: every hour, every few, or with the day where it changes."""
    step = next(s for s in (1, 2, 3, 6, 12, 24) if lasts / s <= 12)
    found = []
    for n in range(0, lasts, step):
        at = begins + timedelta(hours=n)
        new = n > 0 and at.date() != (at - timedelta(hours=step)).date()
        found.append((100 * n / lasts, f"{at:%m-%d}" if new else f"{at:%H:%M}"))
    return tuple(found)


def _place(moment: datetime, begins: datetime, whole: timedelta) -> float:
    return min(100.0, max(0.0, 100 * (moment - begins) / whole))


def _bar(kind: str, starts: datetime, ends: datetime, begins: datetime, whole: timedelta) -> Bar:
    left = _place(starts, begins, whole)
    return Bar(kind, left, _place(ends, begins, whole) - left, starts, ends)


def _joined(spans: Sequence[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    """Stretches of time, those that touch or overlap as one: a shift that follows another goes on."""
    found: list[tuple[datetime, datetime]] = []
    for starts, ends in sorted(spans):
        if found and starts <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], ends)
        else:
            found.append((starts, ends))
    return found


def free(
    spans: Sequence[tuple[str, datetime, datetime]], now: datetime, until: datetime, lasts: timedelta
) -> datetime | None:
    """The first quarter of an hour from which somebody is on duty for so long, neither away nor in a session."""
    duties = _joined([(a, b) for kind, a, b in spans if kind == "duty"])
    quarter = now.replace(minute=now.minute - now.minute % 15, second=0, microsecond=0)
    start = quarter if quarter >= now else quarter + SLOT
    while start + lasts <= until:
        end = start + lasts
        on = any(a <= start and end <= b for a, b in duties)
        if on and not any(kind != "duty" and a < end and start < b for kind, a, b in spans):
            return start
        start += SLOT
    return None
