"""Identifiers: time-ordered UUID version 7 (RFC 9562, section 5.7), so that keys sort as things happened."""

from __future__ import annotations

import os
import threading
import time
from uuid import UUID, uuid5

_lock = threading.Lock()
_last = 0


def uuid7() -> UUID:
    """A new identifier; within one process strictly increasing (48-bit milliseconds, 12-bit sub-millisecond, random)."""
    global _last
    with _lock:
        ns = time.time_ns()
        stamp = (ns // 1_000_000 << 12) | (ns % 1_000_000 * 4096 // 1_000_000)
        _last = stamp if stamp > _last else _last + 1
        stamp = _last
    random = int.from_bytes(os.urandom(8)) & ((1 << 62) - 1)
    return UUID(int=(stamp >> 12) << 80 | 0x7 << 76 | (stamp & 0xFFF) << 64 | 0b10 << 62 | random)


def derived(parent: UUID, *parts: str) -> UUID:
    """The identifier that always follows from a parent and some words (RFC 9562 version 5)."""
    return uuid5(parent, "\x1f".join(parts))
