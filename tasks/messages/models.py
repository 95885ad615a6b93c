"""Messages in and out: raw bytes first, one row for each attempt, and where things are sent to."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Boolean, Index, Integer, LargeBinary, String, Text, false, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.db import Base, Instant, Uuid


class Endpoint(Base):
    """A line to a hospital's system. The breaker's state lies here, so that every process shares it.

    `peers` are the addresses and networks its system sends from, apart by blanks; empty: those of `host`.
    `tls`: spoken to by TLS only; `authority` is the PEM text of who made its certificate, None: one this machine trusts.
    """

    __tablename__ = "endpoint"
    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    tenant: Mapped[UUID] = mapped_column(Uuid)
    kind: Mapped[str] = mapped_column(String(8))  # hl7, dicom
    name: Mapped[str] = mapped_column(String(80))
    host: Mapped[str] = mapped_column(String(120))
    port: Mapped[int] = mapped_column(Integer)
    application: Mapped[str] = mapped_column(String(40))  # MSH-5, or the AE title
    peers: Mapped[str] = mapped_column(String(1000), server_default=text("''"))
    tls: Mapped[bool] = mapped_column(Boolean, server_default=false())
    authority: Mapped[str | None] = mapped_column(Text)
    failures: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    open_until: Mapped[datetime | None] = mapped_column(Instant)
    created_at: Mapped[datetime] = mapped_column(Instant)
    __table_args__ = (Index("ux_endpoint_tenant_kind", "tenant", "kind", unique=True),)


class Inbound(Base):
    """A message as it arrived, and the answer it got. Stored and committed before it is answered."""

    __tablename__ = "inbound"
    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    tenant: Mapped[UUID] = mapped_column(Uuid)
    kind: Mapped[str] = mapped_column(String(20))  # ADT^A04
    sender: Mapped[str] = mapped_column(String(80))  # MSH-3|MSH-4
    control: Mapped[str] = mapped_column(String(80))
    sha256: Mapped[str] = mapped_column(String(64))
    raw: Mapped[bytes] = mapped_column(LargeBinary)
    answer: Mapped[bytes] = mapped_column(LargeBinary)
    code: Mapped[str] = mapped_column(String(4))
    state: Mapped[str] = mapped_column(String(12))  # pending, done, failed, quarantined, ignored
    problem: Mapped[str | None] = mapped_column(String(200))
    attempts: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    peer: Mapped[str] = mapped_column(String(60))
    received_at: Mapped[datetime] = mapped_column(Instant)
    processed_at: Mapped[datetime | None] = mapped_column(Instant)
    __table_args__ = (
        Index("ux_inbound_sender_control", "sender", "control", "sha256", unique=True),
        Index("ix_inbound_state", "state", "received_at"),
        Index("ix_inbound_received", "tenant", "received_at"),
        Index("ix_inbound_newest", "received_at"),
    )


class Outbound(Base):
    """A message to a peer; the same key is the same message for ever."""

    __tablename__ = "outbound"
    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    tenant: Mapped[UUID] = mapped_column(Uuid)
    endpoint_id: Mapped[UUID] = mapped_column(Uuid)
    case_id: Mapped[UUID | None] = mapped_column(Uuid)
    kind: Mapped[str] = mapped_column(String(20))  # ORU^R01, C-STORE
    key: Mapped[str] = mapped_column(String(80), unique=True)
    raw: Mapped[bytes] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(String(12))  # sending, delivered, failed
    created_at: Mapped[datetime] = mapped_column(Instant)
    delivered_at: Mapped[datetime | None] = mapped_column(Instant)
    __table_args__ = (
        Index("ix_outbound_created", "tenant", "created_at"),
        Index("ix_outbound_newest", "created_at"),
        Index("ix_outbound_state", "state", "created_at"),
        Index("ix_outbound_case", "case_id"),
    )


class Delivery(Base):
    """One attempt to deliver a message: when, and what the peer said."""

    __tablename__ = "delivery"
    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    tenant: Mapped[UUID] = mapped_column(Uuid)
    outbound_id: Mapped[UUID] = mapped_column(Uuid, index=True)
    at: Mapped[datetime] = mapped_column(Instant)
    outcome: Mapped[str] = mapped_column(String(12))
    code: Mapped[str] = mapped_column(String(40))
    detail: Mapped[str] = mapped_column(String(240))
    answer: Mapped[bytes | None] = mapped_column(LargeBinary)


class MessageSeen(Base):
    """Somebody has looked at a message in trouble, whatever carried it, and says with a note that nothing more is to be done."""

    __tablename__ = "message_seen"
    message_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    tenant: Mapped[UUID] = mapped_column(Uuid)
    account_id: Mapped[UUID] = mapped_column(Uuid)
    note: Mapped[str] = mapped_column(String(300))
    at: Mapped[datetime] = mapped_column(Instant)
