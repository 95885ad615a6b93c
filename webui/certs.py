"""The platform's own small certificate authority, for a hospital that has none."""

from __future__ import annotations

import ipaddress
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from engine.errors import LianyiError

CA_YEARS, SERVER_DAYS = 10, 397
"""Browsers refuse server certificates that live longer than 398 days (CA/Browser Forum baseline)."""
BOTH_SIDES = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
"""A DICOM or HL7 peer calls and is called, so its certificate serves on either side."""


class CertificateExists(LianyiError):
    """There is a certificate or key of this name already."""

    code = "certificate_exists"
    advice = "Choose another name with --name or another folder with --out; --force replaces it (whoever uses it must be started again)."


class BadName(LianyiError):
    """This is no name for certificate files."""

    code = "certificate_name"
    advice = "Use letters, digits, dots, - and _; not ca, which is the authority's own."


def issue(
    folder: Path,
    names: list[str],
    now: datetime | None = None,
    *,
    name: str = "server",
    out: Path | None = None,
    force: bool = False,
) -> tuple[Path, Path, Path]:
    """Write a certificate for `names` (host names or addresses), making the authority in `folder` on first use.

    `name` is what the files are called, `out` where they go (without it: beside the authority); what is there already stays
    unless `force`. Returns the paths of certificate, private key (mode 600) and authority certificate. CertificateExists, BadName.
    """
    now = now or datetime.now(UTC)
    out = out or folder
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}", name) or name.lower() == "ca":
        raise BadName(name)
    key_path, path = out / f"{name}.key", out / f"{name}.pem"
    there = [p for p in (path, key_path) if p.exists()]
    if there and not force:
        raise CertificateExists(" ".join(str(p) for p in there))
    for place in (folder, out):
        place.mkdir(parents=True, exist_ok=True)
    ca_key_path, ca_path = folder / "ca.key", folder / "ca.pem"
    if not ca_path.exists():
        ca_key = ec.generate_private_key(ec.SECP256R1())
        _write_key(ca_key_path, ca_key)
        ca_path.write_bytes(_authority(ca_key, now).public_bytes(serialization.Encoding.PEM))
    loaded = serialization.load_pem_private_key(ca_key_path.read_bytes(), password=None)
    if not isinstance(loaded, ec.EllipticCurvePrivateKey):
        raise ValueError(f"{ca_key_path} is not an elliptic-curve key; move it away and run `lianyi certs` again")
    authority = x509.load_pem_x509_certificate(ca_path.read_bytes())
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _server(key, names, authority, loaded, now)
    _write_key(key_path, key)
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return path, key_path, ca_path


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_bytes(pem)


def _name(common: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Lianyi"), x509.NameAttribute(NameOID.COMMON_NAME, common)]
    )


def _authority(key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    name = _name("Lianyi local authority")
    return (
        _builder(name, name, key, now, timedelta(days=365 * CA_YEARS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )


def _server(
    key: ec.EllipticCurvePrivateKey,
    names: list[str],
    authority: x509.Certificate,
    ca_key: ec.EllipticCurvePrivateKey,
    now: datetime,
) -> x509.Certificate:
    alternatives: list[x509.GeneralName] = []
    for name in names:
        try:
            alternatives.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            alternatives.append(x509.DNSName(name))
    return (
        _builder(_name(names[0]), authority.subject, key, now, timedelta(days=SERVER_DAYS))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage(BOTH_SIDES), critical=False)
        .sign(ca_key, hashes.SHA256())
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + life)
    )
