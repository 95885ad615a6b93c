"""Ranks people for a case. Hard filters first, then a cost whose parts are printed with their weights. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

WEIGHTS = {"queue": 40, "load": 20, "continuity": 15, "specialty": 10, "declines": 10, "fairness": 5}
"""Points each part may cost; 100 in all."""
TITLES = ("resident", "attending", "associate", "chief")
QUEUE_CAP, LOAD_CAP, DECLINE_CAP = 6, 8, 3


class Conflict(StrEnum):
    """Why somebody may never answer a case, whatever the rota says."""

    APPLYING = "applying"
    """He applied for it, approved it or prepared it: the treating side."""
    HOME = "home"
    """He works at the applying hospital."""
    TOOK_PART = "took_part"
    """He wrote, reviewed or scored a report of this case already."""


CONFLICTS: Final = {
    Conflict.APPLYING: ("回避：申请方经治或审批医师", "Conflict of interest: treating or approving doctor of the applicant"),
    Conflict.HOME: ("回避：供职于申请医院", "Conflict of interest: works at the applying hospital"),
    Conflict.TOOK_PART: ("回避：已参与本例报告", "Conflict of interest: took part in the report of this case"),
}  # fmt: skip


@dataclass(frozen=True)
class Candidate:
    """What is known of a person who might answer.

    `waiting` tasks are in his hands or named for him, `open_cases` hold one of his places, `recent_declines` and
    `answered_30d` are cases of the last 30 days, `idle_minutes` since he was last asked.
    """

    id: str
    name: str
    title: str
    specialties: tuple[str, ...]
    on_duty: bool
    waiting: int
    open_cases: int
    recent_declines: int
    answered_30d: int
    idle_minutes: int
    knows_patient: bool = False
    conflict: Conflict | None = None


@dataclass(frozen=True)
class Part:
    """One part of the score: points lost of its weight, and why."""

    name: str
    weight: int
    cost: float
    zh: str
    en: str


@dataclass(frozen=True)
class Proposal:
    """A ranked person; `score` 100 is best. `excluded` says why somebody may not be asked at all."""

    id: str
    name: str
    score: float
    parts: tuple[Part, ...]
    excluded: str = ""
    excluded_en: str = ""


def rank(candidates: Iterable[Candidate], *, pool: str, title: str) -> list[Proposal]:
    """Best first; equal scores go to who has been idle longest. Excluded people come last, with the reason."""
    people = list(candidates)
    most = max((c.answered_30d for c in people), default=0)
    fit: list[tuple[float, int, Proposal]] = []
    out: list[Proposal] = []
    for c in people:
        why = _excluded(c, pool, title)
        if why:
            out.append(Proposal(c.id, c.name, 0, (), *why))
            continue
        parts = _parts(c, pool, most)
        score = round(100 - sum(p.cost for p in parts), 1)
        fit.append((-score, -c.idle_minutes, Proposal(c.id, c.name, score, parts)))
    return [p for *_, p in sorted(fit, key=lambda row: (row[0], row[1], row[2].id))] + sorted(out, key=lambda p: p.name)


def _excluded(c: Candidate, pool: str, title: str) -> tuple[str, str] | None:
    if c.conflict:
        return CONFLICTS[c.conflict]
    if not c.on_duty:
        return "不在班", "Not on duty"
    if pool not in c.specialties:
        return "非本专科", "Another specialty"
    if _level(c.title) < _level(title):
        return "职称不足", "Title too low"
    if c.open_cases >= LOAD_CAP:
        return "在手病例已满", "No room for another case"
    return None


def _level(title: str) -> int:
    return TITLES.index(title) if title in TITLES else 0


def _nearness(place: int) -> tuple[str, str]:
    words = (("第一专科", "First specialty"), ("第二专科", "Second specialty"))
    return words[place] if place < len(words) else ("其他专科", "Further specialty")


def _s(count: int) -> str:
    return "" if count == 1 else "s"


def _parts(c: Candidate, pool: str, most: int) -> tuple[Part, ...]:
    place = c.specialties.index(pool)
    fair = c.answered_30d / most if most else 0.0
    shares = {
        "queue": (min(1.0, c.waiting / QUEUE_CAP), f"待办 {c.waiting} 项", f"{c.waiting} task{_s(c.waiting)} waiting"),
        "load": (min(1.0, c.open_cases / LOAD_CAP), f"在手 {c.open_cases} 例", f"{c.open_cases} open case{_s(c.open_cases)}"),
        "continuity": (0.0, "看过该患者", "Knows the patient") if c.knows_patient else (1.0, "首次接触该患者", "New to the patient"),
        "specialty": (min(1.0, place * 0.5), *_nearness(place)),
        "declines": (
            min(1.0, c.recent_declines / DECLINE_CAP), f"近期谢绝 {c.recent_declines} 次", f"{c.recent_declines} recent decline{_s(c.recent_declines)}",
        ),
        "fairness": (fair, f"30 天应诊 {c.answered_30d} 例", f"{c.answered_30d} case{_s(c.answered_30d)} in 30 days"),
    }  # fmt: skip
    return tuple(Part(n, w, round(w * shares[n][0], 1), shares[n][1], shares[n][2]) for n, w in WEIGHTS.items())
