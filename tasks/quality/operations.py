"""What models may call of this folder."""

from __future__ import annotations

from engine import Effect, Operation, Signature, Type
from tasks.quality.service import Quality

CASE = {"case": Type.TEXT}
PRESCAN = Signature(
    "quality.prescan", Effect.LOCAL, CASE, {"verdict": Type.TEXT, "blocks": Type.NUMBER, "warnings": Type.NUMBER}
)
HINTS = Signature("quality.report_hints", Effect.LOCAL, CASE, {"hints": Type.NUMBER, "blocks": Type.NUMBER})
SAMPLE = Signature(
    "quality.sample", Effect.LOCAL, CASE, {"scored": Type.BOOLEAN, "second": Type.BOOLEAN, "reason": Type.TEXT}
)
SCORE = Signature(
    "quality.record_score",
    Effect.LOCAL,
    CASE | {"round": Type.NUMBER},
    {"total": Type.NUMBER, "grade": Type.TEXT, "failed": Type.BOOLEAN, "apart": Type.BOOLEAN},
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
