"""Messages in and out: durable before answered, one row an attempt, duplicates answered as before."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine import Clock, Database, NotFound, Refused, history, uuid7
from engine.values import Json
from integrations import Outcome
from integrations.hl7 import Hl7Refused, Message, ack, parse
from integrations.tls import BadAuthority as NotPem
from integrations.tls import Trust, check
from tasks.cases.service import belongs
from tasks.messages import centre
from tasks.messages.breaker import rest_until
from tasks.messages.centre import Asked, Row
from tasks.messages.errors import BadAuthority, LineOpen, NoEndpoint
from tasks.messages.models import Delivery, Endpoint, Inbound, MessageSeen, Outbound
from tasks.people.service import Actor, People

PLATFORM = UUID(int=0)
"""The tenant of what cannot be told to belong to a hospital."""
ATTEMPTS = 5

Handler = Callable[[Session, UUID, Message], None]
"""Does what a message asks, in the transaction that marks it done: session, tenant, message."""


Finder = Callable[[Session, Actor, UUID, str], Any]
"""Finds a message another service keeps, if the actor may treat it so: session, actor, id, action; None: it is none of his."""
EVERYTHING = Asked()


@dataclass(frozen=True)
class Line:
    """Where a hospital's system is reached; with `trust` by TLS only."""

    id: UUID
    tenant: UUID
    kind: str
    host: str
    port: int
    application: str
    trust: Trust | None = None


