"""The engine's tables, append-only history, monthly partitions on PostgreSQL."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.db import Instant, JsonText, Uuid

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


SQLITE = """
create trigger history_no_update before update on history begin select raise(abort, 'history is append-only'); end;
create trigger history_no_delete before delete on history begin select raise(abort, 'history is append-only'); end;
"""

POSTGRESQL = """
create function history_refuse() returns trigger language plpgsql as $$
begin raise exception 'history is append-only'; end $$;
create trigger history_no_change before update or delete on history for each row execute function history_refuse();
create trigger history_no_truncate before truncate on history for each statement execute function history_refuse();

create table history_rest partition of history default;
create trigger history_no_truncate before truncate on history_rest
  for each statement execute function history_refuse();

create function history_make_partitions(first date, months integer) returns integer language plpgsql as $$
declare
  lower_at timestamptz; upper_at timestamptz; partition_name text; made integer := 0;
begin
  for i in 0..months loop
    lower_at := (date_trunc('month', first::timestamp) + make_interval(months => i)) at time zone 'UTC';
    upper_at := (date_trunc('month', first::timestamp) + make_interval(months => i + 1)) at time zone 'UTC';
    partition_name := 'history_' || to_char(lower_at at time zone 'UTC', 'YYYYMM');
    -- a month that already fell into the rest stays there: a clinical write is never refused for want of a partition
    continue when to_regclass(partition_name) is not null
      or exists (select 1 from history_rest where at >= lower_at and at < upper_at);
    execute format('create table %I partition of history for values from (%L) to (%L)',
      partition_name, lower_at, upper_at);
    execute format('create trigger history_no_truncate before truncate on %I
      for each statement execute function history_refuse()', partition_name);
    made := made + 1;
  end loop;
  return made;
end $$;
select history_make_partitions(current_date, 24);
"""


def upgrade() -> None:
    """Create everything."""
    _tables()
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(POSTGRESQL.replace("%", "%%"))  # the driver reads % as a parameter
    else:
        for statement in SQLITE.strip().splitlines():
            connection.exec_driver_sql(statement)


def _tables() -> None:
    _command_log()
    _definition()
    _history()
    _history_head()
    _incident()
    _instance()
    _job()
    _message()
    _wait()


def _command_log() -> None:
    op.create_table(
        "command_log",
        sa.Column("scope", Uuid(length=36), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("tenant", Uuid(length=36), nullable=False),
        sa.Column("instance_id", Uuid(length=36), nullable=False),
        sa.Column("answer", JsonText(), nullable=True),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("at", Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("scope", "key", name=op.f("pk_command_log")),
    )


def _definition() -> None:
    op.create_table(
        "definition",
        sa.Column("id", Uuid(length=36), nullable=False),
        sa.Column("process", sa.String(length=80), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_definition")),
        sa.UniqueConstraint("hash", name=op.f("uq_definition_hash")),
    )
    op.create_index("ux_definition_process_version", "definition", ["process", "version"], unique=True)


def _history() -> None:
    op.create_table(
        "history",
        sa.Column("at", Instant(timezone=True), nullable=False),
        sa.Column("id", Uuid(length=36), nullable=False),
        sa.Column("tenant", Uuid(length=36), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("on_behalf", sa.String(length=80), nullable=True),
        sa.Column("instance_id", Uuid(length=36), nullable=True),
        sa.Column("task_id", Uuid(length=36), nullable=True),
        sa.Column("node", sa.String(length=120), nullable=True),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("at", "id", name=op.f("pk_history")),
        postgresql_partition_by="RANGE (at)",
    )
    op.create_index("ix_history_chain", "history", ["tenant", "seq"], unique=False)
    op.create_index("ix_history_instance", "history", ["instance_id", "at"], unique=False)


def _history_head() -> None:
    op.create_table(
        "history_head",
        sa.Column("tenant", Uuid(length=36), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("tenant", name=op.f("pk_history_head")),
    )


def _incident() -> None:
    op.create_table(
        "incident",
        sa.Column("id", Uuid(length=36), nullable=False),
        sa.Column("tenant", Uuid(length=36), nullable=False),
        sa.Column("instance_id", Uuid(length=36), nullable=False),
        sa.Column("business_key", sa.String(length=80), nullable=False),
        sa.Column("task_id", Uuid(length=36), nullable=True),
        sa.Column("job_id", Uuid(length=36), nullable=True),
        sa.Column("node", sa.String(length=120), nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("code", sa.String(length=80), nullable=False),
        sa.Column("detail", JsonText(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("opened_at", Instant(timezone=True), nullable=False),
        sa.Column("resolved_at", Instant(timezone=True), nullable=True),
        sa.Column("resolved_by", sa.String(length=80), nullable=True),
        sa.Column("resolution", JsonText(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident")),
    )
    op.create_index("ix_incident_instance", "incident", ["instance_id"], unique=False)
    op.create_index(
        "ix_incident_open",
        "incident",
        ["tenant", "code"],
        unique=False,
        postgresql_where=sa.text("state = 'open'"),
        sqlite_where=sa.text("state = 'open'"),
    )


def _instance() -> None:
    op.create_table(
        "instance",
        sa.Column("id", Uuid(length=36), nullable=False),
        sa.Column("tenant", Uuid(length=36), nullable=False),
        sa.Column("definition_id", Uuid(length=36), nullable=False),
        sa.Column("process", sa.String(length=80), nullable=False),
        sa.Column("business_key", sa.String(length=80), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.Column("started_at", Instant(timezone=True), nullable=False),
        sa.Column("updated_at", Instant(timezone=True), nullable=False),
        sa.Column("ended_at", Instant(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instance")),
    )
    op.create_index("ix_instance_business_key", "instance", ["business_key"], unique=False)
    op.create_index("ix_instance_definition", "instance", ["definition_id", "status"], unique=False)
    op.create_index("ix_instance_tenant_status", "instance", ["tenant", "status", "started_at"], unique=False)


def _job() -> None:
    op.create_table(
        "job",
        sa.Column("id", Uuid(length=36), nullable=False),
        sa.Column("tenant", Uuid(length=36), nullable=False),
        sa.Column("instance_id", Uuid(length=36), nullable=False),
        sa.Column("business_key", sa.String(length=80), nullable=False),
        sa.Column("task_id", Uuid(length=36), nullable=False),
        sa.Column("operation", sa.String(length=80), nullable=False),
        sa.Column("effect", sa.String(length=12), nullable=False),
        sa.Column("lane", sa.String(length=200), nullable=True),
        sa.Column("position", Uuid(length=36), nullable=False),
        sa.Column("args", JsonText(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("run_at", Instant(timezone=True), nullable=False),
        sa.Column("lease_until", Instant(timezone=True), nullable=True),
        sa.Column("owner", sa.String(length=80), nullable=True),
        sa.Column("result", JsonText(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        sa.Column("finished_at", Instant(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
    )
    op.create_index(
        "ix_job_due",
        "job",
        ["run_at", "position"],
        unique=False,
        postgresql_where=sa.text("state = 'ready'"),
        sqlite_where=sa.text("state = 'ready'"),
    )
    op.create_index("ix_job_instance", "job", ["instance_id"], unique=False)
    op.create_index(
        "ix_job_lane",
        "job",
        ["lane", "position"],
        unique=False,
        postgresql_where=sa.text("state not in ('done', 'cancelled')"),
        sqlite_where=sa.text("state not in ('done', 'cancelled')"),
    )
    op.create_index(
        "ix_job_lease",
        "job",
        ["lease_until"],
        unique=False,
        postgresql_where=sa.text("state in ('leased', 'sent')"),
        sqlite_where=sa.text("state in ('leased', 'sent')"),
    )


def _message() -> None:
    op.create_table(
        "message",
        sa.Column("id", Uuid(length=36), nullable=False),
        sa.Column("tenant", Uuid(length=36), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("correlation", sa.String(length=200), nullable=False),
        sa.Column("payload", JsonText(), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        sa.Column("expires_at", Instant(timezone=True), nullable=False),
        sa.Column("delivered_to", Uuid(length=36), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint("key", name=op.f("uq_message_key")),
    )
    op.create_index(
        "ix_message_new",
        "message",
        ["name", "correlation"],
        unique=False,
        postgresql_where=sa.text("state = 'new'"),
        sqlite_where=sa.text("state = 'new'"),
    )


def _wait() -> None:
    op.create_table(
        "wait",
        sa.Column("id", Uuid(length=36), nullable=False),
        sa.Column("tenant", Uuid(length=36), nullable=False),
        sa.Column("instance_id", Uuid(length=36), nullable=False),
        sa.Column("business_key", sa.String(length=80), nullable=False),
        sa.Column("task_id", Uuid(length=36), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("process", sa.String(length=80), nullable=False),
        sa.Column("node", sa.String(length=120), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=True),
        sa.Column("name_en", sa.String(length=200), nullable=True),
        sa.Column("form", sa.String(length=80), nullable=True),
        sa.Column("role", sa.String(length=40), nullable=True),
        sa.Column("scope", Uuid(length=36), nullable=True),
        sa.Column("person", Uuid(length=36), nullable=True),
        sa.Column("due", Instant(timezone=True), nullable=True),
        sa.Column("reauth", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("message", sa.String(length=120), nullable=True),
        sa.Column("correlation", sa.String(length=200), nullable=True),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wait")),
    )
    op.create_index("ix_wait_instance", "wait", ["instance_id"], unique=False)
    op.create_index("ix_wait_task", "wait", ["task_id"], unique=False)
    op.create_index(
        "ix_wait_message",
        "wait",
        ["message", "correlation"],
        unique=False,
        postgresql_where=sa.text("kind in ('message', 'signal')"),
        sqlite_where=sa.text("kind in ('message', 'signal')"),
    )
    op.create_index(
        "ix_wait_person",
        "wait",
        ["person"],
        unique=False,
        postgresql_where=sa.text("kind = 'user'"),
        sqlite_where=sa.text("kind = 'user'"),
    )
    op.create_index(
        "ix_wait_role",
        "wait",
        ["role", "scope", "due"],
        unique=False,
        postgresql_where=sa.text("kind = 'user'"),
        sqlite_where=sa.text("kind = 'user'"),
    )
    op.create_index(
        "ix_wait_timer",
        "wait",
        ["due"],
        unique=False,
        postgresql_where=sa.text("kind = 'timer'"),
        sqlite_where=sa.text("kind = 'timer'"),
    )
