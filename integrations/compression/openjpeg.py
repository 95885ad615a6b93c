"""glymur on the OpenJPEG that Pillow's wheel brings, so that no system package is needed; in memory, signed, true precision.

glymur looks for its library through a `glymurrc` file, the working directory first. A file there could load anything, so its
presence is an error; ours is written to a private folder and named only while glymur is imported.
"""

from __future__ import annotations

import os
import pathlib
import sys
import tempfile
import threading
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

_lock = threading.Lock()
_writer: Any = None


def _library() -> str | None:
    import PIL

    folder = pathlib.Path(PIL.__file__).resolve().parent.parent / "pillow.libs"
    found = sorted(folder.glob("libopenjp2*.so*")) if folder.is_dir() else []
    return str(found[0]) if found else None


def _import_glymur() -> Any:
    if pathlib.Path("glymurrc").exists():
        raise RuntimeError(
            "a file named glymurrc lies in the working directory and would load a foreign library; remove it"
        )
    library = _library()
    if library is None or "glymur" in sys.modules:
        import glymur

        return glymur
    with tempfile.TemporaryDirectory() as folder:
        place = pathlib.Path(folder) / "glymur"
        place.mkdir()
        (place / "glymurrc").write_text(f"[library]\nopenjp2: {library}\n")
        before = os.environ.get("XDG_CONFIG_HOME")  # glymur offers no other way to name its library
        os.environ["XDG_CONFIG_HOME"] = folder
        try:
            import glymur
        finally:
            if before is None:
                del os.environ["XDG_CONFIG_HOME"]
            else:
                os.environ["XDG_CONFIG_HOME"] = before
    return glymur


def _classes() -> Any:
    global _writer
    with _lock:
        if _writer is None:
            glymur = _import_glymur()

            class Writer(glymur.Jp2k):  # type: ignore[misc,name-defined]
                """Writes signed samples with their true precision, and never reads back what it wrote."""

                def _validate_image_datatype(self, image: NDArray[Any]) -> None:
                    if image.dtype not in (np.uint8, np.int8, np.uint16, np.int16):
                        raise ValueError(f"samples of type {image.dtype} cannot be written")

                def _populate_comptparms(self, image: NDArray[Any]) -> None:
                    super()._populate_comptparms(image)
                    for component in self._comptparms:
                        component.prec = component.bpp = self._precision
                        component.sgnd = self._signed

                def finalize(self, force_parse: bool = False) -> None:
                    """Leave the stream alone."""

            _writer = Writer
    return _writer


def encode(pixels: NDArray[Any], bits_stored: int, signed: bool, *, mct: bool = False) -> bytes:
    """One frame (rows, columns) or (rows, columns, 3) as a lossless JPEG 2000 codestream of four quality layers.

    Layers at 1/60, 1/25, 1/10 of the raw size and the rest, so that a prefix is already a picture; six resolutions at the
    most, packet lengths in the header (PLT) for later partial reads.
    """
    writer = _classes()
    handle = os.memfd_create("frame")
    try:
        new = writer.__new__(writer)
        new._precision, new._signed = bits_stored, int(signed)
        small = min(pixels.shape[:2])
        levels = max(1, min(6, small.bit_length() - 3))
        options: dict[str, Any] = {"numres": levels, "plt": True, "prog": "LRCP"}
        if min(pixels.shape[:2]) >= 64:
            options["cratios"] = (60, 25, 10, 1)
        if pixels.ndim == 3:
            options["mct"] = mct
        new.__init__("/nonexistent/frame.j2k", shape=pixels.shape, **options)
        new.filename = f"/proc/self/fd/{handle}"
        new.path = pathlib.Path(new.filename)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            new[:] = pixels
        return os.pread(handle, os.fstat(handle).st_size, 0)
    finally:
        os.close(handle)
