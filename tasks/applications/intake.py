"""What is checked, and written to the case, before an application or a supplement is stored; and the states forms lead to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from engine.errors import NotFound
from engine.history import record
from tasks.cases.service import Cases, ClinicalCase
from tasks.files.service import Files
from tasks.imaging.service import Imaging
from tasks.people.service import directory
from tasks.worklist.service import FormInvalid, Submitting

NO_AGREEMENT = "与该医院没有有效的会诊协议。"
NO_CONSENT = "没有知情同意不能提交；急诊可先提交，24 小时内补签。"
OTHER_PATIENT = "所选影像不属于该患者。"
OTHER_FILE = "附件不属于本申请。"


class Intake:
    """Hooks of the worklist."""

    def __init__(self, cases: Cases, imaging: Imaging, files: Files) -> None:
        self._cases, self._imaging, self._files = cases, imaging, files

    def apply(self, step: Submitting) -> None:
        """An application: agreement, consent, own studies and files; then the case knows what was applied for."""
        case, data, session = step.case, step.data, step.session
        if case is None:
            raise NotFound("case")
        hospital = UUID(str(data["to_hospital"]))
        if directory.agreement(session, case.from_hospital, hospital, case.kind, step.now) is None:
            raise FormInvalid({"to_hospital": [NO_AGREEMENT]})
        if data.get("consent") is not True and data.get("urgency") != "E":
            raise FormInvalid({"consent": [NO_CONSENT]})
        self._own_files(session, case, {name: step.named(name) for name in ("consent_file", "attachments")})
        studies = step.named("studies")
        self._carry(step, case, studies)
        self._imaging.drop(session, case.id, studies)
        case.urgency, case.modality, case.body_part = data["urgency"], data["modality"], data["body_part"]
        case.tag, case.specialty, case.consent = data["tag"], data["specialty"], bool(data.get("consent"))
        self._cases.invite(session, case, hospital)

    def supplement(self, step: Submitting) -> None:
        """Added studies and files must be this patient's and this case's."""
        if step.case is None:
            raise NotFound("case")
        self._own_files(step.session, step.case, {"files": step.named("files")})
        self._carry(step, step.case, step.named("studies"))

    def consent(self, step: Submitting) -> None:
        """A consent that follows an emergency: the file is this case's, the case knows, and history says which it was."""
        if step.case is None:
            raise NotFound("case")
        obtained = step.data.get("obtained") is True
        self._own_files(step.session, step.case, {"consent_file": step.named("consent_file")})
        step.case.consent = obtained
        record(
            step.session, tenant=step.case.tenant, kind="consent.added" if obtained else "consent.refused", actor=step.actor.id,
            at=step.now, instance_id=step.case.instance_id, task_id=step.task.task_id, node=step.task.node, data={},
        )  # fmt: skip

    def move(self, step: Submitting) -> None:
        """The state a handed-in form leads to."""
        state = state_after(step.form.id, step.data)
        if state is not None and step.case is not None:
            self._cases.set_state(step.session, step.case.id, state)

    def _carry(self, step: Submitting, case: ClinicalCase, studies: list[str]) -> None:
        try:
            self._imaging.carry(step.session, case, studies, actor=step.actor.id)
        except NotFound:
            raise FormInvalid({"studies": [OTHER_PATIENT]}) from None

    def _own_files(self, session: Session, case: ClinicalCase, named: Mapping[str, list[str]]) -> None:
        if not any(named.values()):
            return
        known = {str(f.id) for kind in ("consent", "attachment") for f in self._files.of_case(session, case.id, kind)}
        wrong = {field: [OTHER_FILE] for field, ids in named.items() if not set(ids) <= known}
        if wrong:
            raise FormInvalid(wrong)


_AFTER: Final[Mapping[str, str]] = {"apply": "submitted", "supplement": "preqc"}
_BY_DECISION: Final[Mapping[tuple[str, str], str]] = {
    ("approve", "approve"): "preqc",
    ("pre_qc", "supplement"): "supplement",
}
"""States that begin with a form of the applying side or of pre-QC; the later ones are set where their work is done."""
FORMS: Final = frozenset(_AFTER) | {form for form, _ in _BY_DECISION}


def state_after(form: str, data: Mapping[str, Any]) -> str | None:
    """The state of the case after this form with these values; None: it stays."""
    return _BY_DECISION.get((form, str(data.get("decision"))), _AFTER.get(form))
