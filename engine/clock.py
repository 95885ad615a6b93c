"""The one source of time, injected everywhere, so that tests move it by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Anything that knows the present instant."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        return datetime.now(UTC)


class TestClock:
    """A clock that stands still until it is advanced."""

    __test__ = False

    def __init__(self, at: datetime) -> None:
        if at.tzinfo is None:
            raise ValueError("TestClock needs an aware datetime; add tzinfo=UTC")
        self._now = at.astimezone(UTC)

    def now(self) -> datetime:
        """The instant the clock was last set to."""
        return self._now

    def advance(self, by: timedelta) -> datetime:
        """Move forward (or back, for clock-jump tests) and return the new instant."""
        self._now += by
        return self._now
