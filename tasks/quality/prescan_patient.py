"""Pre-QC Q01 to Q07: is it this patient, everywhere?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

from tasks.quality.checks import Advice, Check, Claimed, Severity, Side, by, day, differs, joined, row
from tasks.quality.names import likeness

ASK: Advice = (
    "请与申请医院核对身份证或腕带，再决定。",
    "Check the ID card or the wristband with the applying hospital, then decide.",
)
EMPTY: Advice = ("一方没有这个值，无法比较。", "One side has no such value; it cannot be compared.")
UNITS = {"D": 1.0, "W": 7.0, "M": 365.2425 / 12, "Y": 365.2425}
"""Days of the units of an age (PS3.5 6.2, AS)."""


def checks(c: Claimed) -> Iterator[Check]:
    """The rows about the patient."""
    for s in c.studies:
        yield from _study(c, s)
    if c.card_holds is not None:
        advice = (
            "身份证号校验位、出生日期或性别对不上，请核对证件后更正登记。",
            "Check digit, birth date or sex of the ID card number do not hold; look at the card and correct the registration.",
        )
        bad = None if c.card_holds else by(c, "warn", None)
        told = "✓" if c.card_holds else "✗"
        yield row("Q06", bad, ("身份证号", "ID card number"), "✓", told, "HIS PID-3", advice)
    ids = sorted({s.patient_id for s in c.studies})
    if len(ids) > 1:
        one = (
            "一份申请只能有一位患者的影像，请移出他人的检查。",
            "One application holds one patient's images; take the other study out.",
        )
        yield row("Q07", "block", ("同一患者", "One patient"), "1", joined(ids), "DICOM 0010,0020", one)


def _study(c: Claimed, s: Side) -> Iterator[Check]:
    wrong: Severity | None = None if s.patient_id == c.patient_id else "block"
    yield row("Q01", wrong, ("患者编号", "Patient ID"), c.patient_id, s.patient_id, "DICOM 0010,0020", ASK)
    like: Severity | None = {"same": None, "similar": "warn", "different": "block"}[likeness(c.name, s.name)]
    yield row("Q02", like, ("姓名", "Name"), c.name, s.name, "DICOM 0010,0010", ASK)
    sex = differs(_sex(c.sex), _sex(s.sex), by(c, "block", "warn"))
    yield row("Q03", sex, ("性别", "Sex"), c.sex, s.sex, "DICOM 0010,0040", EMPTY if sex == "info" else ASK)
    born = differs(c.birth_date, s.birth_date, by(c, "block", "warn"))
    yield row(
        "Q04", born, ("出生日期", "Birth date"), c.birth_date, s.birth_date, "DICOM 0010,0030",
        EMPTY if born == "info" else ASK,
    )  # fmt: skip
    yield from _age(c, s)


def _age(c: Claimed, s: Side) -> Iterator[Check]:
    """The age of the header against the one computed at the study date, within one unit of it."""
    born, then, said = day(c.birth_date), day(s.study_date), re.fullmatch(r"(\d{3})([DWMY])", s.age)
    if born is None or then is None or said is None or then < born:
        return
    number, unit = int(said[1]), said[2]
    computed = _years(born, then) if unit == "Y" else int((then - born) / timedelta(days=1) / UNITS[unit])
    bad = by(c, "warn", None) if abs(computed - number) > 1 else None
    label = ("检查时年龄", "Age at examination")
    yield row("Q05", bad, label, f"{computed:03d}{unit}", s.age, "DICOM 0010,1010", ASK)


def _years(born: date, then: date) -> int:
    return then.year - born.year - ((then.month, then.day) < (born.month, born.day))


def _sex(code: str) -> str:
    """Male or female; other and unknown say nothing a comparison could use."""
    return code if code in ("M", "F") else ""
