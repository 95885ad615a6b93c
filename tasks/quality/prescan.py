"""Pre-QC: what the application says against what the images say. Pure rules; a person decides.

Rule ids and severities follow the platform's list Q01 to Q32; B blocks, W warns, by urgency. Q01, Q07 and Q15 can never be
passed over.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

from tasks.quality.names import likeness

Severity = Literal["pass", "warn", "block"]
Verdict = Literal["pass", "warn", "supplement", "identity"]
FIRM = frozenset({"Q01", "Q07", "Q15"})
PLAIN = frozenset({"CR", "DR", "DX"})
DENIED = re.compile(r"无|否认|未见|\bno\b|\bden(?:ies|ied)\b|\bwithout\b")
IDENTITY = frozenset({"Q01", "Q02", "Q03", "Q04", "Q07"})
WINDOW = timedelta(days=30)


@dataclass(frozen=True)
class Side:
    """What is known of one image study: the header's words, dates YYYYMMDD."""

    patient_id: str
    name: str
    sex: str
    birth_date: str
    accession: str
    study_date: str
    modality: str
    body_part: str
    laterality: str
    objects: int
    undecodable: int = 0
    lossy: int = 0
    burned_in: int = 0
    positions: tuple[float, ...] = ()
    thickness: float | None = None
    charset_trouble: bool = False


@dataclass(frozen=True)
class Claimed:
    """What the application says."""

    patient_id: str
    name: str
    sex: str
    birth_date: str
    accession: str
    modality: str
    body_part: str
    laterality: str
    urgency: str
    summary: str
    question: str
    diagnosis: str
    consent: bool
    agreement: bool
    studies: tuple[Side, ...] = field(default=())
    now: datetime = field(default_factory=lambda: datetime(1970, 1, 1))  # noqa: DTZ001 - always given by the caller


@dataclass(frozen=True)
class Check:
    """One row of the report: both values stand side by side."""

    rule: str
    severity: Severity
    label_zh: str
    label_en: str
    here: str
    there: str
    source: str
    advice_zh: str = ""
    advice_en: str = ""

    @property
    def overridable(self) -> bool:
        """May a person pass over it?"""
        return self.rule not in FIRM


PARTS = {
    "head": ("HEAD", "BRAIN", "SKULL", "头", "颅"), "neck": ("NECK", "颈"), "chest": ("CHEST", "THORAX", "LUNG", "胸", "肺"),
    "abdomen": ("ABDOMEN", "LIVER", "KIDNEY", "腹", "肝"), "pelvis": ("PELVIS", "盆"), "spine": ("SPINE", "脊", "椎"),
    "joint": ("KNEE", "SHOULDER", "HIP", "ELBOW", "ANKLE", "WRIST", "关节"), "breast": ("BREAST", "乳"), "heart": ("HEART", "CARDIAC", "心"),
}  # fmt: skip
PAIRED = frozenset({"breast", "joint"})


def scan(claimed: Claimed) -> list[Check]:
    """Every rule that the index and the application can answer, in the order of their numbers."""
    return sorted([*_identity(claimed), *_exam(claimed), *_images(claimed), *_words(claimed)], key=lambda c: c.rule)


def verdict(checks: Sequence[Check]) -> Verdict:
    """identity when a block doubts who it is, supplement for any other block, else warn or pass."""
    blocks = [c for c in checks if c.severity == "block"]
    if any(c.rule in IDENTITY for c in blocks):
        return "identity"
    if blocks:
        return "supplement"
    return "warn" if any(c.severity == "warn" for c in checks) else "pass"


def _by(claimed: Claimed, routine: Severity, emergency: Severity) -> Severity:
    return emergency if claimed.urgency == "E" else routine


def _check(
    rule: str, bad: Severity | None, zh: str, en: str, here: str, there: str, source: str, advice: tuple[str, str]
) -> Check:
    zh_advice, en_advice = advice if bad else ("", "")
    return Check(rule, bad or "pass", zh, en, here, there, source, zh_advice, en_advice)


