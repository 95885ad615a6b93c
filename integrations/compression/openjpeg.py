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
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from integrations.compression.policy import Recipe

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
            library = glymur.lib.openjp2
            # glymur asks for PLT and for TLM in two calls, of which the second takes the first back; this asks for both at once
            library.encoder_set_extra_options = partial(library.encoder_set_extra_options, plt=True)

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


def encode(pixels: NDArray[Any], bits_stored: int, signed: bool, recipe: Recipe) -> bytes:
    """One frame (rows, columns) or (rows, columns, 3) as a lossless JPEG 2000 codestream.

    With packet lengths (PLT) and tile-part lengths (TLM) in the headers for later partial reads; three samples go through the
    reversible colour transform (YBR_RCT). RuntimeError, OSError or ValueError when the library cannot write it.
    """
    writer = _classes()
    handle = os.memfd_create("frame")
    try:
        new = writer.__new__(writer)
        new._precision, new._signed = bits_stored, int(signed)
        options: dict[str, Any] = {
            "numres": recipe.resolutions, "prog": recipe.progression, "cratios": recipe.layers, "tlm": True,
        }  # fmt: skip
        if recipe.precinct:
            options["psizes"] = [(recipe.precinct, recipe.precinct)] * recipe.resolutions
        if pixels.ndim == 3:
            options["mct"] = True
        new.__init__("/nonexistent/frame.j2k", shape=pixels.shape, **options)
        new.filename = f"/proc/self/fd/{handle}"
        new.path = pathlib.Path(new.filename)
        new[:] = pixels
        return os.pread(handle, os.fstat(handle).st_size, 0)
    finally:
        os.close(handle)
