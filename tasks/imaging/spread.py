"""Which objects of a study stand for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Protocol, TypeVar


class Placed(Protocol):
    """An object in a series."""

    series_uid: str
    pixels: bool
    decodes: bool | None


T = TypeVar("T", bound=Placed)


def stack(objects: Sequence[T], limit: int) -> list[T]:
    """At most `limit` decodable images of the largest series, evenly spread over it, in the given order."""
    images = [o for o in objects if o.pixels and o.decodes is not False]
    if not images:
        return []
    largest = min(Counter(o.series_uid for o in images).items(), key=lambda pair: (-pair[1], pair[0]))[0]
    chosen = [o for o in images if o.series_uid == largest]
    if len(chosen) <= limit:
        return chosen
    step = (len(chosen) - 1) / (limit - 1)
    return [chosen[round(i * step)] for i in range(limit)]
