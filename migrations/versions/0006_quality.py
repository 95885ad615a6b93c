"""The numbers of an order, and the blind second score of a round."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; a score is unique by case, round and place."""
    for name in ("filler", "accession"):
        op.add_column("clinical_order", sa.Column(name, sa.String(length=64), server_default="", nullable=False))
    op.add_column("report_score", sa.Column("place", sa.Integer(), server_default="1", nullable=False))
    op.drop_index("ux_report_score_round", table_name="report_score")
    op.create_index("ux_report_score_place", "report_score", ["case_id", "round", "place"], unique=True)
