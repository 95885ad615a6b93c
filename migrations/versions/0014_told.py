"""A draft remembers what its author was told when he last tried to hand it in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.db import JsonText

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the messages by field."""
    op.add_column("draft", sa.Column("told", JsonText(), nullable=True))
