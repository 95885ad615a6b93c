"""Messages whose time is over are found without looking at every one that still waits."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Index the undelivered messages by when they expire."""
    new = sa.text("state = 'new'")
    op.create_index("ix_message_expiry", "message", ["expires_at"], postgresql_where=new, sqlite_where=new)
