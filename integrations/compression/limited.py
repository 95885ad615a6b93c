"""Decoding of foreign compressed pixels in a child process that may take neither all memory nor all time.

The child is started once and answers one request after the other; when it dies, hangs or exceeds its limits it is replaced
and the request fails with Undecodable.
"""

from __future__ import annotations

import io
import multiprocessing
import resource
import threading
import warnings
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from integrations.compression.port import Undecodable

MEMORY = 4 * 1024**3
SECONDS = 30.0


def decode_here(part10: bytes) -> NDArray[Any]:
    """All frames of an object as an array (frames, rows, columns[, samples]) of stored values, planar configuration 0.

    For our own or native data only; foreign compressed data goes through `Decoder`.
    """
    from pydicom import dcmread

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ds = dcmread(io.BytesIO(part10))
        array = ds.pixel_array
    colour = int(getattr(ds, "SamplesPerPixel", 1)) > 1
    shaped = array if array.ndim == (4 if colour else 3) else array[np.newaxis]
    return np.ascontiguousarray(shaped, dtype=shaped.dtype.newbyteorder("="))


def _serve(line: Connection, memory: int, seconds: float) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    while True:
        try:
            raw = line.recv_bytes()
        except EOFError:
            return
        used = resource.getrusage(resource.RUSAGE_SELF)
        spent = int(used.ru_utime + used.ru_stime + seconds) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (spent, resource.RLIM_INFINITY))
        try:
            array = decode_here(raw)
            line.send((array.dtype.str, array.shape))
            line.send_bytes(array.tobytes())
        except Exception as problem:  # the edge of the child process: every failure becomes an answer
            line.send((type(problem).__name__, None))


class Decoder:
    """One child that decodes; safe to share between threads."""

    def __init__(self, memory: int = MEMORY, seconds: float = SECONDS) -> None:
        self._memory, self._seconds = memory, seconds
        self._lock = threading.Lock()
        self._process: Any = None
        self._line: Connection | None = None

    def decode(self, part10: bytes) -> NDArray[Any]:
        """All frames of an object; Undecodable when the child fails, dies or is late."""
        with self._lock:
            line = self._ready()
            try:
                line.send_bytes(part10)
                if not line.poll(self._seconds):
                    self.close()
                    raise Undecodable("The decoder did not finish in time.")
                kind, shape = line.recv()
                if shape is None:
                    raise Undecodable(f"The decoder said {kind}.")
                return np.frombuffer(line.recv_bytes(), dtype=np.dtype(kind)).reshape(shape)
            except (EOFError, OSError) as problem:
                self.close()
                raise Undecodable("The decoder ended.") from problem

    def _ready(self) -> Connection:
        if self._line is None or not self._process.is_alive():
            self.close()
            context = multiprocessing.get_context("spawn")
            ours, theirs = context.Pipe()
            self._process = context.Process(target=_serve, args=(theirs, self._memory, self._seconds), daemon=True)
            self._process.start()
            theirs.close()
            self._line = ours
        return self._line

    def close(self) -> None:
        """End the child."""
        if self._line is not None:
            self._line.close()
        if self._process is not None:
            self._process.kill()
            self._process.join()
        self._line = self._process = None
