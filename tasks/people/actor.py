"""Who is asking: an account with its appointments, as the rules see it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True)
class Appointment:
    """A role held at a hospital; `hospital_id` None means on the whole platform."""

    role: str
    hospital_id: UUID | None = None
    department_id: UUID | None = None


@dataclass(frozen=True)
class Actor:
    """The person behind a request, loaded once a request.

    `stands_in_for` are the absent colleagues whose personal tasks he gets now; `reauth_at` is when he last proved who he
    is, `address` where he logged in from; both None outside a login.
    """

    account_id: UUID
    name: str
    hospital_id: UUID
    assignments: tuple[Appointment, ...] = ()
    stands_in_for: frozenset[UUID] = field(default_factory=frozenset)
    login_id: UUID | None = None
    reauth_at: datetime | None = None
    address: str | None = None

    @property
    def id(self) -> str:
        """The account id as text: the actor of commands and history entries."""
        return str(self.account_id)

    @property
    def roles(self) -> frozenset[str]:
        """Every role held anywhere."""
        return frozenset(a.role for a in self.assignments)

    def holds(self, role: str, hospital_id: UUID | None = None) -> bool:
        """Whether the role is held at this hospital (None: anywhere); a platform-wide appointment counts everywhere."""
        return any(
            a.role == role and (hospital_id is None or a.hospital_id is None or a.hospital_id == hospital_id)
            for a in self.assignments
        )

    def places(self, role: str) -> frozenset[UUID | None]:
        """Where the role is held: hospital ids, None among them for the whole platform."""
        return frozenset(a.hospital_id for a in self.assignments if a.role == role)
