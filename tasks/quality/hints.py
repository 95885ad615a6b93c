"""Automatic hints on a report: side, sex, negation, empty or unfinished sections, unit slips. Hints never score accuracy.

A hint blocks the signature only where the text contradicts itself or its patient in the same words: one finding on opposite sides, the
requested side, an organ of the other sex; or where the opinion speaks of one side alone and the findings of the other alone, whatever
they call things. Where they differ in part and name things differently it only asks to look.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tasks.quality import lexicon
from tasks.quality.mentions import Mention, affirmed, mentions

RESIDUE = re.compile(r"\{[^}]*\}|_{3,}|(?<![A-Za-z])X{2,}(?![A-Za-z])|＿|【[^】]*】|\[待[^\]]*\]", re.IGNORECASE)
MEASURE = re.compile(r"(\d+(?:\.\d+)?)(?:\s*[×xX*]\s*(\d+(?:\.\d+)?))?\s*(mm|cm|毫米|厘米)", re.IGNORECASE)
SLICES = re.compile(r"层厚|层距|间隔|\bslice|\bthickness\b|\bcollimation\b", re.IGNORECASE)
SECTIONS: Mapping[str, tuple[str, str]] = {
    "clinical": ("临床资料", "Clinical data"), "technique": ("检查方法", "Technique"), "comparison": ("对比", "Comparison"),
    "findings": ("影像表现", "Findings"), "impression": ("会诊意见", "Opinion"), "advice": ("建议", "Advice"),
}  # fmt: skip
"""The sections that have to be written, with what the page calls them."""
LARGEST = 400.0
"""Millimetres beyond which nothing in a body is measured."""
LARGEST_OF = {"nodule": 40.0, "stone": 80.0, "thickening": 60.0}
"""Millimetres from which a finding would have another name, or another unit."""
SMALLEST = 0.5


@dataclass(frozen=True)
class Hint:
    """One hint; `block` ones stop the signature until the text or the patient is right.

    `quote` is the passage it is about, `other` the passage it stands against.
    """

    code: str
    block: bool
    zh: str
    en: str
    quote: str = ""
    other: str = ""


def hints(report: Mapping[str, str], *, sex: str = "", laterality: str = "") -> list[Hint]:
    """Everything that looks wrong in a report; `laterality` L or R is the requested side."""
    findings, impression = mentions(report.get("findings") or ""), mentions(report.get("impression") or "")
    return [
        *_sections(report), *_sides(findings, impression), *_requested(impression, laterality), *_sex(report, sex),
        *_negation(findings, impression), *_units(report),
    ]  # fmt: skip


def _sections(report: Mapping[str, str]) -> Iterator[Hint]:
    for name, (zh, en) in SECTIONS.items():
        text = report.get(name, "") or ""
        if not text.strip():
            yield Hint("empty", False, f"段落为空：{zh}", f"Empty section: {en}")
        elif match := RESIDUE.search(text):
            yield Hint("residue", False, f"{zh}：模板内容未替换", f"{en}: template text was left", match.group())


def _sides(findings: list[Mention], impression: list[Mention]) -> Iterator[Hint]:
    """A finding of the opinion whose side the findings contradict; each finding is told once."""
    told: set[str] = set()
    there = [m for m in findings if m.sides and not m.denied]
    apart = not _named(there) & _named(impression)
    for said in impression:
        if said.denied or len(said.sides) != 1 or said.lesion in told:
            continue
        seen, firm = _counterparts(said, there, findings)
        if seen and not any(said.sides & m.sides for m in seen):
            told.add(said.lesion)
            firm = firm or apart
            zh = "影像表现与意见的侧别相反" if firm else "影像表现只写了另一侧，请核对侧别"
            en = (
                "Findings and opinion name opposite sides"
                if firm
                else "The findings name the other side only; check the side"
            )
            yield Hint("side", firm, zh, en, said.text, seen[0].text)


def _named(said: list[Mention]) -> frozenset[str]:
    """Every side that is affirmed of something."""
    return frozenset(side for m in said if not m.denied for side in m.sides)


def _counterparts(said: Mention, there: list[Mention], findings: list[Mention]) -> tuple[list[Mention], bool]:
    """The findings that speak of the same thing, and whether they do so in the same words.

    The same kind in the same organ; else a kind that may be called so; else, where the findings never name the kind at all,
    whatever they give a side for in that organ.
    """
    same = [m for m in there if m.lesion == said.lesion]
    near = [m for m in same if _fits(m, said)]
    if near:
        return near, True
    if any(m.lesion == said.lesion and not m.denied for m in findings):
        return [], False
    kin = [m for m in there if m.lesion in lexicon.KIN.get(said.lesion, ()) and _fits(m, said)]
    if kin:
        return kin, False
    return [m for m in there if said.organs and m.organs & said.organs], False


def _fits(a: Mention, b: Mention) -> bool:
    return not a.organs or not b.organs or bool(a.organs & b.organs)


def _requested(impression: list[Mention], laterality: str) -> Iterator[Hint]:
    named = [m for m in impression if m.sides and not m.denied]
    if laterality in ("L", "R") and named and not any(laterality in m.sides for m in named):
        zh, en = "意见的侧别与申请不符", "The opinion names another side than the request"
        yield Hint("side_request", True, zh, en, named[0].text, {"L": "左 L", "R": "右 R"}[laterality])


def _sex(report: Mapping[str, str], sex: str) -> Iterator[Hint]:
    text = "\n".join(report.get(n, "") or "" for n in ("findings", "impression"))
    other = lexicon.FEMALE if sex == "M" else lexicon.MALE if sex == "F" else ()
    for word in other:
        if affirmed(word, text):
            yield Hint("sex", True, "内容与患者性别矛盾", "The text contradicts the patient's sex", word, sex)
            return


def _negation(findings: list[Mention], impression: list[Mention]) -> Iterator[Hint]:
    """What one section states and the other denies of the same place."""
    told: set[str] = set()
    for said in impression:
        about = [m for m in findings if m.lesion == said.lesion and _fits(m, said)]
        against = next((m for m in about if m.denied != said.denied and _covers(m, said)), None)
        agrees = any(m.denied == said.denied and _touches(m, said) for m in about)
        if against is None or agrees or said.lesion in told:
            continue
        told.add(said.lesion)
        if said.denied:
            zh, en = "所见已描述，意见却写未见", "The opinion denies what the findings describe"
        else:
            zh, en = "所见写未见，意见却成立", "Findings deny what the opinion states"
        yield Hint("negation", False, zh, en, said.text, against.text)


def _covers(found: Mention, said: Mention) -> bool:
    """Whether the denial, whichever it is, is wide enough to touch the statement: not of some kind only, not of the other side."""
    denial, statement = (found, said) if found.denied else (said, found)
    if denial.qualified and not statement.qualified:
        return False
    return not denial.sides or (bool(statement.sides) and statement.sides <= denial.sides)


def _touches(found: Mention, said: Mention) -> bool:
    return not found.sides or not said.sides or bool(found.sides & said.sides)


def _units(report: Mapping[str, str]) -> Iterator[Hint]:
    """Sizes no finding has, and the same number with another unit in findings and opinion."""
    findings, impression = _measures(report.get("findings") or ""), _measures(report.get("impression") or "")
    zh, en = "尺寸超出常理，请核对单位", "The size is beyond reason; check the unit"
    for number, unit, clause in findings + impression:
        size = number * (10 if unit == "cm" else 1)
        limit = min((n for kind, n in LARGEST_OF.items() if lexicon.LESIONS[kind].search(clause)), default=LARGEST)
        if size > limit or size < SMALLEST:
            yield Hint("unit", False, zh, en, f"{number:g} {unit}")
    known = {(number, unit) for number, unit, _ in findings}
    for number, unit, _ in impression:
        other = "mm" if unit == "cm" else "cm"
        if (number, unit) not in known and (number, other) in known:
            zh, en = "同一数值两处单位不同", "The same number with two units"
            yield Hint("unit", False, zh, en, f"{number:g} {unit}", f"{number:g} {other}")


def _measures(text: str) -> list[tuple[float, str, str]]:
    """Every length with its unit, mm or cm, and the sentence it stands in."""
    found: list[tuple[float, str, str]] = []
    for clause in re.split(r"[。；;\n]|\.(?=\s|$)", text):
        if SLICES.search(clause):
            continue
        for match in MEASURE.finditer(clause):
            unit = "cm" if match[3].lower() in ("cm", "厘米") else "mm"
            found += [(float(number), unit, clause) for number in (match[1], match[2]) if number]
    return found
