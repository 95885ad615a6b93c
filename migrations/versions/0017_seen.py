"""Messages that somebody has put away with a note, and the newest and the troubled ones of every kind without a scan."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.db import Instant, Uuid

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table and the indexes of the message centre."""
    op.create_table(
        "message_seen",
        sa.Column("message_id", Uuid(), primary_key=True),
        sa.Column("tenant", Uuid(), nullable=False),
        sa.Column("account_id", Uuid(), nullable=False),
        sa.Column("note", sa.String(300), nullable=False),
        sa.Column("at", Instant(), nullable=False),
    )
    op.create_index("ix_outbound_state", "outbound", ["state", "created_at"])
    op.create_index("ix_sms_message_state", "sms_message", ["state", "created_at"])
    op.create_index("ix_sms_reply_newest", "sms_reply", ["received_at"])
    op.create_index("ix_study_newest", "study", ["received_at"])
