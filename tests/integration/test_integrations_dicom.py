"""Real associations: what is sent arrives byte for byte, strangers stay outside, and nobody makes us allocate or wait."""

from __future__ import annotations

import errno
import gc
import io
import ipaddress
import os
import resource
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, BinaryIO

import pydicom
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydicom.data import get_testdata_file

from integrations import IntegrationError, Outcome, OutcomeClass, tls
from integrations.dicom import (
    SUCCESS,
    DicomRefused,
    FakeScu,
    Listener,
    ListenerSettings,
    Peer,
    Received,
    Scu,
    Sender,
    SenderSettings,
    Subject,
    encapsulate_pdf,
    network,
    read,
)
from integrations.dicom.port import CANNOT_UNDERSTAND, OUT_OF_RESOURCES, Accept
from integrations.tls import Identity, Trust

# pynetdicom leaves the socket of a refused or ended connection to the collector
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")

SUBJECT = Subject("P1", "王^示例", "M", "19590312", "2.25.1", "A1")
WHEN = datetime(2026, 11, 24, 8, 42, tzinfo=UTC)
KNOWN = ["LIANYI", "STORESCU", "ECHOSCU"]
Start = Callable[..., Listener]


def _sample(name: str) -> bytes:
    return Path(str(get_testdata_file(name))).read_bytes()


def _data_set(part10: bytes) -> bytes:
    """The bytes after the file meta information."""
    return part10[144 + struct.unpack("<I", part10[140:144])[0] :]


def _changed(part10: bytes, **values: object) -> bytes:
    ds = pydicom.dcmread(io.BytesIO(part10))
    for word, value in values.items():
        setattr(ds, word, value)
    ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    out = io.BytesIO()
    ds.save_as(out)
    return out.getvalue()


@pytest.fixture
def taken() -> list[Received]:
    return []


@pytest.fixture
def start(taken: list[Received]) -> Iterator[Start]:
    made: list[Listener] = []

    def keep(received: Received) -> int:
        read(received.file)
        taken.append(replace(received, file=io.BytesIO(received.part10)))
        return SUCCESS

    def begin(accept: Accept = keep, tls: ssl.SSLContext | None = None, **settings: object) -> Listener:
        wanted = ListenerSettings(port=0, drain_seconds=5, **settings)  # type: ignore[arg-type]
        listener = Listener(wanted, accept, lambda: KNOWN, tls)
        made.append(listener)
        listener.start()
        return listener

    yield begin
    for listener in made:
        listener.stop()


def _peer(listener: Listener) -> Peer:
    return Peer("127.0.0.1", listener.port, "LIANYI")


# -- what is sent arrives ---------------------------------------------------------------------------------------------
def test_objects_arrive_byte_for_byte_in_their_own_syntax(start: Start, taken: list[Received]) -> None:
    names = [
        "CT_small.dcm",
        "MR_small_implicit.dcm",
        "MR_small.dcm",
        "JPEG2000.dcm",
        "MR_small_bigendian.dcm",
        "MR_small_RLE.dcm",
    ]
    sent = [_sample(n) for n in names]
    peer = _peer(start())
    assert all(o.ok for o in Scu().store(peer, sent))
    for raw, got in zip(sent, taken, strict=True):
        assert got.part10[:128] == b"\0" * 128
        assert _data_set(got.part10) == _data_set(raw)
        assert got.transfer_syntax == str(pydicom.dcmread(io.BytesIO(raw)).file_meta.TransferSyntaxUID)
        assert (got.calling, got.called) == ("LIANYI", "LIANYI")


def test_the_preamble_of_a_polyglot_does_not_arrive(start: Start, taken: list[Received]) -> None:
    script = b"#!/bin/sh\ntouch /tmp/x\n".ljust(128, b"\n") + _sample("CT_small.dcm")[128:]
    assert Scu().store(_peer(start()), [script])[0].ok
    assert b"/bin/sh" not in taken[0].part10


