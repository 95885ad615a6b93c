"""How a model reaches a handler: signatures for the engine, bound operations for the worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

from engine.values import Json

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


class Effect(StrEnum):
    """What may be repeated. The worker treats a crash by this word alone."""

    LOCAL = "local"
    """Own rows only: handler and completion share one transaction, exactly once."""
    IDEMPOTENT = "idempotent"
    """The peer recognises the key; repeat freely."""
    QUERY = "query"
    """Ask the peer by key before repeating."""
    ONCE = "once"
    """Recorded as sent before the call; a lost answer becomes an incident for a person."""


class Type(StrEnum):
    """FEEL types of parameters and results."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATETIME = "datetime"
    DURATION = "duration"
    LIST = "list"
    CONTEXT = "context"
    ANY = "any"


@dataclass(frozen=True)
class Signature:
    """What lint, release and job rows need to know of an operation.

    `id` is `<tasks folder>.<verb>`. Parameters named in `optional` may be left out; every other one is required.
    `errors` are the BPMN error codes a handler may raise. `lane` names the parameters whose values form the FIFO lane:
    jobs of one lane run strictly one after the other. `words` are the texts a parameter takes, where only some mean
    anything; `about` says to who edits models what the operation does.
    """

    id: str
    effect: Effect
    params: Mapping[str, Type] = field(default_factory=dict)
    result: Mapping[str, Type] = field(default_factory=dict)
    errors: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()
    lane: tuple[str, ...] = ()
    words: Mapping[str, frozenset[str]] = field(default_factory=dict)
    about: str = ""


@dataclass(frozen=True)
class Call:
    """One call of a handler. `tx` is set for LOCAL operations only: the session of the transaction that completes the job."""

    job_id: UUID
    attempt: int
    tenant: UUID
    business_key: str
    args: Mapping[str, Json]
    now: datetime
    tx: Session | None = None

    @property
    def session(self) -> Session:
        """The transaction's session; only a LOCAL operation has one."""
        if self.tx is None:
            raise RuntimeError(
                "only a LOCAL operation runs inside the transaction; declare the effect in its Signature"
            )
        return self.tx


Handler = Callable[[Call], Mapping[str, Json]]


@dataclass(frozen=True)
class Operation:
    """A signature bound to the function that carries it out, and for QUERY the one that asks whether it was."""

    signature: Signature
    run: Handler
    ask: Callable[[Call], Mapping[str, Json] | None] | None = None


Registry = Mapping[str, Signature]


class BpmnError(Exception):
    """A business outcome a model may catch on a boundary event; `code` must be declared in the signature."""

    def __init__(self, code: str, detail: str = "") -> None:
        self.code = code
        self.detail = detail
        super().__init__(f"{code} {detail}".strip())


class Permanent(Exception):
    """A handler's word that repeating cannot help: the job becomes an incident at once."""


class Unknown(Exception):
    """A handler of effect ONCE or QUERY cannot tell whether the effect happened."""


class NotDone(Exception):
    """A handler's word that the effect surely did not happen: it is tried again later, an effect ONCE too."""
