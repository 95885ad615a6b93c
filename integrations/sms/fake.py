"""An SMS provider in memory, for tests."""

from __future__ import annotations

from collections.abc import Mapping

from integrations import IntegrationError
from integrations.sms.port import Sent


class FakeSms:
    """Keeps what is sent; `problem`, when set, is raised instead."""

    name = "fake"

    def __init__(self, problem: IntegrationError | None = None) -> None:
        self.problem = problem
        self.sent: list[tuple[str, str, str]] = []

    def send(self, to: str, text: str, ref: str) -> Sent:
        """Keep it, or raise."""
        if self.problem is not None:
            raise self.problem
        self.sent.append((to, text, ref))
        return Sent(f"F{len(self.sent)}", "queued")

    def genuine(self, url: str, form: Mapping[str, str], signature: str) -> bool:  # noqa: ARG002
        """Genuine when signed with the word `fake`."""
        return signature == "fake"