@pytest.mark.parametrize(
    "sop_class", ["1.2.826.0.1.3680043.2.1143.9.9", "1.2.840.10008.5.1.4.1.1.999.7"], ids=["private", "unborn"]
)
def test_classes_nobody_knows_are_taken(start: Start, taken: list[Received], sop_class: str) -> None:
    raw = _changed(_sample("CT_small.dcm"), SOPClassUID=sop_class)
    assert Scu().store(_peer(start()), [raw])[0].ok
    assert taken[0].sop_class == sop_class


def test_deflated_is_not_chosen_and_not_taken(start: Start, taken: list[Received]) -> None:
    from pynetdicom import AE
    from pynetdicom.presentation import build_context

    deflated, explicit, image = "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.1", "1.2.840.10008.5.1.4.1.1.2"
    peer = _peer(start())
    assoc = AE("LIANYI").associate(peer.host, peer.port, contexts=[build_context(image, [deflated, explicit])])
    assert [str(c.transfer_syntax[0]) for c in assoc.accepted_contexts] == [explicit]
    assoc.release()
    assert Scu().store(peer, [_sample("image_dfl.dcm")])[0].code == "unreadable"
    assert taken == []


def test_one_bad_object_does_not_hold_up_the_others(start: Start, taken: list[Received]) -> None:
    outcomes = Scu().store(_peer(start()), [b"nothing", _sample("CT_small.dcm")])
    assert [o.kind for o in outcomes] == [OutcomeClass.PERMANENT, OutcomeClass.OK]
    assert len(taken) == 1


def test_more_kinds_than_one_association_can_carry(start: Start, taken: list[Received]) -> None:
    raw = _sample("CT_small.dcm")
    objects = [_changed(raw, SOPClassUID=f"1.2.826.0.1.3680043.2.1143.8.{i}", PixelData=b"", Rows=1) for i in range(70)]
    assert all(o.ok for o in Scu().store(_peer(start()), objects))
    assert len(taken) == 70


# -- statuses ---------------------------------------------------------------------------------------------------------
class Full(IntegrationError):
    """The store cannot take more bytes."""


@pytest.mark.parametrize(("answer", "code", "kind"), [
    (OUT_OF_RESOURCES, "0xA700", OutcomeClass.TRANSIENT), (CANNOT_UNDERSTAND, "0xC000", OutcomeClass.PERMANENT),
    (0x0124, "0x0124", OutcomeClass.PERMANENT), (0xB000, "0xB000", OutcomeClass.OK), (DicomRefused("x"), "0xC000", OutcomeClass.PERMANENT),
    (Full(), "0xA700", OutcomeClass.TRANSIENT), (ZeroDivisionError(), "0xA700", OutcomeClass.TRANSIENT),
])  # fmt: skip
def test_what_accept_says_reaches_the_peer(
    start: Start, answer: int | Exception, code: str, kind: OutcomeClass
) -> None:
    def accept(_received: Received) -> int:
        if isinstance(answer, Exception):
            raise answer
        return answer

    outcome = Scu().store(_peer(start(accept)), [_sample("CT_small.dcm")])[0]
    assert (outcome.code, outcome.kind) == (code, kind)


def test_strangers_and_dead_peers_are_classed(start: Start) -> None:
    peer = _peer(start())
    assert Scu(SenderSettings("STRANGER")).echo(peer).code == "rejected"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        dead = Peer("127.0.0.1", free.getsockname()[1], "X")
    assert Scu().store(dead, [_sample("CT_small.dcm")])[0].kind is OutcomeClass.TRANSIENT


def test_nobody_is_let_in_while_the_known_cannot_be_read() -> None:
    def unreadable() -> list[str] | None:
        raise RuntimeError("database")

    for known in (unreadable, list):
        listener = Listener(ListenerSettings(port=0), lambda _r: SUCCESS, known)  # type: ignore[arg-type]
        listener.start()
        try:
            assert Scu().echo(_peer(listener)).code == "rejected"
        finally:
            listener.stop()


