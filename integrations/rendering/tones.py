"""From stored values to eight bits: modality LUT, window, inversion, palette, colour (PS3.3 C.11.1, C.11.2, C.7.6.3, C.7.9)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from integrations.foreign import malformed

Window = tuple[float, float]
GROUPS = ("PixelMeasuresSequence", "FrameVOILUTSequence", "PixelValueTransformationSequence", "PlanePositionSequence",
          "PlaneOrientationSequence")  # fmt: skip
"""Functional groups of an enhanced object that say how a frame looks and where it lies (PS3.3 C.7.6.16)."""


def numbers(ds: Any, word: str) -> tuple[float, ...]:
    """An attribute's finite numbers; none when it is absent or malformed."""
    try:
        value = getattr(ds, word, None)
        if value is None or value == "":
            return ()
        several = hasattr(value, "__iter__") and not isinstance(value, str)
        found = tuple(float(v) for v in (value if several else [value]))
    except malformed():
        return ()
    return found if all(math.isfinite(n) for n in found) else ()


def number(ds: Any, word: str, otherwise: float) -> float:
    """An attribute's first number."""
    return next(iter(numbers(ds, word)), otherwise)


def of_frame(ds: Any, frame: int) -> Any:
    """The attributes that hold for one frame: those of the object, over them shared and own functional groups."""
    shared = getattr(ds, "SharedFunctionalGroupsSequence", None) or []
    own = getattr(ds, "PerFrameFunctionalGroupsSequence", None) or []
    if not shared and not own:
        return ds
    from pydicom.dataset import Dataset

    flat = Dataset(ds)
    for group in (*shared[:1], *own[frame : frame + 1]):
        for word in GROUPS:
            for item in (getattr(group, word, None) or [])[:1]:
                flat.update(item)
    return flat


def eight_bit(ds: Any, pixels: NDArray[Any], window: Window | None = None) -> NDArray[np.uint8]:
    """A frame (rows, columns) as grey, (rows, columns, 3) as RGB; values 0..255."""
    if pixels.ndim == 3:
        return _narrow(pixels, int(number(ds, "BitsStored", pixels.dtype.itemsize * 8)))
    space = str(getattr(ds, "PhotometricInterpretation", ""))
    if space == "PALETTE COLOR":
        from pydicom.pixels.processing import apply_color_lut

        coloured = apply_color_lut(pixels, ds)
        return _narrow(coloured, coloured.dtype.itemsize * 8)
    values = _modality(ds, pixels)
    shown = _windowed(ds, values, pixels, window)
    if space == "MONOCHROME1":
        shown = 1 - shown
    return np.asarray(np.round(shown * 255), dtype=np.uint8)


def _narrow(pixels: NDArray[Any], bits: int) -> NDArray[np.uint8]:
    """Samples of so many bits by their upper eight."""
    return np.asarray(np.clip(pixels, 0, None) >> max(0, bits - 8), dtype=np.uint8)


def _modality(ds: Any, pixels: NDArray[Any]) -> NDArray[np.float32]:
    if "ModalityLUTSequence" in ds:
        from pydicom.pixels.processing import apply_modality_lut

        return np.asarray(apply_modality_lut(pixels, ds), dtype=np.float32)
    slope, intercept = number(ds, "RescaleSlope", 1.0) or 1.0, number(ds, "RescaleIntercept", 0.0)
    return np.asarray(pixels, dtype=np.float32) * np.float32(slope) + np.float32(intercept)


def _windowed(ds: Any, values: NDArray[np.float32], pixels: NDArray[Any], window: Window | None) -> NDArray[Any]:
    """Values between 0 and 1 by the window asked for, the header's first one, its VOI LUT, or what the content needs."""
    function = str(getattr(ds, "VOILUTFunction", "") or "LINEAR")
    if window is None:
        centres, widths = numbers(ds, "WindowCenter"), numbers(ds, "WindowWidth")
        if centres and widths and widths[0] > 0:
            window = centres[0], widths[0]
    else:
        function = "LINEAR"
    if window is not None:
        return _by_function(values, window, function)
    if "VOILUTSequence" in ds:
        from pydicom.pixels.processing import apply_voi

        values = np.asarray(apply_voi(np.round(values).astype(np.int32), ds, index=0), dtype=np.float32)
        return _between(values, float(values.min()), float(values.max()))
    inner = values[pixels != int(number(ds, "PixelPaddingValue", 0))] if "PixelPaddingValue" in ds else values
    low, high = np.percentile(inner if inner.size else values, (0.5, 99.5))
    return _between(values, float(low), float(high))


def _by_function(values: NDArray[np.float32], window: Window, function: str) -> NDArray[Any]:
    centre, width = window
    if function == "SIGMOID":
        return np.asarray(1 / (1 + np.exp(np.clip(-4 * (values - centre) / width, -60, 60))))
    if function == "LINEAR_EXACT":
        return _between(values, centre - width / 2, centre + width / 2)
    return _between(values, centre - 0.5 - (width - 1) / 2, centre - 0.5 + (width - 1) / 2)


def _between(values: NDArray[np.float32], low: float, high: float) -> NDArray[Any]:
    if high <= low:
        return np.asarray(values > low, dtype=np.float32)
    return np.asarray(np.clip((values - low) / (high - low), 0, 1))
