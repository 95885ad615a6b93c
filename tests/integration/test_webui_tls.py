"""With a certificate the DICOM and HL7 roles speak TLS and nothing else; with an authority, only to those it knows."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from pydicom.data import get_testdata_file

from integrations.dicom import Peer, Scu, SenderSettings
from integrations.hl7 import Client, Listener, ListenerSettings
from webui import bootstrap, certs, serve, tls
from webui.cli import main
from webui.config import Config

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
ADT = b"MSH|^~\\&|A|B|C|D|20261124||ADT^A04|1|P|2.5.1\rPID|1||X||DEMO\r"
Running = Callable[..., AbstractContextManager[serve.Listen]]


def _port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Running:
    """Runs one role as `lianyi serve` does, with a certificate for 127.0.0.1."""
    config = Config(tmp_path, f"sqlite:///{tmp_path}/l.db", "http://127.0.0.1", "k" * 40)
    list(bootstrap.migrate(config))
    house = bootstrap.build(config)
    house.services.people.create_hospital("QH", "青禾", "Qinghe", "primary", ae_title="QH_CT")
    house.close()
    cert, key, _ = certs.issue(tmp_path / "tls", ["127.0.0.1"])

    @contextmanager
    def run(role: str, client_ca: Path | None = None) -> Iterator[serve.Listen]:
        up, stop = threading.Event(), threading.Event()
        monkeypatch.setattr(serve, "say_ready", lambda *_: up.set())
        listen = serve.Listen(dicom=_port(), mllp=_port(), cert=cert, key=key, client_ca=client_ca)
        begin = {"dicom": serve._dicom, "mllp": serve._mllp}[role]
        thread = threading.Thread(target=begin, args=(config, listen, stop))
        thread.start()
        try:
            assert up.wait(20)
            yield listen
        finally:
            stop.set()
            thread.join(20)

    return run


def _trusting(folder: Path, showing: bool = False) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(folder / "tls" / "ca.pem"))
    if showing:
        context.load_cert_chain(folder / "tls" / "server.pem", folder / "tls" / "server.key")
    return context


def _send(port: int, context: ssl.SSLContext | None) -> str:
    return Client(answer_seconds=5, tls=context).send("127.0.0.1", port, ADT).code


def test_hl7_is_taken_by_tls_only(running: Running, tmp_path: Path) -> None:
    with running("mllp") as listen:
        assert _send(listen.mllp, None) in ("unreachable", "closed", "timeout")
        assert _send(listen.mllp, _trusting(tmp_path)) in ("AA", "AE", "AR")
        old = _trusting(tmp_path)
        old.set_ciphers("AES128-SHA256:AES256-SHA256")  # no forward secrecy
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        assert _send(listen.mllp, old) == "unreachable"


def test_hl7_peers_show_a_certificate_where_an_authority_is_named(running: Running, tmp_path: Path) -> None:
    with running("mllp", tmp_path / "tls" / "ca.pem") as listen:
        assert _send(listen.mllp, _trusting(tmp_path)) in ("unreachable", "closed")
        assert _send(listen.mllp, _trusting(tmp_path, showing=True)) in ("AA", "AE", "AR")


def test_dicom_is_taken_by_tls_only_and_from_known_titles(running: Running, tmp_path: Path) -> None:
    with running("dicom") as listen:
        peer = Peer("127.0.0.1", listen.dicom, "LIANYI")
        known, stranger = SenderSettings(ae_title="QH_CT"), SenderSettings(ae_title="NOBODY")
        assert not Scu(known).echo(peer).ok
        assert Scu(known, tls=_trusting(tmp_path)).echo(peer).ok
        assert not Scu(stranger, tls=_trusting(tmp_path)).echo(peer).ok


def test_dicom_peers_show_a_certificate_where_an_authority_is_named(running: Running, tmp_path: Path) -> None:
    known = SenderSettings(ae_title="QH_CT")
    with running("dicom", tmp_path / "tls" / "ca.pem") as listen:
        peer = Peer("127.0.0.1", listen.dicom, "LIANYI")
        assert not Scu(known, tls=_trusting(tmp_path)).echo(peer).ok
        assert Scu(known, tls=_trusting(tmp_path, showing=True)).echo(peer).ok


@pytest.mark.peer
@pytest.mark.skipif(
    not shutil.which("storescu") and not os.environ.get("LIANYI_REQUIRE_ALL"), reason="DCMTK is not installed"
)
def test_dcmtk_stores_by_tls_and_not_without(running: Running, tmp_path: Path) -> None:
    with running("dicom") as listen:
        rest = [
            "-aet",
            "QH_CT",
            "-aec",
            "LIANYI",
            "127.0.0.1",
            str(listen.dicom),
            str(get_testdata_file("CT_small.dcm")),
        ]
        secure = ["storescu", "+tla", "+cf", str(tmp_path / "tls" / "ca.pem"), *rest]
        assert subprocess.run(secure, timeout=60, check=False, capture_output=True).returncode == 0
        assert (
            subprocess.run(
                ["storescu", "-to", "5", "-ta", "5", *rest], timeout=60, check=False, capture_output=True
            ).returncode
            != 0
        )


def test_a_peer_that_never_shakes_hands_holds_nothing(tmp_path: Path) -> None:
    cert, key, _ = certs.issue(tmp_path, ["127.0.0.1"])
    settings = ListenerSettings(port=0, handshake_seconds=0.2, tls=tls.server(cert, key))
    listener = Listener(settings, lambda raw, _peer: raw)
    listener.start()
    with socket.create_connection(("127.0.0.1", listener.port), timeout=10) as line:
        assert line.recv(1) == b""
    listener.stop()


@pytest.mark.parametrize("arguments", [["--host", "0.0.0.0"], ["--client-ca", "ca.pem"], ["--cert", "c.pem"]])
def test_half_a_safety_is_refused(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LIANYI_DATA", str(tmp_path))
    for role in ("dicom", "mllp", "web"):
        assert main(["serve", role, *arguments]) != 0
        assert "certs" in capsys.readouterr().err


def test_the_supervised_processes_get_the_authority_too() -> None:
    listen = serve.Listen(cert=Path("c"), key=Path("k"), client_ca=Path("a"))
    assert listen.arguments()[-6:] == ["--cert", "c", "--key", "k", "--client-ca", "a"]