@pytest.fixture(params=["real", "fake"])
def sender(request: pytest.FixtureRequest) -> Sender:
    return Scu() if request.param == "real" else FakeScu()


def test_sender_contract(sender: Sender, start: Start) -> None:
    peer = _peer(start())
    assert sender.echo(peer) == Outcome(OutcomeClass.OK, "0x0000")
    assert sender.store(peer, []) == []
    assert [o.ok for o in sender.store(peer, [_sample("CT_small.dcm"), b"no"])] == [True, False]


# -- hostile peers ----------------------------------------------------------------------------------------------------
def _rss() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _pour(line: socket.socket, mebibytes: int) -> None:
    try:
        for _ in range(mebibytes * 16):
            line.sendall(b"\0" * 65536)
    except OSError:
        pass


def test_a_pdu_that_promises_gigabytes_costs_nothing(start: Start) -> None:
    peer = _peer(start())
    before = _rss()
    with socket.create_connection((peer.host, peer.port)) as line:
        line.sendall(struct.pack(">BBI", 1, 0, 0xFFFFFFF0))
        _pour(line, 64)
    assert _rss() - before < 32 * 1024
    assert Scu().echo(peer).ok


def test_an_object_without_end_is_cut_off(start: Start, taken: list[Received], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "OBJECT_LIMIT", 200_000)
    peer = _peer(start())
    small, large = (
        _sample("CT_small.dcm"),
        _changed(_sample("CT_small.dcm"), PixelData=b"\0" * 400_000, Rows=1000, Columns=200),
    )
    outcomes = Scu().store(peer, [small] * 8 + [large])
    assert [o.ok for o in outcomes] == [True] * 8 + [False]
    assert outcomes[-1].kind is OutcomeClass.TRANSIENT
    assert len(taken) == 8


class Drafts:
    """Makes the files of a listener and remembers them."""

    def __init__(self) -> None:
        self.made: list[IO[bytes]] = []

    def __call__(self) -> BinaryIO:
        self.made.append(tempfile.TemporaryFile())  # noqa: SIM115 - the listener closes it
        return self.made[-1]  # type: ignore[return-value]


def test_a_large_object_is_never_held_in_memory(tmp_path: Path) -> None:
    """The sender is another process, so that only what the listener needs is counted."""
    path, kept = tmp_path / "large.dcm", []
    path.write_bytes(_changed(_sample("CT_small.dcm"), PixelData=b"\0" * (100 << 20), Rows=10240, Columns=5120))

    def accept(received: Received) -> int:
        kept.append((read(received.file).rows, received.file.seek(0, os.SEEK_END)))
        return SUCCESS

    listener = Listener(ListenerSettings(port=0), accept)
    listener.start()
    code = f"from pathlib import Path; from integrations.dicom import Peer, Scu; print(Scu().store(Peer('127.0.0.1', {listener.port}, 'LIANYI'), [Path({str(path)!r}).read_bytes()])[0].ok)"
    try:
        Scu().echo(_peer(listener))
        before = _rss()
        said = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
            cwd=Path(__file__).parents[2],
        )
    finally:
        listener.stop()
    assert said.stdout == "True\n"
    assert kept == [(10240, pytest.approx(100 << 20, rel=0.01))]
    assert _rss() - before < 40 * 1024


def test_a_cut_object_leaves_no_file_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "OBJECT_LIMIT", 200_000)
    drafts = Drafts()
    listener = Listener(ListenerSettings(port=0), lambda _r: SUCCESS, draft=drafts)
    listener.start()
    try:
        large = _changed(_sample("CT_small.dcm"), PixelData=b"\0" * 400_000, Rows=1000, Columns=200)
        gc.disable()  # whoever waits for the collector keeps the disk full meanwhile
        assert not Scu().store(_peer(listener), [large])[0].ok
        assert Scu().store(_peer(listener), [_sample("CT_small.dcm")])[0].ok
        late = time.monotonic() + 5
        while not all(d.closed for d in drafts.made) and time.monotonic() < late:
            time.sleep(0.05)
    finally:
        gc.enable()
        listener.stop()
    assert [d.closed for d in drafts.made] == [True, True]


