"""The port of blob stores: bytes kept under their own hash."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Protocol

from integrations import IntegrationError


@dataclass(frozen=True)
class Blob:
    """What a store says of bytes it keeps: sha256 in lower-case hex, size in bytes."""

    sha256: str
    size: int


class BlobMissing(IntegrationError):
    """The store does not hold these bytes."""

    code = "blob_missing"
    advice = "Check the store's folder and its mirror; restore the file from the backup."


class BlobDamaged(IntegrationError):
    """The bytes in the store are not the ones that were put there."""

    code = "blob_damaged"
    advice = "Do not use this copy; restore the file from the mirror or the backup."


class StoreFull(IntegrationError):
    """The store cannot take more bytes."""

    code = "store_full"
    advice = "Free space in the store's folder; nothing of this object was kept."


class BlobStore(Protocol):
    """Keeps bytes under their sha256 until they are removed; putting the same bytes again only makes them young again."""

    def put(self, data: bytes | BinaryIO) -> Blob:
        """Keep bytes durably; returns only when they would survive a power cut. A stream is kept from where it stands."""

    def draft(self) -> BinaryIO:
        """An empty file to write into; put keeps it without copying. What is not put is gone when it is closed."""

    def read(self, sha256: str) -> bytes:
        """All bytes of a blob; BlobMissing when there is none."""

    def open(self, sha256: str) -> BinaryIO:
        """A blob as a stream to read from; the caller closes it."""

    def remove(self, sha256: str, before: datetime) -> bool:
        """Let go of bytes that nobody has put since an instant; whether they went. Ask first whether anything still names them."""

    def size(self, sha256: str) -> int:
        """Bytes of a blob."""

    def exists(self, sha256: str) -> bool:
        """Is the blob there?"""

    def verify(self, sha256: str) -> None:
        """Read and hash it again; BlobDamaged when it differs."""


def chunks(data: bytes | BinaryIO, size: int = 1 << 20) -> Iterator[bytes]:
    """The bytes in pieces of at most `size`."""
    if isinstance(data, bytes | bytearray | memoryview):
        yield bytes(data)
        return
    while piece := data.read(size):
        yield piece
