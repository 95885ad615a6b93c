"""The auditor's first page: who looked at a patient and why he might, what somebody did, is the record unchanged."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from engine import history
from engine.values import Json
from tasks.cases import ledger
from tasks.cases.kinds import EXPORTED, SEARCHED
from tasks.cases.ledger import Line
from tasks.people.service import directory, opens
from webui import audit_words
from webui.context import actor, context, services
from webui.i18n import counted, local
from webui.pages import audit_ask, audit_csv, shared
from webui.pages.audit_ask import Asked

blueprint = Blueprint("audit", __name__, url_prefix="/audit")
blueprint.add_app_template_filter(audit_words.what, "audit_what")
blueprint.add_app_template_filter(audit_words.why, "audit_why")
blueprint.add_app_template_filter(audit_words.who, "audit_who")
blueprint.add_app_template_filter(audit_words.source, "audit_source")
DAYS = 24
"""So many days stand in the drawing of when somebody had to do with a patient."""


@blueprint.get("")
def home() -> ResponseReturnValue:
    """The newest entries that fit the filters of the address; for one patient or case also who they are and why they might."""
    _only_auditors()
    house, who, now = services(), actor(), context().clock.now()
    with house.db.read() as session:
        asked = audit_ask.read(session, request.args)
        lines = ledger.page(session, who, asked.question, before=shared.cursor())
        whole = ledger.summed(session, who, asked.question) if asked.about_one else []
        places = {h.id: h for h in directory.hospitals(session)}
        accesses = house.cases.to_review(session, who)
        found = {
            "standing": history.standing(session), "heads": history.heads(session), "accesses": accesses,
            "names": shared.names(session, [a.account_id for a, _ in accesses]), "places": places,
            "today": {g: ledger.since(session, who, g, _midnight(now)) for g in ("refused", "login", "exported")},
        }  # fmt: skip
    noted = None
    if asked.narrowed and not asked.missing and shared.cursor() is None:
        _note(SEARCHED, asked, {})
        noted = now
    people = audit_words.shares(whole)
    more = shared.more("audit.home", lines, ledger.PAGE, lambda e: (e.at, e.id), **asked.typed)
    return render_template(
        "audit.html", asked=asked, lines=lines, people=people, day=local(now).date().isoformat(), days=_days(whole, now), more=more, noted=noted, groups=audit_words.GROUPS,
        count=len(whole), capped=len(whole) >= ledger.SUMMED, hospitals={p.hospital for p in people},
        refused=sum(p.refused for p in people), emergency=sum(p.emergency for p in people), reasons=audit_words.REASONS, **found,
    )  # fmt: skip


@blueprint.post("/export")
def export() -> ResponseReturnValue:
    """What the filters find, as a table for a spreadsheet; that it was taken out is an entry too."""
    _only_auditors()
    house, who = services(), actor()
    with house.db.read() as session:
        asked = audit_ask.read(session, request.form)
        lines = ledger.page(session, who, asked.question, limit=audit_csv.MOST)
        places = {h.id: h for h in directory.hospitals(session)}
    _note(EXPORTED, asked, {"rows": len(lines)})
    name = f"audit-{local(context().clock.now()):%Y%m%d-%H%M}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(audit_csv.table(lines, places), mimetype="text/csv", headers=headers)


@blueprint.post("/check")
def check() -> ResponseReturnValue:
    """Verify every chain from its first entry; that it was done is an entry too."""
    _only_auditors()
    house, who = services(), actor()
    breaks = history.check(house.db, who.id, context().clock.now())
    flash(gettext("全部记录已校验，未被改动") if not breaks else counted("校验发现 %(n)s 处断裂", n=len(breaks)))
    return redirect(url_for("audit.home"), 303)


@blueprint.post("/glass/<uuid:access_id>")
def review(access_id: UUID) -> ResponseReturnValue:
    """Judge an emergency access of another person."""
    _only_auditors()
    justified = request.form.get("verdict") == "justified"
    services().cases.review_glass(actor(), access_id, justified=justified)
    flash(gettext("已复核，记录在案"))
    return redirect(url_for("audit.home"), 303)


def _note(kind: str, asked: Asked, data: dict[str, Json]) -> None:
    """Record what an auditor asked for, by ids and codes."""
    who, question = actor(), asked.question
    data |= {"by": "ever", "role": "auditor", "kind": question.group}
    data |= {"human": str(asked.patient.person)} if asked.patient else {}
    data |= {"accounts": [str(p) for p in question.people]} if question.people else {}
    data |= {"since": question.since.isoformat()} if question.since else {}
    data |= {"until": question.until.isoformat()} if question.until else {}
    data |= {"address": who.address} if who.address else {}
    one = question.instances[0] if question.instances and len(question.instances) == 1 else None
    now = context().clock.now()
    with services().db.transaction() as session:
        history.record(
            session, tenant=who.hospital_id, kind=kind, actor=who.id, at=now, instance_id=one, data={k: v for k, v in data.items() if v != ""},
        )  # fmt: skip


def _midnight(now: datetime) -> datetime:
    return local(now).replace(hour=0, minute=0, second=0, microsecond=0)


def _days(lines: Sequence[Line], now: datetime) -> list[tuple[Any, int]]:
    """How many entries there were on each of the last days."""
    first = _midnight(now) - timedelta(days=DAYS - 1)
    numbers = dict.fromkeys(((first + timedelta(days=n)).date() for n in range(DAYS)), 0)
    for line in lines:
        day = local(line.at).date()
        if day in numbers:
            numbers[day] += 1
    return list(numbers.items())


def _only_auditors() -> None:
    if not opens(actor(), "history", "verify"):
        abort(404)
