"""TLS of what listens and of what is sent, as BCP 195 (RFC 9325) and the profile of PS3.15 B.12 want it."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from integrations import Outcome, OutcomeClass

CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""For TLS 1.2: forward secrecy and authenticated encryption only; TLS 1.3 has nothing else."""
OTHER_NAME = (62, 64)
"""X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH."""
NOT_NOW = (9, 10)
"""Not yet valid, expired."""
NO_TLS = ("WRONG_VERSION_NUMBER", "UNEXPECTED_EOF_WHILE_READING", "RECORD_LAYER_FAILURE", "HTTP_REQUEST")
WORDS = {
    "tls_untrusted": "The peer's certificate is not of the authority entered for this line; enter the one that made it.",
    "tls_name": "The peer's certificate is for another name; enter the host as the certificate names it, or have one made for this host.",
    "tls_expired": "The peer's certificate is not valid today; have it renewed, and compare the clocks of both machines.",
    "tls_refused": "The peer did not accept our certificate, or got none: run the worker with --cert and --key of an authority the peer knows.",
    "tls_none": "No TLS answer came from this port; enter the peer's TLS port, or take TLS off the line.",
    "tls_closed": "The peer ended the TLS connection unanswered; if it wants our certificate, run the worker with --cert and --key.",
    "tls_failed": "No TLS connection came about: versions or ciphers do not meet; the peer must speak TLS 1.2 or 1.3.",
    "tls_identity": "Our own certificate or key cannot be used; look at --cert and --key of the worker.",
}
"""What is wrong with a connection, and what to do, by the outcome's code."""


@dataclass(frozen=True)
class Trust:
    """Which certificates a peer must have: those of `authority` (PEM text), or when it is empty those this machine trusts."""

    authority: str = ""


@dataclass(frozen=True)
class Identity:
    """Our own certificate and its key, PEM files, shown to every peer that asks for one."""

    cert: Path
    key: Path


class BadAuthority(ValueError):
    """The text holds no certificate, or more than certificates."""


def server(cert: Path, key: Path, client_ca: Path | None = None) -> ssl.SSLContext:
    """A listener's context from PEM files. With `client_ca`, peers must show a certificate of that authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _sober(context)
    context.load_cert_chain(cert, key)
    if client_ca is not None:
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


class ClientContext(ssl.SSLContext):
    """A context for the connections to one peer. It notes how they went: some callers see only that they ended."""

    problem: OSError | None = None
    shaken = heard = False

    def outcome(self, problem: OSError | None = None) -> Outcome | None:
        """What a failed connection is to be called; None when TLS has nothing to do with it. All may be tried again."""
        found = self.problem or problem
        if isinstance(found, ssl.SSLCertVerificationError):
            code = found.verify_code
            return named("tls_name" if code in OTHER_NAME else "tls_expired" if code in NOT_NOW else "tls_untrusted")
        if isinstance(found, ssl.SSLError):
            reason = str(found.reason or "")
            if isinstance(found, ssl.SSLEOFError) or reason in NO_TLS:
                return named("tls_closed" if self.shaken else "tls_none")
            return named("tls_refused" if "CERTIFICATE" in reason or "UNKNOWN_CA" in reason else "tls_failed")
        if isinstance(self.problem, TimeoutError):
            return named("tls_none")
        ended = found is None or isinstance(found, ConnectionError)
        return named("tls_closed") if ended and self.shaken and not self.heard else None


class _Noting(ssl.SSLSocket):
    """Tells its context how it went."""

    context: ClientContext

    def do_handshake(self, block: bool = False) -> None:
        """Shake hands."""
        try:
            super().do_handshake(block)
            self.context.shaken = True
        except (ssl.SSLError, TimeoutError) as problem:
            self.context.problem = problem
            raise

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """Read; in TLS 1.3 the peer's refusal of our certificate comes only now."""
        try:
            got = super().recv(buflen, flags)
        except ssl.SSLError as problem:
            self.context.problem = problem
            raise
        self.context.heard = self.context.heard or bool(got)
        return got


def client(trust: Trust, identity: Identity | None) -> ClientContext:
    """A caller's context: the peer's certificate and name are verified. BadAuthority; OSError when our own files are unusable."""
    context = ClientContext(ssl.PROTOCOL_TLS_CLIENT)
    context.sslsocket_class = _Noting
    _sober(context)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # a hospital may enter the authority in the middle
    if trust.authority:
        check(trust.authority)
        context.load_verify_locations(cadata=trust.authority)
    else:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    if identity is not None:
        context.load_cert_chain(identity.cert, identity.key)
    return context


def check(authority: str) -> None:
    """BadAuthority unless the text is one or more certificates in PEM and nothing secret."""
    if "PRIVATE KEY" in authority:
        raise BadAuthority("it holds a private key, which belongs nowhere but on its own machine")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=authority)
    except (ssl.SSLError, ValueError) as problem:
        raise BadAuthority("it is no certificate in PEM") from problem


def _sober(context: ssl.SSLContext) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)


def named(code: str) -> Outcome:
    """The outcome of this code."""
    return Outcome(OutcomeClass.TRANSIENT, code, WORDS[code])
