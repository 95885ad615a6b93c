"""What models may ask of applications."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from engine.feel import to_json
from engine.operations import Call, Effect, Operation, Signature, Type
from engine.values import Json
from tasks.applications.service import Applications
from tasks.cases.service import STATES

CONTEXT = {
    **dict.fromkeys(("id", "ref", "kind", "from", "to", "applicant", "urgency", "modality"), Type.TEXT),
    **dict.fromkeys(("part", "tag", "specialty", "hash"), Type.TEXT),
    "mode": Type.ANY,  # null where the form does not ask for it
    "consent": Type.BOOLEAN,
    "version": Type.NUMBER,
}
CASE = {"case": Type.TEXT}
WHY = {"case": Type.TEXT, "reason": Type.TEXT}
SNAPSHOT = Signature(
    "applications.snapshot",
    Effect.LOCAL,
    CASE,
    CONTEXT,
    about="Freezes what was applied for and gives the whole case back; keep it in `case`.",
)
SET_STATE = Signature(
    "applications.set_state",
    Effect.LOCAL,
    {"case": Type.TEXT, "state": Type.TEXT},
    words={"state": frozenset(STATES)},
    about="Says in which state people see the case.",
)
CLOSE = Signature(
    "applications.close",
    Effect.LOCAL,
    WHY,
    about="Ends the case for a reason: withdrawn, rejected, expired, died or identity.",
)
PAUSE = Signature("applications.pause_clock", Effect.LOCAL, WHY, about="Stops the clock of the promised times.")
RESUME = Signature("applications.resume_clock", Effect.LOCAL, WHY, about="Lets the clock run again.")
CONSENT = Signature(
    "applications.consent_due",
    Effect.LOCAL,
    CASE,
    {"owed": Type.BOOLEAN, "due": Type.DATETIME},
    about="Whether the consent is still missing, and until when it has to be added.",
)
OVERDUE = Signature("applications.consent_overdue", Effect.LOCAL, CASE, about="Notes that no consent came in time.")
SIGNATURES = [SNAPSHOT, SET_STATE, CLOSE, PAUSE, RESUME, CONSENT, OVERDUE]


def operations(applications: Applications) -> list[Operation]:
    """The signatures bound."""

    def snapshot(call: Call) -> Mapping[str, Json]:
        return applications.snapshot(call.session, _case(call))

    def set_state(call: Call) -> Mapping[str, Json]:
        applications.set_state(call.session, _case(call), str(call.args["state"]))
        return {}

    def close(call: Call) -> Mapping[str, Json]:
        applications.close(call.session, _case(call), str(call.args["reason"]))
        return {}

    def pause(call: Call) -> Mapping[str, Json]:
        applications.pause_clock(call.session, _case(call), str(call.args["reason"]))
        return {}

    def resume(call: Call) -> Mapping[str, Json]:
        applications.resume_clock(call.session, _case(call))
        return {}

    def consent(call: Call) -> Mapping[str, Json]:
        owed = applications.consent_due(call.session, _case(call)) is not None
        return {"owed": owed, "due": to_json(applications.consent_limit(call.session, _case(call)))}

    def overdue(call: Call) -> Mapping[str, Json]:
        applications.consent_overdue(call.session, _case(call))
        return {}

    handlers = (snapshot, set_state, close, pause, resume, consent, overdue)
    return [Operation(signature, handler) for signature, handler in zip(SIGNATURES, handlers, strict=True)]


def _case(call: Call) -> UUID:
    return UUID(str(call.args["case"]))
