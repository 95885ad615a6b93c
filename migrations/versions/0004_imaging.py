"""Imaging, orders and frozen applications."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.db import Instant, JsonText, Uuid

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create everything."""
    _index()
    _objects()
    _cases()
    _applications()


def _index() -> None:
    op.create_table(
        "study",
        sa.Column("tenant", Uuid(length=36), nullable=False),
        sa.Column("study_uid", sa.String(length=64), nullable=False),
        sa.Column("record_id", Uuid(length=36), nullable=True),
        sa.Column("patient_id", sa.String(length=64), nullable=False),
        sa.Column("issuer", sa.String(length=64), nullable=False),
        sa.Column("patient_name", sa.String(length=200), nullable=False),
        sa.Column("sex", sa.String(length=16), nullable=False),
        sa.Column("birth_date", sa.String(length=10), nullable=False),
        sa.Column("accession", sa.String(length=64), nullable=False),
        sa.Column("study_date", sa.String(length=10), nullable=False),
        sa.Column("study_time", sa.String(length=16), nullable=False),
        sa.Column("description", sa.String(length=64), nullable=False),
        sa.Column("modality", sa.String(length=16), nullable=False),
        sa.Column("body_part", sa.String(length=64), nullable=False),
        sa.Column("laterality", sa.String(length=16), nullable=False),
        sa.Column("received_at", Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "study_uid", name=op.f("pk_study")),
    )
    op.create_index("ix_study_patient", "study", ["tenant", "patient_id"], unique=False)
    op.create_index("ix_study_record", "study", ["record_id", "received_at"], unique=False)
    op.create_table(
        "series",
        sa.Column("tenant", Uuid(length=36), nullable=False),
        sa.Column("series_uid", sa.String(length=64), nullable=False),
        sa.Column("study_uid", sa.String(length=64), nullable=False),
        sa.Column("modality", sa.String(length=16), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=True),
        sa.Column("description", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "series_uid", name=op.f("pk_series")),
    )
    op.create_index("ix_series_study", "series", ["tenant", "study_uid"], unique=False)


def _objects() -> None:
    op.create_table(
        "sop_instance",
        sa.Column("tenant", Uuid(length=36), nullable=False),
        sa.Column("sop_uid", sa.String(length=64), nullable=False),
        sa.Column("study_uid", sa.String(length=64), nullable=False),
        sa.Column("series_uid", sa.String(length=64), nullable=False),
        sa.Column("sop_class", sa.String(length=64), nullable=False),
        sa.Column("transfer_syntax", sa.String(length=64), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=True),
        sa.Column("frames", sa.Integer(), nullable=False),
        sa.Column("pixels", sa.Boolean(), nullable=False),
        sa.Column("header", JsonText(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("decodes", sa.Boolean(), nullable=True),
        sa.Column("received_at", Instant(timezone=True), nullable=False),
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("policy", sa.String(length=120), nullable=True),
        sa.Column("verified", sa.Boolean(), nullable=True),
        sa.Column("compressed_sha256", sa.String(length=64), nullable=True),
        sa.Column("bytes_out", sa.BigInteger(), nullable=True),
        sa.Column("pixels_sha256", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "sop_uid", name=op.f("pk_sop_instance")),
    )
    op.create_index("ix_sop_instance_study", "sop_instance", ["tenant", "study_uid"], unique=False)
    op.create_index("ix_sop_instance_uid", "sop_instance", ["sop_uid"], unique=False)
    op.create_table(
        "locator",
        sa.Column("tenant", Uuid(length=36), nullable=False),
        sa.Column("sop_uid", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("place", sa.String(length=80), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "sop_uid", "kind", "place", name=op.f("pk_locator")),
    )
    op.create_table(
        "quarantine",
        sa.Column("id", Uuid(length=36), nullable=False),
        sa.Column("tenant", Uuid(length=36), nullable=False),
        sa.Column("sop_uid", sa.String(length=64), nullable=False),
        sa.Column("study_uid", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("received_at", Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantine")),
    )
    op.create_index(op.f("ix_quarantine_tenant"), "quarantine", ["tenant"], unique=False)
    op.create_index("ux_quarantine_bytes", "quarantine", ["tenant", "sop_uid", "sha256"], unique=True)
    op.create_table(
        "picture",
        sa.Column("tenant", Uuid(length=36), nullable=False),
        sa.Column("sop_uid", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "sop_uid", "kind", name=op.f("pk_picture")),
    )


def _cases() -> None:
    op.create_table(
        "case_study",
        sa.Column("case_id", Uuid(length=36), nullable=False),
        sa.Column("study_uid", sa.String(length=64), nullable=False),
        sa.Column("tenant", Uuid(length=36), nullable=False),
        sa.Column("added_at", Instant(timezone=True), nullable=False),
        sa.Column("added_by", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["clinical_case.id"], name=op.f("fk_case_study_case_id")),
        sa.PrimaryKeyConstraint("case_id", "study_uid", name=op.f("pk_case_study")),
    )
    op.create_index("ix_case_study_study", "case_study", ["tenant", "study_uid"], unique=False)
    op.create_table(
        "key_view",
        sa.Column("case_id", Uuid(length=36), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("tenant", Uuid(length=36), nullable=False),
        sa.Column("study_uid", sa.String(length=64), nullable=False),
        sa.Column("sop_uid", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["clinical_case.id"], name=op.f("fk_key_view_case_id")),
        sa.PrimaryKeyConstraint("case_id", "place", name=op.f("pk_key_view")),
    )


def _applications() -> None:
    op.create_table(
        "clinical_order",
        sa.Column("tenant", Uuid(length=36), nullable=False),
        sa.Column("placer", sa.String(length=64), nullable=False),
        sa.Column("record_id", Uuid(length=36), nullable=False),
        sa.Column("registration_id", Uuid(length=36), nullable=False),
        sa.Column("status", sa.String(length=4), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("description", sa.String(length=200), nullable=False),
        sa.Column("modality", sa.String(length=16), nullable=False),
        sa.Column("urgency", sa.String(length=4), nullable=False),
        sa.Column("diagnosis", sa.String(length=200), nullable=False),
        sa.Column("complaint", sa.String(length=500), nullable=False),
        sa.Column("question", sa.String(length=300), nullable=False),
        sa.Column("requested_by", sa.String(length=80), nullable=False),
        sa.Column("received_at", Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "placer", name=op.f("pk_clinical_order")),
    )
    op.create_index("ix_clinical_order_record", "clinical_order", ["record_id", "received_at"], unique=False)
    op.create_table(
        "frozen_application",
        sa.Column("case_id", Uuid(length=36), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("tenant", Uuid(length=36), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", JsonText(), nullable=False),
        sa.Column("frozen_at", Instant(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["clinical_case.id"], name=op.f("fk_frozen_application_case_id")),
        sa.PrimaryKeyConstraint("case_id", "version", name=op.f("pk_frozen_application")),
    )
