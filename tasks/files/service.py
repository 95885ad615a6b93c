"""Files of a case: who may add one, who may open one, where its bytes lie."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import BinaryIO
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.clock import Clock
from engine.db import Database
from engine.errors import NotFound
from engine.history import record
from engine.ids import uuid7
from engine.values import Json
from integrations.storage import Blob, BlobStore
from tasks.cases.service import Cases, ClinicalCase
from tasks.files.errors import FileEmpty, FileRefused, FileTooLarge
from tasks.files.models import File
from tasks.people.service import Actor

__all__ = ["File", "Files"]

LIMIT = 50 * 1024 * 1024
KINDS = frozenset({"consent", "attachment", "report", "recording", "export"})
SWEEPER = "worker"
"""Who lets go of what nobody handed in."""
NOTHING: Mapping[str, Json] = {}
UPLOADS = frozenset({"consent", "attachment"})
MAGIC = {
    "application/pdf": (b"%PDF-",),
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
}


class Files:
    """The verbs. Bytes are stored before the transaction that names them, so a row never points to nothing."""

    def __init__(self, db: Database, clock: Clock, cases: Cases, blobs: BlobStore) -> None:
        self._db, self._clock, self._cases, self._blobs = db, clock, cases, blobs
        self._named: list[Callable[[Session, str], bool]] = []

    def upload(self, actor: Actor, case_id: UUID, kind: str, name: str, media_type: str, content: bytes) -> File:
        """A consent scan or an attachment from a person. NotFound, FileEmpty, FileTooLarge, FileRefused."""
        if not content:
            raise FileEmpty
        if len(content) > LIMIT:
            raise FileTooLarge(size=len(content))
        if kind not in UPLOADS or not content.startswith(MAGIC.get(media_type, ())):
            raise FileRefused(kind=kind, media_type=media_type)
        with self._db.read() as session:
            self._cases.require(session, actor, case_id, "file", "create")
        stored = self._blobs.put(content)
        with self._db.transaction() as session:
            case = self._cases.require(session, actor, case_id, "file", "create")
            return self.add(session, case, kind, name, media_type, stored, actor=actor.id)

    def add(
        self, session: Session, case: ClinicalCase, kind: str, name: str, media_type: str, stored: Blob, *, actor: str
    ) -> File:
        """Name a stored blob as a file of the case, in a service's transaction (a rendered report, a recording)."""
        if kind not in KINDS:
            raise FileRefused(kind=kind)
        now = self._clock.now()
        file = File(
            id=uuid7(),
            tenant=case.tenant,
            case_id=case.id,
            kind=kind,
            name=clean_name(name),
            media_type=media_type,
            sha256=stored.sha256,
            size=stored.size,
            created_by=actor,
            created_at=now,
        )
        session.add(file)
        session.flush()
        self._note(session, file, case, "file.added", actor)
        return file

    def visible(self, session: Session, actor: Actor, case_id: UUID) -> list[File]:
        """The files of a case which the actor may open, oldest first. NotFound when he does not see the case."""
        case = self._cases.require(session, actor, case_id, "case", "list")
        query = select(File).where(File.case_id == case_id, File.withdrawn_at.is_(None)).order_by(File.id)
        allowed = {k: self._may_open(session, actor, case, k) for k in KINDS}
        return [file for file in session.scalars(query) if allowed[file.kind]]

    def open(self, actor: Actor, file_id: UUID) -> tuple[File, BinaryIO]:
        """The row and its bytes; that it was opened is recorded. NotFound."""
        with self._db.transaction() as session:
            file, case = self._readable(session, actor, file_id)
            self._note(session, file, case, "file.opened", actor.id, self._cases.why(session, actor, case, "file"))
        return file, self._blobs.open(file.sha256)

    def withdraw(self, actor: Actor, file_id: UUID) -> None:
        """Take a file back that one added; the bytes stay, for history points to them. NotFound."""
        with self._db.transaction() as session:
            file, case = self._readable(session, actor, file_id)
            if file.created_by != actor.id or file.kind not in UPLOADS:
                raise NotFound("file", id=str(file_id))
            file.withdrawn_at = self._clock.now()
            self._note(session, file, case, "file.withdrawn", actor.id)

    def let_go(self, file_id: UUID, before: datetime) -> bool:
        """Withdraw an upload nobody handed in and remove its bytes, unless something else names them or they were put since an
        instant. Whether anything changed; that is an entry of the record."""
        with self._db.transaction() as session:
            file = session.get_one(File, file_id)
            case = self._cases.get(session, file.case_id) if file.case_id else None
            others = select(File.id).where(File.sha256 == file.sha256, File.id != file.id)
            named = session.scalar(others.limit(1)) is not None or any(f(session, file.sha256) for f in self._named)
            fresh = file.withdrawn_at is None
            file.withdrawn_at = file.withdrawn_at or self._clock.now()
            gone = not named and self._blobs.exists(file.sha256)
            if case is not None and (fresh or gone):
                self._note(session, file, case, "file.swept", SWEEPER, {"bytes": not named})
        return (gone and self._blobs.remove(file.sha256, before)) or fresh

    def named_by(self, finder: Callable[[Session, str], bool]) -> None:
        """Let bytes be kept that another service names by their hash."""
        self._named.append(finder)

    def of_case(self, session: Session, case_id: UUID, *kinds: str) -> list[File]:
        """The files of these kinds, newest last; for services, no permission is checked."""
        query = select(File).where(File.case_id == case_id, File.kind.in_(kinds), File.withdrawn_at.is_(None))
        return list(session.scalars(query.order_by(File.id)))

    def _readable(self, session: Session, actor: Actor, file_id: UUID) -> tuple[File, ClinicalCase]:
        file = session.get(File, file_id)
        if file is None or file.case_id is None or file.withdrawn_at is not None:
            raise NotFound("file", id=str(file_id))
        case = self._cases.get(session, file.case_id)
        if not self._may_open(session, actor, case, file.kind):
            raise NotFound("file", id=str(file_id))
        return file, case

    def _may_open(self, session: Session, actor: Actor, case: ClinicalCase, kind: str) -> bool:
        """A printed report names who wrote it, so that its scorer does not get it."""
        blind = kind == "report" and bool(self._cases.hidden(session, actor, case))
        return not blind and self._cases.allowed(session, actor, case, _object(kind), "read")

    def _note(
        self, session: Session, file: File, case: ClinicalCase, kind: str, actor: str, why: Mapping[str, Json] = NOTHING
    ) -> None:
        data: dict[str, Json] = {"file": str(file.id), "kind": file.kind, "sha256": file.sha256, **why}
        now = self._clock.now()
        record(session, tenant=file.tenant, kind=kind, actor=actor, at=now, instance_id=case.instance_id, data=data)


def clean_name(name: str) -> str:
    """A file name without directories and control characters, at most 200 characters."""
    last = re.split(r"[\\/]", unicodedata.normalize("NFC", name))[-1]
    return "".join(c for c in last if unicodedata.category(c)[0] != "C").strip()[:200] or "file"


def _object(kind: str) -> str:
    return "report" if kind == "report" else "file"
