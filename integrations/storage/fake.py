"""A blob store in memory."""

from __future__ import annotations

import hashlib
import io
from datetime import datetime
from typing import BinaryIO

from integrations.storage.port import Blob, BlobDamaged, BlobMissing, chunks


class MemoryStore:
    """Keeps everything in a dictionary; `damage` flips a byte for tests."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}

    def put(self, data: bytes | BinaryIO) -> Blob:
        """Keep bytes."""
        whole = b"".join(chunks(data))
        name = hashlib.sha256(whole).hexdigest()
        self.blobs.setdefault(name, whole)
        return Blob(name, len(whole))

    def draft(self) -> BinaryIO:
        """A file in memory."""
        return io.BytesIO()

    def read(self, sha256: str) -> bytes:
        """All bytes of a blob."""
        if sha256 not in self.blobs:
            raise BlobMissing(sha256)
        return self.blobs[sha256]

    def open(self, sha256: str) -> BinaryIO:
        """A blob as a stream."""
        return io.BytesIO(self.read(sha256))

    def remove(self, sha256: str, before: datetime) -> bool:  # noqa: ARG002 - here nothing has an age
        """Forget the bytes."""
        return self.blobs.pop(sha256, None) is not None

    def size(self, sha256: str) -> int:
        """Bytes of a blob."""
        return len(self.read(sha256))

    def exists(self, sha256: str) -> bool:
        """Is the blob there?"""
        return sha256 in self.blobs

    def verify(self, sha256: str) -> None:
        """Hash it again."""
        if hashlib.sha256(self.read(sha256)).hexdigest() != sha256:
            raise BlobDamaged(sha256)

    def damage(self, sha256: str) -> None:
        """Flip the first byte."""
        whole = self.blobs[sha256]
        self.blobs[sha256] = bytes([whole[0] ^ 1]) + whole[1:]
