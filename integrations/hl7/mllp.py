"""MLLP on both sides: a listener that answers after its accept has committed, and a client that matches the answer."""

from __future__ import annotations

import contextlib
import logging
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from integrations import IntegrationError, Outcome, OutcomeClass, tls
from integrations.hl7.er7 import LIMIT, Hl7Refused, parse

_log = logging.getLogger(__name__)
START, END = b"\x0b", b"\x1c\r"
CLOSED = Outcome(OutcomeClass.TRANSIENT, "closed", "The peer closed before it answered.")
Accept = Callable[[bytes, str], bytes]
"""Stores the frame durably, then returns the acknowledgement; arguments are the message and the peer's address."""
STRANGERS, STRANGER_LIMIT, STRANGER_SECONDS = 8, 64 * 1024, 10.0
"""Peers nobody has entered: so many at once, with frames of so many bytes, for so long; they get one answer and no place of others."""
SAY_AGAIN_SECONDS = 60.0
"""A stranger's address is logged at most so often."""


class FrameTooLong(IntegrationError):
    """A frame grew beyond what is accepted."""

    code = "hl7_frame_too_long"
    advice = "Send documents by reference or split the message."


def frames(buffer: bytearray, limit: int = LIMIT) -> list[bytes]:
    """Take the complete frames out of a buffer; what stands between frames is dropped."""
    found: list[bytes] = []
    while True:
        begin = buffer.find(START)
        if begin < 0:
            buffer.clear()
            return found
        del buffer[:begin]
        end = buffer.find(END)
        if end < 0:
            if len(buffer) > limit:
                raise FrameTooLong(f"More than {limit} bytes without an end.")
            return found
        found.append(bytes(buffer[1:end]))
        del buffer[: end + 2]


@dataclass(frozen=True)
class ListenerSettings:
    """Where the listener listens and what it bears."""

    host: str = "127.0.0.1"
    port: int = 2575
    idle_seconds: float = 300.0
    connections: int = 100
    limit: int = LIMIT
    handshake_seconds: float = 10.0
    tls: ssl.SSLContext | None = None


