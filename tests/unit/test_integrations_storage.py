"""One contract for every blob store."""

from __future__ import annotations

import hashlib
import io
import threading
from pathlib import Path

import pytest

from integrations.storage import BlobDamaged, BlobMissing, BlobStore, FileStore, MemoryStore


@pytest.fixture(params=["files", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    return FileStore(tmp_path) if request.param == "files" else MemoryStore()


def test_bytes_come_back_under_their_hash(store: BlobStore) -> None:
    data = bytes(range(256)) * 9000
    blob = store.put(io.BytesIO(data))
    assert blob.sha256 == hashlib.sha256(data).hexdigest()
    assert (blob.size, store.size(blob.sha256)) == (len(data), len(data))
    assert store.put(data) == blob
    assert store.read(blob.sha256) == data
    store.verify(blob.sha256)


def test_what_is_not_there_is_said_to_be_missing(store: BlobStore) -> None:
    for name in ("0" * 64, "../../etc/passwd", ""):
        assert not (name and len(name) == 64 and store.exists(name))
        with pytest.raises(BlobMissing):
            store.read(name)


def test_damage_is_found(tmp_path: Path) -> None:
    files = FileStore(tmp_path)
    name = files.put(b"pixels").sha256
    path = tmp_path / name[:2] / name[2:4] / name
    path.write_bytes(b"pixelz")
    with pytest.raises(BlobDamaged):
        files.verify(name)


def test_many_writers_of_the_same_bytes_leave_one_file(tmp_path: Path) -> None:
    files = FileStore(tmp_path)
    threads = [threading.Thread(target=files.put, args=(b"x" * 100_000,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([p for p in tmp_path.rglob("*") if p.is_file()]) == 1
