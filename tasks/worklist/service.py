"""The worklist: see what waits, take it, write on it, hand it in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

import forms
from engine.api import Engine
from engine.clock import Clock
from engine.db import Database
from engine.errors import NotFound
from engine.history import record
from engine.ids import uuid7
from engine.tables import instance, wait
from engine.values import Json
from forms import FormDef
from tasks.cases.service import CaseFacts, Cases, ClinicalCase
from tasks.people.service import Actor, OpenTask, barred, fresh, member
from tasks.worklist import drafts, gone, inbox
from tasks.worklist.checking import checked
from tasks.worklist.errors import (
    AlreadyClaimed,
    FormInvalid,
    NeedsReauth,
    NotClaimed,
    NothingToDo,
    Separated,
    TaskDone,
)  # fmt: skip
from tasks.worklist.inbox import PAGE, TABS, Cursor, DoneRow, InboxRow, Tab
from tasks.worklist.models import Claim, Draft, Submission
from tasks.worklist.pinned import FormSource, PinnedForms

__all__ = [
    "EVERY", "TABS", "DoneRow", "FormInvalid", "FormSource", "InboxRow", "OpenedTask", "PinnedForms", "Receipt", "Submission", "Submitted",
    "Submitting", "Tab", "Worklist",
]  # fmt: skip

EVERY = "*"
WROTE = {"report": "author", "sign": "author"}
"""The part somebody has in a case after handing in one of these forms; after any other it is the task's role."""


@dataclass(frozen=True)
class OpenedTask:
    """A task as its page shows it. `draft` is what the actor wrote so far, `etag` its revision (0: none yet), `told` what

    he was told of it when he last tried to hand it in."""

    task: InboxRow
    case: CaseFacts | None
    form: FormDef
    definition_id: UUID
    draft: Mapping[str, Any]
    told: drafts.Told
    etag: int
    mine: bool
    free: bool


@dataclass(frozen=True)
class Receipt:
    """What became of a task: who handed it in (None where the reader must not know) and when."""

    name: str | None
    name_en: str | None
    node: str
    form: str
    account_id: UUID | None
    at: datetime
    case: CaseFacts | None
    instance_id: UUID
    data: Mapping[str, Any]


@dataclass(frozen=True)
class Submitted:
    """The receipt of a submission; `repeated` when the same key came before."""

    submission_id: UUID
    repeated: bool


@dataclass
class Submitting:
    """What a hook sees before a form is stored; it may refuse by raising, write rows, or add to `process`."""

    session: Session
    actor: Actor
    task: InboxRow
    case: ClinicalCase | None
    form: FormDef
    data: dict[str, Any]
    process: dict[str, Json]
    now: datetime

    def named(self, field: str) -> list[str]:
        """What a field names: the elements of a list, the one value, or nothing."""
        value = self.data.get(field)
        return [str(one) for one in value] if isinstance(value, list | tuple) else [str(value)] if value else []


Hook = Callable[[Submitting], None]


