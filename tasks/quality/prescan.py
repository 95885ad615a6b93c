"""Pre-QC: what the application says against what the images say. Pure rules; a person decides.

Rule ids and severities follow the platform's list Q01 to Q32; B blocks, W warns, by urgency. Q01, Q07 and Q15 can never be
passed over. A row that cannot be compared, because one side has no value, is `info` and says so. Not asked here:

- Q32 (display or phone viewer for primary read): on which display a case is read is known when it is read, not before.
- Q21 as a block (for teaching): this report is about one consultation; teaching asks again before it releases anything.
- Q06 needs a number that was given; the registration keeps only whether it held, never the number.
- Q09 is asked when the hospital's system ordered an examination of this kind, Q19 where a thickness is fixed for the question.
- Q13 compares with what somebody announced: the application, or headers that carry 0020,1208, 0020,1209 or 0020,1002. An HL7
  order announces no number of images.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from tasks.quality import prescan_exam, prescan_images, prescan_patient, prescan_request
from tasks.quality.checks import FIRM, Check, Claimed, Severity, Side

__all__ = ["FIRM", "Check", "Claimed", "Severity", "Side", "Verdict", "scan", "verdict"]

Verdict = Literal["pass", "warn", "supplement", "identity"]
IDENTITY = frozenset({"Q01", "Q02", "Q03", "Q04", "Q07"})
PARTS = (prescan_patient, prescan_exam, prescan_images, prescan_request)


def scan(claimed: Claimed) -> list[Check]:
    """Every rule that the index and the application can answer, in the order of their numbers."""
    return sorted((check for part in PARTS for check in part.checks(claimed)), key=lambda c: c.rule)


def verdict(checks: Sequence[Check]) -> Verdict:
    """identity when a block doubts who it is, supplement for any other block, else warn or pass."""
    blocks = [c for c in checks if c.severity == "block"]
    if any(c.rule in IDENTITY for c in blocks):
        return "identity"
    if blocks:
        return "supplement"
    return "warn" if any(c.severity == "warn" for c in checks) else "pass"
