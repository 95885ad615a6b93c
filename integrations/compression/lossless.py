"""Lossless JPEG 2000 of DICOM objects: compress, decode again, compare bit for bit."""

from __future__ import annotations

import hashlib
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from integrations.compression import openjpeg, policy
from integrations.compression.child import decode_here
from integrations.compression.limited import Decoder
from integrations.compression.port import JPEG2000_LOSSLESS, Encoded, NotBitExact, Undecodable
from integrations.foreign import malformed, quiet

BASIC_TABLE_LIMIT = 1 << 32
"""Bytes of fragments beyond which the offsets of frames need more than 32 bits."""


class GlymurCompressor:
    """Compresses with glymur and checks with another library's decoder in a limited child process."""

    def __init__(self, decoder: Decoder | None = None) -> None:
        self._decoder = decoder or Decoder()

    def encode(self, part10: bytes) -> Encoded:
        """A lossless copy of the object, or the object itself with the reason why. NotBitExact, Undecodable."""
        try:
            ds, pixels = _described(part10)
            reason = policy.keep_reason(pixels)
            if reason or pixels is None:
                return self._as_it_is(part10, ds, reason)
            with quiet():
                frames = decode_here(part10)  # native samples: no codec of a stranger runs here
        except malformed() as problem:
            raise Undecodable(f"The pixels cannot be read ({type(problem).__name__}).") from None
        recipe = policy.recipe(pixels.rows, pixels.columns)
        try:
            copy = _compressed(ds, frames, recipe)
        except malformed() as problem:
            return self._as_it_is(part10, ds, f"cannot be written ({type(problem).__name__})")
        before, after = _digest(frames), self._digest_of(copy, frames)
        if before != after:
            raise NotBitExact(f"SOP class {ds.SOPClassUID}.")
        return Encoded(copy, len(part10), len(copy), len(frames), after, recipe.name, True)

    def _digest_of(self, copy: bytes, frames: NDArray[Any]) -> str:
        again = self._decoder.decode(copy)
        return _digest(again) if (again.shape, again.dtype) == (frames.shape, frames.dtype) else ""

    def _as_it_is(self, part10: bytes, ds: Any, reason: str) -> Encoded:
        digest, frames = "", int(getattr(ds, "NumberOfFrames", 1) or 1)
        if any(word in ds for word in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
            array = self._decoder.decode(part10)
            digest, frames = _digest(array), len(array)
        return Encoded(part10, len(part10), len(part10), frames, digest, f"kept: {reason}", True)

    def close(self) -> None:
        """End the decoder's child processes."""
        self._decoder.close()


def _described(part10: bytes) -> tuple[Any, policy.Pixels | None]:
    from pydicom import dcmread

    with quiet():
        ds = dcmread(io.BytesIO(part10))
        integer = "PixelData" in ds
        if not integer and "FloatPixelData" not in ds and "DoubleFloatPixelData" not in ds:
            return ds, None
        return ds, policy.Pixels(
            str(ds.file_meta.TransferSyntaxUID), int(ds.Rows), int(ds.Columns), int(getattr(ds, "SamplesPerPixel", 1) or 1),
            int(ds.BitsAllocated), str(ds.PhotometricInterpretation), integer,
        )  # fmt: skip


def _compressed(ds: Any, frames: NDArray[Any], recipe: policy.Recipe) -> bytes:
    from pydicom.encaps import encapsulate, encapsulate_extended
    from pydicom.uid import UID

    signed = int(getattr(ds, "PixelRepresentation", 0)) == 1
    bits = _precision(frames, int(ds.BitsStored), signed)
    streams = [openjpeg.encode(frame, bits, signed, recipe) for frame in frames]
    if frames.ndim == 4:
        ds.PhotometricInterpretation, ds.PlanarConfiguration = "YBR_RCT", 0
    ds.file_meta.TransferSyntaxUID = UID(JPEG2000_LOSSLESS)
    if sum(len(stream) + 10 for stream in streams) < BASIC_TABLE_LIMIT:
        ds.PixelData = encapsulate(streams)
    else:  # PS3.3 C.7.6.3.1.8
        ds.PixelData, ds.ExtendedOffsetTable, ds.ExtendedOffsetTableLengths = encapsulate_extended(streams)
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    out = io.BytesIO()
    ds.preamble = b"\0" * 128
    for element in list(ds.group_dataset(0x0000)):  # left over from a transfer, and not allowed in a file
        del ds[element.tag]
    with quiet():
        ds.save_as(out, enforce_file_format=True, implicit_vr=False, little_endian=True)
    return out.getvalue()


def _precision(frames: NDArray[Any], bits: int, signed: bool) -> int:
    """BitsStored, or all allocated bits when padding values or overlays do not fit into them."""
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    fits = low <= int(frames.min()) and int(frames.max()) <= high
    return bits if fits else frames.dtype.itemsize * 8


def _digest(frames: NDArray[Any]) -> str:
    """sha256 of the samples, little endian, frame by frame."""
    return hashlib.sha256(np.ascontiguousarray(frames).reshape(-1).data.cast("B")).hexdigest()
