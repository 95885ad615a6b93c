"""The process in which foreign pixels are decoded: it may take neither all memory nor all time, and knows no secret.

One request after the other on standard input: mode, frame, size, object. One answer each on standard output: the length of a
line of JSON, the line, the samples. It runs with an empty environment, writes no file and ends with its parent.
"""

from __future__ import annotations

import io
import json
import resource
import struct
import sys
import warnings
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

REQUEST, ANSWER = struct.Struct(">BqQ"), struct.Struct(">I")
SAMPLES, SHAPE = 0, 1
"""Modes: answer with the samples, or only with their shape."""
ALL = -1


def decode_here(part10: bytes, frame: int | None = None) -> NDArray[Any]:
    """Frames of an object as an array (frames, rows, columns[, 3]) of stored values; colour as RGB, planar configuration 0.

    `frame` picks one. For our own or native data only; foreign compressed data goes through `Decoder`.
    """
    from pydicom import dcmread
    from pydicom.pixels.utils import pixel_array

    from integrations.compression.guard import check_object

    ds = dcmread(io.BytesIO(part10))
    check_object(ds, frame)
    array = pixel_array(ds, index=frame)
    colour = int(getattr(ds, "SamplesPerPixel", 1)) > 1
    shaped = array if array.ndim == (4 if colour else 3) else array[np.newaxis]
    return np.ascontiguousarray(shaped, dtype=shaped.dtype.newbyteorder("<"))


def serve(requests: BinaryIO, answers: BinaryIO, seconds: float) -> None:
    """Answer until the requests end."""
    while head := requests.read(REQUEST.size):
        mode, frame, size = REQUEST.unpack(head)
        raw = requests.read(size)
        used = resource.getrusage(resource.RUSAGE_SELF)
        spent = int(used.ru_utime + used.ru_stime + seconds) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (spent, resource.RLIM_INFINITY))
        array: NDArray[Any] | None = None
        try:
            array = decode_here(raw, None if frame == ALL else frame)
            said: dict[str, Any] = {"type": array.dtype.str, "shape": array.shape}
        except Exception as problem:  # the edge of the process: every failure becomes an answer
            said = {"error": type(problem).__name__}
        line = json.dumps(said).encode()
        answers.write(ANSWER.pack(len(line)) + line)
        if array is not None and mode == SAMPLES:
            answers.write(array.reshape(-1).data.cast("B"))
        answers.flush()


def main() -> None:
    """Limit this process, then serve: `child.main()` with bytes of memory and seconds a request as arguments."""
    memory, seconds = int(sys.argv[1]), float(sys.argv[2])
    import pydicom.pixels  # before anything foreign is read  # noqa: F401

    warnings.simplefilter("ignore")
    for limit, value in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, 0)):
        resource.setrlimit(limit, (value, value))
    serve(sys.stdin.buffer, sys.stdout.buffer, seconds)
