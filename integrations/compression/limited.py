"""Decoding of foreign pixels in child processes that may take neither all memory nor all time.

Children are started once and answer one request after the other; one that dies, hangs or exceeds its limits is replaced, and
only its request fails. What a child answers is checked too: it may have been taken over by what it decoded.
"""

from __future__ import annotations

import json
import math
import os
import queue
import subprocess
import sys
import threading
import weakref
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from integrations.compression.child import ALL, ANSWER, REQUEST, SAMPLES, SHAPE
from integrations.compression.port import Undecodable

MEMORY = 4 * 1024**3
SECONDS = 30.0
CHILDREN = 2
LARGEST = 1024**3
"""Bytes of samples a child may answer with."""
TYPES = {"|u1", "|i1", "|b1", "<u2", "<i2", "<u4", "<i4", "<f4", "<f8"}
START = "from integrations.compression.child import main; main()"


class _Child:
    """One place in the pool: a process, or none until it is needed."""

    def __init__(self, memory: int, seconds: float) -> None:
        self._arguments = [str(memory), str(seconds)]
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, mode: int, frame: int, part10: bytes) -> tuple[dict[str, Any], bytearray]:
        """One request; OSError, ValueError, KeyError or TypeError when the child failed, after which it is ended."""
        process = self._process
        if process is None or process.poll() is not None:
            self.end()
            process = self._process = self._start()
        # killing it ends every read and write on its pipes, whatever it is doing; the first seconds go to its imports
        timer = threading.Timer(self._seconds, process.kill)
        timer.start()
        try:
            return _exchange(process, mode, frame, part10)
        except BaseException:  # also an interrupt: half an exchange must not meet the next request
            self.end()
            raise
        finally:
            timer.cancel()

    def _start(self) -> subprocess.Popen[bytes]:
        root = str(Path(__file__).resolve().parents[2])
        environment = {"PYTHONPATH": root, "PATH": os.defpath, "OPENBLAS_NUM_THREADS": "1", "LC_ALL": "C.UTF-8"}
        return subprocess.Popen(  # -P: only that path, never the working directory
            [sys.executable, "-P", "-c", START, *self._arguments], env=environment, bufsize=0, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def end(self) -> None:
        """Kill the process and close its pipes."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()


def _exchange(
    process: subprocess.Popen[bytes], mode: int, frame: int, part10: bytes
) -> tuple[dict[str, Any], bytearray]:
    _write(process, REQUEST.pack(mode, frame, len(part10)))
    _write(process, part10)
    (length,) = ANSWER.unpack(_read(process, ANSWER.size))
    if length > 4096:
        raise ValueError("the answer is too long")
    said = json.loads(_read(process, length))
    if "error" in said:
        return said, bytearray()
    if said["type"] not in TYPES or not all(isinstance(n, int) and n > 0 for n in said["shape"]):
        raise ValueError("the answer is no array")
    size = np.dtype(said["type"]).itemsize * math.prod(said["shape"])
    if size > LARGEST:
        raise ValueError("the array is too large")
    return said, _read(process, size if mode == SAMPLES else 0)


def _write(process: subprocess.Popen[bytes], data: bytes) -> None:
    rest = memoryview(data)
    while rest and process.stdin is not None:
        rest = rest[process.stdin.write(rest) :]


def _read(process: subprocess.Popen[bytes], size: int) -> bytearray:
    held = bytearray(size)
    view = memoryview(held)
    while view:
        count = process.stdout.readinto(view) if process.stdout is not None else 0  # type: ignore[attr-defined]
        if not count:
            raise OSError("the child ended")
        view = view[count:]
    return held


class Decoder:
    """A few children that decode; safe to share between threads. `memory` in bytes, `seconds` of wall and of processor time."""

    def __init__(self, memory: int = MEMORY, seconds: float = SECONDS, children: int = CHILDREN) -> None:
        self._children = [_Child(memory, seconds) for _ in range(children)]
        self._free: queue.LifoQueue[_Child] = queue.LifoQueue()
        for child in self._children:
            self._free.put(child)
        self._finish = weakref.finalize(self, _end_all, self._children)

    def decode(self, part10: bytes, frame: int | None = None) -> NDArray[Any]:
        """All frames of an object (frames, rows, columns[, 3]), or one; Undecodable when the child fails, dies or is late."""
        said, samples = self._ask(SAMPLES, part10, frame)
        return np.frombuffer(samples, np.dtype(said["type"])).reshape(said["shape"])

    def check(self, part10: bytes) -> tuple[int, ...]:
        """Decode all frames and give only the array's shape; Undecodable. For the moment of arrival."""
        said, _ = self._ask(SHAPE, part10, None)
        return tuple(said["shape"])

    def _ask(self, mode: int, part10: bytes, frame: int | None) -> tuple[dict[str, Any], bytearray]:
        child = self._free.get()
        try:
            said, samples = child.ask(mode, ALL if frame is None else frame, part10)
        except (OSError, ValueError, KeyError, TypeError) as problem:
            raise Undecodable("The decoder ended or came too late.") from problem
        finally:
            self._free.put(child)
        if "error" in said:
            raise Undecodable(f"The decoder said {said['error'][:40]}.")
        return said, samples

    def close(self) -> None:
        """End the children; the next request starts new ones."""
        _end_all(self._children)


def _end_all(children: list[_Child]) -> None:
    for child in children:
        child.end()
