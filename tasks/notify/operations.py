"""What models may call of this folder."""

from __future__ import annotations

from engine import Effect, Operation, Signature, Type
from tasks.notify import templates
from tasks.notify.service import Notify

SMS = Signature(
    "notify.sms",
    Effect.ONCE,
    params={"to": Type.TEXT, "template": Type.TEXT, "case": Type.TEXT, "due": Type.DATETIME},
    result={"message": Type.TEXT},
    optional=frozenset({"due"}),
    words={"template": frozenset(templates.SMS)},
    about="Sends an account a short message. An answer that is lost becomes an incident, never a second message.",
)
INBOX = Signature(
    "notify.inbox",
    Effect.LOCAL,
    params={"to": Type.TEXT, "template": Type.TEXT, "case": Type.TEXT},
    words={"template": frozenset(templates.NOTICES)},
    about="Puts a notice where the account sees it when it is logged in.",
)
SIGNATURES = [SMS, INBOX]


def operations(notify: Notify) -> list[Operation]:
    """The handlers bound to their signatures."""
    return [Operation(SMS, notify.send_sms), Operation(INBOX, notify.put_notice)]
