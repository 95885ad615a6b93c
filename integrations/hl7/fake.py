"""An HL7 peer in memory."""

from __future__ import annotations

from datetime import UTC, datetime

from integrations import Outcome
from integrations.hl7.build import ack
from integrations.hl7.er7 import parse
from integrations.hl7.mllp import outcome_of
from integrations.tls import Trust


class FakeClient:
    """Keeps what is sent and answers with one code."""

    def __init__(self, code: str = "AA") -> None:
        self.code = code
        self.sent: list[bytes] = []
        self.trusts: list[Trust | None] = []

    def send(self, host: str, port: int, raw: bytes, trust: Trust | None = None) -> Outcome:  # noqa: ARG002
        """Answer at once; every peer answers the same."""
        self.trusts.append(trust)
        self.sent.append(raw)
        message = parse(raw)
        answer = ack(
            message, self.code, control_id=f"F{len(self.sent)}", now=datetime(2026, 1, 1, tzinfo=UTC), text="no"
        )
        outcome = outcome_of(answer, message.control_id)
        assert outcome is not None
        return outcome
