"""What changed between two versions, and what a scorer cites."""

from __future__ import annotations

import pytest

from tasks.quality import citations, scoring
from tasks.quality.citations import Cited
from tasks.reports import changes
from tasks.reports.changes import Piece

OLD = "左侧颞枕叶见低密度影，范围约 32 × 21 mm。未见出血。"
NEW = "左侧颞枕叶见低密度影，范围约 40 × 27 mm。中线居中。未见出血。"


def _side(parts: tuple[Piece, ...], without: str) -> str:
    return "".join(p.text for p in parts if p.kind != without)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (OLD, NEW),
        ("", NEW),
        (OLD, ""),
        (NEW, NEW),
        ("甲。乙。丙。", "丙。甲。丁。"),
        ("建议 MRI", "建议 MRA 与 DWI；转诊。"),
    ],
)
def test_both_texts_can_be_read_out_of_the_pieces(old: str, new: str) -> None:
    parts = changes.pieces(old, new)
    assert (_side(parts, "ins"), _side(parts, "del")) == (old, new)
    assert changes.places(parts) == 0 if old == new else changes.places(parts) > 0


def test_what_stayed_is_not_marked_and_places_are_counted() -> None:
    parts = changes.pieces(OLD, NEW)
    assert Piece("same", "未见出血。") in parts
    assert Piece("del", "32 × 21") in parts
    assert any(p.kind == "ins" and "中线居中。" in p.text for p in parts)
    found = changes.sections(
        {"findings": OLD, "advice": "随访。"}, {"findings": NEW, "advice": "随访。", "limits": "平扫。"}
    )
    assert [(s.key, s.places > 0) for s in found] == [("findings", True), ("advice", False), ("limits", True)]


def test_another_sentence_is_replaced_whole() -> None:
    assert changes.pieces("未见出血。", "建议三个月后复查增强磁共振。") == (
        Piece("del", "未见出血。"), Piece("ins", "建议三个月后复查增强磁共振。"),
    )  # fmt: skip


def test_a_line_of_a_citation_has_dimension_sentence_and_remark() -> None:
    told = citations.cited("描述完整性：未见出血。｜ 请补充中线\n\nAccuracy: 左侧。 | wrong side\n所见: 左侧大片。")
    assert told == [
        Cited("completeness", "未见出血。", "请补充中线"), Cited("accuracy", "左侧。", "wrong side"), Cited("", "所见: 左侧大片。", ""),
    ]  # fmt: skip
    parts = citations.marked(OLD, told)
    assert "".join(text for text, _ in parts) == OLD
    assert parts[-1] == ("未见出血。", (told[0],))


def test_a_remark_behind_a_citation_is_not_looked_for_in_the_report() -> None:
    low = dict.fromkeys(scoring.DIMENSIONS, 16) | {"completeness": 12}
    assert scoring.uncited(low, "描述完整性：未见出血。｜请补充中线", None, [OLD], 0) is None
    assert scoring.uncited(low, "｜请补充中线", None, [OLD], 0) == "nothing"
    assert scoring.uncited(low, "描述完整性：没有的话。｜x", None, [OLD], 0) == "sentence"
