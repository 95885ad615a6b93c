"""Objects whose pixels the worker still has to try are found without a scan."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Index what arrived and was not tried."""
    untried = sa.text("pixels AND decodes IS NULL")
    op.create_index(
        "ix_sop_instance_untried",
        "sop_instance",
        ["received_at", "sop_uid"],
        postgresql_where=untried,
        sqlite_where=untried,
    )
