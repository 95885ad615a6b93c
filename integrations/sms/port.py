"""What an SMS provider takes and gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from integrations import IntegrationError

RANK = {"queued": 0, "accepted": 0, "sending": 1, "sent": 2, "undelivered": 3, "failed": 3, "delivered": 4, "kept": 4}
"""Delivery states in the order they can only go; callbacks arrive late, twice and out of order."""


class SmsRefused(IntegrationError):
    """The provider will never deliver this message."""

    code = "sms_refused"
    advice = "Check the person's phone number; tell the person by telephone meanwhile."


class SmsBusy(IntegrationError):
    """The provider did not take the message now, and surely did not send it."""

    code = "sms_busy"
    advice = "It is tried again by itself; look at the provider's account if it stays."


class SmsUnknown(IntegrationError):
    """The provider's answer was lost; the message may or may not have gone out."""

    code = "sms_unknown"
    advice = "Ask the person whether it arrived before sending it once more."


@dataclass(frozen=True)
class Sent:
    """What the provider said: its own id of the message and the first state."""

    provider_id: str
    status: str


@dataclass(frozen=True)
class Status:
    """A delivery report."""

    provider_id: str
    status: str
    error: str = ""


@dataclass(frozen=True)
class Reply:
    """A message somebody sent back."""

    provider_id: str
    phone: str
    text: str


class Sms(Protocol):
    """Sends short messages. Sending twice sends two; the caller keeps the rule of effect *once*."""

    name: str

    def send(self, to: str, text: str, ref: str) -> Sent:
        """Send; SmsRefused, SmsBusy, or SmsUnknown when nobody can tell."""

    def genuine(self, url: str, form: Mapping[str, str], signature: str) -> bool:
        """Does a callback come from the provider?"""


def status_of(form: Mapping[str, str]) -> Status:
    """A delivery report from a callback's form."""
    return Status(form.get("MessageSid", ""), form.get("MessageStatus", ""), form.get("ErrorCode", ""))


def reply_of(form: Mapping[str, str]) -> Reply:
    """A reply from a callback's form."""
    return Reply(form.get("MessageSid", ""), form.get("From", ""), form.get("Body", ""))


def later(old: str, new: str) -> str:
    """Of two delivery states the one further on."""
    return new if RANK.get(new, -1) > RANK.get(old, -1) else old