class Worklist:
    """The verbs of the inbox."""

    def __init__(
        self, db: Database, clock: Clock, engine: Engine, cases: Cases, source: FormSource | None = None
    ) -> None:
        self._db, self._clock, self._engine, self._cases = db, clock, engine, cases
        self._source = source or PinnedForms()
        self._hooks: dict[str, list[Hook]] = {}

    def before_submit(self, form_id: str, hook: Hook) -> None:
        """Have a function called, in the transaction, before a form of this id (`EVERY`: any form) is stored.

        A refusal by FormInvalid speaks Chinese; `submit` turns it into the reader's language."""
        self._hooks.setdefault(form_id, []).append(hook)

    # -- see ----------------------------------------------------------------------------------------------------------
    def inbox(
        self, session: Session, actor: Actor, tab: Tab = "all", *, after: Cursor | None = None, limit: int = PAGE
    ) -> list[InboxRow]:
        """A page of all, claimed, team or substitute, by due; go on with `after=rows[-1].cursor`."""
        return inbox.rows(session, self._cases, actor, tab, after, min(limit, PAGE))

    def of_case(self, session: Session, actor: Actor, case_id: UUID) -> list[InboxRow]:
        """The actor's tasks in one case, by due: those of his inbox, however long that is."""
        only = inbox.of_instance(self._cases.get(session, case_id).instance_id)
        return inbox.rows(session, self._cases, actor, "all", None, PAGE, only)

    def urgent(self, session: Session, actor: Actor, limit: int = 50) -> list[InboxRow]:
        """The tasks of the actor's inbox that belong to emergencies, by due."""
        return inbox.rows(session, self._cases, actor, "all", None, min(limit, PAGE), inbox.urgent())

    def counts(self, session: Session, actor: Actor) -> dict[Tab, int]:
        """The numbers on the tabs."""
        return inbox.counts(session, actor)

    def done(self, session: Session, actor: Actor, *, before: Cursor | None = None, limit: int = PAGE) -> list[DoneRow]:
        """What the actor handed in, newest first; go on with `before=(submitted_at, submission_id)`."""
        return inbox.done(session, self._cases, actor, before, min(limit, PAGE))

    def open_task(self, session: Session, actor: Actor, task_id: UUID) -> OpenedTask:
        """A task with its case, its pinned form and the actor's draft. NotFound, also for whom it does not wait."""
        task, case, _ = self._task(session, actor, task_id)
        definition_id = self._definition(session, task.instance_id)
        draft = session.get(Draft, (task_id, actor.account_id))
        return OpenedTask(
            task=task,
            case=task.case,
            form=self._source.form(session, definition_id, task.form or ""),
            definition_id=definition_id,
            draft=draft.data if draft else {},
            told=(draft.told or {}) if draft else {},
            etag=draft.revision if draft else 0,
            mine=task.claimed_by == actor.account_id,
            free=task.claimed_by is None and not _separated(self._cases, session, actor, task, case),
        )

    def submissions(self, session: Session, case_id: UUID, form: str | None = None) -> list[Submission]:
        """What was handed in for a case, oldest first; for services, no permission is checked."""
        query = select(Submission).where(Submission.case_id == case_id).order_by(Submission.submitted_at, Submission.id)
        return list(session.scalars(query.where(Submission.form == form) if form else query))

    def receipt(self, session: Session, actor: Actor, task_id: UUID) -> Receipt:
        """Who handed a task in and when, for himself and for whoever sees its case. NotFound."""
        done = session.scalars(select(Submission).where(Submission.task_id == task_id)).first()
        case = session.get(ClinicalCase, done.case_id) if done is not None else None
        mine = done is not None and done.account_id == actor.account_id
        seen = case is not None and self._cases.allowed(session, actor, case, "case", "list")
        if done is None or not (mine or seen):
            raise NotFound("task", id=str(task_id))
        covered = not mine and case is not None and done.account_id in self._cases.hidden(session, actor, case)
        shown = self._cases.shown_to(session, actor, [case]) if case is not None and seen else []
        return Receipt(
            name=done.name, name_en=done.name_en, node=done.node, form=done.form, account_id=None if covered else done.account_id,
            at=done.submitted_at, case=shown[0] if shown else None, instance_id=done.instance_id, data=done.data,
        )  # fmt: skip

    def cut(self, session: Session, actor: Actor, task_id: UUID) -> gone.Cut:
        """What took a task away that nobody handed in, for whom it had waited and whoever sees its case. NotFound."""
        return gone.cut(session, self._cases, actor, task_id)

    def form_of(self, session: Session, instance_id: UUID, form: str) -> FormDef:
        """A form as the definition of an instance pinned it. NotFound."""
        return self._source.form(session, self._definition(session, instance_id), form)

    def questions(self, session: Session, actor: Actor, case_ids: Sequence[UUID]) -> dict[UUID, str]:
        """What is asked in each of these cases, where this actor may read the application."""
        if not case_ids:
            return {}
        readable = self._cases.readable(session, actor, case_ids, "application")
        query = select(Submission.case_id, Submission.data).where(
            Submission.case_id.in_(readable), Submission.form == "apply"
        )
        found = session.execute(query.order_by(Submission.submitted_at, Submission.id))
        return {case_id: str(data.get("question") or "") for case_id, data in found if case_id is not None}

    # -- take ---------------------------------------------------------------------------------------------------------
    def claim(self, actor: Actor, task_id: UUID) -> None:
        """Take a task; taking it twice is no error. AlreadyClaimed, Separated, NotFound."""
        with self._db.transaction() as session:
            self._claim(session, actor, task_id, self._clock.now())

    def claim_next(self, actor: Actor, *forms: str) -> UUID:
        """Take the task that comes first by urgency, due and age (of these forms). NothingToDo."""
        while True:
            with self._db.read() as session:
                task_id = inbox.next_task(session, actor, forms)
            if task_id is None:
                raise NothingToDo
            try:
                self.claim(actor, task_id)
            except (AlreadyClaimed, NotFound):
                continue  # somebody was faster, or it is gone: the next one
            return task_id

    def has_next(self, session: Session, actor: Actor) -> bool:
        """Whether `claim_next` would find a task now."""
        return inbox.next_task(session, actor, ()) is not None

    def unclaim(self, actor: Actor, task_id: UUID) -> None:
        """Give a task back; the draft stays. NotClaimed."""
        with self._db.transaction() as session:
            claim = session.get(Claim, task_id)
            if claim is None or claim.account_id != actor.account_id:
                raise NotClaimed(task=str(task_id))
            session.delete(claim)
            self._note(session, actor, claim, "task.unclaimed", {})

    def reassign(self, actor: Actor, task_id: UUID, to: Actor) -> None:
        """A coordinator puts a task into the hands of a colleague it could wait for. NotFound, Separated."""
        with self._db.transaction() as session:
            found = inbox.one(session, task_id)
            case = found.ClinicalCase if found else None
            if case is None or not self._cases.allowed(session, actor, case, "case", "reassign"):
                raise NotFound("task", id=str(task_id))
            session.execute(delete(Claim).where(Claim.task_id == task_id))
            claim = self._claim(session, to, task_id, self._clock.now())
            self._note(session, actor, claim, "task.reassigned", {"to": to.id})

    def case_of(self, session: Session, task_id: UUID) -> UUID | None:
        """The case of a task, whether it waits or was handed in; no permission is asked. None: there is no such task."""
        waiting = select(wait.c.instance_id).where(wait.c.task_id == task_id, wait.c.kind == "user")
        handed_in = select(Submission.instance_id).where(Submission.task_id == task_id)
        found = session.scalar(waiting.limit(1)) or session.scalar(handed_in)
        return session.scalar(select(ClinicalCase.id).where(ClinicalCase.instance_id == found)) if found else None

    # -- write --------------------------------------------------------------------------------------------------------
    def save_draft(self, actor: Actor, task_id: UUID, data: Mapping[str, Any], etag: int) -> int:
        """Keep what was written; returns the new ETag. `etag` is the revision it is based on (0: the first). Stale."""
        with self._db.transaction() as session:
            _, _, tenant = self._task(session, actor, task_id)
            return drafts.save(session, tenant, (task_id, actor.account_id), data, etag, self._clock.now())

    def keep_refused(self, actor: Actor, task_id: UUID, data: Mapping[str, Any], told: drafts.Told) -> int:
        """Keep what could not be handed in as the draft, with what its author is told; returns the new ETag. NotFound."""
        with self._db.transaction() as session:
            _, _, tenant = self._task(session, actor, task_id)
            return drafts.refuse(session, tenant, (task_id, actor.account_id), data, told, self._clock.now())

    def delete_draft(self, actor: Actor, task_id: UUID) -> None:
        """Throw away what was written; nothing there is no error."""
        with self._db.transaction() as session:
            session.execute(delete(Draft).where(Draft.task_id == task_id, Draft.account_id == actor.account_id))

    # -- hand in ------------------------------------------------------------------------------------------------------
    def submit(
        self,
        actor: Actor,
        task_id: UUID,
        data: Mapping[str, Any],
        key: str,
        *,
        take: bool = False,
        zone: tzinfo = UTC,
        lang: str = "zh",
        translate: Callable[..., str] = forms.plain,
    ) -> Submitted:
        """Check the form, store it and complete the task with its process fields, in one transaction.

        The same `key` again gets the same receipt. `take` claims a free task on the way (an answer by SMS).
        Raises NotFound, NotClaimed, AlreadyClaimed, Separated, NeedsReauth, FormInvalid, TaskDone, and what hooks raise.
        """
        instance_id = self._instance_of(task_id)
        with self._engine.begin(instance_id, key, actor=actor.id) as tx:
            if tx.repeated:
                return Submitted(_receipt(tx.answer), repeated=True)
            if tx.session.scalar(select(Submission.id).where(Submission.task_id == task_id)) is not None:
                raise TaskDone(task=str(task_id))
            if take:
                self._claim(tx.session, actor, task_id, tx.now)
            task, case, tenant = self._task(tx.session, actor, task_id)
            self._check_hands(tx.session, actor, task, case, tx.now)
            definition_id = self._definition(tx.session, instance_id)
            form = self._source.form(tx.session, definition_id, task.form or "")
            clean = checked(form, data, zone=zone, lang=lang, translate=translate)
            process: dict[str, Json] = dict(forms.process_fields(form, clean))
            step = Submitting(tx.session, actor, task, case, form, clean, process, tx.now)
            self._run_hooks(step, translate)
            stored = self._store(tx.session, step, tenant, definition_id)
            note: dict[str, Json] = {"submission": str(stored), "form": form.pin, "role": task.role or ""}
            note |= {"address": actor.address} if actor.address else {}
            stands_in = str(task.on_behalf) if task.on_behalf else None
            tx.note("task.submitted", note, task_id=task_id, on_behalf=stands_in, node=task.node)
            tx.complete(task_id, step.process)
            tx.reply(str(stored))
            return Submitted(stored, repeated=False)

    # -- inside -------------------------------------------------------------------------------------------------------
    def _run_hooks(self, step: Submitting, translate: Callable[..., str]) -> None:
        try:
            for hook in (*self._hooks.get(EVERY, []), *self._hooks.get(step.form.id, [])):
                hook(step)
        except FormInvalid as problem:
            told = {name: [translate(text) for text in texts] for name, texts in problem.errors.items()}
            raise FormInvalid(told) from problem

    def _task(self, session: Session, actor: Actor, task_id: UUID) -> tuple[InboxRow, ClinicalCase | None, UUID]:
        found = inbox.one(session, task_id)
        if found is None:
            raise NotFound("task", id=str(task_id))
        mine = found.Claim is not None and found.Claim.account_id == actor.account_id
        if not mine and not member(actor, OpenTask(found.role, found.scope, found.person)):
            raise NotFound("task", id=str(task_id))
        case: ClinicalCase | None = found.ClinicalCase
        shown = {c.id: c for c in self._cases.shown_to(session, actor, [case] if case else [])}
        return inbox.row(found, shown), case, found.tenant

    def _claim(self, session: Session, actor: Actor, task_id: UUID, now: datetime) -> Claim:
        task, case, tenant = self._task(session, actor, task_id)
        if _separated(self._cases, session, actor, task, case):
            raise Separated(task=str(task_id))
        behalf = task.person if task.person in actor.stands_in_for and task.person != actor.account_id else None
        dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
        values = {
            "task_id": task_id,
            "tenant": tenant,
            "instance_id": task.instance_id,
            "account_id": actor.account_id,
            "on_behalf": behalf,
            "claimed_at": now,
        }
        taking = dialect.insert(Claim).values(values).on_conflict_do_nothing().returning(Claim.task_id)
        taken = session.scalar(taking) is not None
        claim = session.get_one(Claim, task_id, populate_existing=True)
        if claim.account_id != actor.account_id:
            raise AlreadyClaimed(task=str(task_id))
        if taken:
            self._note(session, actor, claim, "task.claimed", {})
        return claim

    def _check_hands(
        self, session: Session, actor: Actor, task: InboxRow, case: ClinicalCase | None, now: datetime
    ) -> None:
        if task.claimed_by is None:
            raise NotClaimed(task=str(task.task_id))
        if task.claimed_by != actor.account_id:
            raise AlreadyClaimed(task=str(task.task_id))
        if _separated(self._cases, session, actor, task, case):
            raise Separated(task=str(task.task_id))
        if task.reauth and not fresh(actor, now):
            raise NeedsReauth(task=str(task.task_id))

    def _store(self, session: Session, step: Submitting, tenant: UUID, definition_id: UUID) -> UUID:
        submission_id, task, actor = uuid7(), step.task, step.actor
        values = {
            "id": submission_id,
            "tenant": tenant,
            "task_id": task.task_id,
            "instance_id": task.instance_id,
            "case_id": step.case.id if step.case else task.instance_id,
            "process": task.process,
            "node": task.node,
            "role": task.role,
            "name": task.name,
            "name_en": task.name_en,
            "form": step.form.id,
            "form_pin": step.form.pin,
            "definition_id": definition_id,
            "data": step.data,
            "account_id": actor.account_id,
            "on_behalf": task.on_behalf,
            "submitted_at": step.now,
        }
        session.execute(insert(Submission).values(values))
        session.execute(delete(Draft).where(Draft.task_id == task.task_id))
        session.execute(delete(Claim).where(Claim.task_id == task.task_id))
        part = WROTE.get(step.form.id, task.role)
        if step.case is not None and part is not None:
            self._cases.relate(session, step.case.id, actor.account_id, part)
        return submission_id

    def _instance_of(self, task_id: UUID) -> UUID:
        with self._db.read() as session:
            found = inbox.one(session, task_id)
            if found is not None:
                return UUID(str(found.instance_id))
            known = session.scalar(select(Submission.instance_id).where(Submission.task_id == task_id))
        if known is None:
            raise NotFound("task", id=str(task_id))
        return known

    def _definition(self, session: Session, instance_id: UUID) -> UUID:
        query = select(instance.c.definition_id).where(instance.c.id == instance_id)
        return UUID(str(session.execute(query).scalar_one()))

    def _note(self, session: Session, actor: Actor, claim: Claim, kind: str, data: Mapping[str, Json]) -> None:
        record(
            session,
            tenant=claim.tenant,
            kind=kind,
            actor=actor.id,
            at=self._clock.now(),
            instance_id=claim.instance_id,
            task_id=claim.task_id,
            data=data,
            on_behalf=str(claim.on_behalf) if claim.on_behalf else None,
        )


def _receipt(answer: Json) -> UUID:
    return UUID(str(answer))


def _separated(cases: Cases, session: Session, actor: Actor, task: InboxRow, case: ClinicalCase | None) -> bool:
    guard = inbox.guard_of(task.form, task.node)
    return guard is not None and case is not None and barred(actor, guard[1], cases.facts(session, case, guard[0]))
