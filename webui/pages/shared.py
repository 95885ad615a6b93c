"""What several pages show of a case: its facts, its material, its images, its progress."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask import request, url_for
from flask_babel import gettext

from tasks.people.service import directory
from webui.context import actor, context, services
from webui.event_words import named
from webui.i18n import counted, duration, language


def cursor() -> tuple[datetime, UUID] | None:
    """Where a list goes on, from the address; None at its beginning or when the address was tampered with."""
    moment, _, id_ = request.args.get("from", "").partition("_")
    try:
        found = datetime.fromisoformat(moment), UUID(id_)
    except ValueError:
        return None
    return found if found[0].tzinfo is not None else None


def more(
    endpoint: str, rows: Sequence[Any], page: int, last: Callable[[Any], tuple[datetime, Any]], **args: Any
) -> str:
    """The address of the next page of a list; empty when this one was not full. `last` gives (instant, id) of a row."""
    if len(rows) < page:
        return ""
    moment, id_ = last(rows[-1])
    kept = {k: v for k, v in args.items() if v} | {"from": f"{moment.isoformat()}_{id_}"}
    return url_for(endpoint, **kept)


def step_name(row: Any) -> str:
    """The name of a step in the reader's language; what comes back to be written again says so."""
    if getattr(row, "form", "") == "report" and getattr(row, "again", False):
        sent_back = row.case is not None and row.case.state == "rework"
        return str(gettext("重修报告") if sent_back else gettext("修改报告"))
    return str((row.name_en if language() == "en" else row.name) or row.name or getattr(row, "node", ""))


def age(birth: date | None) -> int | None:
    """Full years today."""
    if birth is None:
        return None
    today = context().clock.now().date()
    return today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))


def names(session: Any, accounts: Sequence[UUID]) -> dict[UUID, str]:
    """The names of these people in the letters of the reader's language."""
    return {who: named(name) for who, name in directory.names(session, accounts).items()}


def lasting(minutes: int) -> str:
    """How much time there is for something."""
    return str(gettext("%(t)s内", t=duration(minutes)))


def sex(code: str | None) -> str:
    """The word for a sex."""
    return str({"M": gettext("男"), "F": gettext("女"), "O": gettext("其他")}.get(code or "", ""))


@dataclass(frozen=True)
class Preview:
    """What the right pane of the list shows."""

    case: Any
    form: Mapping[str, Any]
    home: Any
    applicant: str
    views: list[Any]
    steps: list[Any]
    known: list[tuple[str, str]]


def preview(session: Any, row: Any) -> Preview | None:
    """The case behind a task, as far as the reader may see it."""
    if row.case is None:
        return None
    house, who = services(), actor()
    case = house.cases.get(session, row.case.id)
    may_read = house.cases.allowed(session, who, case, "application", "read")
    may_look = house.cases.allowed(session, who, case, "images", "read")
    known = names(session, [case.applicant])
    return Preview(
        case=row.case,
        form=application(session, case.id) if may_read else {},
        home=house.people.hospital(session, case.from_hospital),
        applicant=known.get(case.applicant, ""),
        views=house.imaging.key_views_of(session, case.id)[:4] if may_look else [],
        steps=house.applications.progress(session, who, case.id),
        known=_known(session, case) if may_read else [],
    )


def _known(session: Any, case: Any) -> list[tuple[str, str]]:
    """Words for what was found out before: the pre-QC and the last report."""
    house = services()
    rows: list[tuple[str, str]] = []
    checks = house.quality.checks(session, case.id)
    if checks:
        told = [
            c.row["label_en" if language() == "en" else "label_zh"] for c in checks if c.severity in ("warn", "block")
        ]
        word = gettext("通过") if not told else counted("%(n)s 项提示：%(what)s", n=len(told), what=_joined(told[:3]))
        rows.append((gettext("前质控"), word))
    versions = house.reports.versions(session, case.id) if case.expert == actor().account_id else []
    if versions:
        rows.append((gettext("上一版"), str(versions[0].content.get("impression") or "")))
    return rows


def _joined(words: list[str]) -> str:
    return (", " if language() == "en" else "、").join(dict.fromkeys(words))


def application(session: Any, case_id: UUID) -> Mapping[str, Any]:
    """The newest application form of a case, with the words of what was chosen in it; ask for permission first."""
    found = services().worklist.submissions(session, case_id, "apply")
    if not found:
        return {}
    data, form = found[-1].data, services().worklist.form_of(session, found[-1].instance_id, "apply")
    lang = language()
    labels = {
        (field.name, choice.value): choice.label.get(lang) or choice.label["zh"]
        for field in form.fields
        for choice in field.choices
    }
    asked = next((h for h in directory.hospitals(session) if str(h.id) == data.get("to_hospital")), None)
    words = {name: labels.get((name, str(data.get(name))), "") for name in ("specialty", "consent_method")}
    words["to_hospital"] = "" if asked is None else asked.name if lang == "zh" else asked.name_en
    return {**data, "words": words}


def place(session: Any, case_id: UUID) -> str:
    """Where people meet for a consultation, as whoever fixed the time wrote it."""
    found = services().worklist.submissions(session, case_id, "schedule")
    return str(found[-1].data.get("room") or "").strip() if found else ""
