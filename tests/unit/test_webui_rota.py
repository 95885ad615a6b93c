"""When an expert is free first: on duty for the whole length, neither away nor in a session, from a quarter of an hour on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from webui.pages.rota import free

NOW = datetime(2026, 11, 24, 8, 7, tzinfo=UTC)


def _at(minutes: int) -> datetime:
    return datetime(2026, 11, 24, 8, 0, tzinfo=UTC) + timedelta(minutes=minutes)


@pytest.mark.parametrize(("spans", "expected"), [
    ([], None), ([("duty", 0, 600)], 15), ([("duty", 60, 600)], 60), ([("duty", 0, 30)], None), ([("duty", 0, 45)], 15),
    ([("duty", 0, 600), ("room", 20, 50)], 60), ([("duty", 0, 600), ("absent", 0, 100)], 105), ([("room", 0, 30)], None),
    ([("duty", 0, 600), ("room", 45, 75)], 15), ([("duty", 700, 900)], None), ([("duty", 30, 50), ("duty", 10, 30)], 15),
])  # fmt: skip
def test_the_first_free_time(spans: list[tuple[str, int, int]], expected: int | None) -> None:
    known = [(kind, _at(a), _at(b)) for kind, a, b in spans]
    assert free(known, NOW, _at(720), timedelta(minutes=30)) == (None if expected is None else _at(expected))
