"""The codec loses nothing, nobody can smuggle a segment in, and what we build reads back as it was written."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.hl7 import Hl7Refused, Line, Result, ack, escape, order, oru_r01, parse, patient, unescape

NOW = datetime(2026, 11, 24, 8, 42, tzinfo=UTC)
ADT = (
    "MSH|^~\\&|QH_HIS|QH|LIANYI|SF|20261124||ADT^A04^ADT_A01|A1|P|2.5.1|||||CHN|UNICODE UTF-8\rEVN|A04|20261124\r"
    "PID|1||QH20461^^^QH_HIS&1.2&ISO^MR~11010519491231002X^^^GA^NI||王示例^^^^^^L||19590312|M|||||+8613800000009\rPV1|1|I|3^12\rZPI|own|\r"
)
RESULT = Result(
    "C1", ("LIANYI", "SF"), ("QH_HIS", "QH"), NOW, "QH20461", "QH_HIS", "王示例", "19590312", "M", "QH-CT-0031", "RC261124-QH-0007",
    ("CT-HEAD", "头颅CT"), "20261124084200", "F", "林示范", (Line("59776-5", "影像表现", "左侧低密度"),),
)  # fmt: skip
SHARED = Path(os.environ.get("LIANYI_TEST_DATA", Path(__file__).resolve().parents[3] / "shared" / "data")) / "hl7"


def test_paths() -> None:
    m = parse(ADT.encode())
    assert bytes(m) == ADT.encode()
    assert (m["PID-3.1"], m["PID-3[2].1"], m["PID-3.4.2"], m["MSH-9.2"], m["MSH-1"], m["MSH-2"]) == (
        "QH20461",
        "11010519491231002X",
        "1.2",
        "A04",
        "|",
        "^~\\&",
    )
    assert (m["PID-99"], m["OBX-5"], m["PID-3[9].1"], m.kind, m.control_id) == ("", "", "", "ADT^A04", "A1")
    assert m.segments("ZPI")[0][1] == "own"


def test_patient_and_order() -> None:
    found = patient(parse(ADT.encode()))
    assert found is not None
    assert (found.mrn, found.assigner, found.name, found.sex, found.birth_date) == (
        "QH20461",
        "QH_HIS",
        "王示例",
        "M",
        "19590312",
    )
    assert (found.id_card, found.phone, found.event) == ("11010519491231002X", "+8613800000009", "A04")
    orm = (
        ADT
        + "ORC|NW|QH-1|||||^^^20261124^^S\rOBR|1|QH-1||CT-HEAD^头颅CT平扫||||||||||||何演示||||||||CT\rDG1|1||I63.9^脑梗死\r"
    )
    got = order(parse(orm.encode()))
    assert got is not None
    assert (got.placer, got.code, got.description, got.urgency, got.diagnosis, got.requested_by, got.modality) == (
        "QH-1",
        "CT-HEAD",
        "头颅CT平扫",
        "E",
        "脑梗死",
        "何演示",
        "CT",
    )
    assert patient(parse(b"MSH|^~\\&|A|B\rPID|1\r")) is None


@pytest.mark.parametrize(("head", "encoding", "declared"), [
    ("UNICODE UTF-8", "utf-8", True), ("GB 18030-2000", "gb18030", True), ("", "gb18030", False), ("UNICODE UTF-8", "gb18030", False), ("KLINGON", "utf-8", True),
])  # fmt: skip
def test_character_sets(head: str, encoding: str, declared: bool) -> None:
    text = f"MSH|^~\\&|A|B|C|D|1||ADT^A04|1|P|2.5.1||||||{head}\rPID|1||X||王示例\r"
    m = parse(text.encode(encoding))
    assert m["PID-5"] == "王示例"
    assert ("charset_mismatch" in m.notes) == (bool(head) and not declared)


def test_line_ends_bom_and_broken_lines() -> None:
    for end in ("\r", "\n", "\r\n"):
        assert parse(ADT.replace("\r", end).encode())["PID-5.1"] == "王示例"
    assert parse(b"\xef\xbb\xbf" + ADT.encode())["MSH-3"] == "QH_HIS"
    broken = parse(b"MSH|^~\\&|A\rOBX|1|ED|||abc\ndef\rNTE|1||x\r")
    assert broken["OBX-5"] == "abcdef"
    assert "broken_lines_joined" in broken.notes


@pytest.mark.parametrize(
    "raw", [b"", b"PID|1", b"MSH", b"MSHa^~\\&a", b"MSH||||||", b"\x00" * 50, b"MSH|^~\\&|\xff\xff\xff\xff\xff"]
)
def test_what_is_no_message_is_refused(raw: bytes) -> None:
    try:
        parse(raw)
    except Hl7Refused as problem:
        assert problem.advice  # noqa: PT017 - some of these are borne
    else:
        assert raw.startswith(b"MSH")


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared HL7 corpora are not beside the checkout")
def test_every_message_of_the_corpora_comes_back_byte_for_byte() -> None:
    count = 0
    for path in sorted(
        p for p in SHARED.rglob("*") if p.suffix.lower() in (".hl7", ".txt", ".er7") and p.name != "LICENSE.txt"
    ):
        raw = path.read_bytes()
        if not raw.lstrip(b"\xef\xbb\xbf\r\n \x0b").startswith(b"MSH|"):
            continue
        if len(raw.strip()) < 8:  # "MSH|" alone is one of the corpus's traps
            with pytest.raises(Hl7Refused):
                parse(raw)
            continue
        m = parse(raw)
        assert bytes(m) == raw
        count += 1
    assert count > 50


@given(st.text(max_size=60))
def test_escaping_is_reversible(text: str) -> None:
    kept = "".join(s for s in text.replace("\r\n", "\n").replace("\r", "\n") if s >= " " or s == "\n")
    escaped = escape(text)
    assert not set(escaped) & set("\r\n|^~&")
    assert unescape(escaped) == kept


@given(st.binary(max_size=200))
def test_garbage_is_read_or_refused(raw: bytes) -> None:
    with suppress(Hl7Refused):
        assert bytes(parse(b"MSH|^~\\&|" + raw))


@pytest.mark.parametrize("text", ["左侧\n低密度", "a|b^c~d\\e&f", "x\rZZZ|evil", "\\.br\\", "tail\\", "\x01\x0b\x1c"])
def test_report_text_reads_back_and_adds_no_segment(text: str) -> None:
    raw = oru_r01(replace(RESULT, lines=(Line("1", "意见", text),), pdf=b"%PDF-1.7"))
    m = parse(raw)
    assert [f[0] for f in m.fields] == ["MSH", "PID", "ORC", "OBR", "OBX", "OBX"]
    assert m["OBX-5"] == "".join(s for s in text.replace("\r", "\n") if s >= " " or s == "\n")
    assert m["OBX(2)-5.5"] == "JVBERi0xLjc="
    assert (m["MSH-18"], m["OBR-25"], m["PID-5.1"]) == ("UNICODE UTF-8", "F", "王示例")


def test_acknowledgement() -> None:
    m = parse(ack(parse(ADT.encode()), "AE", control_id="K1", now=NOW, text="no|such"))
    assert (m["MSA-1"], m["MSA-2"], m["MSH-5"], m["MSH-9.1"], m["MSA-3"]) == ("AE", "A1", "QH_HIS", "ACK", "no|such")
    assert parse(ack(None, "AR", control_id="K2", now=NOW))["MSA-1"] == "AR"
