"""The states of a case and the words for them; the FHIR Task status beside each (domain words of reading and consultation)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class State:
    """A state as people read it. `end` states are never left, save from published to acknowledged or amended."""

    zh: str
    en: str
    fhir: str
    end: bool = False


STATES: Final[dict[str, State]] = {
    "draft": State("草稿", "Draft", "draft"),
    "submitted": State("已提交", "Submitted", "requested"),
    "preqc": State("前质控中", "In pre-QC", "received"),
    "supplement": State("待补充", "Awaiting supplement", "on-hold"),
    "triage": State("待分诊", "Awaiting triage", "received"),
    "offered": State("待应诊", "Offered", "requested"),
    "accepted": State("待排期", "To be scheduled", "accepted"),
    "scheduled": State("已排期", "Scheduled", "accepted"),
    "session": State("会诊中", "In session", "in-progress"),
    "reporting": State("撰写中", "Reporting", "in-progress"),
    "review": State("待审核", "Awaiting review", "in-progress"),
    "signed": State("已签发", "Signed", "in-progress"),
    "postqc": State("后质控中", "In post-QC", "in-progress"),
    "rework": State("退回重修", "Returned for rework", "in-progress"),
    "published": State("已发布", "Published", "completed", end=True),
    "acknowledged": State("已确认", "Acknowledged", "completed", end=True),
    "amended": State("已更正", "Amended", "completed", end=True),
    "withdrawn": State("已撤回", "Withdrawn", "cancelled", end=True),
    "rejected": State("已拒绝", "Rejected", "rejected", end=True),
    "expired": State("已过期", "Expired", "failed", end=True),
    "died": State("患者死亡", "Patient died", "cancelled", end=True),
    "identity": State("患者不符", "Wrong patient", "entered-in-error", end=True),
}

_AFTER_END: Final = {"published": {"acknowledged", "amended"}, "acknowledged": {"amended"}}


def may_follow(now: str, then: str) -> bool:
    """Whether a case may go from one state to the other: any open state to any, an end state only where named."""
    if then not in STATES or now not in STATES:
        return False
    if now == then:
        return True
    return then in _AFTER_END.get(now, set()) if STATES[now].end else then != "draft"
