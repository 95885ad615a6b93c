"""The last full check of a chain, and the newest cases and messages of all hospitals, are found without a scan."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Index the entries that say a chain was checked, and the lists that go from the newest back."""
    checked = sa.text("kind = 'chain.checked'")
    op.create_index("ix_history_checked", "history", ["tenant", "seq"], postgresql_where=checked, sqlite_where=checked)
    op.create_index("ix_clinical_case_newest", "clinical_case", ["created_at", "id"])
    op.create_index("ix_inbound_newest", "inbound", ["received_at"])
    op.create_index("ix_outbound_newest", "outbound", ["created_at"])
    op.create_index("ix_sms_message_newest", "sms_message", ["created_at"])
