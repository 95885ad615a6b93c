"""Who may send HL7: addresses, networks and host names, looked up as connections come."""

from __future__ import annotations

import ipaddress
import logging
import socket
import threading
import time
from collections.abc import Callable, Sequence

_log = logging.getLogger(__name__)
FRESH_SECONDS = 60.0
"""How long the addresses of a host name are believed."""


class Peers:
    """Asked with an address, says whether one of `entries()` is or holds it; None: everybody may send, empty: nobody is
    entered yet, so everybody may too. A host name whose look-up fails keeps the addresses it had."""

    def __init__(
        self, entries: Callable[[], Sequence[str] | None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._entries, self._clock = entries, clock
        self._found: dict[str, tuple[float, frozenset[str]]] = {}
        self._turn = threading.Lock()

    def __call__(self, address: str) -> bool:
        """Whether this address may send now."""
        entries = self._entries()
        return not entries or any(self._is(entry, plain(address)) for entry in entries)

    def _is(self, entry: str, address: str) -> bool:
        try:
            return ipaddress.ip_address(address) in ipaddress.ip_network(entry, strict=False)
        except ValueError:
            return address in self._addresses(entry)

    def _addresses(self, host: str) -> frozenset[str]:
        with self._turn:
            at, known = self._found.get(host, (float("-inf"), frozenset()))
            if self._clock() - at < FRESH_SECONDS:
                return known
        try:
            known = frozenset(plain(str(row[4][0])) for row in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError):
            _log.warning("the addresses of HL7 peer %s cannot be looked up", host)
        with self._turn:
            self._found[host] = self._clock(), known
        return known


def plain(address: str) -> str:
    """An address as people write it: without zone, and 10.0.0.1 instead of ::ffff:10.0.0.1."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    return str(getattr(found, "ipv4_mapped", None) or found)