def test_no_room_while_it_arrives_is_said_and_the_next_one_is_taken() -> None:
    class NoRoom(io.BytesIO):
        def write(self, _piece: object) -> int:
            raise OSError(errno.ENOSPC, "no space")

    turn = iter([NoRoom(), io.BytesIO(), NoRoom()])
    listener = Listener(ListenerSettings(port=0), lambda _r: SUCCESS, draft=lambda: next(turn))
    listener.start()
    try:
        outcomes = Scu().store(_peer(listener), [_sample("CT_small.dcm")] * 3)
    finally:
        listener.stop()
    assert [o.code for o in outcomes] == ["0xA700", "0x0000", "0xA700"]


def _closed_within(line: socket.socket, seconds: float) -> bool:
    line.settimeout(seconds)
    try:
        while line.recv(4096):
            pass
    except TimeoutError:
        return False
    except OSError:
        return True
    return True


def test_who_says_nothing_or_half_a_word_is_let_go(start: Start) -> None:
    peer = _peer(start(idle_seconds=0.5))
    for said in (b"", b"\1\0\0", struct.pack(">BBI", 1, 0, 100) + b"half"):
        with socket.create_connection((peer.host, peer.port)) as line:
            line.sendall(said)
            assert _closed_within(line, 10)


def test_who_drips_is_let_go(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "SLOWEST", 1 << 20)
    peer = _peer(start(idle_seconds=0.4))
    with socket.create_connection((peer.host, peer.port)) as line:
        line.sendall(struct.pack(">BBI", 1, 0, 1000))
        line.settimeout(0.1)
        ended = time.monotonic() + 10
        while time.monotonic() < ended:
            try:
                line.sendall(b"\0")
                if line.recv(1) == b"":
                    return
            except TimeoutError:
                continue
            except OSError:
                return
    pytest.fail("the dripping peer was borne for ten seconds")


def test_associations_end_at_the_cap(start: Start) -> None:
    from pynetdicom import AE

    peer = _peer(start(associations=2))
    ae = AE("LIANYI")
    ae.add_requested_context("1.2.840.10008.1.1")
    held = [ae.associate(peer.host, peer.port) for _ in range(2)]
    assert all(a.is_established for a in held)
    third = Scu().echo(peer)
    assert (third.code, third.kind) == ("busy", OutcomeClass.TRANSIENT)
    for assoc in held:
        assoc.release()


# -- stopping, sharing, TLS -------------------------------------------------------------------------------------------
def test_stopping_waits_for_what_is_being_committed(start: Start) -> None:
    entered, go = threading.Event(), threading.Event()
    kept: list[str] = []

    def slow(received: Received) -> int:
        entered.set()
        go.wait(10)
        kept.append(received.sop_uid)
        return SUCCESS

    listener = start(slow)
    sending = threading.Thread(target=Scu().store, args=(_peer(listener), [_sample("CT_small.dcm")]))
    sending.start()
    assert entered.wait(10)
    stopping = threading.Thread(target=listener.stop)
    stopping.start()
    go.set()
    stopping.join(10)
    sending.join(10)
    assert len(kept) == 1
    assert not stopping.is_alive()


def test_stopping_does_not_wait_for_the_idle(start: Start) -> None:
    from pynetdicom import AE

    listener = start()
    ae = AE("LIANYI")
    ae.add_requested_context("1.2.840.10008.1.1")
    assoc = ae.associate("127.0.0.1", listener.port)
    began = time.monotonic()
    listener.stop()
    assert time.monotonic() - began < 4
    assoc.abort()


def test_two_listeners_share_a_port() -> None:
    first = Listener(ListenerSettings(port=0, shared=True), lambda _r: SUCCESS)
    first.start()
    second = Listener(ListenerSettings(port=first.port, shared=True), lambda _r: SUCCESS)
    second.start()
    try:
        assert all(Scu().echo(_peer(first)).ok for _ in range(4))
    finally:
        first.stop()
        second.stop()


