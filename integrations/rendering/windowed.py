"""Pictures of slices: modality LUT, window, inversion, colour, pixel aspect (PS3.3 C.11.1, C.11.2, C.7.6.3)."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from integrations.rendering.port import KeyImage

Decode = Callable[[bytes], NDArray[Any]]


class WindowedRenderer:
    """Draws with numpy and Pillow. `decode` gives the stored values of all frames (frames, rows, columns[, 3])."""

    def __init__(self, decode: Decode) -> None:
        self._decode = decode

    def picture(self, part10: bytes, frame: int = 0, size: int = 512) -> bytes:
        """One frame as PNG."""
        ds = _head(part10)
        frames = self._decode(part10)
        return _png(_eight_bit(ds, frames[min(frame, len(frames) - 1)]), _aspect(ds), size)

    def key_images(self, objects: list[bytes], count: int = 4) -> list[KeyImage]:
        """The picture richest in content of each of `count` equal parts of the stack, in geometric order."""
        heads = [_head(raw) for raw in objects]
        order = sorted((i for i, ds in enumerate(heads) if "Rows" in ds), key=lambda i: _place(heads[i]))
        parts = [
            list(part) for part in np.array_split(np.array(order, dtype=int), min(count, len(order)) or 1) if len(part)
        ]
        chosen: list[KeyImage] = []
        for part in parts:
            pictures = {int(i): self._decode(objects[int(i)])[0] for i in part}
            best = max(pictures, key=lambda i: (_content(pictures[i]), -abs(part.index(i) - len(part) / 2)))
            png = _png(_eight_bit(heads[best], pictures[best]), _aspect(heads[best]), 512)
            reason = "only slice of its part" if len(part) == 1 else f"most content of {len(part)} neighbouring slices"
            chosen.append(KeyImage(best, png, reason))
        return chosen


def _head(part10: bytes) -> Any:
    from pydicom import dcmread

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return dcmread(io.BytesIO(part10), stop_before_pixels=True)


def _place(ds: Any) -> tuple[float, int]:
    position, axes = getattr(ds, "ImagePositionPatient", None), getattr(ds, "ImageOrientationPatient", None)
    number = int(getattr(ds, "InstanceNumber", 0) or 0)
    if not position or not axes or len(axes) != 6:
        return (0.0, number)
    normal = np.cross(np.array(axes[:3], dtype=float), np.array(axes[3:], dtype=float))
    return (float(normal @ np.array(position, dtype=float)), number)


def _content(pixels: NDArray[Any]) -> float:
    """How much there is to see: the variance of values, so that air and margins lose."""
    return float(np.asarray(pixels[::2, ::2], dtype=np.float32).var())


def _eight_bit(ds: Any, pixels: NDArray[Any]) -> NDArray[np.uint8]:
    if pixels.ndim == 3:
        return _colour(ds, pixels)
    from pydicom.pixels.processing import apply_modality_lut

    values = np.asarray(apply_modality_lut(pixels, ds), dtype=np.float32)
    low, high = _window(ds, values)
    scaled = np.clip((values - low) / max(high - low, 1e-6), 0, 1) * 255
    if str(getattr(ds, "PhotometricInterpretation", "")) == "MONOCHROME1":
        scaled = 255 - scaled
    return np.asarray(scaled, dtype=np.uint8)


def _window(ds: Any, values: NDArray[Any]) -> tuple[float, float]:
    """Lowest and highest value shown: the header's linear window, else all but the outermost half per cent."""
    centre, width = getattr(ds, "WindowCenter", None), getattr(ds, "WindowWidth", None)
    if centre in (None, "") or width in (None, ""):
        low, high = np.percentile(values, (0.5, 99.5))
        return float(low), float(high)
    c = float(centre[0] if hasattr(centre, "__iter__") else centre)
    w = float(width[0] if hasattr(width, "__iter__") else width)
    return c - 0.5 - (w - 1) / 2, c - 0.5 + (w - 1) / 2


def _colour(ds: Any, pixels: NDArray[Any]) -> NDArray[np.uint8]:
    from pydicom.pixels.processing import convert_color_space

    if pixels.dtype != np.uint8:
        pixels = (pixels >> max(0, int(getattr(ds, "BitsStored", 16)) - 8)).astype(np.uint8)
    space = str(getattr(ds, "PhotometricInterpretation", "RGB"))
    if space in ("YBR_FULL", "YBR_FULL_422"):
        return np.asarray(convert_color_space(pixels, "YBR_FULL", "RGB"), dtype=np.uint8)
    return np.asarray(pixels, dtype=np.uint8)


def _aspect(ds: Any) -> float:
    """Height of a pixel over its width."""
    spacing = getattr(ds, "PixelSpacing", None) or getattr(ds, "ImagerPixelSpacing", None)
    if spacing and len(spacing) == 2 and float(spacing[0]) > 0 and float(spacing[1]) > 0:
        return float(spacing[0]) / float(spacing[1])
    return 1.0


def _png(pixels: NDArray[np.uint8], aspect: float, size: int) -> bytes:
    from PIL import Image

    image = Image.fromarray(pixels)
    width, height = image.width, image.height * aspect
    scale = min(1.0, size / max(width, height)) if max(width, height) > size or aspect != 1.0 else 1.0
    wanted = (max(1, round(width * scale)), max(1, round(height * scale)))
    if wanted != image.size:
        image = image.resize(wanted, Image.Resampling.LANCZOS)
    out = io.BytesIO()
    image.save(out, "PNG", optimize=False, compress_level=6)
    return out.getvalue()
