"""What models may call of this folder."""

from __future__ import annotations

from engine import Effect, Operation, Signature, Type
from tasks.triage.holds import FULL
from tasks.triage.service import Triage

RANK = Signature(
    "triage.rank",
    Effect.LOCAL,
    {"case": Type.TEXT, "pool": Type.TEXT, "title": Type.TEXT, "minutes": Type.NUMBER},
    {"candidates": Type.LIST, "best": Type.TEXT},
    about="Ranks the experts of a pool who are on duty and free for so many minutes; ids of accounts.",
)
RESERVE = Signature(
    "triage.reserve",
    Effect.LOCAL,
    {"case": Type.TEXT, "expert": Type.TEXT, "minutes": Type.NUMBER},
    {"hold": Type.TEXT},
    errors=frozenset({FULL}),
    about="Keeps an expert's time free for the offer; full when there is none.",
)
RELEASE = Signature(
    "triage.release",
    Effect.LOCAL,
    {"case": Type.TEXT, "expert": Type.TEXT},
    about="Gives the kept time back.",
)
SIGNATURES = [RANK, RESERVE, RELEASE]


def operations(triage: Triage) -> list[Operation]:
    """The handlers bound to their signatures."""
    return [Operation(RANK, triage.rank), Operation(RESERVE, triage.reserve), Operation(RELEASE, triage.release)]
