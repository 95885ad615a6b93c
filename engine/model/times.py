"""Times that stand in a model in ISO 8601, the same for the judge and for the runner."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from engine.feel.temporal import Months, parse_duration

_LITERAL = re.compile(r"(R\d*/|-?P[\dT]|\d{4}-\d\d-\d\dT)\S*\Z")
_CYCLE = re.compile(r"R(\d*)/(?:([^P/][^/]*)/)?(P[^/]+)\Z")


def is_literal(text: str) -> bool:
    """Whether a time is written in ISO 8601 and so stands for itself; anything else is FEEL."""
    return _LITERAL.match(text) is not None


def moment(text: str) -> timedelta | Months | datetime | None:
    """The duration or the date and time a text names; None when it is neither."""
    try:
        return parse_duration(text) or datetime.fromisoformat(text)
    except ValueError:
        return None


def cycle(text: str) -> tuple[int, str, str] | None:
    """How often (-1: for ever), first when (an instant or a duration), and after which duration again; None when it is no
    cycle, or one that would never move on."""
    match = _CYCLE.match(text)
    every = parse_duration(match[3]) if match else None
    if match is None or every is None or not (every.count if isinstance(every, Months) else every) or match[1] == "0":
        return None
    if match[2] and not isinstance(moment(match[2]), datetime):
        return None
    return int(match[1] or -1), match[2] or match[3], match[3]
