"""A DICOM peer in memory."""

from __future__ import annotations

from integrations import Outcome, OutcomeClass
from integrations.dicom.port import UNREADABLE, Peer


class FakeScu:
    """Keeps what is sent; `answer` is what every peer says."""

    def __init__(self, answer: Outcome | None = None) -> None:
        self.answer = answer or Outcome(OutcomeClass.OK, "0x0000")
        self.stored: list[tuple[Peer, bytes]] = []

    def echo(self, peer: Peer) -> Outcome:  # noqa: ARG002 - every peer says the same
        """C-ECHO."""
        return self.answer

    def store(self, peer: Peer, objects: list[bytes]) -> list[Outcome]:
        """C-STORE."""
        outcomes = [self.answer if raw[128:132] == b"DICM" else UNREADABLE for raw in objects]
        self.stored += [(peer, raw) for raw, outcome in zip(objects, outcomes, strict=True) if outcome.ok]
        return outcomes
