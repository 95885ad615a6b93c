"""What somebody attached to a form and never handed in is let go after its time, and nothing else."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from engine.tables import history
from tasks.files.models import File
from tasks.worklist import orphans

World = Any
PDF = b"%PDF-1.7 "


def _upload(world: World, body: bytes) -> UUID:
    files = world.services.files
    return UUID(str(files.upload(world.actor("he"), world.case, "attachment", "a.pdf", "application/pdf", body).id))


def _kept(world: World) -> dict[UUID, tuple[bool, bool]]:
    """Of every upload: whether it stands, whether its bytes are there."""
    with world.services.db.read() as session:
        return {f.id: (f.withdrawn_at is None, world.blobs.exists(f.sha256)) for f in session.scalars(select(File))}


def _sweep(world: World) -> int:
    return orphans.sweep(world.services.db, world.services.files, world.clock.now())


def test_only_what_is_old_and_in_no_form_goes(world: World) -> None:
    world.open()
    handed_in, lost, same, drafted = (_upload(world, PDF + body) for body in (b"one", b"two", b"one", b"four"))
    world.submit(*world.steps(materials=["ecg"], attachments=[str(handed_in)])[0])
    who = world.actor("gao")
    with world.services.db.read() as session:
        (task,) = [r.task_id for r in world.services.worklist.inbox(session, who) if r.case and r.case.id == world.case]
    world.services.worklist.claim(who, task)
    world.clock.advance(timedelta(days=29))
    assert _sweep(world) == 0
    world.services.worklist.save_draft(who, task, {"note": str(drafted)}, 0)
    world.clock.advance(timedelta(days=2))
    assert _sweep(world) == 2
    assert _kept(world) == {handed_in: (True, True), lost: (False, False), same: (False, True), drafted: (True, True)}
    assert _sweep(world) == 0
    with world.services.db.read() as session:
        told = session.scalars(select(history.c.data).where(history.c.kind == "file.swept")).all()
    assert {json.loads(t)["file"]: json.loads(t)["bytes"] for t in told} == {str(lost): True, str(same): False}
    world.clock.advance(timedelta(days=30))
    assert _sweep(world) == 1  # the draft was left alone for as long
    assert _kept(world)[handed_in] == (True, True)
