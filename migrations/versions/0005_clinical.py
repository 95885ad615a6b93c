"""Quality, triage, rooms and reports."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.db import Instant, JsonText, Uuid

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create everything."""
    _quality()
    _triage()
    _session()
    _reports()


def _quality() -> None:
    op.create_table(
        "quality_check",
        sa.Column("id", Uuid(), nullable=False),
        sa.Column("tenant", Uuid(), nullable=False),
        sa.Column("case_id", Uuid(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("rule", sa.String(length=4), nullable=False),
        sa.Column("severity", sa.String(length=6), nullable=False),
        sa.Column("row", JsonText(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quality_check")),
    )
    op.create_index("ux_quality_check_place", "quality_check", ["case_id", "round", "place"], unique=True)
    op.create_table(
        "report_hint",
        sa.Column("id", Uuid(), nullable=False),
        sa.Column("tenant", Uuid(), nullable=False),
        sa.Column("case_id", Uuid(), nullable=False),
        sa.Column("submission_id", Uuid(), nullable=False),
        sa.Column("code", sa.String(length=16), nullable=False),
        sa.Column("block", sa.Boolean(), nullable=False),
        sa.Column("row", JsonText(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_hint")),
    )
    op.create_index("ix_report_hint_case", "report_hint", ["case_id", "submission_id"], unique=False)
    op.create_table(
        "report_score",
        sa.Column("id", Uuid(), nullable=False),
        sa.Column("tenant", Uuid(), nullable=False),
        sa.Column("case_id", Uuid(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("submission_id", Uuid(), nullable=False),
        sa.Column("scorer", Uuid(), nullable=False),
        sa.Column("scores", JsonText(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("grade", sa.String(length=1), nullable=False),
        sa.Column("veto", sa.Boolean(), nullable=False),
        sa.Column("failed", sa.Boolean(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_score")),
    )
    op.create_index("ux_report_score_round", "report_score", ["case_id", "round"], unique=True)


def _triage() -> None:
    op.create_table(
        "hold",
        sa.Column("id", Uuid(), nullable=False),
        sa.Column("tenant", Uuid(), nullable=False),
        sa.Column("case_id", Uuid(), nullable=False),
        sa.Column("account_id", Uuid(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("released_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold")),
    )
    op.create_index("ix_hold_account", "hold", ["account_id", "state"], unique=False)
    op.create_index("ix_hold_case", "hold", ["case_id", "account_id"], unique=False)
    op.create_table(
        "triage_proposal",
        sa.Column("case_id", Uuid(), nullable=False),
        sa.Column("account_id", Uuid(), nullable=False),
        sa.Column("tenant", Uuid(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("excluded", sa.String(length=80), nullable=False),
        sa.Column("excluded_en", sa.String(length=80), nullable=False),
        sa.Column("parts", JsonText(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("case_id", "account_id", name=op.f("pk_triage_proposal")),
    )


def _session() -> None:
    op.create_table(
        "attendance",
        sa.Column("room_id", Uuid(), nullable=False),
        sa.Column("account_id", Uuid(), nullable=False),
        sa.Column("tenant", Uuid(), nullable=False),
        sa.Column("joined_at", Instant(), nullable=False),
        sa.Column("seen_at", Instant(), nullable=False),
        sa.Column("left_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("room_id", "account_id", name=op.f("pk_attendance")),
    )
    op.create_table(
        "room",
        sa.Column("id", Uuid(), nullable=False),
        sa.Column("tenant", Uuid(), nullable=False),
        sa.Column("case_id", Uuid(), nullable=False),
        sa.Column("expert", Uuid(), nullable=False),
        sa.Column("starts_at", Instant(), nullable=False),
        sa.Column("ends_at", Instant(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("started_at", Instant(), nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("outcome", sa.String(length=12), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_room")),
    )
    op.create_index(op.f("ix_room_case_id"), "room", ["case_id"], unique=False)
    op.create_index("ix_room_expert", "room", ["expert", "starts_at"], unique=False)
    op.create_index("ix_room_starts", "room", ["starts_at"], unique=False)
    op.create_table(
        "session_event",
        sa.Column("room_id", Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("tenant", Uuid(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("account_id", Uuid(), nullable=True),
        sa.Column("data", JsonText(), nullable=False),
        sa.PrimaryKeyConstraint("room_id", "seq", name=op.f("pk_session_event")),
    )


def _reports() -> None:
    op.create_table(
        "report_version",
        sa.Column("id", Uuid(), nullable=False),
        sa.Column("tenant", Uuid(), nullable=False),
        sa.Column("case_id", Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("author", Uuid(), nullable=False),
        sa.Column("content", JsonText(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("reviewer", Uuid(), nullable=True),
        sa.Column("reviewed_at", Instant(), nullable=True),
        sa.Column("verdict", sa.String(length=12), nullable=True),
        sa.Column("comment", sa.String(length=1000), nullable=True),
        sa.Column("signer", Uuid(), nullable=True),
        sa.Column("signed_at", Instant(), nullable=True),
        sa.Column("signed_digest", sa.String(length=64), nullable=True),
        sa.Column("pdf_sha256", sa.String(length=64), nullable=True),
        sa.Column("published_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_version")),
    )
    op.create_index("ux_report_version_number", "report_version", ["case_id", "version"], unique=True)
