"""What became of a task that an event took away is found by its id."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Index the entries of tasks that were cut off."""
    cut = sa.text("kind = 'task.cut'")
    op.create_index("ix_history_cut", "history", ["task_id"], postgresql_where=cut, sqlite_where=cut)
