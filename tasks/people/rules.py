"""Who may do what: roles × objects × actions, one table, no input or output.

A grant reads `action@relation`: the action is allowed when the relation between the actor, in that role, and the object
holds. Two conditions that no grant can lift come after it: separation of duties, and the end of a case relation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from tasks.people.actor import Actor

ROLES: Final = (
    "applicant", "technician", "approver", "preqc", "triage", "expert", "reviewer", "scorer", "coordinator", "publisher",
    "auditor", "node_admin", "platform_admin", "teacher", "learner",
)  # fmt: skip

# Relations: own = he is its applicant, owner or subject · part = he took a part in the case or is asked to by an open task
# · from / to = the role is held at the applying / invited hospital · party = at either · ever = at either, also after the
# case relation ended · home = at the object's hospital · any = wherever · glass = an emergency access of his is open.
# Objects: application (with its clinical text), case (number, state, question class: no name, no record text), name (the
# patient's), images, report, session, qc (scores), preqc, model, history, account, rota, agreement, node, message, course,
# statistics, patient (the index).
GRANTS: Final[Mapping[str, Mapping[str, str]]] = {
    "applicant": {
        "case": "list@own list@from",
        "application": "create@home read@own update@own withdraw@own",
        "name": "read@own", "images": "read@own create@own", "report": "read@own download@own acknowledge@own rate@own",
        "session": "join@own", "qc": "read@own", "history": "read@own", "patient": "read@home create@home",
        "file": "read@own create@own",
    },
    "technician": {
        "case": "list@from",
        "application": "create@home read@from attach@from", "name": "read@from",
        "images": "create@home read@from", "session": "test@home", "patient": "read@home link@home", "file": "create@from read@from",
    },
    "approver": {
        "case": "list@party",
        "application": "read@party sign@from", "name": "read@party", "images": "read@from", "report": "read@party download@from",
        "session": "join@party", "history": "read@party", "qc": "arbitrate@to read@to", "file": "read@party create@from",
        "agreement": "read@home",
    },
    "preqc": {
        "case": "list@to", "application": "read@to note@to", "name": "read@to", "images": "read@to",
        "preqc": "decide@to override@to", "history": "read@to", "file": "read@to",
    },
    "triage": {
        "case": "list@to", "application": "read@to assign@to", "images": "read@to", "rota": "read@home",
        "history": "read@to",
    },
    "expert": {
        "case": "list@part", "application": "read@part", "name": "read@part", "images": "read@part annotate@part",
        "report": "read@part download@part create@part update@part sign@part", "session": "host@part join@part", "qc": "read@own",
        "history": "read@part", "rota": "read@home update@own", "file": "read@part create@part",
    },
    "reviewer": {
        "case": "list@part", "application": "read@part", "name": "read@part", "images": "read@part",
        "report": "read@part review@part", "session": "join@part", "history": "read@part", "file": "read@part",
    },
    "scorer": {
        "case": "list@part", "application": "read@part", "name": "read@part", "images": "read@part",
        "report": "read@part", "session": "replay@part", "qc": "score@part second@part read@part", "history": "read@part",
        "file": "read@part",
    },
    "coordinator": {
        "case": "list@party reschedule@to reassign@to", "report": "status@party", "session": "open@to close@to",
        "model": "read@any create@any update@any", "history": "running@party", "rota": "read@home update@home",
        "account": "read@home", "agreement": "read@home", "message": "read@home read@party retry@home note@home note@party", "incident": "read@party settle@party", "statistics": "read@home",
    },
    "publisher": {"model": "read@any sign@any"},
    "auditor": {
        "case": "list@ever", "application": "read@glass", "name": "read@glass", "images": "read@glass",
        "report": "read@glass", "session": "log@ever", "qc": "read@ever", "model": "read@any",
        "history": "read@ever read@home verify@any export@home", "account": "read@home", "node": "read@home",
        "statistics": "read@home", "agreement": "read@home",
    },
    "node_admin": {
        "node": "read@home update@home", "session": "test@home", "history": "node@home", "message": "read@home note@home",
    },
    "platform_admin": {
        "account": "read@home create@home update@home", "agreement": "read@home create@home update@home",
        "node": "read@home update@home", "message": "read@home retry@home note@home", "incident": "read@any settle@any",
        "history": "technical@any", "model": "read@any",
    },
    "teacher": {"course": "read@any create@any host@any update@own"},
    "learner": {"course": "read@any join@any", "history": "read@own"},
}  # fmt: skip

SEPARATE: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    # (object, action): the parts that exclude from it
    ("report", "review"): ("author",),
    ("qc", "score"): ("author", "reviewer"),
    ("qc", "second"): ("author", "reviewer", "scorer"),
    ("qc", "arbitrate"): ("author", "reviewer", "scorer"),
    ("model", "sign"): ("author",),
    ("application", "sign"): ("applicant",),
}

WRITERS: Final = ("expert", "author", "reviewer")
"""The parts of those whose report it is: a scorer is blind to them."""
ENDS: Final = frozenset({"part", "to"})
"""Relations that end with the case relation, 30 days after the case was closed; the applying hospital treats on, so that of
`party` only its side is left."""


@dataclass(frozen=True)
class OpenTask:
    """Something a case waits for: any holder of `role` at `scope`, or this one `person`."""

    role: str | None
    scope: UUID | None = None
    person: UUID | None = None


@dataclass(frozen=True)
class Facts:
    """What the rules need to know of an object.

    `hospital` is where it lives. Of a case: `parties` as (hospital id, 'from' | 'to'), `people` by part (applicant,
    expert, author, reviewer, scorer, owner), `open_tasks`, `over` once the case relation ended, `glass` the accounts
    whose emergency access is open, `settled` once it is published or closed.
    """

    kind: str
    hospital: UUID | None = None
    parties: frozenset[tuple[UUID, str]] = frozenset()
    people: Mapping[str, frozenset[UUID]] = field(default_factory=dict)
    open_tasks: frozenset[OpenTask] = frozenset()
    over: bool = False
    glass: frozenset[UUID] = frozenset()
    settled: bool = False

    def of(self, kind: str) -> Facts:
        """The same facts seen as another object of the case (its images, its report)."""
        return Facts(
            kind, self.hospital, self.parties, self.people, self.open_tasks, self.over, self.glass, self.settled
        )


def member(actor: Actor, task: OpenTask) -> bool:
    """Whether a task waits for this actor: named himself or standing in for the named, else by role and hospital."""
    if task.person is not None:
        return task.person == actor.account_id or task.person in actor.stands_in_for
    return task.role is not None and actor.holds(task.role, task.scope)


def _at(actor: Actor, role: str, obj: Facts, *parts: str) -> bool:
    return any(actor.holds(role, hospital) for hospital, part in obj.parties if part in parts)


def _part(actor: Actor, role: str, obj: Facts) -> bool:  # noqa: ARG001 - one shape for every relation
    return any(actor.account_id in who for who in obj.people.values()) or any(member(actor, t) for t in obj.open_tasks)


RELATIONS: Final[Mapping[str, Callable[[Actor, str, Facts], bool]]] = {
    "own": lambda a, _r, o: any(a.account_id in o.people.get(p, frozenset()) for p in ("applicant", "owner", "author")),
    "part": _part,
    "from": lambda a, r, o: _at(a, r, o, "from"),
    "to": lambda a, r, o: _at(a, r, o, "to"),
    "party": lambda a, r, o: _at(a, r, o, *(("from",) if o.over else ("from", "to"))),
    "ever": lambda a, r, o: _at(a, r, o, "from", "to"),
    "home": lambda a, r, o: a.holds(r, o.hospital),
    "any": lambda _a, _r, _o: True,
    "glass": lambda a, _r, o: a.account_id in o.glass,
}


def grants(role: str, kind: str, action: str) -> frozenset[str]:
    """The relations by which a role gets an action on a kind of object; empty: never."""
    words = GRANTS.get(role, {}).get(kind, "").split()
    return frozenset(relation for name, _, relation in (w.partition("@") for w in words) if name == action)


def barred(actor: Actor, action: str, obj: Facts) -> bool:
    """Whether the part the actor took in the case keeps him from this action, whatever his roles."""
    return any(actor.account_id in obj.people.get(part, ()) for part in SEPARATE.get((obj.kind, action), ()))


def may(actor: Actor, action: str, obj: Facts) -> bool:
    """Whether the actor may do this to that; the one answer every page, route, message and association asks for."""
    if barred(actor, action, obj):
        return False
    return any(
        RELATIONS[relation](actor, role, obj)
        for role in actor.roles
        for relation in grants(role, obj.kind, action)
        if not (obj.over and relation in ENDS)
    )


NEAREST: Final = ("own", "part", "home", "from", "to", "party", "ever", "any", "glass")
"""Relations from the closest on: by the first that holds somebody is said to have had access."""
PARTS: Final = ("applicant", "expert", "author", "reviewer", "scorer", "approver", "preqc", "triage", "owner")


def basis(actor: Actor, action: str, obj: Facts) -> dict[str, str]:
    """Why the actor may: `by` is the closest relation that lets him, `role` the role it is granted to and, where he took a
    part or an open task waits for him, `part` or `task`. Empty: he may not."""
    if not may(actor, action, obj):
        return {}
    found = [
        (NEAREST.index(relation), role)
        for role in sorted(actor.roles)
        for relation in grants(role, obj.kind, action)
        if not (obj.over and relation in ENDS) and RELATIONS[relation](actor, role, obj)
    ]
    nearest, role = min(found)
    told = {"by": NEAREST[nearest], "role": role}
    if told["by"] in ("own", "part"):
        parts = [p for p in PARTS if actor.account_id in obj.people.get(p, ())]
        asked = sorted(t.role or "" for t in obj.open_tasks if member(actor, t))
        told |= {"part": parts[0]} if parts else {"task": asked[0]} if asked else {}
    return told


def blind_to(actor: Actor, obj: Facts) -> frozenset[UUID]:
    """Whom this actor must not see named in a case: who scores a report, or may take that task, does not learn whose it is
    while it can still come back to be scored again."""
    scores = actor.account_id in obj.people.get("scorer", ()) or any(
        task.role == "scorer" and member(actor, task) for task in obj.open_tasks
    )
    if not scores or obj.settled or barred(actor, "score", obj.of("qc")):
        return frozenset()
    return frozenset[UUID]().union(*(obj.people.get(part, frozenset()) for part in WRITERS))


def opens(actor: Actor, kind: str, action: str | None = None) -> bool:
    """Whether any role of the actor has this kind of object (and action) at all: what navigation shows."""
    return any(grants(role, kind, action) if action else GRANTS.get(role, {}).get(kind) for role in actor.roles)
