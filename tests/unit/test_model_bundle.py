"""A bundle is closed, deterministic and survives its stored form; reading never does more than refuse."""

from __future__ import annotations

from importlib.resources import files

import pytest

from engine.model import Bundle, BundleUnreadable, ModelUnreadable, parse


def shipped() -> dict[str, bytes]:
    return {
        entry.name: entry.read_bytes()
        for room in ("bpmn", "forms")
        for entry in files(room).iterdir()
        if entry.name.endswith((".bpmn", ".dmn", ".form.json"))
    }


def test_closure_collects_calls_decisions_and_forms() -> None:
    bundle = Bundle.closure("consultation", shipped())
    assert {"consultation.bpmn", "notify.bpmn", "triage.dmn", "sla.dmn", "apply.form.json"} <= set(bundle.files)


def test_hash_is_of_content_not_of_order() -> None:
    bundle = Bundle.closure("offer", shipped())
    other = Bundle("offer", dict(reversed(bundle.files.items())))
    assert other.hash == bundle.hash
    assert other.to_bytes() == bundle.to_bytes()
    assert Bundle("offer", {**bundle.files, "offer.bpmn": b""}).hash != bundle.hash


def test_stored_form_returns() -> None:
    bundle = Bundle.closure("notify", shipped())
    assert Bundle.from_bytes(bundle.to_bytes()) == bundle
    with pytest.raises(BundleUnreadable):
        Bundle.from_bytes(b"x")


@pytest.mark.parametrize(
    "content",
    [b"", b"<", b"<a/>", b"\x00\xff", b"<!DOCTYPE a><a/>", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', b" " * 2_100_000],
)  # fmt: skip
def test_unreadable_says_so(content: bytes) -> None:
    with pytest.raises(ModelUnreadable):
        parse("x.bpmn", content)


def test_parse_keeps_what_pages_need() -> None:
    model = parse("offer.bpmn", shipped()["offer.bpmn"])
    node = model.processes[0].node("accept")
    assert node is not None
    assert node.properties["form"] == "offer_reply"
    assert node.line > 1
