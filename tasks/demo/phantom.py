"""A seeded head phantom as a CT-like stack: skull, brain, ventricles, and a low-density area at the left back. Invented and labelled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SLICES, SIZE = 24, 256
AIR, SKIN, BONE, BRAIN, FLUID, LESION = -1000, 40, 900, 36, 6, 22
"""Hounsfield units."""


def _inside(
    shape: tuple[int, int], centre: tuple[float, float], radii: tuple[float, float], turn: float = 0.0
) -> NDArray[np.bool_]:
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    y, x = rows - centre[0], columns - centre[1]
    u, v = x * np.cos(turn) + y * np.sin(turn), -x * np.sin(turn) + y * np.cos(turn)
    return np.asarray((u / radii[0]) ** 2 + (v / radii[1]) ** 2 <= 1, dtype=np.bool_)


def slice_at(number: int, seed: int = 7) -> NDArray[np.int16]:
    """Slice `number` of SLICES from the base of the skull upwards: (256, 256) int16 in Hounsfield units, with noise."""
    rng = np.random.default_rng(seed + number)
    height = number / (SLICES - 1)
    grow = float(np.sqrt(max(0.05, 1 - (1.55 * height - 0.6) ** 2)))
    values = np.full((SIZE, SIZE), AIR, dtype=np.float32)
    middle = (128.0, 128.0)
    for radii, hu in (((92, 112), SKIN), ((88, 108), BONE), ((80, 100), BRAIN)):
        values[_inside(values.shape, middle, (radii[0] * grow, radii[1] * grow))] = hu
    folds = np.sin(np.arange(SIZE) / 5.5)[:, None] * np.sin(np.arange(SIZE) / 6.5)[None, :]
    brain = values == BRAIN
    values[brain] += folds[brain] * 3
    if 0.35 < height < 0.75:
        for side in (-1, 1):
            horn = _inside(values.shape, (118, 128 + side * 14), (7 * grow, 26 * grow), side * 0.35)
            values[horn & brain] = FLUID
    if 0.3 < height < 0.8:
        size = 1 - abs(height - 0.55) * 3
        lesion = _inside(values.shape, (186, 166), (26 * size + 4, 18 * size + 3), -0.5)
        values[lesion & brain] = LESION
    values[_inside(values.shape, middle, (1.2, 96 * grow)) & brain & (np.arange(SIZE)[:, None] < 96)] = 50
    return np.asarray(np.round(values + rng.normal(0, 3.5, values.shape)), dtype=np.int16)
