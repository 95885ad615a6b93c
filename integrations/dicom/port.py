"""What the DICOM adapters take and give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from integrations import Outcome, OutcomeClass
from integrations.tls import Trust

SUCCESS, OUT_OF_RESOURCES, CANNOT_UNDERSTAND, NOT_AUTHORISED = 0x0000, 0xA700, 0xC000, 0x0124
"""C-STORE status values of PS3.4 annex B.2.3."""
UNREADABLE = Outcome(OutcomeClass.PERMANENT, "unreadable", "This is not an object that can be sent.")
"""What a sender says of bytes that are no DICOM object."""


@dataclass(frozen=True)
class Peer:
    """A DICOM application entity of somebody else. With `trust` it is spoken to by TLS only."""

    host: str
    port: int
    ae_title: str
    trust: Trust | None = None


@dataclass(frozen=True)
class Received:
    """One object as it arrived: a Part-10 file with an empty preamble, its transfer syntax untouched. The file is there until
    the answer is given."""

    file: BinaryIO
    calling: str
    called: str
    address: str
    sop_class: str
    sop_uid: str
    transfer_syntax: str

    @property
    def part10(self) -> bytes:
        """All bytes of it."""
        self.file.seek(0)
        return self.file.read()


Accept = Callable[[Received], int]
"""Commits the object durably, then returns the C-STORE status."""


class Sender(Protocol):
    """Sends objects to a peer."""

    def echo(self, peer: Peer) -> Outcome:
        """C-ECHO."""

    def store(self, peer: Peer, objects: list[bytes]) -> list[Outcome]:
        """C-STORE of Part-10 objects over one association; one outcome each, in order."""
