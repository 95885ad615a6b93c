"""A line may be spoken to by TLS only, and says whose certificates its peer must have."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Lines that exist stay as they are: without TLS."""
    op.add_column("endpoint", sa.Column("tls", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("endpoint", sa.Column("authority", sa.Text(), nullable=True))
