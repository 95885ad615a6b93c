"""One command on one instance: what a caller may do inside the transaction, and how it is written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from engine import incidents, messages, runner, state, waits
from engine.db import crash_point
from engine.errors import NotFound, Stale
from engine.history import record
from engine.ids import derived, uuid7
from engine.runner import Run
from engine.spiff import Context, JobRequest
from engine.tables import command_log, instance, job
from engine.values import Json

if TYPE_CHECKING:
    from engine.api import Engine
    from engine.definitions import Definition


LANE_LENGTH = 200
"""Characters of a lane; what differs only behind them waits for one another, which is never wrong."""


class Tx:
    """A transaction on one locked instance. Everything done through it, and in its `session`, happens or none of it.

    `repeated` says that this command was carried out before: do nothing then and return `answer`.
    """

    def __init__(
        self, engine: Engine, session: Session, row: Any, actor: str, key: str, *, scope: UUID, repeated: bool = False
    ) -> None:
        self._engine = engine
        self._row = row
        self._key = key
        self._scope = scope
        self._run: Run | None = None
        self._cancelled: str | None = None
        self.session = session
        self.now: datetime = engine.clock.now()
        self.actor = actor
        self.instance_id: UUID = row.id
        self.tenant: UUID = row.tenant
        self.business_key: str = row.business_key
        self.status: str = row.status
        self.repeated = repeated
        self.answer: Json = None

    @classmethod
    def answered(cls, engine: Engine, session: Session, row: Any, actor: str, answer: Json) -> Tx:
        """The transaction of a command that was carried out before."""
        tx = cls(engine, session, row, actor, "", scope=row.id, repeated=True)
        tx.answer = answer
        return tx

    def complete(self, task_id: UUID, data: Mapping[str, Json]) -> None:
        """Complete a user task; `data` merges into its scope. NotFound when the task is not waiting."""
        node = self._running().complete_user(task_id, data)
        self.note("task.completed", {"fields": sorted(data)}, task_id=task_id, node=node)

    def message(self, name: str, payload: Mapping[str, Json]) -> bool:
        """Offer a message to this instance; True when something caught it."""
        return self.offer(name, self.business_key, payload)

    def offer(self, name: str, correlation: str, payload: Json) -> bool:
        """Like `message`, with another correlation key."""
        if self.status != "running" or not self._running().message(name, correlation, payload):
            return False
        self.note("message.caught", {"name": name})
        return True

    def publish(self, name: str, business_key: str, payload: Mapping[str, Json]) -> None:
        """Send a message to any instance, by a row of this transaction."""
        self._publish(name, business_key, payload, f"{self.instance_id}:{uuid7()}")

    def cancel(self, reason: str) -> None:
        """End the instance where it stands; its jobs are cancelled."""
        self._running().cancel()
        self._cancelled = reason

    def note(
        self,
        kind: str,
        data: Mapping[str, Json],
        *,
        task_id: UUID | None = None,
        on_behalf: str | None = None,
        node: str | None = None,
    ) -> None:
        """Add an entry to the history, within this transaction."""
        record(
            self.session,
            tenant=self.tenant,
            kind=kind,
            actor=self.actor,
            at=self.now,
            instance_id=self.instance_id,
            task_id=task_id,
            node=node,
            data=data,
            on_behalf=on_behalf,
        )

    def reply(self, value: Json) -> None:
        """What a repetition of this command gets as its answer."""
        self.answer = value

    def start(self, data: Mapping[str, Json], version: Definition) -> None:
        """Create the tokens of a new instance (the engine calls this)."""
        compiled = self._engine.definitions.compiled(self.session, version.id)
        lent = self._lend(compiled)
        lent_run = runner.create(compiled.specs, data, lent)
        self._run = lent_run
        self.note("instance.started", {"process": version.process, "version": version.version, "hash": version.hash})
        lent_run.to_quiescence()

    def timers(self) -> bool:
        """Let every due timer of the instance fire; True when one did."""
        return self.status == "running" and self._running().timers()

    def job_done(self, task_id: UUID, result: Json) -> bool:
        """Hand a service task its result; False when nobody waits for it any more."""
        return self.status == "running" and self._running().complete_job(task_id, result)

    def job_error(self, task_id: UUID, code: str) -> bool | None:
        """Raise a BPMN error at a service task; None when nobody waits, False when no boundary event catches it."""
        return self._running().job_error(task_id, code) if self.status == "running" else None

    def release(self, task_id: UUID, data: Mapping[str, Json]) -> None:
        """Let a held task try again with some of its variables changed."""
        self._running().release(task_id, data)

    def close(self) -> None:
        """Write everything; the engine calls this when the caller's block ends without an error."""
        crash_point("applied")
        if self._run is not None:
            self._save(self._run)
        self.session.execute(
            insert(command_log).values(
                scope=self._scope,
                key=self._key,
                tenant=self.tenant,
                instance_id=self.instance_id,
                answer=self.answer,
                actor=self.actor,
                at=self.now,
            )
        )
        crash_point("answered")

    def _running(self) -> Run:
        if self.status != "running":
            raise NotFound("The case has ended.", instance=str(self.instance_id))
        if self._run is None:
            compiled = self._engine.definitions.compiled(self.session, self._row.definition_id)
            lent = self._lend(compiled)
            self._run = runner.resume(state.load(self._row.state, compiled.specs, lent), lent)
            crash_point("loaded")
        return self._run

    def _lend(self, compiled: Any) -> Context:
        return Context(
            self.now.astimezone(self._engine.zone), self.business_key, self._engine.signatures, compiled.decide
        )

    def _save(self, run: Run) -> None:
        ended = run.completed
        self.status = "cancelled" if self._cancelled is not None else "completed" if ended else "running"
        change = waits.difference(self.session, self._row, run, ended, self._engine.takers)
        self._history(run, change)
        crash_point("recorded")
        blob = state.dump(run.workflow)
        crash_point("compacted")
        changed = self.session.execute(
            update(instance)
            .where(instance.c.id == self.instance_id, instance.c.rev == self._row.rev)
            .values(
                state=blob,
                rev=self._row.rev + 1,
                status=self.status,
                updated_at=self.now,
                ended_at=None if self.status == "running" else self.now,
            )
        )
        if changed.rowcount != 1:  # type: ignore[attr-defined]
            raise Stale("The case changed under its lock.", instance=str(self.instance_id))
        crash_point("saved")
        waits.write(self.session, change)
        crash_point("waits_written")
        self._jobs(run, change.gone("job"))
        for sent in run.lent.published:
            self._publish(sent.name, sent.correlation, sent.payload, f"{self.instance_id}:{sent.task_id}")
        incidents.settle(self, run)
        crash_point("jobs_written")

    def _history(self, run: Run, change: waits.Change) -> None:
        for done in run.finished:
            data: dict[str, Json] = {"process": done.process, "type": done.kind}
            self.note("step", data, task_id=done.task_id, node=done.node)
        for taken in run.lent.decided:
            self.note(
                "decided",
                {"decision": taken.decision, "rules": list(taken.rules)},
                task_id=taken.task_id,
                node=taken.node,
            )
        for row in change.cut({done.task_id for done in run.finished}):
            whose = {name: str(value) for name in ("form", "role", "scope", "person") if (value := getattr(row, name))}
            self.note("task.cut", {"process": row.process, **whose}, task_id=row.task_id, node=row.node)
        if self.status != "running":
            self.note(f"instance.{self.status}", {"reason": self._cancelled} if self._cancelled else {})

    def _jobs(self, run: Run, gone: set[UUID]) -> None:
        if gone:
            dead = job.c.task_id.in_(gone), job.c.state.in_(("ready", "leased", "incident"))
            self.session.execute(
                update(job)
                .where(job.c.instance_id == self.instance_id, *dead)
                .values(state="cancelled", finished_at=self.now)
            )
        alive = [wanted for wanted in run.lent.jobs if (task := run.find(wanted.task_id)) and runner.is_open(task)]
        if alive:
            self.session.execute(insert(job), [self._job(wanted) for wanted in alive])

    def _job(self, wanted: JobRequest) -> dict[str, Any]:
        signature = self._engine.signatures[wanted.operation]
        words = [str(wanted.args.get(name)) for name in signature.lane]
        return {
            "id": derived(self.instance_id, str(wanted.task_id)),
            "tenant": self.tenant,
            "instance_id": self.instance_id,
            "business_key": self.business_key,
            "task_id": wanted.task_id,
            "operation": wanted.operation,
            "effect": signature.effect.value,
            "lane": ":".join([wanted.operation, *words])[:LANE_LENGTH] if words else None,
            "position": uuid7(),
            "args": wanted.args,
            "state": "ready",
            "attempt": 0,
            "run_at": self.now,
            "created_at": self.now,
        }

    def _publish(self, name: str, correlation: str, payload: Json, key: str) -> None:
        messages.store(
            self.session,
            name,
            correlation,
            payload,
            key=key,
            actor=self.actor,
            now=self.now,
            ttl=self._engine.ttl,
            tenant=self.tenant,
        )
        self.note("message.published", {"name": name, "correlation": correlation})


def open_job(session: Session, job_id: UUID) -> Any:
    """The locked row of a job."""
    return session.execute(select(job).where(job.c.id == job_id).with_for_update()).first()
