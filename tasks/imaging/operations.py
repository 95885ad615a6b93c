"""What models may ask of imaging."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from engine.operations import Call, Effect, Operation, Signature, Type
from engine.values import Json
from tasks.imaging.service import Imaging

PREPARE = Signature(
    "imaging.prepare",
    Effect.IDEMPOTENT,
    {"case": Type.TEXT},
    {
        "objects": Type.NUMBER, "frames": Type.NUMBER, "bytes_in": Type.NUMBER, "bytes_out": Type.NUMBER,
        "verified": Type.BOOLEAN, "policy": Type.TEXT,
    },
    about="Compresses the case's images without loss and checks every one by decoding it.",
)  # fmt: skip
KEY_VIEWS = Signature(
    "imaging.key_views",
    Effect.IDEMPOTENT,
    {"case": Type.TEXT},
    {"views": Type.NUMBER},
    about="Draws the key images people see before they open the study.",
)
SIGNATURES = [PREPARE, KEY_VIEWS]


def operations(imaging: Imaging) -> list[Operation]:
    """The signatures bound."""

    def prepare(call: Call) -> Mapping[str, Json]:
        return imaging.prepare(UUID(str(call.args["case"]))).as_json()

    def key_views(call: Call) -> Mapping[str, Json]:
        return {"views": imaging.draw_key_views(UUID(str(call.args["case"])))}

    return [Operation(PREPARE, prepare), Operation(KEY_VIEWS, key_views)]
