"""The engine's tables, in SQLAlchemy Core.

`instance` holds the compact state of a running case; `wait` is its projection, rewritten in the same transaction, so that
inbox, timers and correlation never load a state. `job` is the only queue. `history` is append-only. No table here holds
patient text.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, LargeBinary, MetaData, String, Table, Text, text

from engine.db import Base, Instant, JsonText, Uuid

metadata: MetaData = Base.metadata

OWN_KINDS = (
    "step", "decided", "task.completed", "job.done", "job.failed", "job.error", "job.late", "message.caught", "message.published",
    "message.expired", "instance.started", "instance.completed", "instance.cancelled", "incident.opened",
)  # fmt: skip
"""Kinds of history entries that say how the engine went on; what a person did has others. Indexes leave these out."""
_TOLD = text("kind not in (" + ", ".join(f"'{kind}'" for kind in OWN_KINDS) + ")")

definition = Table(
    "definition",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("process", String(80), nullable=False),
    Column("version", Integer, nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
    Column("status", String(12), nullable=False),  # draft, released, retired
    Column("content", LargeBinary, nullable=False),  # the closed bundle, deflated
    Column("created_by", String(80), nullable=False),
    Column("created_at", Instant, nullable=False),
    Index("ux_definition_process_version", "process", "version", unique=True),
)

instance = Table(
    "instance",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant", Uuid, nullable=False),
    Column("definition_id", Uuid, nullable=False),
    Column("process", String(80), nullable=False),
    Column("business_key", String(80), nullable=False),
    Column("status", String(12), nullable=False),  # running, completed, cancelled
    Column("rev", Integer, nullable=False),
    Column("state", LargeBinary, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Index("ix_instance_tenant_status", "tenant", "status", "started_at"),
    Index("ix_instance_business_key", "business_key"),
    Index("ix_instance_definition", "definition_id", "status"),
)

wait = Table(
    "wait",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant", Uuid, nullable=False),
    Column("instance_id", Uuid, nullable=False),
    Column("business_key", String(80), nullable=False),
    Column("task_id", Uuid, nullable=False),
    Column("kind", String(8), nullable=False),  # user, timer, message, signal, job
    Column("process", String(80), nullable=False),
    Column("node", String(120), nullable=False),
    Column("name", String(200)),
    Column("name_en", String(200)),
    Column("form", String(80)),
    Column("role", String(40)),
    Column("scope", Uuid),
    Column("person", Uuid),
    Column("due", Instant),  # the deadline of a user task; the instant of a timer
    Column("reauth", Boolean, nullable=False, server_default=text("false")),
    Column("message", String(120)),  # what a message or signal wait listens for
    Column("correlation", String(200)),
    Column("created_at", Instant, nullable=False),
    Index("ix_wait_instance", "instance_id"),
    Index("ix_wait_task", "task_id"),
    Index("ix_wait_timer", "due", postgresql_where=text("kind = 'timer'"), sqlite_where=text("kind = 'timer'")),
    Index(
        "ix_wait_message",
        "message",
        "correlation",
        postgresql_where=text("kind in ('message', 'signal')"),
        sqlite_where=text("kind in ('message', 'signal')"),
    ),
    Index(
        "ix_wait_role",
        "role",
        "scope",
        "due",
        postgresql_where=text("kind = 'user'"),
        sqlite_where=text("kind = 'user'"),
    ),
    Index("ix_wait_person", "person", postgresql_where=text("kind = 'user'"), sqlite_where=text("kind = 'user'")),
)

job = Table(
    "job",
    metadata,
    Column("id", Uuid, primary_key=True),  # the idempotency key of the effect
    Column("tenant", Uuid, nullable=False),
    Column("instance_id", Uuid, nullable=False),
    Column("business_key", String(80), nullable=False),
    Column("task_id", Uuid, nullable=False),
    Column("operation", String(80), nullable=False),
    Column("effect", String(12), nullable=False),
    Column("lane", String(200)),
    Column("position", Uuid, nullable=False),  # uuid7: the order inside a lane
    Column("args", JsonText, nullable=False),
    Column("state", String(10), nullable=False),  # ready, leased, sent, done, incident, cancelled
    Column("attempt", Integer, nullable=False),
    Column("run_at", Instant, nullable=False),
    Column("lease_until", Instant),
    Column("owner", String(80)),
    Column("result", JsonText),
    Column("error", Text),
    Column("created_at", Instant, nullable=False),
    Column("finished_at", Instant),
    Index("ix_job_instance", "instance_id"),
    Index(
        "ix_job_due",
        "run_at",
        "position",
        postgresql_where=text("state = 'ready'"),
        sqlite_where=text("state = 'ready'"),
    ),
    Index(
        "ix_job_lease",
        "lease_until",
        postgresql_where=text("state in ('leased', 'sent')"),
        sqlite_where=text("state in ('leased', 'sent')"),
    ),
    Index(
        "ix_job_lane",
        "lane",
        "position",
        postgresql_where=text("state not in ('done', 'cancelled')"),
        sqlite_where=text("state not in ('done', 'cancelled')"),
    ),
)

message = Table(
    "message",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant", Uuid, nullable=False),  # the sender's; nil when a message arrives before its case
    Column("name", String(120), nullable=False),
    Column("correlation", String(200), nullable=False),
    Column("payload", JsonText, nullable=False),
    Column("key", String(200), nullable=False, unique=True),
    Column("actor", String(80), nullable=False),
    Column("state", String(10), nullable=False),  # new, delivered, expired
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("delivered_to", Uuid),
    Index(
        "ix_message_new",
        "name",
        "correlation",
        postgresql_where=text("state = 'new'"),
        sqlite_where=text("state = 'new'"),
    ),
    Index(
        "ix_message_expiry", "expires_at", postgresql_where=text("state = 'new'"), sqlite_where=text("state = 'new'")
    ),
    Index(
        "ix_message_settled",
        "expires_at",
        postgresql_where=text("state <> 'new'"),
        sqlite_where=text("state <> 'new'"),
    ),
)

incident = Table(
    "incident",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant", Uuid, nullable=False),
    Column("instance_id", Uuid, nullable=False),
    Column("business_key", String(80), nullable=False),
    Column("task_id", Uuid),
    Column("job_id", Uuid),
    Column("node", String(120)),
    Column(
        "kind", String(20), nullable=False
    ),  # job, unknown_outcome, instance, or what held a step: expression, decision, assignment …
    Column("code", String(80), nullable=False),
    Column("detail", JsonText, nullable=False),
    Column("state", String(10), nullable=False),  # open, resolved
    Column("opened_at", Instant, nullable=False),
    Column("resolved_at", Instant),
    Column("resolved_by", String(80)),
    Column("resolution", JsonText),
    Index("ix_incident_instance", "instance_id"),
    Index(
        "ix_incident_open",
        "tenant",
        "code",
        postgresql_where=text("state = 'open'"),
        sqlite_where=text("state = 'open'"),
    ),
)

history = Table(
    "history",
    metadata,
    Column("at", Instant, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("tenant", Uuid, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("actor", String(80), nullable=False),
    Column("on_behalf", String(80)),
    Column("instance_id", Uuid),
    Column("task_id", Uuid),
    Column("node", String(120)),
    Column("data", Text, nullable=False),  # canonical JSON, kept byte for byte because it is hashed
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Index("ix_history_chain", "tenant", "seq"),
    Index("ix_history_instance", "instance_id", "at"),
    Index(
        "ix_history_checked",
        "tenant",
        "seq",
        postgresql_where=text("kind = 'chain.checked'"),
        sqlite_where=text("kind = 'chain.checked'"),
    ),
    Index(
        "ix_history_cut",
        "task_id",
        postgresql_where=text("kind = 'task.cut'"),
        sqlite_where=text("kind = 'task.cut'"),
    ),
    Index("ix_history_told", "at", "id", postgresql_where=_TOLD, sqlite_where=_TOLD),
    Index("ix_history_kind", "kind", "at", "id", postgresql_where=_TOLD, sqlite_where=_TOLD),
    Index("ix_history_actor", "actor", "at", "id", postgresql_where=_TOLD, sqlite_where=_TOLD),
    postgresql_partition_by="RANGE (at)",
)

history_head = Table(
    "history_head",
    metadata,
    Column("tenant", Uuid, primary_key=True),
    Column("seq", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
)

command_log = Table(
    "command_log",
    metadata,
    Column("scope", Uuid, primary_key=True),  # the instance; for a start the tenant
    Column("key", String(200), primary_key=True),
    Column("tenant", Uuid, nullable=False),
    Column("instance_id", Uuid, nullable=False),
    Column("answer", JsonText),
    Column("actor", String(80), nullable=False),
    Column("at", Instant, nullable=False),
    Index(
        "ix_command_log_at",
        "at",
        postgresql_where=text("scope = instance_id"),
        sqlite_where=text("scope = instance_id"),
    ),
)
