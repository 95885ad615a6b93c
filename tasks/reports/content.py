"""What a consultation report is made of, and the digest that a signature binds. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from engine.values import digest as hashed

SECTIONS: tuple[tuple[str, str, str, str], ...] = (
    # field, zh, en, LOINC
    ("clinical", "临床资料", "Clinical data", "55752-0"),
    ("technique", "检查方法", "Technique", "55111-9"),
    ("comparison", "对比", "Comparison", "18834-2"),
    ("findings", "影像表现", "Findings", "59776-5"),
    ("impression", "会诊意见", "Opinion", "19005-8"),
    ("advice", "建议", "Advice", "18783-1"),
    ("limits", "限制说明", "Limitations", "77301-0"),
)
"""Sections in the order of the page; codes as LOINC names the parts of an imaging report."""
CERTAINTY = {"certain": "肯定", "likely": "考虑", "possible": "不除外"}
PREVIEW, UNSIGNED = "会诊报告（预览）", "未审核、未签发"
NOT_YET = "这是书写中的预览，未经审核与签发，不能用于诊疗。"
FOOTER = "本意见供邀请方参考，最终诊疗由邀请方决定。"


def content(form: Mapping[str, object]) -> dict[str, str]:
    """The report's own text out of a submitted form: every section, certainty and the critical mark."""
    text = {name: str(form.get(name) or "").strip() for name, *_ in SECTIONS}
    return text | {"certainty": str(form.get("certainty") or ""), "critical": "true" if form.get("critical") else ""}


def digest(text: Mapping[str, str], *, case: UUID, version: int, author: UUID) -> str:
    """sha256 over the canonical form of the text, whose it is and which version: what a signature signs."""
    return hashed({"text": dict(text), "case": str(case), "version": version, "author": str(author)})


def sections(text: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Code, Chinese title and text of every section that has text."""
    return [(code, zh, text[name]) for name, zh, _, code in SECTIONS if text.get(name)]
