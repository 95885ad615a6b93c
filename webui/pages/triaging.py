"""What stands beside the choice of an expert: who is proposed and why, what the rules decided, and the hours until he is needed."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any, Final

from flask_babel import gettext

from tasks.cases import rulings
from webui.context import context, services
from webui.i18n import language
from webui.pages import rota, shared

QUESTION: Final = 30
"""Minutes a consultation takes where no rule says otherwise."""
SHORTEST, LONGEST = 4, 72
"""Hours the rota shows at least and at most."""


def beside(session: Any, case: Any) -> dict[str, Any]:
    """Proposals, the rota, the rulings, and the department that asks."""
    house = services()
    proposals = house.triage.proposals(session, case.id)
    decided = rulings.rulings(session, case.instance_id)
    minutes = _number(decided.get("triage"), "minutes") or QUESTION
    needed = _number(decided.get("sla"), "start")
    fit = [p.account_id for p in proposals if not p.excluded]
    account = house.people.account(session, case.applicant)
    department = house.people.department(session, account.department_id)
    return {
        "proposals": proposals, "names": shared.names(session, [p.account_id for p in proposals]),
        "rota": rota.rota(session, fit, minutes, window(needed), _until(needed)), "rules": _words(session, case, decided),
        "department": ((department.name_en if language() == "en" else "") or department.name) if department else "",
    }  # fmt: skip


def window(minutes: int) -> int:
    """How many hours the rota shows: those until the consultation has to begin, and one more."""
    return min(LONGEST, max(SHORTEST, math.ceil(minutes / 60) + 1))


def _until(minutes: int) -> Any:
    return context().clock.now() + timedelta(minutes=minutes) if minutes else None


def _number(ruling: rulings.Ruling | None, name: str) -> int:
    value = ruling.results.get(name) if ruling else None
    return int(value) if isinstance(value, int | float) else 0


def _words(session: Any, case: Any, decided: dict[str, rulings.Ruling]) -> list[tuple[str, str]]:
    """What the tables decided, in words, with the row of the table behind it."""
    ruling = decided.get("triage")
    if ruling is None:
        return []
    pool = str(ruling.results.get("pool") or "")
    pools = rulings.choices(session, case.instance_id, "apply", "specialty")
    asked = case.specialty if pool == "applied" else pool
    english = language() == "en"
    titles = {
        "resident": gettext("住院医师"), "attending": gettext("主治医师"), "associate": gettext("副主任医师"), "chief": gettext("主任医师"),
    }  # fmt: skip
    reads = {"single": gettext("单人"), "double": gettext("双人"), "review": gettext("单人，审核后签发")}
    title, read = str(ruling.results.get("title")), str(ruling.results.get("read"))
    found = [
        (gettext("专家组"), pools.get(asked, (asked, asked))[english]), (gettext("最低职称"), titles.get(title, title)),
        (gettext("阅片"), reads.get(read, read)),
    ]  # fmt: skip
    minutes = _number(ruling, "minutes")
    if minutes:
        found.append((gettext("时长"), gettext("%(n)s 分钟", n=minutes)))
    sla = decided.get("sla")
    if sla is not None:
        found.append((gettext("最迟开始"), shared.lasting(_number(sla, "start"))))
    rows = [gettext("分诊表第 %(n)s 行", n=ruling.row)] + ([gettext("时限表第 %(n)s 行", n=sla.row)] if sla else [])
    return [*found, (gettext("规则依据"), (", " if english else "，").join(rows))]
