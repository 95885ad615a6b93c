"""The engine's verbs: release a model, start an instance, and lend a transaction in which one command happens.

One command is one transaction: begin, lock the instance row, answer a known key as before, load, apply, run to
quiescence, append history, dump, save under the revision, rewrite the waits, insert jobs and messages, commit. There is
no I/O but the database between begin and commit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, timedelta, tzinfo
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine import messages
from engine.clock import Clock
from engine.db import Database, crash_point
from engine.definitions import Definition, Definitions
from engine.errors import Busy, NotFound
from engine.ids import uuid7
from engine.model import Bundle, Finding, LintRefused, lint
from engine.model.lint import NO_CONTEXTS
from engine.model.view import Contexts
from engine.operations import Registry
from engine.tables import command_log, instance
from engine.tx import Tx
from engine.values import Json
from engine.waits import Takers

LOCK_WAIT_MS = 2000
Check = Callable[[Bundle], Sequence[Finding]]


def lint_nothing(_bundle: Bundle) -> Sequence[Finding]:
    """No check beside the engine's own."""
    return ()


class Engine:
    """Runs instances of released models in one database. Holds no connection and no instance between calls."""

    def __init__(
        self,
        db: Database,
        signatures: Registry,
        clock: Clock,
        *,
        ttl: timedelta = timedelta(days=14),
        takers: Takers = Takers(),  # noqa: B008 - frozen
        contexts: Contexts = NO_CONTEXTS,
        check: Check = lint_nothing,
        zone: tzinfo = UTC,
    ) -> None:
        """`signatures` are the operations models may call; `ttl` is how long an undelivered message is kept.

        `takers` says for whom a task may wait, `contexts` what is in the variables every case starts with. Nothing is released in which `check` finds errors: it judges the files of a
        bundle the engine knows nothing of. `zone` is where models live: what `now()`, `today()` and the hour of an instant say."""
        self.db = db
        self.signatures = signatures
        self.clock = clock
        self.ttl = ttl
        self.takers, self.contexts, self.zone, self._check = takers, contexts, zone, check
        self.definitions = Definitions()

    def release(self, bundle: Bundle, *, actor: str) -> Definition:
        """Release a bundle as the next version of its process; a known hash is a no-op.

        LintRefused when the check finds errors; warnings do not stand in the way.
        """
        found = [*lint(bundle, self.signatures, roles=self.takers.roles, contexts=self.contexts), *self._check(bundle)]
        errors = [one for one in found if one.severity == "error"]
        if errors:
            raise LintRefused(errors)
        with self.db.transaction() as session:
            return self.definitions.release(session, bundle, actor=actor, at=self.clock.now())

    @contextmanager
    def start(
        self,
        process: str,
        *,
        tenant: UUID,
        business_key: str,
        data: Mapping[str, Json],
        key: str,
        actor: str,
        instance_id: UUID | None = None,
    ) -> Iterator[Tx]:
        """Start the newest released version; `key` makes the command repeatable within the tenant."""
        with _alone(), self.db.transaction() as session:
            self._limit_lock_wait(session)
            found = _answered(session, tenant, key)
            if found is not None:
                yield Tx.answered(self, session, _locked(session, found.instance_id), actor, found.answer)
                return
            version = self.definitions.newest(session, process)
            now = self.clock.now()
            made = instance_id or uuid7()
            row = {
                "id": made,
                "tenant": tenant,
                "definition_id": version.id,
                "process": process,
                "business_key": business_key,
                "status": "running",
                "rev": 0,
                "state": b"",
                "started_at": now,
                "updated_at": now,
            }
            session.execute(insert(instance).values(row))
            tx = Tx(self, session, _locked(session, made), actor, key, scope=tenant)
            tx.start(data, version)
            yield tx
            tx.close()

    @contextmanager
    def begin(self, instance_id: UUID, key: str, *, actor: str) -> Iterator[Tx]:
        """Lock an instance for one command. A key seen before gives a Tx that is `repeated` and holds the answer.

        NotFound when there is no such instance; Busy when another command holds it for longer than two seconds.
        """
        with _alone(), self.db.transaction() as session:
            self._limit_lock_wait(session)
            crash_point("begun")
            row = _locked(session, instance_id)
            crash_point("locked")
            found = _answered(session, instance_id, key)
            if found is not None:
                yield Tx.answered(self, session, row, actor, found.answer)
                return
            crash_point("unseen")
            tx = Tx(self, session, row, actor, key, scope=instance_id)
            yield tx
            tx.close()

    def deliver(self, name: str, business_key: str, payload: Mapping[str, Json], *, key: str, actor: str) -> None:
        """Store a message for whoever waits for it now or within its time to live; a known key is a no-op."""
        with self.db.transaction() as session:
            messages.store(
                session, name, business_key, payload, key=key, actor=actor, now=self.clock.now(), ttl=self.ttl
            )

    def _limit_lock_wait(self, session: Session) -> None:
        if self.db.dialect == "postgresql":
            session.execute(text(f"set local lock_timeout = {LOCK_WAIT_MS}"))


@contextmanager
def _alone() -> Iterator[None]:
    """Busy when somebody else carries out the same command at this moment."""
    try:
        yield
    except IntegrityError as error:
        if "command_log" in str(error.orig):
            raise Busy() from error
        raise


def _locked(session: Session, instance_id: UUID) -> Any:
    row = session.execute(select(instance).where(instance.c.id == instance_id).with_for_update()).first()
    if row is None:
        raise NotFound("There is no such instance.", instance=str(instance_id))
    return row


def _answered(session: Session, scope: UUID, key: str) -> Any:
    return session.execute(select(command_log).where(command_log.c.scope == scope, command_log.c.key == key)).first()
