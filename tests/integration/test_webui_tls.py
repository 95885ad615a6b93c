"""With a certificate the DICOM and HL7 roles speak TLS and nothing else; with an authority, only to those it knows."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom.data import get_testdata_file
from sqlalchemy import select

from integrations import Outcome, tls
from integrations.dicom import Peer, Scu, SenderSettings
from integrations.hl7 import Client, Listener, ListenerSettings
from integrations.tls import Identity, Trust
from tasks.messages.models import Inbound
from tasks.people.service import directory
from webui import bootstrap, certs, serve
from webui.cli import main
from webui.config import Config
from webui.error_texts import DELIVERIES

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
ADT = b"MSH|^~\\&|A|B|C|D|20261124||ADT^A04|1|P|2.5.1\rPID|1||X||DEMO\r"
Running = Callable[..., AbstractContextManager[serve.Listen]]


def _port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _config(folder: Path) -> Config:
    return Config(folder, f"sqlite:///{folder}/l.db", "http://127.0.0.1", "k" * 40)


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Running:
    """Runs one role as `lianyi serve` does, with a certificate for 127.0.0.1."""
    config = _config(tmp_path)
    list(bootstrap.migrate(config))
    house = bootstrap.build(config)
    house.services.people.create_hospital("QH", "青禾", "Qinghe", "primary", ae_title="QH_CT")
    house.close()
    certs.issue(tmp_path / "tls", ["127.0.0.1"])

    @contextmanager
    def run(
        role: str, client_ca: Path | None = None, names: list[str] | None = None, hl7_peers: str = "known"
    ) -> Iterator[serve.Listen]:
        cert, key, _ = certs.issue(tmp_path / "tls", names or ["127.0.0.1"], force=True)
        up, stop = threading.Event(), threading.Event()
        monkeypatch.setattr(serve, "say_ready", lambda *_: up.set())
        listen = serve.Listen(dicom=_port(), mllp=_port(), cert=cert, key=key, client_ca=client_ca)
        begin = {"dicom": serve._dicom, "mllp": serve._mllp}[role]
        thread = threading.Thread(target=begin, args=(replace(config, hl7_peers=hl7_peers), listen, stop))
        thread.start()
        try:
            assert up.wait(20)
            yield listen
        finally:
            stop.set()
            thread.join(20)

    return run


def _trust(folder: Path) -> Trust:
    return Trust((folder / "tls" / "ca.pem").read_text())


def _identity(folder: Path) -> Identity:
    return Identity(folder / "tls" / "server.pem", folder / "tls" / "server.key")


def _send(port: int, trust: Trust | None, identity: Identity | None = None) -> str:
    return Client(2, 5, identity).send("127.0.0.1", port, ADT, trust).code


def _echo(port: int, trust: Trust | None, identity: Identity | None = None, title: str = "QH_CT") -> str:
    peer = Peer("127.0.0.1", port, "LIANYI", trust)
    return Scu(SenderSettings(title, connect_seconds=2, answer_seconds=5), identity).echo(peer).code


def test_hl7_is_taken_by_tls_only(running: Running, tmp_path: Path) -> None:
    with running("mllp") as listen:
        assert _send(listen.mllp, None) in ("unreachable", "closed", "timeout")
        assert _send(listen.mllp, _trust(tmp_path)) in ("AA", "AE", "AR")
        old = ssl.create_default_context(cafile=str(tmp_path / "tls" / "ca.pem"))
        old.set_ciphers("AES128-SHA256:AES256-SHA256")  # no forward secrecy
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        with socket.create_connection(("127.0.0.1", listen.mllp), timeout=5) as line, pytest.raises(OSError):
            old.wrap_socket(line, server_hostname="127.0.0.1")


def test_hl7_peers_show_a_certificate_where_an_authority_is_named(running: Running, tmp_path: Path) -> None:
    with running("mllp", tmp_path / "tls" / "ca.pem") as listen:
        for _ in range(5):  # whether the refusal or the closed connection is seen first is a matter of time
            assert _send(listen.mllp, _trust(tmp_path)) in ("tls_refused", "tls_closed")
        assert _send(listen.mllp, _trust(tmp_path), _identity(tmp_path)) in ("AA", "AE", "AR")


def test_dicom_is_taken_by_tls_only_and_from_known_titles(running: Running, tmp_path: Path) -> None:
    with running("dicom") as listen:
        assert _echo(listen.dicom, None) != "0x0000"
        assert _echo(listen.dicom, _trust(tmp_path)) == "0x0000"
        assert _echo(listen.dicom, _trust(tmp_path), title="NOBODY") == "rejected"


def test_dicom_peers_show_a_certificate_where_an_authority_is_named(running: Running, tmp_path: Path) -> None:
    with running("dicom", tmp_path / "tls" / "ca.pem") as listen:
        for _ in range(5):
            assert _echo(listen.dicom, _trust(tmp_path)) in ("tls_refused", "tls_closed")
        assert _echo(listen.dicom, _trust(tmp_path), _identity(tmp_path)) == "0x0000"


def test_hl7_is_taken_from_entered_peers_only(running: Running, tmp_path: Path) -> None:
    """A certificate does not replace the entry, nor the entry the certificate."""
    house = bootstrap.build(_config(tmp_path))
    with house.db.read() as session:
        home = next(h.id for h in directory.hospitals(session))
    line = {"name": "HIS", "port": 1, "application": "X"}

    def sent(port: int) -> Outcome:
        return Client(2, 5, _identity(tmp_path)).send("127.0.0.1", port, ADT, _trust(tmp_path))

    with running("mllp", tmp_path / "tls" / "ca.pem") as listen:
        assert sent(listen.mllp).code == "AR"  # nobody is entered: it is the message that is refused, and kept
        house.services.messages.set_endpoint(home, "dicom", host="10.9.9.9", **line)
        assert sent(listen.mllp).code == "AR"
        house.services.messages.set_endpoint(home, "hl7", host="10.9.9.9", **line)
        refused = sent(listen.mllp)
        assert refused.code == "AE"
        assert "127.0.0.1 is not entered as a peer here; ask the platform's administrator" in refused.detail
        house.services.messages.set_endpoint(home, "hl7", host="10.9.9.9", peers=["10.0.0.0/8", "127.0.0.0/8"], **line)
        assert sent(listen.mllp).code == "AR"
        house.services.messages.set_endpoint(home, "hl7", host="127.0.0.1", **line)
        assert sent(listen.mllp).code == "AR"
        house.services.messages.set_endpoint(home, "hl7", host="10.9.9.9", **line)
    with running("mllp", tmp_path / "tls" / "ca.pem", hl7_peers="any") as listen:
        assert sent(listen.mllp).code == "AR"
    with house.db.read() as session:
        assert {row.code for row in session.scalars(select(Inbound))} == {"AR"}
    house.close()


@pytest.mark.parametrize("role", ["dicom", "mllp"])
def test_results_go_to_no_peer_of_another_authority_or_name(running: Running, tmp_path: Path, role: str) -> None:
    _, _, other = certs.issue(tmp_path / "other", ["127.0.0.1"])
    ask = {"dicom": _echo, "mllp": _send}[role]
    with running(role) as listen:
        port = {"dicom": listen.dicom, "mllp": listen.mllp}[role]
        assert ask(port, Trust(other.read_text())) == "tls_untrusted"
        assert ask(port, Trust()) == "tls_untrusted"  # nor does this machine know the authority
    with running(role, names=["hub.example"]) as listen:
        port = {"dicom": listen.dicom, "mllp": listen.mllp}[role]
        assert ask(port, _trust(tmp_path)) == "tls_name"


@pytest.mark.parametrize("ask", [_echo, _send])
def test_a_peer_without_tls_is_sent_nothing(ask: Callable[..., str], tmp_path: Path) -> None:
    _, _, authority = certs.issue(tmp_path, ["127.0.0.1"])
    trust, heard = Trust(authority.read_text()), []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            for speak in (True, False):
                line, _ = server.accept()
                with line:
                    heard.append(line.recv(5))
                    if speak:
                        line.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                    else:
                        time.sleep(2.5)

        thread = threading.Thread(target=answer)
        thread.start()
        assert ask(server.getsockname()[1], trust) == "tls_none"  # it answers something else
        assert ask(server.getsockname()[1], trust) == "tls_none"  # it waits for what it understands
        thread.join()
    assert [h[:1] for h in heard] == [b"\x16", b"\x16"]


@pytest.mark.parametrize("ask", [_echo, _send])
def test_our_own_certificate_that_cannot_be_read_is_said(ask: Callable[..., str], tmp_path: Path) -> None:
    assert ask(1, Trust(), Identity(tmp_path / "no.pem", tmp_path / "no.key")) == "tls_identity"


def test_a_name_without_address_is_unreachable() -> None:
    assert Scu().echo(Peer("nobody.invalid", 11112, "X")).code == "unreachable"
    assert Client().send("nobody.invalid", 2575, ADT).code == "unreachable"


def test_every_word_of_a_failed_delivery_fits_its_column_and_has_its_chinese() -> None:
    assert set(tls.WORDS) <= set(DELIVERIES)
    assert all(len(text) <= 240 for text in tls.WORDS.values())


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
