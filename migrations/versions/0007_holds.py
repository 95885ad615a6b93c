"""A hold takes a numbered place of the expert, and no place twice; when he accepted is kept."""

from __future__ import annotations

from collections import Counter

import sqlalchemy as sa
from alembic import op

from engine.db import Instant, Uuid

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

HELD = sa.text("state = 'held'")


def upgrade() -> None:
    """Number what is held, then forbid the same place twice."""
    op.add_column("hold", sa.Column("slot", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("hold", sa.Column("answered_at", Instant(), nullable=True))
    _number()
    for name, columns in (("ux_hold_slot", ["account_id", "slot"]), ("ux_hold_held", ["case_id", "account_id"])):
        op.create_index(name, "hold", columns, unique=True, sqlite_where=HELD, postgresql_where=HELD)


def _number() -> None:
    """Places by age; of two holds of one expert for one case the younger gives way."""
    hold = sa.table(
        "hold", sa.column("id", Uuid()), sa.column("case_id", Uuid()), sa.column("account_id", Uuid()), sa.column("slot"),
        sa.column("state"), sa.column("created_at", Instant()),
    )  # fmt: skip
    bind, taken, seen = op.get_bind(), Counter[object](), set[tuple[object, object]]()
    held = sa.select(hold.c.id, hold.c.case_id, hold.c.account_id).where(HELD).order_by(hold.c.created_at, hold.c.id)
    for row in bind.execute(held).all():
        if (row.case_id, row.account_id) in seen:
            bind.execute(sa.update(hold).where(hold.c.id == row.id).values(state="freed"))
            continue
        seen.add((row.case_id, row.account_id))
        bind.execute(sa.update(hold).where(hold.c.id == row.id).values(slot=taken[row.account_id]))
        taken[row.account_id] += 1
