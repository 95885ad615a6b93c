"""What models may call of this folder."""

from __future__ import annotations

from engine import Effect, Operation, Signature, Type
from tasks.session.service import Rooms

CREATE = Signature(
    "session.create",
    Effect.LOCAL,
    {"case": Type.TEXT, "start": Type.DATETIME, "minutes": Type.NUMBER},
    {"session": Type.TEXT},
    errors=frozenset({"double_booked"}),
    about="Books the room; double_booked when somebody of it is taken at that time.",
)
CLOSE = Signature(
    "session.close", Effect.LOCAL, {"case": Type.TEXT, "outcome": Type.TEXT}, about="Closes the room with its outcome."
)
SIGNATURES = [CREATE, CLOSE]


def operations(rooms: Rooms) -> list[Operation]:
    """The handlers bound to their signatures."""
    return [Operation(CREATE, rooms.create), Operation(CLOSE, rooms.close)]
