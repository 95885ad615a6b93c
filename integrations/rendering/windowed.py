"""Pictures of slices and stacks, by numpy and Pillow."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from integrations import IntegrationError
from integrations.foreign import malformed, quiet
from integrations.rendering import stack, tones
from integrations.rendering.port import KeyImage, NotDrawable

Decode = Callable[[bytes, int | None], NDArray[Any]]
"""The stored values of one frame, or of all: (frames, rows, columns[, 3]), colour as RGB."""


class WindowedRenderer:
    """Draws what `decode` gives; an IntegrationError of it means that an object cannot be decoded."""

    def __init__(self, decode: Decode) -> None:
        self._decode = decode

    def picture(self, part10: bytes, frame: int = 0, size: int = 512, window: tones.Window | None = None) -> bytes:
        """One frame as PNG."""
        ds = _head(part10)
        wanted = max(0, min(frame, _frames(ds) - 1))
        about = tones.of_frame(ds, wanted)
        pixels = self._decode(part10, wanted)[0]
        try:
            return _png(tones.eight_bit(about, pixels, window), _aspect(about), size)
        except malformed() as problem:
            raise NotDrawable(f"Its attributes cannot be used ({type(problem).__name__}).") from None

    def thumbnail(self, part10: bytes, size: int = 128) -> bytes:
        """The middle frame, small."""
        return self.picture(part10, _frames(_head(part10)) // 2, size)

    def key_images(self, objects: list[bytes], count: int = 4) -> list[KeyImage]:
        """The picture richest in content of each of `count` neighbouring parts of the stack, in geometric order."""
        heads = [_head(raw) for raw in objects]
        places = [
            stack.place(tones.of_frame(ds, frame), index, frame)
            for index, ds in enumerate(heads)
            if "Rows" in ds
            for frame in range(_frames(ds))
        ]
        parts = stack.parts(places, count)
        contents = self._contents(objects, heads, [p for part in parts for p in part])
        chosen = [found for part in parts if (found := stack.best(part, contents))]
        return [KeyImage(p.index, self.picture(objects[p.index], p.frame), why, p.frame) for p, why in chosen]

    def _contents(self, objects: list[bytes], heads: list[Any], places: list[stack.Place]) -> dict[stack.Place, float]:
        """How much each frame shows, object by object, so that only one is held at a time; without what cannot be decoded."""
        found: dict[stack.Place, float] = {}
        for index in dict.fromkeys(p.index for p in places):
            try:
                frames = self._decode(objects[index], None)
                for p in places:
                    if p.index == index and p.frame < len(frames):
                        about = tones.of_frame(heads[index], p.frame)
                        found[p] = stack.content(tones.eight_bit(about, frames[p.frame]))
            except IntegrationError:
                continue
            except malformed():
                continue
        return found


def _head(part10: bytes) -> Any:
    from pydicom import dcmread

    with quiet():
        return dcmread(io.BytesIO(part10), stop_before_pixels=True)


def _frames(ds: Any) -> int:
    return max(1, int(tones.number(ds, "NumberOfFrames", 1)))


def _aspect(ds: Any) -> float:
    """Height of a pixel over its width."""
    for word in ("PixelSpacing", "ImagerPixelSpacing"):
        spacing = tones.numbers(ds, word)
        if len(spacing) == 2 and min(spacing) > 0:
            return spacing[0] / spacing[1]
    ratio = tones.numbers(ds, "PixelAspectRatio")
    return ratio[0] / ratio[1] if len(ratio) == 2 and min(ratio) > 0 else 1.0


def _png(pixels: NDArray[np.uint8], aspect: float, size: int) -> bytes:
    from PIL import Image

    image = Image.fromarray(pixels)
    width, height = float(image.width), image.height * aspect
    scale = min(1.0, size / max(width, height))
    wanted = (max(1, round(width * scale)), max(1, round(height * scale)))
    if wanted != image.size:
        image = image.resize(wanted, Image.Resampling.LANCZOS)
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=6)
    return out.getvalue()
