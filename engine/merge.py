"""Bringing the data of joining tokens together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from engine.values import Json


def merge_branches(origin: Mapping[str, Json], branches: Iterable[Mapping[str, Json]]) -> dict[str, Json]:
    """The data after a join: what stood when the tokens parted, and on it what each branch changed, in their order.

    Contexts are merged key by key; of any other value the later change wins. A value no branch changed stays.
    """
    merged = dict(origin)
    for branch in branches:
        for key, value in branch.items():
            if key in origin and origin[key] == value and type(origin[key]) is type(value):
                continue
            there, before = merged.get(key), origin.get(key)
            if isinstance(value, Mapping) and isinstance(there, Mapping) and "@" not in value:
                merged[key] = merge_branches(before if isinstance(before, Mapping) else {}, [there, value])
            else:
                merged[key] = value
    return merged
