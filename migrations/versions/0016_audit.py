"""An auditor's page is found without a scan: what is told of the record by time, by kind and by person; a patient by his number."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

TOLD = sa.text(
    "kind not in ('step', 'decided', 'task.completed', 'job.done', 'job.failed', 'job.error', 'job.late', 'message.caught', "
    "'message.published', 'message.expired', 'instance.started', 'instance.completed', 'instance.cancelled', 'incident.opened')"
)


def upgrade() -> None:
    """Index what is not the engine's own bookkeeping, which is most of the record."""
    for name, columns in (("told", ["at", "id"]), ("kind", ["kind", "at", "id"]), ("actor", ["actor", "at", "id"])):
        op.create_index(f"ix_history_{name}", "history", columns, postgresql_where=TOLD, sqlite_where=TOLD)
    op.create_index("ix_patient_record_number", "patient_record", ["mrn"])
