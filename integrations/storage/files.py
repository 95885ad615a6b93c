"""Blobs as files in a folder of this machine: `ab/cd/<sha256>`, written beside and renamed, so that a name is always whole."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import re
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from integrations.storage.port import Blob, BlobDamaged, BlobMissing, StoreFull, chunks

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
NAME = re.compile(r"[0-9a-f]{64}")
ABANDONED = 24 * 3600.0
"""Seconds after which a file that was never finished belongs to a process that is gone."""


class FileStore:
    """A folder that many threads and processes may share. Names come from the content alone, never from a peer."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._incoming = root / "incoming"
        self._incoming.mkdir(parents=True, exist_ok=True)
        self._sweep()

    def put(self, data: bytes | BinaryIO) -> Blob:
        """Write a temporary file while hashing, sync it, rename it, sync the folders. A draft is that file already."""
        temporary = self._incoming / f"{uuid4().hex}.part"
        try:
            blob = _taken(data, temporary) if isinstance(data, _Draft) else _copied(data, temporary)
            self._keep(temporary, self._path(blob.sha256), blob.size)
        except OSError as problem:
            if problem.errno in FULL:
                raise StoreFull(f"{self.root} has no room for it.") from problem
            raise
        finally:
            temporary.unlink(missing_ok=True)
        return blob

    def draft(self) -> BinaryIO:
        """A file of this folder without a name, which the kernel removes when nobody holds it any more, also after a kill."""
        try:
            return _Draft(io.FileIO(os.open(self._incoming, os.O_TMPFILE | os.O_RDWR, 0o600), "w+"))
        except OSError as problem:
            if problem.errno in FULL:
                raise
            return tempfile.TemporaryFile(dir=self._incoming)  # a file system without nameless files: put copies

    def _keep(self, temporary: Path, target: Path, size: int) -> None:
        try:
            known = target.stat().st_size == size  # a copy of another length is damaged, and is replaced
        except FileNotFoundError:
            known = False
        if not known:
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(temporary, target)
        else:
            os.utime(target)  # put again: nobody may remove it as old while its new name is being written down
        # also for a known name: whoever renamed it may not have synced the folders yet
        for folder in (target.parent, target.parent.parent, self.root):
            _sync(folder)

    def read(self, sha256: str) -> bytes:
        """All bytes of a blob."""
        with self.open(sha256) as stream:
            return stream.read()

    def open(self, sha256: str) -> BinaryIO:
        """A blob as a file to read from."""
        try:
            return self._path(sha256).open("rb")
        except FileNotFoundError:
            raise BlobMissing(sha256) from None

    def remove(self, sha256: str, before: datetime) -> bool:
        """Unlink a blob nobody has put since; whether it went."""
        path = self._path(sha256)
        try:
            if path.stat().st_mtime >= before.timestamp():
                return False
            path.unlink()
        except FileNotFoundError:
            return False
        return True

    def size(self, sha256: str) -> int:
        """Bytes of a blob."""
        try:
            return self._path(sha256).stat().st_size
        except FileNotFoundError:
            raise BlobMissing(sha256) from None

    def exists(self, sha256: str) -> bool:
        """Is the blob there?"""
        return NAME.fullmatch(sha256) is not None and self._path(sha256).is_file()

    def verify(self, sha256: str) -> None:
        """Read and hash it again."""
        digest = hashlib.sha256()
        with self.open(sha256) as stream:
            for piece in chunks(stream):
                digest.update(piece)
        if digest.hexdigest() != sha256:
            raise BlobDamaged(sha256)

    def _path(self, sha256: str) -> Path:
        if not NAME.fullmatch(sha256):
            raise BlobMissing("A blob is named by 64 hexadecimal digits.")
        return self.root / sha256[:2] / sha256[2:4] / sha256

    def _sweep(self) -> None:
        """Remove what killed processes left half written."""
        before = time.time() - ABANDONED
        for left in self._incoming.glob("*.part"):
            try:
                if left.stat().st_mtime < before:
                    left.unlink()
            except FileNotFoundError:  # another process was faster
                continue


class _Draft(io.BufferedRandom):
    """A nameless file that can be given a name."""


def _copied(data: bytes | BinaryIO, target: Path) -> Blob:
    digest, size = hashlib.sha256(), 0
    with os.fdopen(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as out:
        for piece in chunks(data):
            digest.update(piece)
            size += len(piece)
            out.write(piece)
        out.flush()
        os.fsync(out.fileno())
    return Blob(digest.hexdigest(), size)


def _taken(draft: _Draft, target: Path) -> Blob:
    draft.seek(0)  # writes what is still in the buffer
    digest, size = hashlib.sha256(), 0
    for piece in chunks(draft):
        digest.update(piece)
        size += len(piece)
    os.fsync(draft.fileno())
    try:
        handles = os.open("/proc/self/fd", os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.link(str(draft.fileno()), target, src_dir_fd=handles, follow_symlinks=True)
        finally:
            os.close(handles)
    except OSError as problem:
        if problem.errno in FULL:
            raise
        draft.seek(0)
        return _copied(draft, target)
    return Blob(digest.hexdigest(), size)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
