"""When a failing line rests: a pure rule."""

from __future__ import annotations

from datetime import datetime, timedelta

TOLERATED = 3
FIRST, LONGEST = timedelta(seconds=10), timedelta(minutes=10)


def rest_until(failures: int, now: datetime) -> datetime | None:
    """After how many failures in a row the line rests, and until when: 10 s doubling to 10 min; None while it is tolerated."""
    if failures < TOLERATED:
        return None
    doubled: int = 2 ** min(failures - TOLERATED, 10)
    return now + min(LONGEST, FIRST * doubled)
