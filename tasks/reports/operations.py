"""What models may call of this folder."""

from __future__ import annotations

from engine import Effect, Operation, Signature, Type
from tasks.reports.service import Reports

CASE = {"case": Type.TEXT}
RENDER = Signature(
    "reports.render",
    Effect.IDEMPOTENT,
    CASE,
    {"sha256": Type.TEXT, "pages": Type.NUMBER, "bytes": Type.NUMBER},
    lane=("case",),
    about="Makes the PDF of the signed report.",
)
DICOM = Signature(
    "reports.publish_dicom",
    Effect.IDEMPOTENT,
    CASE,
    {"sop": Type.TEXT, "status": Type.TEXT},
    lane=("case",),
    about="Stores the report as a DICOM object at the applying hospital.",
)
HL7 = Signature(
    "reports.publish_hl7",
    Effect.IDEMPOTENT,
    CASE,
    {"control": Type.TEXT, "ack": Type.TEXT},
    lane=("case",),
    about="Sends the result to the applying hospital's HIS; ack is its answer (AA: accepted).",
)
SIGNATURES = [RENDER, DICOM, HL7]


def operations(reports: Reports) -> list[Operation]:
    """The handlers bound to their signatures."""
    return [
        Operation(RENDER, reports.render),
        Operation(DICOM, reports.publish_dicom),
        Operation(HL7, reports.publish_hl7),
    ]
