"""Who took a task, what he has written so far, and what was handed in."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from engine.db import Base, Instant, JsonText, Uuid


class Claim(Base):
    """A task is in somebody's hands; at most one claim a task."""

    __tablename__ = "claim"
    task_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    tenant: Mapped[UUID] = mapped_column(Uuid)
    instance_id: Mapped[UUID] = mapped_column(Uuid, index=True)
    account_id: Mapped[UUID] = mapped_column(Uuid, index=True)
    on_behalf: Mapped[UUID | None] = mapped_column(Uuid)
    claimed_at: Mapped[datetime] = mapped_column(Instant)


class Draft(Base):
    """What somebody has filled in and not handed in yet; `revision` is its ETag, `told` why it was not taken last time."""

    __tablename__ = "draft"
    task_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    account_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    tenant: Mapped[UUID] = mapped_column(Uuid)
    revision: Mapped[int] = mapped_column(Integer)
    data: Mapped[dict[str, Any]] = mapped_column(JsonText)
    told: Mapped[dict[str, Any] | None] = mapped_column(JsonText)
    updated_at: Mapped[datetime] = mapped_column(Instant)


class Submission(Base):
    """A form as it was handed in, with the exact form it was checked against; never changed."""

    __tablename__ = "submission"
    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    tenant: Mapped[UUID] = mapped_column(Uuid)
    task_id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    instance_id: Mapped[UUID] = mapped_column(Uuid)
    case_id: Mapped[UUID] = mapped_column(Uuid)
    process: Mapped[str] = mapped_column(String(80))
    node: Mapped[str] = mapped_column(String(120))
    role: Mapped[str | None] = mapped_column(String(40))
    name: Mapped[str | None] = mapped_column(String(200))
    name_en: Mapped[str | None] = mapped_column(String(200))
    form: Mapped[str] = mapped_column(String(80))
    form_pin: Mapped[str] = mapped_column(String(120))  # id@version#hash
    definition_id: Mapped[UUID] = mapped_column(Uuid)  # the released bundle that holds the form
    data: Mapped[dict[str, Any]] = mapped_column(JsonText)
    account_id: Mapped[UUID] = mapped_column(Uuid)
    on_behalf: Mapped[UUID | None] = mapped_column(Uuid)
    submitted_at: Mapped[datetime] = mapped_column(Instant)
    __table_args__ = (
        Index("ix_submission_case", "case_id", "form", "submitted_at"),
        Index("ix_submission_account", "account_id", "submitted_at"),
    )
