"""What the SMS provider calls: delivery reports and replies, both signed."""

from __future__ import annotations

from flask import Blueprint, abort, request
from flask.typing import ResponseReturnValue

from webui.context import context, services
from webui.guards import csrf, public

blueprint = Blueprint("sms", __name__, url_prefix="/sms/twilio")
csrf.exempt(blueprint)


def _form() -> dict[str, str]:
    """The callback's form, if it is genuine. The signature covers the public address, not the one a proxy shows."""
    form = request.form.to_dict()
    url = f"{context().config.public_url}{request.path}"
    if not services().notify.sms.genuine(url, form, request.headers.get("X-Twilio-Signature", "")):
        abort(403)
    return form


@blueprint.post("/status")
@public
def status() -> ResponseReturnValue:
    """A delivery report; 404 for a message we do not know, or not yet."""
    return "", 204 if services().notify.status_form(_form()) else 404


@blueprint.post("/reply")
@public
def reply() -> ResponseReturnValue:
    """A reply; the answer is an empty TwiML document, since what is to be said goes out as a message of its own."""
    services().notify.reply_form(_form())
    return "<Response/>", 200, {"Content-Type": "text/xml"}