def _pair(folder: Path) -> tuple[ssl.SSLContext, Identity, Trust]:
    """A listener that wants to see the one certificate, who has it, and who knows it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = made.add_extension(x509.SubjectAlternativeName([address]), critical=False)
    pem, cert = folder / "pair.pem", made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(private + cert)
    return tls.server(pem, pem, pem), Identity(pem, pem), Trust(cert.decode())


def test_objects_travel_by_tls_and_a_silent_stranger_stops_nobody(
    start: Start, taken: list[Received], tmp_path: Path
) -> None:
    server, identity, trust = _pair(tmp_path)
    peer = replace(_peer(start(tls=server)), trust=trust)
    with socket.create_connection((peer.host, peer.port)):  # connected, never shakes hands
        assert Scu(identity=identity).store(peer, [_sample("CT_small.dcm")])[0].ok
    assert len(taken) == 1


# -- foreign programs -------------------------------------------------------------------------------------------------
dcmtk = pytest.mark.skipif(
    not shutil.which("storescu") and not os.environ.get("LIANYI_REQUIRE_ALL"), reason="DCMTK is not installed"
)


@pytest.mark.peer
@dcmtk
def test_dcmtk_stores_to_us(start: Start, taken: list[Received], tmp_path: Path) -> None:
    address = ["-aec", "LIANYI", "127.0.0.1", str(start().port)]
    subprocess.run(["echoscu", *address], check=True, timeout=30)
    path = tmp_path / "ct.dcm"
    path.write_bytes(_sample("CT_small.dcm"))
    subprocess.run(["storescu", *address, str(path)], check=True, timeout=30)
    assert read(taken[0].part10).modality == "CT"


@pytest.mark.peer
@dcmtk
def test_a_sender_with_nagle_on_is_not_slow(start: Start, taken: list[Received], tmp_path: Path) -> None:
    for number in range(40):
        (tmp_path / f"{number}.dcm").write_bytes(_sample("CT_small.dcm"))
    address = ["-aec", "LIANYI", "127.0.0.1", str(start().port)]
    began = time.monotonic()
    subprocess.run(["storescu", *address, "+sd", str(tmp_path)], check=True, timeout=60)
    assert len(taken) == 40
    assert time.monotonic() - began < 40 * 0.040, "each object waited for a delayed acknowledgement"


# -- objects we make --------------------------------------------------------------------------------------------------
def test_encapsulated_pdf_is_the_pdf_and_always_the_same(tmp_path: Path) -> None:
    pdf = b"%PDF-1.7\nodd"
    made = [
        encapsulate_pdf(pdf, SUBJECT, series_uid="2.25.2", sop_uid="2.25.3", title="会诊报告", when=WHEN)
        for _ in range(2)
    ]
    assert made[0] == made[1]
    ds = pydicom.dcmread(io.BytesIO(made[0]))
    assert bytes(ds.EncapsulatedDocument)[: ds.EncapsulatedDocumentLength] == pdf
    assert (ds.DocumentTitle, ds.Modality, ds.MIMETypeOfEncapsulatedDocument) == ("会诊报告", "DOC", "application/pdf")
    header = read(made[0])
    assert (header.study_uid, header.patient_name, header.has_pixels, header.notes) == ("2.25.1", "王^示例", False, ())
    if shutil.which("dciodvfy"):
        (tmp_path / "x.dcm").write_bytes(made[0])
        said = subprocess.run(["dciodvfy", str(tmp_path / "x.dcm")], capture_output=True, text=True, check=False).stderr
        assert "Error" not in said


def test_encapsulated_pdf_travels(start: Start, taken: list[Received]) -> None:
    made = encapsulate_pdf(b"%PDF-1.7", SUBJECT, series_uid="2.25.2", sop_uid="2.25.3", title="报告", when=WHEN)
    assert Scu().store(_peer(start()), [made])[0].ok
    assert _data_set(taken[0].part10) == _data_set(made)
