"""Lossless JPEG 2000 of DICOM objects: compress, decode again, compare bit for bit."""

from __future__ import annotations

import hashlib
import io
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from integrations.compression import openjpeg
from integrations.compression.limited import Decoder
from integrations.compression.port import JPEG2000_LOSSLESS, Encoded, NotBitExact

NATIVE = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1")
BIG_ENDIAN = "1.2.840.10008.1.2.2"
SMALLEST = 16


class GlymurCompressor:
    """Compresses with glymur and checks with an independent decoder in a limited child process."""

    def __init__(self, decoder: Decoder | None = None) -> None:
        self._decoder = decoder or Decoder()

    def encode(self, part10: bytes) -> Encoded:
        """A lossless copy of the object, or the object itself with the reason why."""
        from pydicom import dcmread

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ds = dcmread(io.BytesIO(part10))
        reason = pass_through(ds)
        if reason:
            return self._as_it_is(part10, ds, reason)
        from integrations.compression.limited import decode_here

        frames = decode_here(part10)  # native samples: no codec of a stranger runs here
        copy = _compressed(ds, frames)
        again = self._decoder.decode(copy)
        before, after = _digest(frames), _digest(again)
        if again.shape != frames.shape or before != after:
            raise NotBitExact(f"SOP class {ds.SOPClassUID}.")
        return Encoded(copy, len(part10), len(copy), len(frames), after, "jpeg2000-lossless", True)

    def _as_it_is(self, part10: bytes, ds: Any, reason: str) -> Encoded:
        digest, frames = "", int(getattr(ds, "NumberOfFrames", 1) or 1)
        if "PixelData" in ds:
            array = self._decoder.decode(part10)
            digest, frames = _digest(array), len(array)
        return Encoded(part10, len(part10), len(part10), frames, digest, f"kept: {reason}", True)

    def close(self) -> None:
        """End the decoder's child process."""
        self._decoder.close()


def pass_through(ds: Any) -> str:
    """Why an object is kept as it is; empty when it is to be compressed."""
    if "PixelData" not in ds:
        return "no pixel data"
    syntax = str(ds.file_meta.TransferSyntaxUID)
    if syntax == BIG_ENDIAN:
        return "retired big-endian syntax"
    if syntax not in NATIVE:
        return "already compressed"
    if str(getattr(ds, "PhotometricInterpretation", "")) == "PALETTE COLOR":
        return "palette colour"
    if int(getattr(ds, "BitsAllocated", 0)) not in (8, 16):
        return "samples of other than 8 or 16 bits"
    if int(getattr(ds, "SamplesPerPixel", 1)) not in (1, 3):
        return "samples per pixel"
    if (
        str(getattr(ds, "PhotometricInterpretation", "")).startswith("YBR")
        and int(getattr(ds, "SamplesPerPixel", 1)) == 3
    ):
        return "already in luminance and chrominance"
    if min(int(ds.Rows), int(ds.Columns)) < SMALLEST:
        return "too small"
    return ""


def _compressed(ds: Any, frames: NDArray[Any]) -> bytes:
    from pydicom.encaps import encapsulate
    from pydicom.uid import UID

    colour = frames.ndim == 4
    signed = int(getattr(ds, "PixelRepresentation", 0)) == 1
    bits = int(ds.BitsStored)
    streams = [openjpeg.encode(frame, _precision(frame, bits, signed), signed, mct=colour) for frame in frames]
    if colour:
        ds.PhotometricInterpretation, ds.PlanarConfiguration = "YBR_RCT", 0
    ds.file_meta.TransferSyntaxUID = UID(JPEG2000_LOSSLESS)
    ds.PixelData = encapsulate(streams)
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    out = io.BytesIO()
    ds.preamble = b"\0" * 128
    ds.save_as(out, enforce_file_format=True, implicit_vr=False, little_endian=True)
    return out.getvalue()


def _precision(frame: NDArray[Any], bits: int, signed: bool) -> int:
    """BitsStored, or all allocated bits when padding values do not fit into them."""
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    fits = low <= int(frame.min()) and int(frame.max()) <= high
    return bits if fits else frame.dtype.itemsize * 8


def _digest(frames: NDArray[Any]) -> str:
    wide = frames.astype(np.dtype(frames.dtype).newbyteorder("<"), copy=False)
    return hashlib.sha256(np.ascontiguousarray(wide).tobytes()).hexdigest()
