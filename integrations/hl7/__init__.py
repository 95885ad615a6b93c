"""HL7 v2: a lossless codec, MLLP on both sides, builders validated with hl7apy, and one fake."""

from typing import Protocol

from integrations import Outcome
from integrations.hl7.build import Line, NotBuilt, Result, ack, oru_r01
from integrations.hl7.er7 import Hl7Refused, Message, escape, parse, unescape
from integrations.hl7.fake import FakeClient
from integrations.hl7.mllp import Client, Listener, ListenerSettings
from integrations.hl7.peers import Peers
from integrations.hl7.read import OrderData, PatientData, order, patient
from integrations.tls import Trust


class Hl7Sender(Protocol):
    """Sends one message to a peer and says how it was answered."""

    def send(self, host: str, port: int, raw: bytes, trust: Trust | None = None) -> Outcome:
        """Send and wait for the acknowledgement; with `trust` by TLS only."""


__all__ = ["Client", "FakeClient", "Hl7Refused", "Hl7Sender", "Line", "Listener", "ListenerSettings", "Message", "NotBuilt",
           "OrderData", "PatientData", "Peers", "Result", "ack", "escape", "order", "oru_r01", "parse", "patient", "unescape"]  # fmt: skip
