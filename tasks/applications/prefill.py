"""What the platform knows already and a form need not ask: values by field with the source they came from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.clock import Clock
from engine.tables import job
from forms import FormDef
from tasks.applications import words
from tasks.cases.service import Cases, ClinicalCase
from tasks.imaging.service import Imaging, StudyFacts
from tasks.patients.service import Patients
from tasks.people.letters import spelled
from tasks.people.service import People, directory
from tasks.worklist.service import FormInvalid, OpenedTask, Submitting, Worklist

SOURCES: Final[Mapping[str, str]] = {
    "study": "DICOM", "case": "DICOM", "order": "HIS", "agreement": "协议", "applicant": "账户", "triage": "规则",
    "application": "申请", "report": "DICOM",
}  # fmt: skip
"""The first part of a `default_from` word: where the value comes from."""
REWRITTEN = "report"
"""The form that may come back to its author."""
SUBSTITUTE = "backup_expert"
"""The field that names who steps in: anybody but the expert himself."""
NOT_OFFERED = "请从列出的选项中选择"
NO_PRIOR = "无既往检查可供比较。"

TITLES: Final[Mapping[str, Mapping[str, str]]] = {
    "zh": {"resident": "住院医师", "attending": "主治医师", "associate": "副主任医师", "chief": "主任医师"},
    "en": {"resident": "Resident", "attending": "Attending", "associate": "Associate chief", "chief": "Chief"},
}


class Prefill:
    """Values and choices for forms; reads only, no permission is checked."""

    def __init__(
        self, clock: Clock, people: People, cases: Cases, patients: Patients, imaging: Imaging, worklist: Worklist
    ) -> None:
        self._clock, self._people, self._cases = clock, people, cases
        self._patients, self._imaging, self._worklist = patients, imaging, worklist

    def values(self, session: Session, case: ClinicalCase, form: FormDef) -> tuple[dict[str, Any], dict[str, str]]:
        """Values and sources by field name; a field nothing is known of is missing."""
        found: dict[str, Any] = {}
        for field in form.fields:
            if field.default_from is not None and field.default_from in WORDS:
                value = WORDS[field.default_from](self, session, case)
                if value not in (None, "", []):
                    found[field.name] = value
        by_name = {f.name: f.default_from or "" for f in form.fields}
        sources = {name: SOURCES[by_name[name].partition(".")[0]] for name in found}
        before = self._worklist.submissions(session, case.id, form.id) if form.id == REWRITTEN else []
        if before:  # it came back: what was written is corrected, not written again
            known = {f.name: v for f in form.fields if (v := before[-1].data.get(f.name)) not in (None, "", [])}
            found, sources = found | known, sources | dict.fromkeys(known, "")
        return found, sources

    def options(self, session: Session, task: OpenedTask, lang: str = "zh") -> dict[str, list[tuple[str, str]]]:
        """The choices of person, hospital and study fields as (value, label)."""
        return self._choices(session, self._cases.get(session, task.case.id), task.form, lang) if task.case else {}

    def offered(self, step: Submitting) -> None:
        """A hook of the worklist: who or what is named in a form has to be one of its choices."""
        if step.case is None:
            return
        choices = self._choices(step.session, step.case, step.form, "zh")
        wrong = {
            name: [NOT_OFFERED] for name, known in choices.items() if not set(step.named(name)) <= dict(known).keys()
        }
        if wrong:
            raise FormInvalid(wrong)

    def _choices(
        self, session: Session, case: ClinicalCase, form: FormDef, lang: str
    ) -> dict[str, list[tuple[str, str]]]:
        known = {"person": self._experts, "hospital": self._hospitals, "study_ref": self._studies}
        found = {f.name: known[f.type](session, case, lang) for f in form.fields if f.type in known}
        if SUBSTITUTE in found:
            found[SUBSTITUTE] = [one for one in found[SUBSTITUTE] if one[0] != str(case.expert)]
        return found

    # -- choices ------------------------------------------------------------------------------------------------------
    def _experts(self, session: Session, case: ClinicalCase, lang: str) -> list[tuple[str, str]]:
        asked = [case.to_hospital] if case.to_hospital else [h.id for h in self._partners(session, case)]
        found = {a.id: a for hospital in asked for a in self._people.holders(session, "expert", hospital)}
        titles = TITLES[lang if lang in TITLES else "zh"]
        name = spelled if lang == "en" else str
        return [
            (str(a.id), " ".join(w for w in (name(a.name), titles.get(a.title or "", "")) if w)) for a in found.values()
        ]

    def _hospitals(self, session: Session, case: ClinicalCase, lang: str) -> list[tuple[str, str]]:
        return [(str(h.id), h.name if lang == "zh" else h.name_en) for h in self._partners(session, case)]

    def _studies(self, session: Session, case: ClinicalCase, lang: str) -> list[tuple[str, str]]:
        return [(s.study_uid, words.label(s, lang)) for s in self._all_studies(session, case)]

    def _partners(self, session: Session, case: ClinicalCase) -> list[Any]:
        return list(directory.partners(session, case.from_hospital, case.kind, self._clock.now()))

    # -- words --------------------------------------------------------------------------------------------------------
    def _all_studies(self, session: Session, case: ClinicalCase) -> list[StudyFacts]:
        if case.registration_id is None:
            return []
        return self._imaging.studies(session, self._patients.registration(session, case.registration_id))

    def _chosen(self, session: Session, case: ClinicalCase) -> list[StudyFacts]:
        return self._imaging.of_case(session, case.id) or self._all_studies(session, case)[:1]

    def _of_study(self, session: Session, case: ClinicalCase, word: Callable[[StudyFacts], Any]) -> Any:
        chosen = self._chosen(session, case)
        return word(chosen[0]) if chosen else None

    def _of_order(self, session: Session, case: ClinicalCase, name: str) -> Any:
        if case.registration_id is None:
            return None
        record_id = self._patients.registration(session, case.registration_id).record_id
        return getattr(self._patients.newest_order(session, record_id), name, None)

    def _hub(self, session: Session, case: ClinicalCase) -> str | None:
        partners = self._partners(session, case)
        hubs = [h for h in partners if h.kind == "hub"] or partners
        return str(hubs[0].id) if len(hubs) == 1 else None

    def _minutes(self, session: Session, case: ClinicalCase) -> Any:
        chosen = self._worklist.submissions(session, case.id, "triage")
        if chosen and chosen[-1].data.get("minutes") is not None:
            return chosen[-1].data["minutes"]
        # the table's answer, as the model handed it to the ranking
        query = select(job.c.args).where(job.c.instance_id == case.instance_id, job.c.operation == "triage.rank")
        args = session.execute(query.order_by(job.c.created_at.desc()).limit(1)).scalar()
        return args.get("minutes") if args else None

    def _clinical(self, session: Session, case: ClinicalCase) -> str | None:
        applied = self._worklist.submissions(session, case.id, "apply")
        if not applied:
            return None
        said = applied[-1].data
        return "\n".join(str(said[n]) for n in ("complaint", "summary", "clinical_diagnosis") if said.get(n)) or None

    def _no_prior(self, session: Session, case: ClinicalCase) -> str | None:
        carried = {s.study_uid for s in self._chosen(session, case)}
        others = [s for s in self._all_studies(session, case) if s.study_uid not in carried]
        return None if others else NO_PRIOR


WORDS: Final[Mapping[str, Callable[[Prefill, Session, ClinicalCase], Any]]] = {
    "study.modality": lambda p, s, c: p._of_study(s, c, words.modality),
    "study.body_part": lambda p, s, c: p._of_study(s, c, words.body_part),
    "study.laterality": lambda p, s, c: p._of_study(s, c, words.laterality),
    "study.technique": lambda p, s, c: p._of_study(s, c, words.technique),
    "case.studies": lambda p, s, c: [x.study_uid for x in p._chosen(s, c)],
    "order.diagnosis": lambda p, s, c: p._of_order(s, c, "diagnosis"),
    "order.complaint": lambda p, s, c: p._of_order(s, c, "complaint"),
    "order.question": lambda p, s, c: p._of_order(s, c, "question"),
    "agreement.hub": Prefill._hub,
    "applicant.phone": lambda p, s, c: p._people.account(s, c.applicant).phone,
    "triage.minutes": Prefill._minutes,
    "application.clinical": Prefill._clinical,
    "report.no_prior": Prefill._no_prior,
}
"""What a field's `default_from` may say, and how the value is found."""
