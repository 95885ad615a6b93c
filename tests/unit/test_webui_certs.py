"""A certificate of our own authority is one a TLS client accepts, for exactly the names it was made for."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from webui import certs


def _handshake(cert: Path, key: Path, ca: Path, name: str) -> None:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(cert, key)
    client = ssl.create_default_context(cafile=str(ca))
    a, b = ssl.MemoryBIO(), ssl.MemoryBIO()
    left = client.wrap_bio(a, b, server_hostname=name)
    right = server.wrap_bio(b, a, server_side=True)
    done = [False, False]
    for _ in range(10):
        for i, side in enumerate((left, right)):
            if not done[i]:
                try:
                    side.do_handshake()
                    done[i] = True
                except ssl.SSLWantReadError:
                    pass
        if all(done):
            return


def test_certificate_is_accepted_for_its_names_only(tmp_path: Path) -> None:
    cert, key, ca = certs.issue(tmp_path, ["hub.example", "127.0.0.1"])
    assert key.stat().st_mode & 0o777 == 0o600
    _handshake(cert, key, ca, "hub.example")
    _handshake(cert, key, ca, "127.0.0.1")
    with pytest.raises(ssl.SSLCertVerificationError):
        _handshake(cert, key, ca, "other.example")


def test_second_issue_keeps_the_authority(tmp_path: Path) -> None:
    _, _, ca = certs.issue(tmp_path, ["a.example"])
    before = ca.read_bytes()
    cert, key, _ = certs.issue(tmp_path, ["b.example"], name="pacs", out=tmp_path / "usb")
    assert ca.read_bytes() == before
    assert (cert, key) == (tmp_path / "usb" / "pacs.pem", tmp_path / "usb" / "pacs.key")
    assert not (tmp_path / "usb" / "ca.key").exists()
    _handshake(cert, key, ca, "b.example")


def test_nothing_is_replaced_unasked(tmp_path: Path) -> None:
    files = certs.issue(tmp_path, ["a.example"])
    before = [f.read_bytes() for f in files]
    for missing in (None, files[0], files[1]):  # one of the two is enough to stop
        kept = missing.read_bytes() if missing else b""
        if missing:
            missing.unlink()
        with pytest.raises(certs.CertificateExists, match=r"server\."):
            certs.issue(tmp_path, ["b.example"])
        if missing:
            missing.write_bytes(kept)
    assert [f.read_bytes() for f in files] == before
    cert, key, ca = certs.issue(tmp_path, ["b.example"], force=True)
    assert ca.read_bytes() == before[2]
    _handshake(cert, key, ca, "b.example")


@pytest.mark.parametrize("name", ["ca", "CA", "../x", "a/b", "", ".hidden", "x" * 65])
def test_a_name_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(certs.BadName):
        certs.issue(tmp_path / "new", ["a.example"], name=name)
    assert not (tmp_path / "new").exists()
