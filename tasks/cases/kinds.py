"""What entries of the record are about: the groups an auditor asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy import ColumnElement, literal_column

from engine.tables import OWN_KINDS

ADMIN: Final = (
    "hospital_created", "account_created", "account_active", "password_set", "role_given", "role_taken", "agreement_made", "shift_added",
    "substitution_made", "definition.released",
)  # fmt: skip
EXPORTED, SEARCHED = "record.exported", "record.searched"
GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "looked": ("view", "file.opened"),
    "refused": ("access.refused",),
    "emergency": ("break_glass", "break_glass.reviewed"),
    "exported": (EXPORTED, SEARCHED),
    "login": ("login", "logout", "login_failed", "reauth_failed"),
    "admin": ADMIN,
    "flow": OWN_KINDS,
}
"""Kinds by group; `acted` is everything else that is told."""
ASIDE: Final = (*ADMIN, SEARCHED)
"""Told only to whom it is asked for: neither a look at a patient nor an act in a case."""
OTHERS: Final = tuple(kind for kinds in GROUPS.values() for kind in kinds)
TOLD: Final[ColumnElement[bool]] = literal_column(
    "history.kind not in (" + ", ".join(f"'{k}'" for k in OWN_KINDS) + ")"
)
"""What an auditor's list shows; spelled out as in the indexes, so that these serve a prepared query too."""
