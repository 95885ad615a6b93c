"""Who is asked first, and why; who may not be asked at all."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.triage.matching import WEIGHTS, Candidate, Conflict, rank

LIN = Candidate("1", "林示范", "chief", ("neuro", "general"), True, 0, 0, 0, 0, 100)


@pytest.mark.parametrize(("change", "word"), [
    ({"on_duty": False}, "不在班"), ({"specialties": ("chest",)}, "非本专科"), ({"title": "attending"}, "职称不足"),
    ({"open_cases": 8}, "已满"), *[({"conflict": c}, "回避") for c in Conflict],
])  # fmt: skip
def test_hard_filters_say_why(change: dict[str, object], word: str) -> None:
    proposal = rank([replace(LIN, **change)], pool="neuro", title="associate")[0]  # type: ignore[arg-type]
    assert word in proposal.excluded
    assert proposal.excluded_en.isascii()


def test_less_loaded_comes_first_and_ties_go_to_the_idle() -> None:
    busy = replace(LIN, id="2", waiting=4)
    idle = replace(LIN, id="3", idle_minutes=900)
    assert [p.id for p in rank([busy, LIN, idle], pool="neuro", title="chief")] == ["3", "1", "2"]


@pytest.mark.parametrize(("change", "part", "points"), [
    ({"waiting": 3}, "queue", 20.0), ({"open_cases": 4}, "load", 10.0), ({"knows_patient": True}, "continuity", 0.0),
    ({"specialties": ("general", "neuro")}, "specialty", 5.0), ({"recent_declines": 3}, "declines", 10.0),
])  # fmt: skip
def test_each_part_answers_to_its_fact(change: dict[str, object], part: str, points: float) -> None:
    before, after = (
        {p.name: p for p in rank([c], pool="neuro", title="chief")[0].parts}
        for c in (LIN, replace(LIN, **change))  # type: ignore[arg-type]
    )
    assert after[part].cost == points != before[part].cost
    assert [n for n in WEIGHTS if before[n] != after[n]] == [part]
    assert after[part].zh
    assert after[part].en.isascii()


def test_who_answered_most_pays_for_fairness() -> None:
    ranked = rank([LIN, replace(LIN, id="2", answered_30d=4)], pool="neuro", title="chief")
    assert [p.id for p in ranked] == ["1", "2"]
    assert [part.cost for p in ranked for part in p.parts if part.name == "fairness"] == [0.0, 5.0]


people = st.builds(
    Candidate, id=st.uuids().map(str), name=st.just("x"), title=st.sampled_from(["attending", "chief"]), specialties=st.just(("neuro",)),
    on_duty=st.booleans(), waiting=st.integers(0, 20), open_cases=st.integers(0, 12), recent_declines=st.integers(0, 9),
    answered_30d=st.integers(0, 50), idle_minutes=st.integers(0, 10**6), knows_patient=st.booleans(),
)  # fmt: skip


@given(st.lists(people, max_size=8, unique_by=lambda c: c.id))
def test_scores_are_their_printed_parts(candidates: list[Candidate]) -> None:
    ranked = rank(candidates, pool="neuro", title="attending")
    assert len(ranked) == len(candidates)
    fit = [p for p in ranked if not p.excluded]
    assert ranked[: len(fit)] == fit
    assert [p.score for p in fit] == sorted((p.score for p in fit), reverse=True)
    for p in fit:
        assert p.score == round(100 - sum(part.cost for part in p.parts), 1)
        assert {part.name: part.weight for part in p.parts} == WEIGHTS
        assert all(0 <= part.cost <= part.weight for part in p.parts)
