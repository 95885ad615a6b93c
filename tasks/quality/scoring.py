"""Post-QC: the five dimensions of a report, their anchors, the grade, and when a report goes back. Pure rules."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

DIMENSIONS = ("logic", "standard", "completeness", "reasoning", "accuracy")
GRADES = ((90, "A", "甲"), (75, "B", "乙"), (60, "C", "丙"), (0, "F", "不合格"))
ROUNDS = 3
"""The first scoring and two reworks; then one person decides."""
CITED = 12
"""A score of so many points or fewer needs a sentence of the report or an image to show for it."""
APART = 15
"""Points in total from which two scorers disagree too much to let one of them stand."""

ANCHORS: Mapping[str, tuple[tuple[int, str, str], ...]] = {
    "logic": (
        (20, "由主到次、由病变到邻近，征象与结论环环相扣", "Ordered from main to secondary, each sign supports the opinion"),
        (16, "顺序略乱不影响理解", "Minor disorder"), (12, "部分征象与诊断无对应", "Some signs unused or unsupported"),
        (8, "前后矛盾一处", "One contradiction"), (0, "多处矛盾或左右颠倒", "Several contradictions, or the wrong side"),
    ),
    "standard": (
        (20, "术语、单位、分级用法标准，无口语错字", "Standard terms, units and scales"), (16, "个别不规范", "One or two slips"),
        (12, "多处口语或单位缺失", "Several slips, units missing"), (8, "模板残留、错误单位", "Template residue, wrong unit"),
        (0, "无法理解或错贴他人内容", "Unintelligible, or another patient's text"),
    ),
    "completeness": (
        (20, "必填段落齐，部位、大小、密度、边缘、邻近、对比与重要阴性俱全", "All sections and key negatives"), (16, "缺次要要素一项", "One minor element missing"),
        (12, "缺大小或对比等主要一项", "One major element missing"), (8, "漏述一处异常或缺段", "A lesion undescribed or a section absent"),
        (0, "漏述危及生命所见", "A life-threatening finding missing"),
    ),
    "reasoning": (
        (20, "结论由所见推出，排序与鉴别合理，建议可行", "Follows from the findings, ranked, feasible advice"), (16, "鉴别略少", "Thin differential"),
        (12, "未答临床问题", "The question is not answered"), (8, "结论超出所见", "Exceeds the findings"), (0, "结论与所见相反", "Opposite to the findings"),
    ),
    "accuracy": (
        (20, "与复核或病理一致", "Agrees with review or pathology"), (16, "次要差异，无临床意义", "Minor difference, not significant"),
        (12, "可理解的差异，有意义", "Understandable difference, significant"), (8, "本应发现，无显著影响", "Should have been made, not significant"),
        (0, "本应发现且有临床影响", "Should have been made, significant"),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Score:
    """The outcome of one scoring."""

    total: int
    grade: str
    failed: bool


def total(scores: Mapping[str, int]) -> int:
    """The sum of the five dimensions; ValueError when one is missing or off the scale 0 to 20."""
    for name in DIMENSIONS:
        if not 0 <= int(scores[name]) <= 20:
            raise ValueError(f"{name} is off the scale")
    return sum(int(scores[name]) for name in DIMENSIONS)


def grade(points: int) -> str:
    """A from 90, B from 75, C from 60, else F."""
    return next(code for least, code, _ in GRADES if points >= least)


def judge(scores: Mapping[str, int], *, veto: bool, decision: str) -> Score:
    """A report fails by veto, below 60 points, or when the scorer returns it."""
    points = total(scores)
    failed = veto or points < 60 or decision == "return"
    return Score(points, "F" if veto else grade(points), failed)


def apart(first: Score, second: Score) -> bool:
    """Whether somebody has to decide between two scorers: one passed what the other failed, or the totals lie far apart."""
    return first.failed != second.failed or abs(first.total - second.total) >= APART


Uncited = Literal["nothing", "sentence", "image"]


def uncited(
    scores: Mapping[str, int], citation: str, image: int | None, report: Collection[str], images: int
) -> Uncited | None:
    """What is wrong with what low scores are shown by; None when nothing is.

    `report` are the texts of the report: every line of the citation stands in one of them, perhaps behind the name of the
    dimension it is about and a colon, perhaps before a stroke and a remark. `image` counts the key images from 1.
    """
    if all(int(scores[name]) > CITED for name in DIMENSIONS):
        return None
    lines = [bare for line in citation.splitlines() if _bare(bare := re.split(r"[｜|]", line)[0])]
    if not lines and image is None:
        return "nothing"
    if image is not None and not 1 <= image <= images:
        return "image"
    texts = [_bare(text) for text in report]
    return None if all(any(said in text for said in _said(line) for text in texts) for line in lines) else "sentence"


def _said(line: str) -> list[str]:
    """A line as it is, and without what stands before its first colon."""
    _, _, rest = line.replace("：", ":").partition(":")
    return [bare for bare in (_bare(line), _bare(rest)) if bare]


def _bare(text: str) -> str:
    """Letters and digits alone: quotation marks, spaces and the width of signs do not matter."""
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", text)).lower()


def anchor(dimension: str, points: int) -> tuple[int, str, str]:
    """The anchor sentence of a score: the nearest one not above it."""
    return next(a for a in ANCHORS[dimension] if points >= a[0])
