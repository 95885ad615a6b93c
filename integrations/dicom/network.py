"""Sockets that bear strangers: nobody makes us allocate what he merely announces, or wait for what he never sends.

The library reads as many bytes as a PDU header claims, without a time limit on accepted connections, and shakes hands for TLS
in the thread that accepts. Here a PDU has at most 16 MiB, the buffer grows with what really arrives, an object has a limit, a
PDU a slowest pace, and a handshake costs its own connection only. Quick acknowledgement cures senders that leave Nagle's
algorithm on (measured: eight times faster).
"""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from typing import Any

from integrations.dicom.header import OBJECT_LIMIT
from integrations.dicom.scan import DEFLATED

PDU_LIMIT = 16 * 1024 * 1024
STEP = 64 * 1024
SLOWEST = 8 * 1024
"""Bytes a second at which a PDU must come in, beyond the idle time."""
PATIENCE = 60.0


def bounded_recv(self: Any, wanted: int) -> bytearray:
    """Read `wanted` bytes, or fewer when the peer closes; OSError when it is too much, or takes too long."""
    if wanted > PDU_LIMIT:
        raise OSError(f"a PDU of {wanted} bytes exceeds {PDU_LIMIT}")
    self.taken = getattr(self, "taken", 0) + wanted
    if self.taken > OBJECT_LIMIT:
        raise OSError(f"an object exceeds {OBJECT_LIMIT} bytes")
    line = self.socket
    late = time.monotonic() + (line.gettimeout() or PATIENCE) + wanted / SLOWEST
    held = bytearray()
    while len(held) < wanted:
        if hasattr(socket, "TCP_QUICKACK"):  # Linux forgets it after each use
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        part = line.recv(min(STEP, wanted - len(held)))
        if not part:
            break
        held += part
        if time.monotonic() > late:
            raise TimeoutError(f"a PDU of {wanted} bytes came too slowly")
    return held


def start_afresh(event: Any) -> None:
    """A message is complete: the next one may be as large as an object may be."""
    event.assoc.dul.socket.taken = 0


def close_always(self: Any) -> None:
    """Shut a connection down and close it, also one that never came to be; the library leaves that one open."""
    if self.socket is not None:
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


def install() -> None:
    """Put these manners in place, once a process."""
    from pynetdicom.transport import AssociationSocket

    AssociationSocket.recv = bounded_recv  # type: ignore[method-assign,assignment]
    AssociationSocket._shutdown_socket = close_always  # type: ignore[method-assign]


def without_deflated(event: Any) -> None:
    """Take deflated syntaxes out of what a peer proposes, where it proposes another one too."""
    for context in event.assoc.requestor.primitive.presentation_context_definition_list:
        kept = [syntax for syntax in context.transfer_syntax if str(syntax) not in DEFLATED]
        if kept:
            context.transfer_syntax = kept


def server_class(associations: int, patience: float, shared: bool) -> Any:
    """pynetdicom's server with the manners above. `shared`: several processes may listen on the port (SO_REUSEPORT)."""
    from pynetdicom.transport import ThreadedAssociationServer

    class Server(ThreadedAssociationServer):
        request_queue_size = 64
        daemon_threads = True

        def server_bind(self) -> None:
            """Bind, alone or beside sister processes."""
            if shared and self.socket is not None:
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            super().server_bind()

        def get_request(self) -> tuple[socket.socket, Any]:
            """Accept; a TLS handshake happens with the first read, in the connection's own thread."""
            line, address = self.socket.accept()  # type: ignore[union-attr]
            line.settimeout(patience)
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.ssl_context is not None:
                line = self.ssl_context.wrap_socket(line, server_side=True, do_handshake_on_connect=False)
            return line, address

        def verify_request(self, _request: Any, _client_address: Any) -> bool:
            """Close connections beyond twice the cap at once: they need not even ask."""
            return len(self.active_associations) < 2 * associations

    return Server
