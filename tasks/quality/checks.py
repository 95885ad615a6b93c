"""What pre-QC compares: an application, the studies it carries, and one row of the report. Plain data, no rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

Severity = Literal["pass", "info", "warn", "block"]
Advice = tuple[str, str]
"""How to put it right, in Chinese and English."""
FIRM = frozenset({"Q01", "Q07", "Q15"})
"""Never passed over by anybody."""
NOTHING = "–"


@dataclass(frozen=True)
class Side:
    """What is known of one image study: the header's words, dates YYYYMMDD, lengths in mm.

    `announced` and `acquired` are the objects the headers say belong to the study (0020,1208 and 0020,1209; 0020,1002),
    None where they say nothing. `unshown` are transfer syntaxes nothing here can decode. `thickness` is that of the thinnest
    series. `phases` are the contrast phases found: plain, enhanced, arterial, venous, delayed.
    """

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
    age: str = ""
    frames: int = 0
    announced: int | None = None
    acquired: int | None = None
    unshown: tuple[str, ...] = ()
    phases: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Claimed:
    """What the application says, and what the platform knows about it.

    `accessions` are the numbers of the patient's standing orders that may be meant; `card_holds` whether the ID card number
    that was given holds (None: none was given); `announced` the images the applicant counted; `files` the attachments;
    `duplicates` the numbers of open cases with the same study; `elsewhere` the patient's studies at other hospitals.
    """

    patient_id: str
    name: str
    sex: str
    birth_date: str
    accessions: tuple[str, ...]
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
    tag: str = "none"
    card_holds: bool | None = None
    announced: int | None = None
    phases: tuple[str, ...] = ()
    allergy: str = ""
    pregnancy: str = ""
    egfr: str = ""
    materials: tuple[str, ...] = ()
    files: int = 0
    duplicates: tuple[str, ...] = ()
    elsewhere: int = 0


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


def row(rule: str, bad: Severity | None, label: Advice, here: str, there: str, source: str, advice: Advice) -> Check:
    """A row of the report; the advice only where something is to be done."""
    zh, en = advice if bad else ("", "")
    return Check(rule, bad or "pass", *label, here or NOTHING, there or NOTHING, source, zh, en)


def by(claimed: Claimed, routine: Severity, emergency: Severity | None) -> Severity | None:
    """The severity of the rule for this urgency."""
    return emergency if claimed.urgency == "E" else routine


def differs(a: str, b: str, bad: Severity | None) -> Severity | None:
    """`bad` when the values differ; info when there is nothing to compare; None when they are equal."""
    if not a or not b:
        return "info"
    return bad if a != b else None


def day(text: str) -> date | None:
    """A DICOM date; None when it is none."""
    try:
        return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 - a calendar day has no zone
    except ValueError:
        return None


def joined(values: Sequence[str]) -> str:
    """Several values in one cell."""
    return " / ".join(values)
