"""Pre-QC Q08 to Q12, Q18 and Q19: is it the examination that was asked for?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from tasks.quality.checks import Advice, Check, Claimed, Severity, Side, by, day, differs, joined, row

WINDOW = timedelta(days=30)
PLAIN = frozenset({"CR", "DR", "DX"})
PARTS = {
    "head": ("HEAD", "BRAIN", "SKULL", "头", "颅", "脑"), "neck": ("NECK", "CAROTID", "THYROID", "颈", "甲状腺"),
    "chest": ("CHEST", "THORAX", "LUNG", "胸", "肺"), "abdomen": ("ABDOMEN", "LIVER", "KIDNEY", "PANCREAS", "腹", "肝", "肾", "胰"),
    "pelvis": ("PELVIS", "BLADDER", "PROSTATE", "UTERUS", "盆", "膀胱", "前列腺", "子宫"), "spine": ("SPINE", "脊", "椎"),
    "joint": ("KNEE", "SHOULDER", "HIP", "ELBOW", "ANKLE", "WRIST", "关节", "膝", "肩", "髋", "肘", "踝", "腕"),
    "bone": ("FEMUR", "TIBIA", "HUMERUS", "RADIUS", "HAND", "FOOT", "LEG", "ARM", "RIB", "骨", "足", "手", "肋"),
    "breast": ("BREAST", "乳"), "heart": ("HEART", "CARDIAC", "心"), "coronary": ("CORONARY", "HEART", "CARDIAC", "冠", "心"),
    "aorta": ("AORTA", "主动脉"), "stomach": ("STOMACH", "STOMACHE", "ABDOMEN", "胃", "腹"), "colon": ("COLON", "ABDOMEN", "结肠", "腹"),
    "whole_body": ("WHOLEBODY", "WHOLE BODY", "全身"),
}  # fmt: skip
"""Words of Body Part Examined (PS3.16 annex L, and what devices here send) by the part of the form."""
PAIRED = frozenset({"breast", "joint"})
THICKEST = {("CT", "nodule"): 1.5, ("CT", "coronary"): 1.0}
"""The thickest slices, mm, of the thinnest series that still answer the question, by modality and focus or part."""
WHERE = "DICOM 0008,0060"


def checks(c: Claimed) -> Iterator[Check]:
    """The rows about each examination."""
    for s in c.studies:
        yield _date(c, s)
        yield from _accession(c, s)
        bad = None if _same_kind(s.modality, c.modality) else by(c, "block", "warn")
        advice: Advice = ("请改正申请的检查类型或换一份影像。", "Correct the modality or choose another study.")
        yield row("Q10", bad, ("检查类型", "Modality"), c.modality, s.modality, WHERE, advice)
        yield from _part(c, s)
        if c.body_part in PAIRED or c.laterality in ("L", "R"):
            side: Advice = (
                "成对器官必须写明侧别，且与影像一致。",
                "A paired organ needs its side, the same as in the images.",
            )
            yield row("Q12", _side(c, s), ("侧别", "Side"), c.laterality, s.laterality, "DICOM 0020,0060", side)
        yield from _phases(c, s)
        yield from _thickness(c, s)


def _date(c: Claimed, s: Side) -> Check:
    then, today = day(s.study_date), c.now.date()
    late = then is not None and (then > today + timedelta(days=1) or today - then > WINDOW)
    advice = (
        "检查日期不在 30 天内，请确认是否仍可用。",
        "The examination is not of the last 30 days; confirm that it is still of use.",
    )
    bad: Severity | None = "warn" if late else None if then else "info"
    return row("Q08", bad, ("检查日期", "Study date"), f"{today:%Y%m%d}", s.study_date, "DICOM 0008,0020", advice)


def _accession(c: Claimed, s: Side) -> Iterator[Check]:
    """Asked only where the hospital's system ordered something of this kind, for only then there is a number to expect."""
    if not c.accessions:
        return
    bad = "info" if not s.accession else None if s.accession in c.accessions else by(c, "warn", None)
    advice = (
        "影像的检查号不在该患者的医嘱中，请确认影像属于这份医嘱。",
        "No order of this patient has the accession number of the images; confirm that they belong to it.",
    )
    yield row(
        "Q09",
        bad,
        ("检查号", "Accession number"),
        joined(c.accessions),
        s.accession,
        "HIS ORM, DICOM 0008,0050",
        advice,
    )


def _part(c: Claimed, s: Side) -> Iterator[Check]:
    words = PARTS.get(c.body_part)
    if words is None:  # "other" has no word to compare
        return
    bad: Severity | None = (
        "info" if not s.body_part else None if any(w in s.body_part.upper() for w in words) else "warn"
    )
    advice = ("请确认部位。", "Confirm the body part.")
    yield row("Q11", bad, ("检查部位", "Body part"), c.body_part, s.body_part, "DICOM 0018,0015", advice)


def _same_kind(found: str, asked: str) -> bool:
    """Whether the modality fits: plain radiography is CR, DR or DX (PS3.3 C.7.3.1.1.1; DR is retired for DX)."""
    return found == asked or {found, asked} <= PLAIN


def _side(c: Claimed, s: Side) -> Severity | None:
    if c.laterality in ("", "N"):
        return by(c, "block", "warn")
    if s.laterality == "B":  # the images show both sides, the asked one among them
        return None
    return differs(c.laterality, s.laterality, by(c, "block", "warn"))


def _phases(c: Claimed, s: Side) -> Iterator[Check]:
    if not c.phases or not _same_kind(s.modality, c.modality):
        return
    missing = [p for p in c.phases if p not in s.phases]
    advice = (
        "申请的期相在序列说明与造影剂字段中没有找到，请确认是否漏传。",
        "Neither series descriptions nor the contrast agent show the phases asked for; confirm that nothing was left out.",
    )
    there = joined(sorted(s.phases))
    label = ("增强期相", "Contrast phases")
    yield row("Q18", "warn" if missing else None, label, joined(c.phases), there, "DICOM 0008,103E 0018,0010", advice)


def _thickness(c: Claimed, s: Side) -> Iterator[Check]:
    limit = THICKEST.get((c.modality, c.tag)) or THICKEST.get((c.modality, c.body_part))
    if limit is None or s.modality != c.modality:
        return
    bad = "info" if s.thickness is None else by(c, "warn", None) if s.thickness > limit else None
    advice = (
        "层厚超过该问题所需，请补传薄层序列。",
        "The slices are too thick for the question; send the thin series.",
    )
    there = "" if s.thickness is None else f"{s.thickness:g} mm"
    yield row("Q19", bad, ("层厚", "Slice thickness"), f"≤ {limit:g} mm", there, "DICOM 0018,0050", advice)
