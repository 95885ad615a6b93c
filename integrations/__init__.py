"""What it touches: one port, one or more real adapters and one fake for each outside thing; no tables, no database."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar


class IntegrationError(Exception):
    """An outside system could not do what was asked."""

    code: ClassVar[str] = "integration"
    advice: ClassVar[str] = "Look at the endpoint in the message centre, then repeat."

    def __init__(self, detail: str = "", **params: Any) -> None:
        self.detail = detail
        self.params = params
        summary = (type(self).__doc__ or "").strip().splitlines()[0]
        super().__init__(f"{summary} {detail}".strip())


class OutcomeClass(StrEnum):
    """How the peer's answer is to be taken."""

    OK = "ok"
    TRANSIENT = "transient"
    PERMANENT = "permanent"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Outcome:
    """What a peer answered: `code` is the peer's own (AA, 0x0000, 21211), `detail` a sentence without patient data."""

    kind: OutcomeClass
    code: str = ""
    detail: str = ""
    raw: bytes = b""

    @property
    def ok(self) -> bool:
        """True when the peer confirmed the effect."""
        return self.kind is OutcomeClass.OK
