"""Process data is JSON; dates, times and durations travel as tagged objects so that nothing is guessed from a string.

`{"@": "dt", "v": "2026-11-24T08:42:00+00:00"}`; tags: dt date and time, d date, t time, dur days-and-time duration
(ISO 8601), ym years-and-months duration, dec decimal number.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import orjson

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"


def canonical(value: Any) -> bytes:
    """The one byte form of a JSON value: sorted keys, UTF-8, no spaces."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)


def digest(value: Any) -> str:
    """sha256 of the canonical form, in lower-case hex."""
    return hashlib.sha256(canonical(value)).hexdigest()
