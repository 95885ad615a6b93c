"""TLS of the DICOM and HL7 listeners, as BCP 195 (RFC 9325) and the profile of PS3.15 B.12 want it."""

from __future__ import annotations

import ssl
from pathlib import Path

CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""For TLS 1.2: forward secrecy and authenticated encryption only; TLS 1.3 has nothing else."""


def server(cert: Path, key: Path, client_ca: Path | None = None) -> ssl.SSLContext:
    """A listener's context from PEM files. With `client_ca`, peers must show a certificate of that authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.load_cert_chain(cert, key)
    if client_ca is not None:
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context
