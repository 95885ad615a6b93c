"""Compares a JPEG 2000 codestream with the object that carries it, before a decoder allocates what the stream claims."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

JPEG2000 = {f"1.2.840.10008.1.2.4.{n}" for n in (90, 91, 92, 93, 201, 202, 203)}
START = b"\xff\x4f\xff\x51"
"""SOC and SIZ, with which a codestream begins (ISO 15444-1 annex A); some makers put it into a JP2 file."""
LAYERS, LEVELS, TILES = 64, 32, 4096


class Mismatch(ValueError):
    """The codestream does not fit the object."""


def check_object(ds: Any, frame: int | None) -> None:
    """Look at one frame of a JPEG 2000 object, or at all; Mismatch."""
    if str(ds.file_meta.TransferSyntaxUID) not in JPEG2000:
        return
    for stream in _streams(ds, frame):
        check_stream(stream, int(ds.Rows), int(ds.Columns), int(ds.SamplesPerPixel))


def check_stream(stream: bytes, rows: int, columns: int, samples: int) -> None:
    """The main header against the object: size, components, sane numbers of tiles, layers, levels. Mismatch."""
    at = stream.find(START, 0, 65536)
    if at < 0:
        raise Mismatch("there is no codestream")
    try:
        x1, y1, x0, y0, tile_x, tile_y = struct.unpack_from(">6I", stream, at + 8)
        (components,) = struct.unpack_from(">H", stream, at + 40)
        steps = struct.unpack_from(f">{'xBB' * min(components, 4)}", stream, at + 42)
    except struct.error:
        raise Mismatch("the header is cut") from None
    if (x1 - x0, y1 - y0, components) != (columns, rows, samples):
        raise Mismatch("the size differs from the object's")
    if not tile_x or not tile_y or -(-columns // tile_x) * -(-rows // tile_y) > TILES or set(steps) - {1, 2}:
        raise Mismatch("the tiles or samplings are out of range")
    _check_style(stream, at + 4 + struct.unpack_from(">H", stream, at + 4)[0])


def _check_style(stream: bytes, at: int) -> None:
    """Walk the markers to COD: number of layers and decomposition levels."""
    while at + 12 <= len(stream):
        marker, length = struct.unpack_from(">HH", stream, at)
        if marker == 0xFF52:
            (layers,), levels = struct.unpack_from(">H", stream, at + 6), stream[at + 9]
            if not 1 <= layers <= LAYERS or levels > LEVELS:
                raise Mismatch("the layers or levels are out of range")
            return
        if marker == 0xFF90 or marker >> 8 != 0xFF or length < 2:
            break
        at += 2 + length
    raise Mismatch("there is no coding style")


def _streams(ds: Any, frame: int | None) -> Iterator[bytes]:
    from pydicom.encaps import generate_frames, get_frame

    number = int(getattr(ds, "NumberOfFrames", 1) or 1)
    if frame is None:
        yield from generate_frames(ds.PixelData, number_of_frames=number)
    else:
        yield get_frame(ds.PixelData, frame, number_of_frames=number)
