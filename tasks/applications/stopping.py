"""Who may stop a case, why, and until when. Pure rules."""

from __future__ import annotations

from typing import Final

from engine.errors import Refused
from tasks.applications.errors import NoAccess, Published, Signed
from tasks.people.service import Actor, Facts, may

REASONS: Final = ("withdrawn", "died", "identity")
"""What people may give as a reason; a case is rejected or expires by its process alone."""


def check(actor: Actor, case: Facts, reason: str, *, signed: bool, over: bool) -> None:
    """Pass if the actor may stop this case for this reason now. `case` are its facts.

    Withdrawn: by its applicant or an approver of the applying hospital, before the report is signed. Died and identity:
    by whoever may read the application, before publication. Raises Refused, NoAccess, Signed, Published.
    """
    if reason not in REASONS:
        raise Refused(f"a person may stop a case as {', '.join(REASONS)}")
    if not (withdraws(actor, case) if reason == "withdrawn" else tells(actor, case)):
        raise NoAccess
    if over:
        raise Published
    if reason == "withdrawn" and signed:
        raise Signed


def withdraws(actor: Actor, case: Facts) -> bool:
    """The applicant himself, or an approver of the applying hospital."""
    if may(actor, "withdraw", case.of("application")):
        return True
    return any(actor.holds("approver", hospital) for hospital, part in case.parties if part == "from")


def tells(actor: Actor, case: Facts) -> bool:
    """Whoever may read the application, and the coordinators of both hospitals."""
    if may(actor, "read", case.of("application")):
        return True
    return any(actor.holds("coordinator", hospital) for hospital, _ in case.parties)


def reasons(actor: Actor, case: Facts, *, signed: bool, over: bool) -> list[str]:
    """The reasons this actor may give now: what a page offers."""
    found = []
    for reason in REASONS:
        try:
            check(actor, case, reason, signed=signed, over=over)
        except (NoAccess, Published, Signed):
            continue
        found.append(reason)
    return found
