"""Automatic hints on a report: side, sex, negation, empty or unfinished sections, unit slips. Hints never score accuracy."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

CLAUSE = re.compile(r"[。；;！!\n]|(?<=[a-z])\.(?=\s|$)|，(?=[左右双])")
LEFT, RIGHT = re.compile(r"左|\bleft\b", re.IGNORECASE), re.compile(r"右|\bright\b", re.IGNORECASE)
NEGATED = re.compile(r"未见|无明显|未发现|不伴|排除|\bno\b|\bwithout\b", re.IGNORECASE)
RESIDUE = re.compile(r"\{[^}]*\}|_{3,}|XX+|＿|【[^】]*】|\[待[^\]]*\]|xxx", re.IGNORECASE)
MEASURE = re.compile(r"(\d+(?:\.\d+)?)\s*(mm|cm)", re.IGNORECASE)
ORGANS = ("肾", "肺", "额叶", "颞叶", "顶叶", "枕叶", "颞枕", "丘脑", "小脑", "乳", "肝", "卵巢", "肾上腺", "膝", "肩", "髋",
          "kidney", "lung", "breast", "ovary", "knee", "shoulder", "hip", "frontal", "temporal", "parietal", "occipital")  # fmt: skip
LESIONS = ("出血", "梗死", "结节", "肿块", "占位", "囊肿", "结石", "积液", "骨折", "低密度", "高密度", "hemorrhage", "infarct", "nodule", "mass", "cyst",
           "stone", "effusion", "fracture")  # fmt: skip
MALE, FEMALE = ("前列腺", "睾丸", "精囊", "prostate"), ("子宫", "卵巢", "宫颈", "uterus", "ovary")
WORDS: Mapping[str, tuple[str, str]] = {
    "clinical": ("临床资料", "Clinical data"), "technique": ("检查方法", "Technique"), "comparison": ("对比", "Comparison"),
    "findings": ("影像表现", "Findings"), "impression": ("会诊意见", "Opinion"), "advice": ("建议", "Advice"),
}  # fmt: skip
SECTIONS = tuple(WORDS)


@dataclass(frozen=True)
class Hint:
    """One hint: `block` ones stop the signature until the text or the patient is right."""

    code: str
    block: bool
    zh: str
    en: str
    quote: str = ""


def hints(report: Mapping[str, str], *, sex: str = "", laterality: str = "") -> list[Hint]:
    """Everything that looks wrong in a report; `laterality` L or R is the requested side."""
    return [*_sections(report), *_sides(report, laterality), *_sex(report, sex), *_negation(report), *_units(report)]


def _sections(report: Mapping[str, str]) -> Iterator[Hint]:
    for name, (zh, en) in WORDS.items():
        text = report.get(name, "") or ""
        if not text.strip():
            yield Hint("empty", False, f"段落为空：{zh}", f"Empty section: {en}")
        elif match := RESIDUE.search(text):
            yield Hint("residue", False, "模板内容未替换", "Template text was left", match.group())


def _clauses(text: str) -> list[str]:
    return [c.strip() for c in CLAUSE.split(text) if c.strip()]


def _sided(text: str) -> dict[str, set[str]]:
    """Lesion of an organ → the sides it is said to be on; negated and two-sided clauses are left out."""
    found: dict[str, set[str]] = {}
    for clause in _clauses(text.lower()):
        sides = {s for s, pattern in (("L", LEFT), ("R", RIGHT)) if pattern.search(clause)}
        if len(sides) != 1 or NEGATED.search(clause):
            continue
        organ = next((o for o in ORGANS if o in clause), "")
        for lesion in (w for w in LESIONS if w in clause):
            found.setdefault(f"{organ}{lesion}", set()).update(sides)
    return found


def _sides(report: Mapping[str, str], laterality: str) -> Iterator[Hint]:
    findings, impression = _sided(report.get("findings", "") or ""), _sided(report.get("impression", "") or "")
    for what, sides in impression.items():
        other = findings.get(what)
        if other is not None and not sides & other:
            yield Hint("side", True, "影像表现与意见的侧别相反", "Findings and opinion name opposite sides", what)
    if laterality in ("L", "R"):
        named = set().union(*impression.values()) if impression else set()
        if named and laterality not in named:
            yield Hint(
                "side_request", True, "意见的侧别与申请不符", "The opinion names another side than the request", ""
            )


def _sex(report: Mapping[str, str], sex: str) -> Iterator[Hint]:
    text = " ".join(report.get(n, "") or "" for n in ("findings", "impression")).lower()
    other = FEMALE if sex == "M" else MALE if sex == "F" else ()
    for word in other:
        if word in text:
            yield Hint("sex", True, "内容与患者性别矛盾", "The text contradicts the patient's sex", word)
            return


def _negation(report: Mapping[str, str]) -> Iterator[Hint]:
    denied = {
        w for c in _clauses((report.get("findings") or "").lower()) if NEGATED.search(c) for w in LESIONS if w in c
    }
    stated = {
        w for c in _clauses((report.get("findings") or "").lower()) if not NEGATED.search(c) for w in LESIONS if w in c
    }
    claimed = {
        w
        for c in _clauses((report.get("impression") or "").lower())
        if not NEGATED.search(c)
        for w in LESIONS
        if w in c
    }
    for word in sorted((denied - stated) & claimed):
        yield Hint("negation", False, "所见写未见，意见却成立", "Findings deny what the opinion states", word)


def _units(report: Mapping[str, str]) -> Iterator[Hint]:
    for value, unit in MEASURE.findall(report.get("findings") or ""):
        size = float(value) * (10 if unit.lower() == "cm" else 1)
        if size > 400:
            yield Hint(
                "unit",
                False,
                "尺寸超出常理，请核对单位",
                "The size is beyond reason; check the unit",
                f"{value} {unit}",
            )
