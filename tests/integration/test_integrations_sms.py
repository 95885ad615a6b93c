"""The real Twilio client against a gateway on this machine: what is sent, what is refused, what stays unknown, what is genuine."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from integrations.sms import (
    FakeSms,
    OutboxSms,
    Sms,
    SmsBusy,
    SmsUnknown,
    TwilioSettings,
    TwilioSms,
    later,
    reply_of,
    settings_of,
    status_of,
)
from integrations.sms.port import RANK
from tasks.demo.outside import Gateway, free_port


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    made = Gateway(free_port())
    with made.serve():
        yield made


def _twilio(port: int, seconds: float = 5.0) -> TwilioSms:
    return TwilioSms(
        TwilioSettings(
            "AC" + "0" * 32, "demo-token", "+15550100", f"http://127.0.0.1:{port}", "https://hub.example", seconds
        )
    )


def test_a_message_goes_out_with_its_callback(gateway: Gateway) -> None:
    sent = _twilio(gateway.port).send("+8613900000001", "会诊RC1待您确认", "RC1")
    form = gateway.sent[0]
    assert sent.provider_id == form["sid"]
    assert (form["To"], form["From"], form["Body"]) == ("+8613900000001", "+15550100", "会诊RC1待您确认")
    assert form["StatusCallback"] == "https://hub.example/sms/twilio/status"


def test_a_dead_provider_did_not_send_a_silent_one_may_have() -> None:
    with pytest.raises(SmsBusy):
        _twilio(free_port()).send("+861", "x", "R")
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(SmsUnknown):
            _twilio(silent.getsockname()[1], 0.3).send("+861", "x", "R")


def test_only_signed_callbacks_are_genuine(gateway: Gateway) -> None:
    twilio = _twilio(gateway.port)
    url, form = "https://hub.example/sms/twilio/reply", {"From": "+861", "Body": "1", "MessageSid": "SM1"}
    assert twilio.genuine(url, form, gateway.sign(url, form))
    assert not twilio.genuine(url, form | {"Body": "2"}, gateway.sign(url, form))
    assert not OutboxSms().genuine(url, form, "x")


def test_states_only_go_forward() -> None:
    assert later("sent", "queued") == "sent"
    assert later("sent", "delivered") == "delivered"
    assert later("delivered", "undelivered") == "delivered"
    assert status_of({"MessageSid": "a", "MessageStatus": "sent"}).status == "sent"
    assert reply_of({"From": "+1", "Body": " 1 "}).phone == "+1"


@pytest.fixture(params=["twilio", "outbox", "fake"])
def provider(request: pytest.FixtureRequest, gateway: Gateway) -> Sms:
    return {"twilio": _twilio(gateway.port), "outbox": OutboxSms(), "fake": FakeSms()}[request.param]


def test_every_provider_keeps_the_contract(provider: Sms) -> None:
    first, second = (provider.send("+8613900000001", text, "RC1") for text in ("一", "二"))
    assert first.provider_id
    assert second.provider_id
    assert first.provider_id != second.provider_id
    assert first.status in RANK
    assert provider.name
    assert not provider.genuine("https://hub.example/sms/twilio/reply", {"Body": "1"}, "unsigned")


def test_settings_from_the_url() -> None:
    made = settings_of("twilio://ACx:tok@127.0.0.1:99?from=%2B15550100&scheme=http", "https://hub")
    assert (made.base_url, made.sender, made.token) == ("http://127.0.0.1:99", "+15550100", "tok")
    with pytest.raises(ValueError, match="LIANYI_SMS_URL"):
        settings_of("twilio://nobody", "")
