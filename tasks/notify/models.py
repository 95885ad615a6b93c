"""Short messages and in-app notices."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from engine.db import Base, Instant, Uuid


class SmsMessage(Base):
    """One short message; `key` is the job that asked for it, so that it can never be made twice."""

    __tablename__ = "sms_message"
    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    tenant: Mapped[UUID] = mapped_column(Uuid)
    case_id: Mapped[UUID | None] = mapped_column(Uuid)
    account_id: Mapped[UUID] = mapped_column(Uuid)
    phone: Mapped[str] = mapped_column(String(30))
    template: Mapped[str] = mapped_column(String(40))
    text: Mapped[str] = mapped_column(String(200))
    provider: Mapped[str] = mapped_column(String(20))
    provider_id: Mapped[str | None] = mapped_column(String(80), index=True)
    key: Mapped[str] = mapped_column(String(80), unique=True)
    state: Mapped[str] = mapped_column(
        String(16)
    )  # sending, queued, sent, delivered, undelivered, failed, unknown, refused; kept: in the outbox
    created_at: Mapped[datetime] = mapped_column(Instant)
    changed_at: Mapped[datetime] = mapped_column(Instant)
    __table_args__ = (
        Index("ix_sms_message_created", "tenant", "created_at"),
        Index("ix_sms_message_newest", "created_at"),
        Index("ix_sms_message_state", "state", "created_at"),
        Index("ix_sms_message_case", "case_id"),
    )


class SmsReply(Base):
    """What somebody sent back, and what it did."""

    __tablename__ = "sms_reply"
    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    tenant: Mapped[UUID] = mapped_column(Uuid)
    provider_id: Mapped[str] = mapped_column(String(80), unique=True)
    phone: Mapped[str] = mapped_column(String(30))
    text: Mapped[str] = mapped_column(String(200))
    effect: Mapped[str] = mapped_column(
        String(20)
    )  # accepted, declined, late, ambiguous, unknown_sender, not_understood
    received_at: Mapped[datetime] = mapped_column(Instant)
    __table_args__ = (Index("ix_sms_reply_newest", "received_at"),)


class Notice(Base):
    """A notice to a person inside the platform."""

    __tablename__ = "notice"
    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    tenant: Mapped[UUID] = mapped_column(Uuid)
    account_id: Mapped[UUID] = mapped_column(Uuid)
    case_id: Mapped[UUID | None] = mapped_column(Uuid)
    template: Mapped[str] = mapped_column(String(40))
    key: Mapped[str] = mapped_column(String(80), unique=True)
    created_at: Mapped[datetime] = mapped_column(Instant)
    read_at: Mapped[datetime | None] = mapped_column(Instant)
    __table_args__ = (Index("ix_notice_account", "account_id", "created_at"),)