def _identity(c: Claimed) -> Iterator[Check]:
    ask = (
        "请与申请医院核对身份证或腕带，再决定。",
        "Check the ID card or the wristband with the applying hospital, then decide.",
    )
    for s in c.studies:
        yield _check(
            "Q01",
            None if s.patient_id == c.patient_id else "block",
            "患者编号",
            "Patient ID",
            c.patient_id,
            s.patient_id,
            "DICOM 0010,0020",
            ask,
        )
        like = likeness(c.name, s.name)
        bad: Severity | None = {"same": None, "similar": "warn", "different": "block"}[like]
        yield _check("Q02", bad, "姓名", "Name", c.name, s.name, "DICOM 0010,0010", ask)
        yield _check(
            "Q03",
            _differs(_sex(c.sex), _sex(s.sex), _by(c, "block", "warn")),
            "性别",
            "Sex",
            c.sex,
            s.sex,
            "DICOM 0010,0040",
            ask,
        )
        wrong = _differs(c.birth_date, s.birth_date, _by(c, "block", "warn"))
        yield _check("Q04", wrong, "出生日期", "Birth date", c.birth_date, s.birth_date, "DICOM 0010,0030", ask)
    ids = sorted({s.patient_id for s in c.studies})
    if len(ids) > 1:
        one = (
            "一份申请只能有一位患者的影像，请移出他人的检查。",
            "One application holds one patient's images; take the other study out.",
        )
        yield Check("Q07", "block", "同一患者", "One patient", "1", " / ".join(ids), "DICOM 0010,0020", *one)


def _sex(code: str) -> str:
    """Male or female; other and unknown say nothing a comparison could use."""
    return code if code in ("M", "F") else ""


def _same_kind(found: str, asked: str) -> bool:
    """Whether the modality fits: plain radiography is CR, DR or DX (PS3.3 C.7.3.1.1.1; DR is retired for DX)."""
    return found == asked or {found, asked} <= PLAIN


def _differs(a: str, b: str, bad: Severity) -> Severity | None:
    return bad if a and b and a != b else None


def _exam(c: Claimed) -> Iterator[Check]:
    for s in c.studies:
        day = _day(s.study_date)
        late = day is not None and (day > c.now.date() + timedelta(days=1) or c.now.date() - day > WINDOW)
        advice = (
            "检查日期不在 30 天内，请确认是否仍可用。",
            "The examination is not of the last 30 days; confirm that it is still of use.",
        )
        yield _check(
            "Q08",
            "warn" if late else None,
            "检查日期",
            "Study date",
            f"{c.now:%Y%m%d}",
            s.study_date,
            "DICOM 0008,0020",
            advice,
        )
        if c.accession:
            yield _check("Q09", _differs(c.accession, s.accession, "warn"), "检查号", "Accession number", c.accession, s.accession, "DICOM 0008,0050",
                         ("请确认影像属于这份医嘱。", "Confirm that the images belong to this order."))  # fmt: skip
        yield _check("Q10", None if _same_kind(s.modality, c.modality) else _by(c, "block", "warn"), "检查类型", "Modality", c.modality, s.modality, "DICOM 0008,0060",
                     ("请改正申请的检查类型或换一份影像。", "Correct the modality or choose another study."))  # fmt: skip
        yield _check("Q11", None if _same_part(c.body_part, s.body_part) else "warn", "检查部位", "Body part", c.body_part, s.body_part, "DICOM 0018,0015",
                     ("请确认部位。", "Confirm the body part."))  # fmt: skip
        if c.body_part in PAIRED or c.laterality in ("L", "R"):
            yield _check("Q12", _side(c, s), "侧别", "Side", c.laterality, s.laterality, "DICOM 0020,0060",
                         ("成对器官必须写明侧别，且与影像一致。", "A paired organ needs its side, the same as in the images."))  # fmt: skip


def _side(c: Claimed, s: Side) -> Severity | None:
    if c.laterality in ("", "N"):
        return _by(c, "block", "warn")
    return _differs(c.laterality, s.laterality, _by(c, "block", "warn"))


def _day(text: str) -> date | None:
    try:
        return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 - a calendar day has no zone
    except ValueError:
        return None


def _same_part(wanted: str, sent: str) -> bool:
    words = PARTS.get(wanted)
    return not sent or words is None or any(w in sent.upper() for w in words)


