"""What is old enough to be forgotten is found without looking at everything that is not."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Index the answers of cases' own commands by when they were given, and settled messages by when they expired."""
    own, settled = sa.text("scope = instance_id"), sa.text("state <> 'new'")
    op.create_index("ix_command_log_at", "command_log", ["at"], postgresql_where=own, sqlite_where=own)
    op.create_index("ix_message_settled", "message", ["expires_at"], postgresql_where=settled, sqlite_where=settled)
