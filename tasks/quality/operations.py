"""What models may call of this folder."""

from __future__ import annotations

from engine import Effect, Operation, Signature, Type
from tasks.quality.service import Quality

CASE = {"case": Type.TEXT}
PRESCAN = Signature(
    "quality.prescan",
    Effect.LOCAL,
    CASE,
    {"verdict": Type.TEXT, "blocks": Type.NUMBER, "warnings": Type.NUMBER},
    about="Checks the application and its images; verdict is pass, warn, supplement or identity.",
)
HINTS = Signature(
    "quality.report_hints",
    Effect.LOCAL,
    CASE,
    {"hints": Type.NUMBER, "blocks": Type.NUMBER},
    about="Reads the report for what its reviewer should look at.",
)
SAMPLE = Signature(
    "quality.sample",
    Effect.LOCAL,
    CASE,
    {"scored": Type.BOOLEAN, "second": Type.BOOLEAN, "reason": Type.TEXT},
    about="Draws whether the case is scored, and whether a second scorer scores it blindly.",
)
SCORE = Signature(
    "quality.record_score",
    Effect.LOCAL,
    CASE | {"round": Type.NUMBER},
    {"total": Type.NUMBER, "grade": Type.TEXT, "failed": Type.BOOLEAN, "apart": Type.BOOLEAN},
    about="Adds up the scores of a round; apart says that two scorers lie too far from each other.",
)
SIGNATURES = [PRESCAN, HINTS, SAMPLE, SCORE]


def operations(quality: Quality) -> list[Operation]:
    """The handlers bound to their signatures."""
    return [
        Operation(PRESCAN, quality.prescan),
        Operation(HINTS, quality.report_hints),
        Operation(SAMPLE, quality.sample),
        Operation(SCORE, quality.record_score),
    ]
