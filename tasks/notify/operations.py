"""What models may call of this folder."""

from __future__ import annotations

from engine import Effect, Operation, Signature, Type
from tasks.notify.service import Notify

SMS = Signature(
    "notify.sms",
    Effect.ONCE,
    params={"to": Type.TEXT, "template": Type.TEXT, "case": Type.TEXT, "due": Type.DATETIME},
    result={"message": Type.TEXT},
    optional=frozenset({"due"}),
)
INBOX = Signature("notify.inbox", Effect.LOCAL, params={"to": Type.TEXT, "template": Type.TEXT, "case": Type.TEXT})
SIGNATURES = [SMS, INBOX]


def operations(notify: Notify) -> list[Operation]:
    """The handlers bound to their signatures."""
    return [Operation(SMS, notify.send_sms), Operation(INBOX, notify.put_notice)]
