"""Messages in and out, lines to hospitals, short messages and notices."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.db import Instant, Uuid

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create everything."""
    _lines()
    _messages()
    _notify()


def _lines() -> None:
    op.create_table(
        "endpoint",
        sa.Column("id", Uuid(), nullable=False),
        sa.Column("tenant", Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("host", sa.String(length=120), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("application", sa.String(length=40), nullable=False),
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("open_until", Instant(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_endpoint")),
    )
    op.create_index("ux_endpoint_tenant_kind", "endpoint", ["tenant", "kind"], unique=True)


def _messages() -> None:
    op.create_table(
        "delivery",
        sa.Column("id", Uuid(), nullable=False),
        sa.Column("tenant", Uuid(), nullable=False),
        sa.Column("outbound_id", Uuid(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("outcome", sa.String(length=12), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("detail", sa.String(length=240), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
    )
    op.create_index(op.f("ix_delivery_outbound_id"), "delivery", ["outbound_id"], unique=False)
    op.create_table(
        "inbound",
        sa.Column("id", Uuid(), nullable=False),
        sa.Column("tenant", Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("sender", sa.String(length=80), nullable=False),
        sa.Column("control", sa.String(length=80), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("code", sa.String(length=4), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("problem", sa.String(length=200), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("peer", sa.String(length=60), nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("processed_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbound")),
    )
    op.create_index("ix_inbound_received", "inbound", ["tenant", "received_at"], unique=False)
    op.create_index("ix_inbound_state", "inbound", ["state", "received_at"], unique=False)
    op.create_index("ux_inbound_sender_control", "inbound", ["sender", "control", "sha256"], unique=True)
    op.create_table(
        "outbound",
        sa.Column("id", Uuid(), nullable=False),
        sa.Column("tenant", Uuid(), nullable=False),
        sa.Column("endpoint_id", Uuid(), nullable=False),
        sa.Column("case_id", Uuid(), nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("delivered_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbound")),
        sa.UniqueConstraint("key", name=op.f("uq_outbound_key")),
    )
    op.create_index("ix_outbound_case", "outbound", ["case_id"], unique=False)
    op.create_index("ix_outbound_created", "outbound", ["tenant", "created_at"], unique=False)


def _notify() -> None:
    op.create_table(
        "notice",
        sa.Column("id", Uuid(), nullable=False),
        sa.Column("tenant", Uuid(), nullable=False),
        sa.Column("account_id", Uuid(), nullable=False),
        sa.Column("case_id", Uuid(), nullable=True),
        sa.Column("template", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("read_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint("key", name=op.f("uq_notice_key")),
    )
    op.create_index("ix_notice_account", "notice", ["account_id", "created_at"], unique=False)
    op.create_table(
        "sms_message",
        sa.Column("id", Uuid(), nullable=False),
        sa.Column("tenant", Uuid(), nullable=False),
        sa.Column("case_id", Uuid(), nullable=True),
        sa.Column("account_id", Uuid(), nullable=False),
        sa.Column("phone", sa.String(length=30), nullable=False),
        sa.Column("template", sa.String(length=40), nullable=False),
        sa.Column("text", sa.String(length=200), nullable=False),
        sa.Column("provider", sa.String(length=20), nullable=False),
        sa.Column("provider_id", sa.String(length=80), nullable=True),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sms_message")),
        sa.UniqueConstraint("key", name=op.f("uq_sms_message_key")),
    )
    op.create_index("ix_sms_message_case", "sms_message", ["case_id"], unique=False)
    op.create_index("ix_sms_message_created", "sms_message", ["tenant", "created_at"], unique=False)
    op.create_index(op.f("ix_sms_message_provider_id"), "sms_message", ["provider_id"], unique=False)
    op.create_table(
        "sms_reply",
        sa.Column("id", Uuid(), nullable=False),
        sa.Column("tenant", Uuid(), nullable=False),
        sa.Column("provider_id", sa.String(length=80), nullable=False),
        sa.Column("phone", sa.String(length=30), nullable=False),
        sa.Column("text", sa.String(length=200), nullable=False),
        sa.Column("effect", sa.String(length=20), nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sms_reply")),
        sa.UniqueConstraint("provider_id", name=op.f("uq_sms_reply_provider_id")),
    )
