"""One contract for every blob store, and what a folder must bear: many writers, a full disk, damage, a killed process."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import pytest

from integrations.storage import Blob, BlobDamaged, BlobMissing, BlobStore, FileStore, MemoryStore, StoreFull, files


@pytest.fixture(params=["files", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    return FileStore(tmp_path) if request.param == "files" else MemoryStore()


def _damage(store: BlobStore, sha256: str) -> None:
    if isinstance(store, MemoryStore):
        store.damage(sha256)
    elif isinstance(store, FileStore):
        path = store.root / sha256[:2] / sha256[2:4] / sha256
        whole = path.read_bytes()
        path.write_bytes(bytes([whole[0] ^ 1]) + whole[1:])


def test_bytes_come_back_under_their_hash(store: BlobStore) -> None:
    data = bytes(range(256)) * 9000
    blob = store.put(io.BytesIO(data))
    assert blob.sha256 == hashlib.sha256(data).hexdigest()
    assert (blob.size, store.size(blob.sha256)) == (len(data), len(data))
    assert store.put(data) == blob
    assert store.read(blob.sha256) == data
    with store.open(blob.sha256) as stream:
        stream.seek(256)
        assert stream.read(2) == b"\0\1"
    store.verify(blob.sha256)
    assert store.exists(blob.sha256)


def test_nothing_is_a_blob_too(store: BlobStore) -> None:
    assert store.read(store.put(b"").sha256) == b""


@pytest.mark.parametrize("name", ["0" * 64, "../../etc/passwd", "", "A" * 64, "0" * 64 + "\n"])
def test_what_is_not_there_is_said_to_be_missing(store: BlobStore, name: str) -> None:
    assert not store.exists(name)
    for ask in (store.read, store.open, store.size, store.verify):
        with pytest.raises(BlobMissing) as caught:
            ask(name)
        assert caught.value.advice


def test_damage_is_found(store: BlobStore) -> None:
    name = store.put(b"pixels").sha256
    _damage(store, name)
    with pytest.raises(BlobDamaged):
        store.verify(name)


def _files(root: Path) -> list[Path]:
    return [p for p in root.rglob("*") if p.is_file()]


def test_many_writers_of_the_same_bytes_leave_one_file(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    threads = [threading.Thread(target=store.put, args=(b"x" * 100_000,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(_files(tmp_path)) == 1


def test_a_shortened_copy_is_replaced_by_the_same_bytes(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    name = store.put(b"pixels").sha256
    (tmp_path / name[:2] / name[2:4] / name).write_bytes(b"pix")
    store.put(b"pixels")
    store.verify(name)


def test_a_full_disk_keeps_nothing_and_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FileStore(tmp_path)

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreFull) as caught:
        store.put(b"x" * 10)
    assert caught.value.code == "store_full"
    assert caught.value.advice
    assert _files(tmp_path) == []


def test_a_stream_that_breaks_leaves_nothing(tmp_path: Path) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise ConnectionResetError("gone")

    broken: BinaryIO = Broken()
    with pytest.raises(ConnectionResetError):
        FileStore(tmp_path).put(broken)
    assert _files(tmp_path) == []


def test_all_folders_of_a_new_name_are_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(files, "_sync", synced.append)
    name = FileStore(tmp_path).put(b"pixels").sha256
    assert synced == [tmp_path / name[:2] / name[2:4], tmp_path / name[:2], tmp_path]


def test_what_a_killed_process_left_is_removed_later(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    old, fresh = tmp_path / "incoming" / "a.part", tmp_path / "incoming" / "b.part"
    for left in (old, fresh):
        left.write_bytes(b"half")
    past = time.time() - files.ABANDONED - 60
    os.utime(old, (past, past))
    FileStore(store.root)
    assert (old.exists(), fresh.exists()) == (False, True)


# -- drafts -----------------------------------------------------------------------------------------------------------
def test_a_draft_is_kept_like_its_bytes(store: BlobStore) -> None:
    data = bytes(range(256)) * 9000
    for _ in range(2):  # the second time it is known
        draft = store.draft()
        draft.write(data[:100])
        draft.write(data[100:])
        draft.seek(0)
        assert store.put(draft) == Blob(hashlib.sha256(data).hexdigest(), len(data))
        draft.close()
    assert store.read(hashlib.sha256(data).hexdigest()) == data


def test_a_draft_becomes_the_file_itself_and_has_no_name_before(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    with store.draft() as draft:
        draft.write(b"pixels")
        assert _files(tmp_path) == []  # a killed process leaves nothing
        number = os.fstat(draft.fileno()).st_ino
        name = store.put(draft).sha256
    assert [p.stat().st_ino for p in _files(tmp_path)] == [number]
    store.verify(name)
    with store.draft() as forgotten:
        forgotten.write(b"half")
    assert len(_files(tmp_path)) == 1


def test_a_shortened_copy_is_replaced_by_a_draft(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    name = store.put(b"pixels").sha256
    (tmp_path / name[:2] / name[2:4] / name).write_bytes(b"pix")
    with store.draft() as draft:
        draft.write(b"pixels")
        store.put(draft)
    store.verify(name)


@pytest.mark.parametrize("missing", ["nameless files", "links"])
def test_a_file_system_that_cannot_gets_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    whole_open = os.open

    def unlinked(*_: object, **__: object) -> None:
        raise OSError(errno.EXDEV, "not here")

    def named(path: Path, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(errno.EOPNOTSUPP, "not here")
        return whole_open(path, flags, mode)

    monkeypatch.setattr(*((os, "open", named) if missing == "nameless files" else (os, "link", unlinked)))
    store = FileStore(tmp_path)
    with store.draft() as draft:
        draft.write(b"pixels")
        draft.seek(0)
        name = store.put(draft).sha256
    store.verify(name)
    assert len(_files(tmp_path)) == 1


def test_a_full_disk_keeps_no_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "no space")

    store = FileStore(tmp_path)
    monkeypatch.setattr(os, "fsync", full)
    with store.draft() as draft:
        draft.write(b"pixels")
        with pytest.raises(StoreFull):
            store.put(draft)
    assert _files(tmp_path) == []


def test_bytes_are_removed_once_nobody_has_put_them_for_a_while(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    blob = store.put(b"old")
    path = tmp_path / blob.sha256[:2] / blob.sha256[2:4] / blob.sha256
    cut = datetime.now(UTC) - timedelta(days=1)
    assert not store.remove(blob.sha256, cut)  # too young
    os.utime(path, (1, 1))
    store.put(b"old")  # put again, so that it is young again
    assert not store.remove(blob.sha256, cut)
    os.utime(path, (1, 1))
    assert store.remove(blob.sha256, cut)
    assert not store.exists(blob.sha256)
    assert not store.remove(blob.sha256, cut)