class Messages:
    """The messages of every hospital, and the lines to them."""

    def __init__(self, db: Database, clock: Clock, people: People) -> None:
        self.db = db
        self.clock = clock
        self._people = people
        self._handlers: dict[str, Handler] = {}
        self._finders: list[Finder] = []

    # -- lines --------------------------------------------------------------------------------------------------------
    def set_endpoint(
        self,
        hospital_id: UUID,
        kind: str,
        *,
        name: str,
        host: str,
        port: int,
        application: str,
        tls: bool = False,
        authority: str = "",
        peers: Sequence[str] = (),
    ) -> UUID:
        """Enter or change a hospital's line. `authority` (PEM text) goes with `tls`; `peers` are the addresses and networks an
        HL7 system sends from, without them those of `host`. BadAuthority."""
        if authority:
            _usable(tls, authority)
        with self.db.transaction() as session:
            row = _endpoint(session, hospital_id, kind)
            if row is None:
                row = Endpoint(id=uuid7(), tenant=hospital_id, kind=kind, created_at=self.clock.now(), failures=0)
                session.add(row)
            row.name, row.host, row.port, row.application = name, host, port, application
            row.tls, row.authority, row.peers = tls, authority or None, " ".join(peers)
            row.failures, row.open_until = 0, None
            session.flush()
            return row.id

    def line(self, hospital_id: UUID, kind: str) -> Line:
        """The line to a hospital; NoEndpoint without one, LineOpen while it rests."""
        with self.db.read() as session:
            row = _endpoint(session, hospital_id, kind)
            if row is None:
                raise NoEndpoint(kind)
            if row.open_until is not None and row.open_until > self.clock.now():
                raise LineOpen(row.name)
            trust = Trust(row.authority or "") if row.tls else None
            return Line(row.id, row.tenant, row.kind, row.host, row.port, row.application, trust)

    def hl7_peers(self) -> list[str]:
        """The addresses, networks and host names HL7 systems of the alliance send from; none while no HL7 line is entered."""
        with self.db.read() as session:
            rows = session.execute(select(Endpoint.host, Endpoint.peers).where(Endpoint.kind == "hl7"))
            return [entry for host, peers in rows for entry in peers.split() or [host]]

    # -- in -----------------------------------------------------------------------------------------------------------
    def on(self, code: str, handler: Handler) -> None:
        """Register what a message code (`ADT`, `ORM`) does."""
        self._handlers[code] = handler

    def receive_hl7(self, raw: bytes, peer: str) -> bytes:
        """Store a message and answer it. A repeated one gets the first answer; the same number with other text, AE."""
        now = self.clock.now()
        number = f"L{uuid7().hex[:18]}"
        try:
            message = parse(raw)
        except Hl7Refused as problem:
            answer = ack(None, "AR", control_id=number, now=now, text=str(problem.detail))
            self._keep(
                raw,
                answer,
                peer,
                PLATFORM,
                kind="?",
                sender="?",
                control=number,
                code="AR",
                state="failed",
                problem=problem.detail,
            )
            return answer
        sender = f"{message['MSH-3.1']}|{message['MSH-4.1']}"[:80]
        control = message.control_id[:80]
        digest = hashlib.sha256(raw).hexdigest()
        with self.db.read() as session:
            seen = session.scalars(select(Inbound).where(Inbound.sender == sender, Inbound.control == control)).all()
            tenant = self._tenant(session, message)
        first = next((row for row in seen if row.sha256 == digest), None)
        if first is not None:
            return first.answer
        code, state, problem_text = self._judge(message, tenant, bool(seen))
        answer = ack(message, code, control_id=number, now=now, text=problem_text or "")
        return self._keep(
            raw,
            answer,
            peer,
            tenant,
            kind=message.kind[:20],
            sender=sender,
            control=control,
            code=code,
            state=state,
            problem=problem_text,
        )

    def refuse_hl7(self, raw: bytes, peer: str) -> bytes:
        """The answer to somebody who may not send: an error, so that he keeps his message and sends it again. Nothing is kept."""
        try:
            message = parse(raw)
        except Hl7Refused:
            message = None
        text = f"{peer} is not entered as a peer here; ask the platform's administrator to enter it, then send again"
        return ack(message, "AE", control_id=f"L{uuid7().hex[:18]}", now=self.clock.now(), text=text)

    def _judge(self, message: Message, tenant: UUID, reused: bool) -> tuple[str, str, str | None]:
        if not message.control_id:
            return "AR", "failed", "MSH-10 is empty"
        if reused:
            return "AE", "quarantined", "MSH-10 was used before with another text"
        if tenant == PLATFORM:
            return "AR", "failed", "MSH-4 names no hospital of the alliance"
        if message["MSH-9.1"] not in self._handlers:
            return "AR", "ignored", f"messages of type {message['MSH-9.1'][:8]} are not taken"
        return "AA", "pending", None

    def _keep(self, raw: bytes, answer: bytes, peer: str, tenant: UUID, **columns: Any) -> bytes:
        digest = hashlib.sha256(raw).hexdigest()
        row = Inbound(
            id=uuid7(), tenant=tenant, sha256=digest, raw=raw, answer=answer, peer=peer[:60], attempts=0,
            received_at=self.clock.now(), **columns,
        )  # fmt: skip
        try:
            with self.db.transaction() as session:
                session.add(row)
        except IntegrityError:  # the same message came on two connections at once; the other one was first
            with self.db.read() as session:
                first = session.scalars(
                    select(Inbound).where(
                        Inbound.sender == columns["sender"],
                        Inbound.control == columns["control"],
                        Inbound.sha256 == digest,
                    )
                ).one()
                return first.answer
        return answer

    def _tenant(self, session: Session, message: Message) -> UUID:
        hospital = self._people.hospital_by_code(session, message["MSH-4.1"])
        return hospital.id if hospital is not None else PLATFORM

    def process_pending(self, limit: int = 50) -> int:
        """Do what stored messages ask, oldest first; each in a transaction of its own. The number done or given up."""
        with self.db.read() as session:
            ids = session.scalars(
                select(Inbound.id)
                .where(Inbound.state == "pending")
                .order_by(Inbound.received_at, Inbound.id)
                .limit(limit)
            ).all()
        return sum(self._process(id_) for id_ in ids)

    def _process(self, id_: UUID) -> int:
        try:
            with self.db.transaction() as session:
                row = session.get(Inbound, id_, with_for_update=True)
                if row is None or row.state != "pending":
                    return 0
                message = parse(row.raw)
                self._handlers[message["MSH-9.1"]](session, row.tenant, message)
                row.state, row.processed_at, row.problem = "done", self.clock.now(), None
                history.record(
                    session, tenant=row.tenant, kind="message_in", actor="mllp", at=self.clock.now(),
                    data={"inbound": str(row.id), "type": row.kind, "control": row.control},
                )  # fmt: skip
        except Exception as problem:  # the edge of the process: one message must not hold up those behind it
            return self._put_back(id_, problem)
        return 1

    def _put_back(self, id_: UUID, problem: Exception) -> int:
        with self.db.transaction() as session:
            row = session.get(Inbound, id_)
            if row is None:
                return 0
            row.attempts += 1
            row.problem = f"{getattr(problem, 'code', 'error')}: {type(problem).__name__}"[:200]
            if row.attempts >= ATTEMPTS:
                row.state = "failed"
            return int(row.state == "failed")

    def repeat(self, actor: Actor, id_: UUID) -> None:
        """Put a failed message back to be processed. NotFound where the actor may not."""
        with self.db.transaction() as session:
            allowed = belongs(actor, "message", "retry", Inbound.__table__.c.tenant)
            row = session.scalar(select(Inbound).where(Inbound.id == id_, allowed))
            if row is None:
                raise NotFound("message", id=str(id_))
            if row.state == "failed" and row.code == "AA":
                row.state, row.attempts = "pending", 0
                data: dict[str, Json] = {"inbound": str(id_)}
                now = self.clock.now()
                history.record(session, tenant=row.tenant, kind="message_repeat", actor=actor.id, at=now, data=data)

    # -- out ----------------------------------------------------------------------------------------------------------
    def begin(self, line: Line, kind: str, case_id: UUID | None, key: str, raw: bytes) -> UUID:
        """Note a message before it is sent; the same key is the same row."""
        with self.db.transaction() as session:
            row = session.scalars(select(Outbound).where(Outbound.key == key)).one_or_none()
            if row is None:
                row = Outbound(
                    id=uuid7(), tenant=line.tenant, endpoint_id=line.id, case_id=case_id, kind=kind, key=key, raw=raw,
                    state="sending", created_at=self.clock.now(),
                )  # fmt: skip
                session.add(row)
                session.flush()
            return row.id

    def attempt(self, outbound_id: UUID, outcome: Outcome, *, last: bool = False) -> None:
        """Note what the peer said, and let the line rest when it keeps failing; after the `last` attempt a person has to look."""
        now = self.clock.now()
        with self.db.transaction() as session:
            row = session.get_one(Outbound, outbound_id)
            session.add(
                Delivery(
                    id=uuid7(), tenant=row.tenant, outbound_id=outbound_id, at=now, outcome=outcome.kind.value,
                    code=outcome.code[:40], detail=outcome.detail[:240], answer=outcome.raw or None,
                )
            )  # fmt: skip
            endpoint = session.get(Endpoint, row.endpoint_id)
            if outcome.ok:
                row.state, row.delivered_at = "delivered", row.delivered_at or now
            else:
                row.state = "failed" if last or outcome.kind.value == "permanent" else "sending"
            if endpoint is not None:
                endpoint.failures = 0 if outcome.ok or outcome.kind.value == "permanent" else endpoint.failures + 1
                endpoint.open_until = rest_until(endpoint.failures, now)

    # -- the message centre -------------------------------------------------------------------------------------------
    def found_by(self, finder: Finder) -> None:
        """Let messages be found that another service keeps."""
        self._finders.append(finder)

    def listed(self, session: Session, actor: Actor, asked: Asked = EVERYTHING) -> list[Row]:
        """The newest HL7 messages and sent objects of both ways which the actor may know of."""
        return centre.hl7(session, actor, asked)

    def detail(self, session: Session, actor: Actor, id_: UUID) -> tuple[Any, list[Delivery]]:
        """One message, whatever carried it, with its attempts. NotFound."""
        found = self._find(session, actor, id_, "read")
        if found is None:
            raise NotFound("message", id=str(id_))
        attempts = session.scalars(select(Delivery).where(Delivery.outbound_id == id_).order_by(Delivery.at)).all()
        return found, list(attempts)

    def seen(self, session: Session, id_: UUID) -> MessageSeen | None:
        """Who has put this message away, and with what note."""
        return session.get(MessageSeen, id_)

    def may_put_away(self, session: Session, actor: Actor, id_: UUID) -> bool:
        """Whether the actor may say of this message that nothing more is to be done."""
        return self._find(session, actor, id_, "note") is not None

    def put_away(self, actor: Actor, id_: UUID, note: str) -> None:
        """Say of a message in trouble that somebody has seen to it; it stays where it is and is counted no more. NotFound, Refused."""
        words = note.strip()[:300]
        if len(words) < 2:
            raise Refused("say in a word what was done about it")
        with self.db.transaction() as session:
            found = self._find(session, actor, id_, "note")
            if found is None:
                raise NotFound("message", id=str(id_))
            if session.get(MessageSeen, id_) is not None:
                return
            now = self.clock.now()
            session.add(
                MessageSeen(message_id=id_, tenant=found.tenant, account_id=actor.account_id, note=words, at=now)
            )
            data: dict[str, Json] = {"message": str(id_)}
            history.record(session, tenant=found.tenant, kind="message.seen", actor=actor.id, at=now, data=data)

    def _find(self, session: Session, actor: Actor, id_: UUID, action: str) -> Any:
        received = belongs(actor, "message", action, Inbound.__table__.c.tenant)
        sent = centre.went(actor, action)
        found: Any = session.scalar(select(Inbound).where(Inbound.id == id_, received))
        found = found or session.scalar(select(Outbound).where(Outbound.id == id_, sent))
        return found or next((one for f in self._finders if (one := f(session, actor, id_, action)) is not None), None)

    def endpoints(self, session: Session) -> list[Endpoint]:
        """Every line."""
        return list(session.scalars(select(Endpoint).order_by(Endpoint.name)))


def _usable(tls: bool, authority: str) -> None:
    if not tls:
        raise BadAuthority("an authority is of use on a line with TLS only")
    try:
        check(authority)
    except NotPem as problem:
        raise BadAuthority(str(problem)) from problem


def _endpoint(session: Session, hospital_id: UUID, kind: str) -> Endpoint | None:
    return session.scalars(select(Endpoint).where(Endpoint.tenant == hospital_id, Endpoint.kind == kind)).one_or_none()
