"""People, cases, patients, files and the worklist."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.db import Instant, JsonText, Uuid

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create everything."""
    _people()
    _work()
    _cases()
    _patients()
    _files()
    _worklist()


def _people() -> None:
    op.create_table(
        "hospital",
        sa.Column("id", Uuid(), nullable=False),
        sa.Column("code", sa.String(length=8), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("name_en", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("ae_title", sa.String(length=16), nullable=True),
        sa.Column("timezone", sa.String(length=40), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hospital")),
        sa.UniqueConstraint("code", name=op.f("uq_hospital_code")),
    )
    op.create_table(
        "department",
        sa.Column("id", Uuid(), nullable=False),
        sa.Column("hospital_id", Uuid(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("name_en", sa.String(length=80), nullable=True),
        sa.ForeignKeyConstraint(["hospital_id"], ["hospital.id"], name=op.f("fk_department_hospital_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_department")),
    )
    op.create_index("ux_department_hospital_name", "department", ["hospital_id", "name"], unique=True)
    op.create_table(
        "account",
        sa.Column("id", Uuid(), nullable=False),
        sa.Column("login_name", sa.String(length=80), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("hospital_id", Uuid(), nullable=False),
        sa.Column("department_id", Uuid(), nullable=True),
        sa.Column("title", sa.String(length=20), nullable=True),
        sa.Column("phone", sa.String(length=30), nullable=True),
        sa.Column("specialties", JsonText(), nullable=False),
        sa.Column("license_no", sa.String(length=40), nullable=True),
        sa.Column("language", sa.String(length=8), nullable=True),
        sa.Column("active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name=op.f("fk_account_department_id")),
        sa.ForeignKeyConstraint(["hospital_id"], ["hospital.id"], name=op.f("fk_account_hospital_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("login_name", name=op.f("uq_account_login_name")),
    )
    op.create_index(op.f("ix_account_hospital_id"), "account", ["hospital_id"], unique=False)
    op.create_index(op.f("ix_account_phone"), "account", ["phone"], unique=False)
    op.create_table(
        "assignment",
        sa.Column("id", Uuid(), nullable=False),
        sa.Column("account_id", Uuid(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("hospital_id", Uuid(), nullable=True),
        sa.Column("department_id", Uuid(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_assignment_account_id")),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name=op.f("fk_assignment_department_id")),
        sa.ForeignKeyConstraint(["hospital_id"], ["hospital.id"], name=op.f("fk_assignment_hospital_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignment")),
    )
    op.create_index("ix_assignment_account", "assignment", ["account_id"], unique=False)
    op.create_index("ix_assignment_role", "assignment", ["role", "hospital_id"], unique=False)


def _work() -> None:
    op.create_table(
        "agreement",
        sa.Column("id", Uuid(), nullable=False),
        sa.Column("from_hospital", Uuid(), nullable=False),
        sa.Column("to_hospital", Uuid(), nullable=False),
        sa.Column("scopes", JsonText(), nullable=False),
        sa.Column("valid_from", Instant(), nullable=False),
        sa.Column("valid_to", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["from_hospital"], ["hospital.id"], name=op.f("fk_agreement_from_hospital")),
        sa.ForeignKeyConstraint(["to_hospital"], ["hospital.id"], name=op.f("fk_agreement_to_hospital")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreement")),
    )
    op.create_index("ix_agreement_pair", "agreement", ["from_hospital", "to_hospital"], unique=False)
    op.create_table(
        "shift",
        sa.Column("id", Uuid(), nullable=False),
        sa.Column("account_id", Uuid(), nullable=False),
        sa.Column("hospital_id", Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("starts", Instant(), nullable=False),
        sa.Column("ends", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_shift_account_id")),
        sa.ForeignKeyConstraint(["hospital_id"], ["hospital.id"], name=op.f("fk_shift_hospital_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shift")),
    )
    op.create_index("ix_shift_account", "shift", ["account_id", "ends"], unique=False)
    op.create_index("ix_shift_hospital", "shift", ["hospital_id", "ends"], unique=False)
    op.create_table(
        "substitution",
        sa.Column("id", Uuid(), nullable=False),
        sa.Column("absent", Uuid(), nullable=False),
        sa.Column("substitute", Uuid(), nullable=False),
        sa.Column("starts", Instant(), nullable=False),
        sa.Column("ends", Instant(), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(["absent"], ["account.id"], name=op.f("fk_substitution_absent")),
        sa.ForeignKeyConstraint(["substitute"], ["account.id"], name=op.f("fk_substitution_substitute")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_substitution")),
    )
    op.create_index(op.f("ix_substitution_substitute"), "substitution", ["substitute"], unique=False)
    op.create_table(
        "login",
        sa.Column("id", Uuid(), nullable=False),
        sa.Column("account_id", Uuid(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("seen_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("reauth_at", Instant(), nullable=False),
        sa.Column("locked", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.Column("address", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_login_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_login_token_hash")),
    )
    op.create_index(op.f("ix_login_account_id"), "login", ["account_id"], unique=False)


def _cases() -> None:
    op.create_table(
        "clinical_case",
        sa.Column("id", Uuid(), nullable=False),
        sa.Column("tenant", Uuid(), nullable=False),
        sa.Column("ref", sa.String(length=24), nullable=False),
        sa.Column("kind", sa.String(length=4), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("instance_id", Uuid(), nullable=False),
        sa.Column("registration_id", Uuid(), nullable=True),
        sa.Column("patient_name", sa.String(length=80), nullable=True),
        sa.Column("patient_sex", sa.String(length=1), nullable=True),
        sa.Column("patient_birth", sa.Date(), nullable=True),
        sa.Column("applicant", Uuid(), nullable=False),
        sa.Column("from_hospital", Uuid(), nullable=False),
        sa.Column("to_hospital", Uuid(), nullable=True),
        sa.Column("urgency", sa.String(length=1), nullable=False),
        sa.Column("modality", sa.String(length=8), nullable=True),
        sa.Column("body_part", sa.String(length=20), nullable=True),
        sa.Column("tag", sa.String(length=20), nullable=True),
        sa.Column("specialty", sa.String(length=20), nullable=True),
        sa.Column("mode", sa.String(length=12), nullable=True),
        sa.Column("consent", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("expert", Uuid(), nullable=True),
        sa.Column("round", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("sla", JsonText(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("submitted_at", Instant(), nullable=True),
        sa.Column("published_at", Instant(), nullable=True),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.Column("stop_reason", sa.String(length=20), nullable=True),
        sa.Column("paused_at", Instant(), nullable=True),
        sa.Column("paused_for", sa.String(length=20), nullable=True),
        sa.Column("paused_ms", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clinical_case")),
        sa.UniqueConstraint("instance_id", name=op.f("uq_clinical_case_instance_id")),
        sa.UniqueConstraint("ref", name=op.f("uq_clinical_case_ref")),
    )
    op.create_index("ix_clinical_case_applicant", "clinical_case", ["applicant", "created_at"], unique=False)
    op.create_index(op.f("ix_clinical_case_registration_id"), "clinical_case", ["registration_id"], unique=False)
    op.create_index("ix_clinical_case_tenant_state", "clinical_case", ["tenant", "state", "created_at"], unique=False)
    op.create_index("ix_clinical_case_to", "clinical_case", ["to_hospital", "created_at"], unique=False)
    op.create_table(
        "case_party",
        sa.Column("case_id", Uuid(), nullable=False),
        sa.Column("hospital_id", Uuid(), nullable=False),
        sa.Column("part", sa.String(length=8), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["clinical_case.id"], name=op.f("fk_case_party_case_id")),
        sa.PrimaryKeyConstraint("case_id", "hospital_id", "part", name=op.f("pk_case_party")),
    )
    op.create_index("ix_case_party_hospital", "case_party", ["hospital_id", "part"], unique=False)
    op.create_table(
        "case_person",
        sa.Column("case_id", Uuid(), nullable=False),
        sa.Column("account_id", Uuid(), nullable=False),
        sa.Column("part", sa.String(length=12), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["clinical_case.id"], name=op.f("fk_case_person_case_id")),
        sa.PrimaryKeyConstraint("case_id", "account_id", "part", name=op.f("pk_case_person")),
    )
    op.create_index("ix_case_person_account", "case_person", ["account_id"], unique=False)
    op.create_table(
        "break_glass",
        sa.Column("id", Uuid(), nullable=False),
        sa.Column("tenant", Uuid(), nullable=False),
        sa.Column("case_id", Uuid(), nullable=False),
        sa.Column("account_id", Uuid(), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("words", sa.String(length=500), nullable=False),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("ends_at", Instant(), nullable=False),
        sa.Column("review_by", Instant(), nullable=False),
        sa.Column("reviewed_by", Uuid(), nullable=True),
        sa.Column("reviewed_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["clinical_case.id"], name=op.f("fk_break_glass_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_break_glass")),
    )
    op.create_index("ix_break_glass_case", "break_glass", ["case_id", "account_id", "ends_at"], unique=False)
    op.create_table(
        "ref_counter",
        sa.Column("tenant", Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=4), nullable=False),
        sa.Column("day", sa.String(length=6), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "kind", "day", name=op.f("pk_ref_counter")),
    )


def _patients() -> None:
    op.create_table(
        "person",
        sa.Column("id", Uuid(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
    )
    op.create_table(
        "patient_record",
        sa.Column("id", Uuid(), nullable=False),
        sa.Column("tenant", Uuid(), nullable=False),
        sa.Column("system", sa.String(length=64), nullable=False),
        sa.Column("mrn", sa.String(length=64), nullable=False),
        sa.Column("registration_id", Uuid(), nullable=False),
        sa.Column("person_id", Uuid(), nullable=False),
        sa.Column("flagged", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_patient_record_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patient_record")),
    )
    op.create_index(op.f("ix_patient_record_person_id"), "patient_record", ["person_id"], unique=False)
    op.create_index("ix_patient_record_updated", "patient_record", ["tenant", "updated_at"], unique=False)
    op.create_index("ux_patient_record_mrn", "patient_record", ["tenant", "system", "mrn"], unique=True)
    op.create_table(
        "registration",
        sa.Column("id", Uuid(), nullable=False),
        sa.Column("tenant", Uuid(), nullable=False),
        sa.Column("record_id", Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("system", sa.String(length=64), nullable=False),
        sa.Column("mrn", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("name_key", sa.String(length=160), nullable=False),
        sa.Column("sex", sa.String(length=1), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("id_hash", sa.String(length=64), nullable=True),
        sa.Column("id_masked", sa.String(length=18), nullable=True),
        sa.Column("phone", sa.String(length=30), nullable=True),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["record_id"], ["patient_record.id"], name=op.f("fk_registration_record_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registration")),
    )
    op.create_index("ix_registration_birth", "registration", ["birth_date", "name_key"], unique=False)
    op.create_index("ix_registration_id_hash", "registration", ["id_hash"], unique=False)
    op.create_index("ux_registration_version", "registration", ["record_id", "version"], unique=True)
    op.create_table(
        "patient_gram",
        sa.Column("tenant", Uuid(), nullable=False),
        sa.Column("gram", sa.String(length=160), nullable=False),
        sa.Column("record_id", Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["record_id"], ["patient_record.id"], name=op.f("fk_patient_gram_record_id")),
        sa.PrimaryKeyConstraint("tenant", "gram", "record_id", name=op.f("pk_patient_gram")),
    )
    op.create_index("ix_patient_gram_record", "patient_gram", ["record_id"], unique=False)
    op.create_table(
        "link_event",
        sa.Column("id", Uuid(), nullable=False),
        sa.Column("tenant", Uuid(), nullable=False),
        sa.Column("record_id", Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("from_person", Uuid(), nullable=True),
        sa.Column("to_person", Uuid(), nullable=True),
        sa.Column("rule", sa.String(length=20), nullable=False),
        sa.Column("detail", JsonText(), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["record_id"], ["patient_record.id"], name=op.f("fk_link_event_record_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link_event")),
    )
    op.create_index(op.f("ix_link_event_record_id"), "link_event", ["record_id"], unique=False)


def _files() -> None:
    op.create_table(
        "file",
        sa.Column("id", Uuid(), nullable=False),
        sa.Column("tenant", Uuid(), nullable=False),
        sa.Column("case_id", Uuid(), nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(length=80), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("withdrawn_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_file")),
    )
    op.create_index("ix_file_case", "file", ["case_id", "kind"], unique=False)
    op.create_index(op.f("ix_file_sha256"), "file", ["sha256"], unique=False)


def _worklist() -> None:
    op.create_table(
        "claim",
        sa.Column("task_id", Uuid(), nullable=False),
        sa.Column("tenant", Uuid(), nullable=False),
        sa.Column("instance_id", Uuid(), nullable=False),
        sa.Column("account_id", Uuid(), nullable=False),
        sa.Column("on_behalf", Uuid(), nullable=True),
        sa.Column("claimed_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("task_id", name=op.f("pk_claim")),
    )
    op.create_index(op.f("ix_claim_account_id"), "claim", ["account_id"], unique=False)
    op.create_index(op.f("ix_claim_instance_id"), "claim", ["instance_id"], unique=False)
    op.create_table(
        "draft",
        sa.Column("task_id", Uuid(), nullable=False),
        sa.Column("account_id", Uuid(), nullable=False),
        sa.Column("tenant", Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("data", JsonText(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("task_id", "account_id", name=op.f("pk_draft")),
    )
    op.create_table(
        "submission",
        sa.Column("id", Uuid(), nullable=False),
        sa.Column("tenant", Uuid(), nullable=False),
        sa.Column("task_id", Uuid(), nullable=False),
        sa.Column("instance_id", Uuid(), nullable=False),
        sa.Column("case_id", Uuid(), nullable=False),
        sa.Column("process", sa.String(length=80), nullable=False),
        sa.Column("node", sa.String(length=120), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=True),
        sa.Column("name_en", sa.String(length=200), nullable=True),
        sa.Column("form", sa.String(length=80), nullable=False),
        sa.Column("form_pin", sa.String(length=120), nullable=False),
        sa.Column("definition_id", Uuid(), nullable=False),
        sa.Column("data", JsonText(), nullable=False),
        sa.Column("account_id", Uuid(), nullable=False),
        sa.Column("on_behalf", Uuid(), nullable=True),
        sa.Column("submitted_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_submission")),
        sa.UniqueConstraint("task_id", name=op.f("uq_submission_task_id")),
    )
    op.create_index("ix_submission_account", "submission", ["account_id", "submitted_at"], unique=False)
    op.create_index("ix_submission_case", "submission", ["case_id", "form", "submitted_at"], unique=False)
