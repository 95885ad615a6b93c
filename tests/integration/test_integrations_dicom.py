"""Real associations: what is sent arrives byte for byte, what is hostile is refused, and nobody makes us allocate on a promise."""

from __future__ import annotations

import io
import os
import resource
import shutil
import socket
import struct
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from integrations import OutcomeClass
from integrations.dicom import (
    DicomRefused,
    Listener,
    ListenerSettings,
    Peer,
    Received,
    Scu,
    Subject,
    encapsulate_pdf,
    read,
    restamp,
)  # fmt: skip

SUBJECT = Subject("P1", "王^示例", "M", "19590312", "2.25.1", "A1")
WHEN = datetime(2026, 11, 24, 8, 42, tzinfo=UTC)


def _sample(name: str) -> bytes:
    return Path(str(get_testdata_file(name))).read_bytes()


@pytest.fixture
def taken() -> list[Received]:
    return []


@pytest.fixture
def listener(taken: list[Received]) -> Iterator[Listener]:
    def accept(received: Received) -> int:
        read(received.part10)
        taken.append(received)
        return 0

    made = Listener(ListenerSettings(port=0), accept, lambda: ["LIANYI", "STORESCU", "ECHOSCU"])
    made.start()
    yield made
    made.stop()


def test_objects_arrive_as_they_were_sent(listener: Listener, taken: list[Received]) -> None:
    peer = Peer("127.0.0.1", listener.port, "LIANYI")
    names = [
        "CT_small.dcm",
        "MR_small.dcm",
        "JPEG2000.dcm",
        "US1_UNCR.dcm" if False else "CT_small.dcm",
    ]
    sent = [_sample(n) for n in names]
    scu = Scu()
    assert scu.echo(peer).ok
    assert all(o.ok for o in scu.store(peer, sent))
    for raw, got in zip(sent, taken, strict=True):
        assert got.part10[:128] == b"\0" * 128
        before, after = pydicom.dcmread(io.BytesIO(raw)), pydicom.dcmread(io.BytesIO(got.part10))
        assert after.PixelData == before.PixelData
        assert after.file_meta.TransferSyntaxUID == before.file_meta.TransferSyntaxUID


# pynetdicom leaves the socket of a refused connection to the collector
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_strangers_and_dead_peers_are_classed(listener: Listener) -> None:
    from integrations.dicom import SenderSettings

    peer = Peer("127.0.0.1", listener.port, "LIANYI")
    assert Scu(SenderSettings("STRANGER")).echo(peer).kind is OutcomeClass.PERMANENT
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        dead = Peer("127.0.0.1", free.getsockname()[1], "X")
    assert Scu().store(dead, [_sample("CT_small.dcm")])[0].kind is OutcomeClass.TRANSIENT


def test_a_pdu_that_promises_gigabytes_costs_nothing(listener: Listener) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with socket.create_connection(("127.0.0.1", listener.port)) as line:
        line.sendall(struct.pack(">BBI", 1, 0, 0xFFFFFFF0))
        try:
            for _ in range(200):
                line.sendall(b"\0" * 65536)
        except OSError:
            pass
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 * 1024
    assert Scu().echo(Peer("127.0.0.1", listener.port, "LIANYI")).ok


@pytest.mark.peer
@pytest.mark.skipif(
    not shutil.which("storescu") and not os.environ.get("LIANYI_REQUIRE_ALL"), reason="DCMTK is not installed"
)
def test_dcmtk_stores_to_us(listener: Listener, taken: list[Received], tmp_path: Path) -> None:
    address = ["-aec", "LIANYI", "127.0.0.1", str(listener.port)]
    subprocess.run(["echoscu", *address], check=True, timeout=30)
    path = tmp_path / "ct.dcm"
    path.write_bytes(_sample("CT_small.dcm"))
    subprocess.run(["storescu", *address, str(path)], check=True, timeout=30)
    assert read(taken[0].part10).modality == "CT"


def _nested(depth: int) -> bytes:
    head = (
        struct.pack("<HH", 0x0008, 0x1140)
        + b"SQ\0\0"
        + struct.pack("<I", 0xFFFFFFFF)
        + struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    )
    raw = _sample("CT_small.dcm")
    meta_end = 132 + 12 + struct.unpack("<I", raw[140:144])[0]
    return raw[:meta_end] + head * depth


@pytest.mark.parametrize("raw", [
    b"", b"#!/bin/sh\n" + b"\0" * 300, _sample("CT_small.dcm")[:200], _nested(20_000), _sample("image_dfl.dcm"),
], ids=["empty", "script", "cut", "nested", "deflated"])  # fmt: skip
def test_hostile_files_are_refused_with_advice(raw: bytes) -> None:
    with pytest.raises(DicomRefused) as caught:
        read(raw)
    assert caught.value.advice


def test_impossible_sizes_and_bad_uids_are_refused() -> None:
    for word, value in (("Rows", 60000), ("StudyInstanceUID", "../../x")):
        ds = pydicom.dcmread(io.BytesIO(_sample("CT_small.dcm")))
        ds.Columns = 60000 if word == "Rows" else ds.Columns
        pydicom.config.settings.writing_validation_mode = pydicom.config.IGNORE
        ds[word].validation_mode = pydicom.config.IGNORE
        ds[word].value = value
        out = io.BytesIO()
        ds.save_as(out)
        with pytest.raises(DicomRefused):
            read(out.getvalue())


def test_header_of_a_chinese_patient() -> None:
    copy = restamp(_sample("CT_small.dcm"), SUBJECT, series_uid="2.25.2", sop_uid="2.25.3", when=WHEN, label="DEMO")
    header = read(copy)
    assert (header.patient_name, header.patient_id, header.study_uid) == ("王^示例", "P1", "2.25.1")
    assert (header.rows, header.columns, header.pixel_representation, header.modality) == (128, 128, 1, "CT")
    assert header.study_date == "20261124"


def test_encapsulated_pdf_is_the_pdf_and_always_the_same(tmp_path: Path) -> None:
    pdf = b"%PDF-1.7\nodd"
    made = [
        encapsulate_pdf(pdf, SUBJECT, series_uid="2.25.2", sop_uid="2.25.3", title="会诊报告", when=WHEN)
        for _ in range(2)
    ]
    assert made[0] == made[1]
    ds = pydicom.dcmread(io.BytesIO(made[0]))
    assert bytes(ds.EncapsulatedDocument)[: ds.EncapsulatedDocumentLength] == pdf
    assert ds.DocumentTitle == "会诊报告"
    if shutil.which("dciodvfy"):
        (tmp_path / "x.dcm").write_bytes(made[0])
        said = subprocess.run(["dciodvfy", str(tmp_path / "x.dcm")], capture_output=True, text=True, check=False).stderr
        assert "Error" not in said


def test_sequence_of_sane_depth_is_read() -> None:
    ds = pydicom.dcmread(io.BytesIO(_sample("CT_small.dcm")))
    ds.ReferencedImageSequence = Sequence([Dataset()])
    out = io.BytesIO()
    ds.save_as(out)
    assert read(out.getvalue()).modality == "CT"