def _images(c: Claimed) -> Iterator[Check]:
    if not c.studies:
        yield Check(
            "Q13",
            _by(c, "block", "warn"),
            "影像",
            "Images",
            "≥ 1",
            "0",
            "index",
            "请选择会诊影像。",
            "Choose the studies to be read.",
        )
    for s in c.studies:
        count = str(s.objects)
        yield _check(
            "Q13",
            "block" if not s.objects else None,
            "影像数量",
            "Objects",
            "≥ 1",
            count,
            "index",
            ("请重新发送影像。", "Send the images again."),
        )
        gaps = _gaps(s.positions)
        yield _check("Q14", "warn" if gaps else None, "层间连续", "Slices in line", "0", gaps or "0", "DICOM 0020,0032",
                     ("缺层或重复层，请确认是否漏传。", "Slices are missing or doubled; confirm that nothing was left out."))  # fmt: skip
        yield _check("Q15", "block" if s.undecodable else None, "像素可读", "Pixels decode", "0", str(s.undecodable), "index",
                     ("有影像无法解码，请从设备重新导出。", "Some images cannot be decoded; export them again from the modality."))  # fmt: skip
        yield _check("Q17", "warn" if s.charset_trouble else None, "字符集", "Character set", "ok", "?" if s.charset_trouble else "ok", "DICOM 0008,0005",
                     ("姓名可能显示不全。", "Names may be shown incompletely."))  # fmt: skip
        yield _check("Q20", "warn" if s.lossy else None, "有损压缩", "Lossy compression", "0", str(s.lossy), "DICOM 0028,2110",
                     ("原始影像有损，结论请注明。", "The original images are lossy; say so in the report."))  # fmt: skip
        if s.burned_in:
            yield Check(
                "Q21",
                "warn",
                "图内文字",
                "Burned-in text",
                "0",
                str(s.burned_in),
                "DICOM 0028,0301",
                "用于教学前须去除。",
                "To be removed before teaching.",
            )


def _gaps(positions: tuple[float, ...]) -> str:
    """Places where the distance between neighbours is not the usual one; positions along the normal in mm."""
    if len(positions) < 4:
        return ""
    ordered = sorted(positions)
    steps = [round(b - a, 2) for a, b in itertools.pairwise(ordered)]
    usual = Counter(steps).most_common(1)[0][0]
    odd = sum(1 for step in steps if abs(step - usual) > max(0.1, usual * 0.1))
    return str(odd) if odd else ""


def _words(c: Claimed) -> Iterator[Check]:
    length = len(c.summary.strip())
    yield _check("Q22", _by(c, "block", "warn") if length < 20 else None, "病历摘要", "Summary", "≥ 20", str(length), "EMR",
                 ("请补充现病史、既往史与查体。", "Add history and findings."))  # fmt: skip
    yield _check("Q23", None if c.question.strip() else "block", "会诊问题", "Question", "≥ 1", str(len(c.question.strip())), "form",
                 ("请写明需要解答的问题。", "Write the question to be answered."))  # fmt: skip
    yield _check("Q24", None if c.diagnosis.strip() else "warn", "临床诊断", "Diagnosis", "≥ 1", str(len(c.diagnosis.strip())), "EMR",
                 ("请补充临床诊断。", "Add the clinical diagnosis."))  # fmt: skip
    yield _check("Q25", None if c.consent else _by(c, "block", "warn"), "知情同意", "Consent", "✓", "✓" if c.consent else "–", "form",
                 ("须先取得知情同意；急诊 24 小时内补签。", "Consent is needed first; in an emergency within 24 hours."))  # fmt: skip
    yield _check("Q26", None if c.agreement else _by(c, "block", "warn"), "协作协议", "Agreement", "✓", "✓" if c.agreement else "–", "agreement",
                 ("两院之间没有有效协议。", "There is no valid agreement between the hospitals."))  # fmt: skip
    clash = _sex_clash(c)
    yield _check("Q27", _by(c, "block", "warn") if clash else None, "性别与器官", "Sex and organ", c.sex, clash, "form",
                 ("申请内容与性别矛盾，请核对患者。", "The request contradicts the sex; check the patient."))  # fmt: skip


MALE, FEMALE = (
    ("前列腺", "睾丸", "精囊", "prostate", "testis", "testic"),
    ("子宫", "卵巢", "妊娠", "宫颈", "uterus", "ovar", "pregnan"),
)


def _sex_clash(c: Claimed) -> str:
    text = f"{c.summary} {c.question} {c.diagnosis}".lower()
    other = FEMALE if c.sex == "M" else MALE if c.sex == "F" else ()
    return next((word for word in other if _affirmed(word, text)), "")


def _affirmed(word: str, text: str) -> bool:
    """Whether some clause has the word without denying it before."""
    clauses = re.split(r"[，。；！？,.;!?\n]", text)
    return any(word in clause and not DENIED.search(clause[: clause.index(word)]) for clause in clauses)
