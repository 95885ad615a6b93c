"""What compression takes and gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from integrations import IntegrationError

JPEG2000_LOSSLESS = "1.2.840.10008.1.2.4.90"


class NotBitExact(IntegrationError):
    """The compressed pixels do not decode to the original ones."""

    code = "not_bit_exact"
    advice = "The original is kept and used; report the object's SOP Instance UID to the platform's maintainers."


class Undecodable(IntegrationError):
    """The pixels of this object cannot be decoded."""

    code = "undecodable"
    advice = "Ask the sending hospital to export the object again, uncompressed or as JPEG 2000."


@dataclass(frozen=True)
class Encoded:
    """A compressed copy. `part10` is the original when the policy passes the object through; sizes in bytes.

    `pixels_sha256` is the hash of all decoded frames of the copy, equal to the original's when `verified`. `policy` says
    what was done or why nothing was.
    """

    part10: bytes
    bytes_in: int
    bytes_out: int
    frames: int
    pixels_sha256: str
    policy: str
    verified: bool


class Compressor(Protocol):
    """Makes a lossless copy of an object."""

    def encode(self, part10: bytes) -> Encoded:
        """Compress every frame, decode it again, compare; NotBitExact when they differ."""
