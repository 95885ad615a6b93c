"""What stands beside writing, reading, signing and scoring a report: versions, what changed, what was said of it before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint

from tasks.quality import citations, scoring
from tasks.reports import changes, phrases
from webui.context import actor, services
from webui.i18n import language
from webui.pages import shared

blueprint = Blueprint("clinic", __name__)


@blueprint.app_template_filter("step_name")
def step_name(row: Any) -> str:
    """The name of a step in the reader's language."""
    return shared.step_name(row)


@blueprint.app_template_filter("cited_in")
def cited_in(text: str, said: Sequence[citations.Cited]) -> list[tuple[str, tuple[citations.Cited, ...]]]:
    """A text cut where a scorer cites it."""
    return citations.marked(text, list(said))


def beside(session: Any, case: Any, form: str) -> dict[str, Any]:
    """What a report's page shows beside it; whose it is stays away from who scores it."""
    house, who = services(), actor()
    versions = house.reports.versions(session, case.id)
    covered = house.cases.hidden(session, who, case) if form == "score" else frozenset()
    people = [p for v in versions for p in (v.author, v.reviewer) if p and form != "score" and p not in covered]
    found = {
        "version": versions[0] if versions else None, "versions": versions, "people": shared.names(session, people),
        "hints": house.quality.hints(session, case.id), "anchors": scoring.ANCHORS, "dimensions": scoring.DIMENSIONS,
        "judged": _judged(session, case), "ruled": house.quality.ruled(session, case.id) if _may_judge(session, case) else [],
        "changes": changed(versions, form),
    }  # fmt: skip
    if form == "report":
        found["phrases"] = _phrases(case)
        found["sent_back"] = _sent_back(versions)
    return found


def _may_judge(session: Any, case: Any) -> bool:
    return bool(services().cases.allowed(session, actor(), case, "qc", "read"))


def _judged(session: Any, case: Any) -> list[Any]:
    """Earlier scorings for who may read them: the author, and who scores the next round."""
    return services().quality.judged(session, case.id) if _may_judge(session, case) else []


def _sent_back(versions: Sequence[Any]) -> Any:
    """The newest version, when its reviewer sent it back."""
    return versions[0] if versions and versions[0].verdict == "send_back" else None


def before(versions: Sequence[Any], form: str) -> Any:
    """The version the newest one is compared with: for a scorer the last that was signed, else the one before it."""
    older = versions[1:]
    if form == "score":
        older = [v for v in older if v.signed_at is not None]
    return older[0] if older else None


def changed(versions: Sequence[Any], form: str) -> list[changes.Section]:
    """What the newest version changed; empty where there is none before it, and while the next one is being written."""
    old = before(versions, form) if versions and form != "report" else None
    return changes.sections(old.content, versions[0].content) if old is not None else []


def live(session: Any, case_id: UUID, typed: Mapping[str, Any]) -> list[changes.Section]:
    """What is written now changes against the version that came back; empty for a first report."""
    versions = services().reports.versions(session, case_id)
    return changes.sections(versions[0].content, {k: str(v) for k, v in typed.items()}) if versions else []


def _phrases(case: Any) -> dict[str, list[str]]:
    """The sentences for each section, in the reader's language."""
    found: dict[str, list[str]] = {}
    for p in phrases.fitting(case.modality or "", case.body_part or ""):
        found.setdefault(p.section, []).append(p.en if language() == "en" else p.zh)
    return found
