"""Files somebody attached to a form that was never handed in: after a time nobody keeps them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.db import Database
from engine.tables import wait
from tasks.cases.service import ClinicalCase
from tasks.files.models import File
from tasks.files.service import UPLOADS, Files
from tasks.worklist.models import Draft, Submission

KEPT = timedelta(days=30)
"""So long an upload is kept without being handed in; a draft that names it and was written in since keeps it longer."""
LOOKED_BACK = timedelta(days=90)
"""Only uploads that came of age within this time are looked at: a night that was missed is made up for, and what was handed in
long ago is not read again every night."""


def sweep(db: Database, files: Files, now: datetime) -> int:
    """Let go of uploads that are old and in no form; how many went."""
    before = now - KEPT
    with db.read() as session:
        old = select(File.id, File.case_id).where(
            File.kind.in_(UPLOADS),
            File.created_at < before,
            File.created_at >= before - LOOKED_BACK,
            File.case_id.is_not(None),
        )
        found = [(row.id, row.case_id) for row in session.execute(old)]
        used = {case: _used(session, case, before) for case in {case for _, case in found}}
    return sum(files.let_go(file, before) for file, case in found if str(file) not in used[case])


def _used(session: Session, case_id: UUID, before: datetime) -> str:
    """The forms of a case that were handed in, and the drafts somebody still writes, as one text in which a file's id is sought."""
    handed_in = session.scalars(select(Submission.data).where(Submission.case_id == case_id))
    waits = select(wait.c.task_id).join(ClinicalCase, ClinicalCase.instance_id == wait.c.instance_id)
    open_ = waits.where(ClinicalCase.id == case_id, wait.c.kind == "user")
    written = session.scalars(select(Draft.data).where(Draft.task_id.in_(open_), Draft.updated_at >= before))
    return _text([*handed_in, *written])


def _text(forms: Iterable[object]) -> str:
    return "\n".join(json.dumps(form) for form in forms)
