"""Which pictures stand for a stack: ordered by geometry, cut into equal parts, of each part the one with most to see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from integrations.rendering.tones import number, numbers

LOOKED_AT = 64
"""Frames of a stack whose content is compared at the most."""


@dataclass(frozen=True)
class Place:
    """A frame and where it lies: object in the list given, frame in the object, distance along the normal in mm, number."""

    index: int
    frame: int
    distance: float
    number: int


def place(ds: Any, index: int, frame: int) -> Place:
    """Where a frame lies; `ds` holds the attributes of that frame (PS3.3 C.7.6.2)."""
    position, axes = numbers(ds, "ImagePositionPatient"), numbers(ds, "ImageOrientationPatient")
    count = int(number(ds, "InstanceNumber", 0))
    if len(position) != 3 or len(axes) != 6:
        return Place(index, frame, 0.0, count)
    normal = np.cross(np.array(axes[:3]), np.array(axes[3:]))
    return Place(index, frame, float(normal @ np.array(position)), count)


def parts(places: Sequence[Place], count: int) -> list[list[Place]]:
    """The frames in geometric order, at most LOOKED_AT evenly spread ones, in at most `count` neighbouring parts."""
    ordered = sorted(places, key=lambda p: (p.distance, p.number, p.index, p.frame))
    if len(ordered) > LOOKED_AT:
        ordered = [ordered[round(i * (len(ordered) - 1) / (LOOKED_AT - 1))] for i in range(LOOKED_AT)]
    wanted = max(1, min(count, len(ordered)))
    edges = [round(i * len(ordered) / wanted) for i in range(wanted + 1)]
    return [ordered[a:b] for a, b in pairwise(edges) if b > a]


def content(grey: NDArray[np.uint8]) -> float:
    """How much there is to see in a windowed picture: the entropy of its grey levels in bits, so that air and margins lose."""
    step = max(1, min(grey.shape[:2]) // 128)
    levels = np.bincount((grey[::step, ::step] >> 2).reshape(-1), minlength=64)
    shares = levels[levels > 0] / levels.sum()
    return float(-(shares * np.log2(shares)).sum())


def best(part: Sequence[Place], contents: dict[Place, float]) -> tuple[Place, str] | None:
    """The richest frame of a part, of equals the one nearest to its middle, and why; None when none could be decoded."""
    known = [p for p in part if p in contents]
    if not known:
        return None
    middle = (len(part) - 1) / 2
    chosen = max(known, key=lambda p: (contents[p], -abs(part.index(p) - middle)))
    if len(part) == 1:
        return chosen, "only slice of its part"
    return chosen, f"most content of {len(part)} neighbouring slices"
