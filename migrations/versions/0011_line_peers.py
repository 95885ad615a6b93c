"""A line says from where its hospital's system sends."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Empty: from the addresses of the line's host."""
    op.add_column("endpoint", sa.Column("peers", sa.String(1000), server_default="", nullable=False))
