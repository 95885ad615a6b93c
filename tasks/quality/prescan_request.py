"""Pre-QC Q22 to Q31: does the application say what a reader and the law need?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tasks.quality.checks import NOTHING, Advice, Check, Claimed, by, day, joined, row

DENIED = re.compile(r"无|否认|未见|\bno\b|\bden(?:ies|ied)\b|\bwithout\b")
MALE, FEMALE = (
    ("前列腺", "睾丸", "精囊", "prostate", "testis", "testic"),
    ("子宫", "卵巢", "妊娠", "宫颈", "uterus", "ovar", "pregnan"),
)
CONTRAST = frozenset({"enhanced", "arterial", "venous", "delayed"})
FERTILE = range(10, 56)
"""Years of age in which pregnancy is asked before contrast."""


def checks(c: Claimed) -> Iterator[Check]:
    """The rows about the application itself."""
    yield from _words(c)
    yield from _permission(c)
    clash = _sex_clash(c)
    advice: Advice = ("申请内容与性别矛盾，请核对患者。", "The request contradicts the sex; check the patient.")
    bad = by(c, "block", "warn") if clash else None
    yield row("Q27", bad, ("性别与器官", "Sex and organ"), c.sex, clash, "form", advice)
    yield from _contrast(c)
    yield from _materials(c)
    yield from _others(c)


def _words(c: Claimed) -> Iterator[Check]:
    length, asked, named = len(c.summary.strip()), len(c.question.strip()), len(c.diagnosis.strip())
    advice: Advice = ("请补充现病史、既往史与查体。", "Add history and findings.")
    yield row(
        "Q22",
        by(c, "block", "warn") if length < 20 else None,
        ("病历摘要", "Summary"),
        "≥ 20",
        str(length),
        "EMR",
        advice,
    )
    advice = ("请写明需要解答的问题。", "Write the question to be answered.")
    yield row("Q23", None if asked else "block", ("会诊问题", "Question"), "≥ 1", str(asked), "form", advice)
    advice = ("请补充临床诊断。", "Add the clinical diagnosis.")
    yield row(
        "Q24", None if named else by(c, "warn", None), ("临床诊断", "Diagnosis"), "≥ 1", str(named), "EMR", advice
    )


def _permission(c: Claimed) -> Iterator[Check]:
    advice: Advice = (
        "须先取得知情同意；急诊可先提交，24 小时内由单独的任务补签。",
        "Consent is needed first; in an emergency it follows within 24 hours, by a task of its own.",
    )
    bad = None if c.consent else by(c, "block", "warn")
    yield row("Q25", bad, ("知情同意", "Consent"), "✓", "✓" if c.consent else NOTHING, "form", advice)
    advice = ("两院之间没有有效协议。", "There is no valid agreement between the hospitals.")
    bad = None if c.agreement else by(c, "block", "warn")
    yield row("Q26", bad, ("协作协议", "Agreement"), "✓", "✓" if c.agreement else NOTHING, "agreement", advice)


def _contrast(c: Claimed) -> Iterator[Check]:
    """Allergy, renal function and pregnancy are asked when contrast is; `unknown` is an answer."""
    if not CONTRAST & set(c.phases):
        return
    wanted = {"allergy": c.allergy, "eGFR": c.egfr}
    if c.sex == "F" and _years(c) in FERTILE:
        wanted["pregnancy"] = c.pregnancy
    stated = [name for name, value in wanted.items() if value]
    advice = ("增强检查须写明过敏史、肾功能与妊娠情况。", "With contrast, state allergy, renal function and pregnancy.")
    bad = by(c, "warn", None) if len(stated) < len(wanted) else None
    yield row("Q28", bad, ("增强前核对", "Before contrast"), joined(list(wanted)), joined(stated), "form", advice)


def _years(c: Claimed) -> int | None:
    born = day(c.birth_date)
    return None if born is None else int((c.now.date() - born).days / 365.2425)


def _materials(c: Claimed) -> Iterator[Check]:
    if not c.materials:
        return
    sent = {"ECG": "ecg", "SM": "pathology"}
    here = c.files + len({sent[s.modality] for s in c.studies if s.modality in sent} & set(c.materials))
    advice = (
        "申请列出的资料没有附上，请补传文件。",
        "Material that the application lists is not attached; add the files.",
    )
    bad = by(c, "warn", None) if here < len(c.materials) else None
    yield row("Q29", bad, ("随附资料", "Material"), joined(c.materials), str(here), "form", advice)


def _others(c: Claimed) -> Iterator[Check]:
    advice: Advice = (
        "同一份检查 7 天内已有未结束的申请，请确认不是重复。",
        "Another open application of the last 7 days carries the same study; confirm that this is no duplicate.",
    )
    bad = "warn" if c.duplicates else None
    yield row("Q30", bad, ("重复申请", "Duplicate"), "0", joined(c.duplicates) or "0", "cases", advice)  # type: ignore[arg-type]
    if c.elsewhere:
        advice = (
            "其他医院有该患者的检查，可考虑互认，避免重复。",
            "Other hospitals hold studies of this patient; recognise instead of repeating.",
        )
        yield row("Q31", "info", ("外院既往检查", "Priors elsewhere"), NOTHING, str(c.elsewhere), "index", advice)


def _sex_clash(c: Claimed) -> str:
    text = f"{c.summary} {c.question} {c.diagnosis}".lower()
    other = FEMALE if c.sex == "M" else MALE if c.sex == "F" else ()
    return next((word for word in other if _affirmed(word, text)), "")


def _affirmed(word: str, text: str) -> bool:
    """Whether some clause has the word without denying it before."""
    clauses = re.split(r"[，。；！？,.;!?\n]", text)
    return any(word in clause and not DENIED.search(clause[: clause.index(word)]) for clause in clauses)
