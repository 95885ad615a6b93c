"""The message centre: what came and went by HL7, DICOM and short message, what is wrong with it and what to do; and the lines."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from engine.errors import Refused
from tasks.cases import troubles
from tasks.imaging import centre as images
from tasks.messages import centre, fields
from tasks.messages.centre import PAGE, Asked, Row
from tasks.messages.models import Inbound, Outbound
from tasks.notify import centre as texts
from tasks.people.service import Facts, directory, may, opens
from webui.context import actor, context, services
from webui.i18n import local, zone
from webui.message_words import next_word, problem_word, state_word, type_word
from webui.pages import shared

blueprint = Blueprint("messages", __name__, url_prefix="/messages")
blueprint.add_app_template_filter(state_word, "message_word")
blueprint.add_app_template_filter(problem_word, "problem_word")
blueprint.add_app_template_filter(type_word, "type_word")


@blueprint.app_template_filter("er7")
def er7(raw: bytes, whole: bool) -> str:
    """An answer line by line, with what the reader may not see covered."""
    found = fields.shown(raw, None, whole=whole)
    lines = ["|".join([s.name, *(f.text for f in s.fields if (s.name, f.number) != ("MSH", 1))]) for s in found]
    return "\n".join(lines)


TABS, STATES, WAYS = ("hl7", "dicom", "sms"), ("trouble", "waiting", "done", "seen"), ("in", "out")
PUBLISHES = {"ORU^R01": "reports.publish_hl7", "C-STORE": "reports.publish_dicom"}
"""The operation behind a message that goes out."""


def _allowed() -> None:
    if not opens(actor(), "message", "read"):
        abort(404)


@blueprint.get("")
def listed() -> ResponseReturnValue:
    """The newest messages by the filters of the address, those that need somebody first; `tab` is hl7, dicom, sms or lines."""
    _allowed()
    return _page({})


@blueprint.get("/<uuid:message_id>")
def shown(message_id: UUID) -> ResponseReturnValue:
    """One message beside the list: why, what was tried, what the peer said, its text as far as the reader may see it."""
    _allowed()
    with services().db.read() as session:
        drawer = _drawer(session, message_id)
    return _page(drawer)


def _page(drawer: dict[str, Any], wrong: str = "", status: int = 200) -> ResponseReturnValue:
    house, who, now = services(), actor(), context().clock.now()
    tab, asked, typed = request.args.get("tab", ""), _asked(), _typed()
    midnight = local(now).replace(hour=0, minute=0, second=0, microsecond=0)
    with house.db.read() as session:
        lines = house.messages.endpoints(session) if tab == "lines" else []
        rows = [] if tab == "lines" else _rows(session, asked)
        urgent = [] if tab == "lines" or asked.state or asked.before else _rows(session, _with(asked, "trouble"))
        totals = {k: sum(part[k] for part in _counts(session, midnight)) for k in ("trouble", "waiting", "today")}
        delays = centre.delays(session, who, midnight)
        names = shared.names(session, [r.account for r in (*rows, *urgent) if r.account])
        places = {h.id: h for h in directory.hospitals(session)}
    first = {row.id for row in urgent}
    more = shared.more("messages.listed", rows, PAGE, lambda r: (r.at, r.id), **typed)
    page = render_template(
        "messages.html", tab=tab if tab in (*TABS, "lines") else "", asked=asked, typed=typed, urgent=urgent, lines=lines, totals=totals,
        rows=[row for row in rows if row.id not in first], delays=_spread(delays), names=names, places=places, more=more, wrong=wrong, **drawer,
    )  # fmt: skip
    return page, status


def _rows(session: Any, asked: Asked) -> list[Row]:
    who = actor()
    return centre.merged([source(session, who, asked) for source in (centre.hl7, texts.rows, images.rows)])


def _counts(session: Any, since: datetime) -> list[dict[str, int]]:
    return [source.counts(session, actor(), since) for source in (centre, texts, images)]


def _typed() -> dict[str, str]:
    names = ("tab", "state", "way", "peer", "since", "until", "q")
    return {name: value for name in names if (value := request.args.get(name, "").strip()[:80])}


def _asked() -> Asked:
    """The filters of the address; what cannot be read counts as not set."""
    args, since, until = request.args, _day("since"), _day("until")
    try:
        peer = UUID(args.get("peer", ""))
    except ValueError:
        peer = None
    return Asked(
        state=args["state"] if args.get("state") in STATES else "", way=args["way"] if args.get("way") in WAYS else "",
        kind=args["tab"] if args.get("tab") in TABS else "", peer=peer, since=_begin(since) if since else None,
        until=_begin(until + timedelta(days=1)) if until else None, words=args.get("q", "").strip()[:80], before=shared.cursor(),
    )  # fmt: skip


def _with(asked: Asked, state: str) -> Asked:
    return Asked(state, asked.way, asked.kind, asked.peer, asked.since, asked.until, asked.words)


def _day(name: str) -> date | None:
    try:
        return date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return None


def _begin(day: date) -> datetime:
    return datetime.combine(day, time(), zone())


def _spread(delays: list[float]) -> tuple[float, float] | None:
    """Half of the messages and 19 of 20 were acknowledged within so many seconds."""
    return (delays[len(delays) // 2], delays[min(len(delays) - 1, len(delays) * 19 // 20)]) if delays else None


def _drawer(session: Any, message_id: UUID) -> dict[str, Any]:
    house, who = services(), actor()
    message, attempts = house.messages.detail(session, who, message_id)
    inbound, outbound = isinstance(message, Inbound), isinstance(message, Outbound)
    put_away = house.messages.seen(session, message_id)
    last = attempts[-1] if attempts else None
    fault = fields.fault(message.answer if inbound else last.answer if last else None, _said(message, last))
    case_id = getattr(message, "case_id", None)
    stuck = _stuck(session, case_id, message) if case_id else None
    segments = fields.shown(message.raw, fault, whole=_whole(session, message)) if inbound or outbound else []
    state = message.state if hasattr(message, "state") else getattr(message, "effect", "quarantined")
    code = message.code if inbound else last.code if last else ""
    return {
        "message": message, "attempts": attempts, "inbound": inbound, "outbound": outbound, "put_away": put_away, "segments": segments,
        "whole": _whole(session, message) if inbound or outbound else False, "stuck": stuck, "message_state": state, "code": code,
        "advice": next_word(state, code), "case": house.cases.get(session, case_id) if case_id else None,
        "may_note": put_away is None and house.messages.may_put_away(session, who, message_id),
        "noted_by": shared.names(session, [put_away.account_id]).get(put_away.account_id, "") if put_away else "",
        "to": shared.names(session, [message.account_id]).get(message.account_id, "") if hasattr(message, "account_id") else "",
    }  # fmt: skip


def _said(message: Any, last: Any) -> str:
    return str(getattr(message, "problem", None) or (last.detail if last else ""))


def _whole(session: Any, message: Any) -> bool:
    """Whether the reader may see the patient of a message: by the case it belongs to, else by the index of its hospital."""
    case_id = getattr(message, "case_id", None)
    if case_id:
        case = services().cases.get(session, case_id)
        return bool(services().cases.allowed(session, actor(), case, "name", "read"))
    return may(actor(), "read", Facts("patient", hospital=message.tenant))


def _stuck(session: Any, case_id: UUID, message: Any) -> Any:
    """What the case has stopped at because of this message, if the reader may settle it."""
    operation = PUBLISHES.get(getattr(message, "kind", ""), "notify.sms")
    now = context().clock.now()
    found = [t for t in troubles.listed(session, actor(), now) if t.case_id == case_id and t.operation == operation]
    return found[0] if found else None


@blueprint.post("/<uuid:message_id>/repeat")
def repeat(message_id: UUID) -> ResponseReturnValue:
    """Process a failed message again."""
    _allowed()
    services().messages.repeat(actor(), message_id)
    flash(gettext("已放回处理"))
    return redirect(url_for("messages.shown", message_id=message_id), 303)


@blueprint.post("/<uuid:message_id>/resend")
def resend(message_id: UUID) -> ResponseReturnValue:
    """Send what the peer refused once more, under the same control number: the step that stopped is done again."""
    _allowed()
    with services().db.read() as session:
        message, _ = services().messages.detail(session, actor(), message_id)
        stuck = _stuck(session, message.case_id, message) if isinstance(message, Outbound) and message.case_id else None
    if stuck is None or "again" not in stuck.acts:
        raise Refused("no step of a case waits for this message to be sent again")
    troubles.settle(services().engine, actor(), stuck.id, "again", f"{gettext('重发')} {message.key}")
    flash(gettext("正在重发，控制号不变"))
    return redirect(url_for("messages.shown", message_id=message_id), 303)


@blueprint.post("/<uuid:message_id>/seen")
def seen(message_id: UUID) -> ResponseReturnValue:
    """Say that somebody has seen to a message in trouble."""
    _allowed()
    note = request.form.get("note", "")
    if len(note.strip()) < 2:
        with services().db.read() as session:
            drawer = _drawer(session, message_id)
        return _page(drawer, gettext("请写明处理结果。"), 422)
    services().messages.put_away(actor(), message_id, note)
    flash(gettext("已标为已处理，记录在案"))
    return redirect(url_for("messages.shown", message_id=message_id), 303)
