"""Bytes by hash: one port, a store in files, one fake."""

from integrations.storage.fake import MemoryStore
from integrations.storage.files import FileStore
from integrations.storage.port import Blob, BlobDamaged, BlobMissing, BlobStore, StoreFull

__all__ = ["Blob", "BlobDamaged", "BlobMissing", "BlobStore", "FileStore", "MemoryStore", "StoreFull"]
