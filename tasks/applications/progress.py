"""How far a case is: the nine steps a reader sees, from what waits and what was handed in. Pure rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

State = Literal["done", "current", "later"]
STEPS: Final = (
    ("apply", "申请", "Application"),
    ("approve", "审批", "Approval"),
    ("pre_qc", "前质控", "Pre-QC"),
    ("triage", "分诊", "Triage"),
    ("accept", "应诊", "Acceptance"),
    ("session", "会诊", "Session"),
    ("report", "报告", "Report"),
    ("post_qc", "后质控", "Post-QC"),
    ("publish", "发布", "Publication"),
)
_ORDER: Final = {key: place for place, (key, _, _) in enumerate(STEPS)}
_OF_PROCESS: Final[Mapping[str, str]] = {
    "pre_qc": "pre_qc", "triage": "triage", "offer": "accept", "schedule": "session", "session": "session",
    "write_report": "report", "post_qc": "post_qc", "publish": "publish",
}  # fmt: skip
_OF_NODE: Final[Mapping[str, str]] = {
    "apply": "apply", "snapshot": "apply", "approve": "approve", "dispatch": "accept", "publish": "publish",
}  # fmt: skip
_TOP: Final = frozenset({"consultation", "act", "approval"})
"""The consultation itself, its embedded sub-process, and the model of which two steps are shown."""


@dataclass(frozen=True)
class Step:
    """One step of the line: `who` did it or has it in hand, `at` when it was done or since when it waits."""

    key: str
    zh: str
    en: str
    state: State
    who: str | None = None
    at: datetime | None = None


@dataclass(frozen=True)
class Mark:
    """Something that was handed in, or waits: which process and node, whose it is, since when."""

    process: str
    node: str
    who: UUID | None
    at: datetime
    kind: str = "user"


def stage(process: str, node: str) -> str | None:
    """The step a node of a process belongs to; None for what belongs to all of them."""
    return _OF_PROCESS.get(process) or (_OF_NODE.get(node) if process in _TOP else None)


def line(
    waiting: Sequence[Mark], handed_in: Sequence[Mark], names: Mapping[UUID, str], published_at: datetime | None
) -> list[Step]:
    """The nine steps. Work that goes back (a supplement, a rework) makes its step current and the later ones open."""
    last: dict[str, Mark] = {}
    for one in sorted(handed_in, key=lambda m: m.at):
        done = stage(one.process, one.node)
        if done is not None:
            last[done] = one
    current = _current(waiting)
    reached = len(STEPS) if published_at else _ORDER[stage(current.process, current.node) or "apply"] if current else -1
    steps = []
    for key, zh, en in STEPS:
        mark: Mark | None = last.get(key)
        state: State = "later"
        if current is not None and _ORDER[key] == reached and published_at is None:
            state, mark = "current", current
        elif _ORDER[key] < reached or (reached < 0 and mark is not None):
            state = "done"
        else:
            mark = None
        who = names.get(mark.who) if mark and mark.who else None
        at = published_at if key == "publish" and published_at else mark.at if mark else None
        steps.append(Step(key, zh, en, state, who, at))
    return steps


def _current(waiting: Sequence[Mark]) -> Mark | None:
    known = [
        m for m in waiting if stage(m.process, m.node) is not None and m.kind in ("user", "job", "message", "timer")
    ]
    people = [m for m in known if m.kind == "user"] or [m for m in known if m.kind == "job"] or known
    return max(people, key=lambda m: (_ORDER[stage(m.process, m.node) or "apply"], m.at), default=None)