class Listener:
    """Threads, one a connection; many frames a connection; drains on stop.

    `known(address)` is asked for each connection and each frame. What a stranger sends is not kept: `refuse` makes the answer
    from it, and the connection ends.
    """

    def __init__(
        self,
        settings: ListenerSettings,
        accept: Accept,
        known: Callable[[str], bool] = lambda _address: True,
        refuse: Accept | None = None,
    ) -> None:
        self.settings = settings
        self._accept, self._known, self._refuse = accept, known, refuse
        self._slots = threading.BoundedSemaphore(settings.connections)
        self._strangers = threading.BoundedSemaphore(STRANGERS)
        self._told: dict[str, float] = {}
        self._stopping = threading.Event()
        self._server: socketserver.ThreadingTCPServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The port it really listens on."""
        return int(self._server.server_address[1]) if self._server else self.settings.port

    def start(self) -> None:
        """Begin to listen."""
        outer = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                """Serve one connection."""
                outer._serve(self.request, str(self.client_address[0]))

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = False
            block_on_close = True

            def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
                """Unanswered is unacknowledged: the sender sends it again."""
                _log.exception("message not taken")

        self._server = Server((self.settings.host, self.settings.port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, name="mllp")
        self._thread.start()

    def stop(self) -> None:
        """Take no more connections, finish the frames being answered, close."""
        self._stopping.set()
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
            self._server = self._thread = None

    def _serve(self, line: socket.socket, address: str) -> None:
        stranger = not self._known(address)
        if stranger:
            self._tell(address)
        slots = self._strangers if stranger else self._slots
        if (stranger and self._refuse is None) or not slots.acquire(blocking=False):
            return
        try:
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            with contextlib.suppress(OSError, FrameTooLong):
                if self.settings.tls is None:
                    self._converse(line, address, stranger)
                    return
                line.settimeout(self.settings.handshake_seconds)
                with self.settings.tls.wrap_socket(line, server_side=True) as secured:
                    self._converse(secured, address, stranger)
        finally:
            slots.release()

    def _tell(self, address: str) -> None:
        now = time.monotonic()
        if now - self._told.get(address, float("-inf")) < SAY_AGAIN_SECONDS:
            return
        if len(self._told) >= 1000:
            self._told.clear()
        self._told[address] = now
        _log.warning(
            "HL7 peer %s is not known and was refused: if it is a hospital's system, enter it among the peers of that hospital's HL7 line",
            address,
        )

    def _converse(self, line: socket.socket, address: str, stranger: bool) -> None:
        buffer = bytearray()
        ours = self.settings
        patience, limit = (STRANGER_SECONDS, STRANGER_LIMIT) if stranger else (ours.idle_seconds, ours.limit)
        late = time.monotonic() + patience
        line.settimeout(0.5)
        while not self._stopping.is_set() and time.monotonic() < late:
            try:
                part = line.recv(65536)
            except TimeoutError:
                continue
            if not part:
                return
            if not stranger:
                late = time.monotonic() + patience
            buffer += part
            for frame in frames(buffer, limit):
                line.settimeout(30)
                if stranger or not self._known(address):
                    self._tell(address)
                    if self._refuse is not None:
                        line.sendall(START + self._refuse(frame, address) + END)
                    return
                line.sendall(START + self._accept(frame, address) + END)
                line.settimeout(0.5)


class Client:
    """Sends one message a connection and waits for its acknowledgement. Sending again with the same MSH-10 is safe.

    `identity` is shown to peers that want to see a certificate.
    """

    def __init__(
        self, connect_seconds: float = 10.0, answer_seconds: float = 30.0, identity: tls.Identity | None = None
    ) -> None:
        self._connect, self._answer, self._identity = connect_seconds, answer_seconds, identity

    def send(self, host: str, port: int, raw: bytes, trust: tls.Trust | None = None) -> Outcome:
        """Send; the outcome is OK for AA and CA, permanent for AR and CR, else transient. `raw` of it is the answer.

        With `trust` by TLS only, to a peer whose certificate is of that authority and for this host.
        """
        control = parse(raw).control_id
        try:
            context = None if trust is None else tls.client(trust, self._identity)
        except (OSError, ValueError):
            return tls.named("tls_identity")
        try:
            with socket.create_connection((host, port), timeout=self._connect) as plain:
                if context is None:
                    return self._exchange(plain, raw, control)
                with context.wrap_socket(plain, server_hostname=host) as secured:
                    said = self._exchange(secured, raw, control)
                    return (context.outcome() if said is CLOSED else None) or said
        except OSError as problem:
            return (context.outcome(problem) if context is not None else None) or _unreached(problem)
        except FrameTooLong:
            return Outcome(OutcomeClass.TRANSIENT, "garbage", "The peer answered without end.")

    def _exchange(self, line: socket.socket, raw: bytes, control: str) -> Outcome:
        line.settimeout(self._answer)
        line.sendall(START + raw + END)
        return self._wait(line, control)

    def _wait(self, line: Any, control: str) -> Outcome:
        buffer = bytearray()
        while True:
            part = line.recv(65536)
            if not part:
                return CLOSED
            buffer += part
            for frame in frames(buffer):
                outcome = outcome_of(frame, control)
                if outcome is not None:
                    return outcome


def _unreached(problem: OSError) -> Outcome:
    if isinstance(problem, TimeoutError):
        return Outcome(OutcomeClass.TRANSIENT, "timeout", "The peer did not answer in time.")
    return Outcome(OutcomeClass.TRANSIENT, "unreachable", f"The peer cannot be reached ({type(problem).__name__}).")


def outcome_of(answer: bytes, control: str) -> Outcome | None:
    """What an acknowledgement says about our message; None when it answers another one."""
    try:
        message = parse(answer)
    except Hl7Refused:
        return Outcome(OutcomeClass.TRANSIENT, "garbage", "The peer's answer is no HL7 message.", answer)
    if message["MSA-2"] != control:
        return None
    code = message["MSA-1"].upper()
    kinds = {"AA": OutcomeClass.OK, "CA": OutcomeClass.OK, "AR": OutcomeClass.PERMANENT, "CR": OutcomeClass.PERMANENT}
    return Outcome(kinds.get(code, OutcomeClass.TRANSIENT), code, (message["ERR-8"] or message["MSA-3"])[:200], answer)
