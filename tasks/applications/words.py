"""Words for what DICOM says, as the application form knows them. Pure rules."""

from __future__ import annotations

from typing import Final

from tasks.imaging.service import StudyFacts

MODALITIES: Final = frozenset(["CT", "MR", "DR", "CR", "MG", "US", "NM", "PT", "ES", "SM", "ECG", "XA"])
_SAME: Final = {"DX": "DR", "RG": "DR", "RF": "XA", "PET": "PT"}
_PARTS: Final = (
    # the first word found in BodyPartExamined, or else in the description, decides (PS3.16 annex L)
    ("coronary", ("CORONARY", "冠状动脉", "冠脉")),
    ("head", ("HEAD", "BRAIN", "SKULL", "头", "颅", "脑")),
    ("spine", ("SPINE", "脊柱", "颈椎", "胸椎", "腰椎")),
    ("neck", ("NECK", "颈")),
    ("breast", ("BREAST", "乳腺")),
    ("heart", ("HEART", "心脏")),
    ("aorta", ("AORTA", "主动脉")),
    ("chest", ("CHEST", "LUNG", "THORAX", "胸", "肺")),
    ("abdomen", ("ABDOMEN", "LIVER", "KIDNEY", "PANCREAS", "腹", "肝", "肾", "胰")),
    ("pelvis", ("PELVIS", "盆")),
    ("joint", ("KNEE", "SHOULDER", "HIP", "ELBOW", "WRIST", "ANKLE", "JOINT", "关节", "膝", "肩", "髋")),
    ("whole_body", ("WHOLEBODY", "WHOLE BODY", "全身")),
    ("stomach", ("STOMACH", "胃")),
    ("colon", ("COLON", "结肠")),
    ("bone", ("BONE", "FEMUR", "TIBIA", "HAND", "FOOT", "骨")),
)


def modality(study: StudyFacts) -> str:
    """The form's word for the modality; OT for what it does not know."""
    sent = _SAME.get(study.modality.upper(), study.modality.upper())
    return sent if sent in MODALITIES else "OT"


def body_part(study: StudyFacts) -> str | None:
    """The form's word for the body part; None when nothing tells it."""
    for text in (study.body_part.upper(), study.description.upper()):
        for part, signs in _PARTS:
            if any(sign in text for sign in signs):
                return part
    return None


def laterality(study: StudyFacts) -> str:
    """L, R, B, or N where sides do not apply."""
    return study.laterality if study.laterality in ("L", "R", "B") else "N"


def label(study: StudyFacts, lang: str = "zh") -> str:
    """A study in one line: modality, what, when, how much."""
    day = study.study_date
    when = f"{day[:4]}-{day[4:6]}-{day[6:8]}" if len(day) == 8 else ""
    images = "1 image" if study.objects == 1 else f"{study.objects} images"
    much = f"{study.series} 序列 {study.objects} 幅" if lang == "zh" else f"{study.series} series, {images}"
    what = " ".join(w for w in (study.modality, study.description or study.body_part, when) if w)
    return f"{what} · {much}"


def technique(study: StudyFacts) -> str:
    """The examination technique as a report begins it."""
    what = study.description or f"{study.modality} {study.body_part}".strip()
    return f"{what}，{study.series} 个序列，共 {study.objects} 幅图像。"
