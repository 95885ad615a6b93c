"""What a person may hand in at the forms of quality control: nothing is passed in silence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from engine.history import record
from engine.values import Json
from tasks.cases.service import Cases
from tasks.imaging.service import Imaging
from tasks.quality import found, scoring
from tasks.quality.errors import Blocked, MayNotOverride
from tasks.worklist.service import FormInvalid, Submitting, Worklist

UNREAD: Final = "有提示未确认：请逐项看过后勾选。"
NO_REASON: Final = "有未通过的核对项，放行须写明理由，至少 6 个字。"
REASON: Final = 6
STANDS: Final = "报告与自己的描述或与患者仍有矛盾，请退回修改；标出的提示写明要改什么。"
UNCITED: Final[dict[str, str]] = {
    "nothing": "有一项不高于 12 分：请引用报告原句或一幅关键图像。",
    "sentence": "引用的句子不在报告里，请照原文引用，一行一句。",
    "image": "没有这幅关键图像，请核对编号。",
}
NO_MORE_ROUNDS: Final = "已满两轮重修，不能再退回。"


@dataclass(frozen=True)
class Passed:
    """How the newest pre-QC was passed: by whom, when, which blocks were passed over and why, which warnings were accepted."""

    account_id: UUID
    at: datetime
    overridden: tuple[str, ...]
    accepted: tuple[str, ...]
    reason: str


class Gates:
    """Hooks of the worklist on the forms pre_qc, review, score and arbitrate."""

    def __init__(self, cases: Cases, imaging: Imaging, worklist: Worklist) -> None:
        self._cases, self._imaging, self._worklist = cases, imaging, worklist
        worklist.before_submit("pre_qc", self.pre_qc)
        worklist.before_submit("review", self.review)
        worklist.before_submit("score", self.score)
        worklist.before_submit("arbitrate", self.arbitrate)

    def pre_qc(self, step: Submitting) -> None:
        """Passing: no firm block stands, other blocks are passed over with role and reason, warnings are accepted one and all."""
        if step.case is None or step.data.get("decision") != "pass":
            return
        rows = found.checks(step.session, step.case.id)
        blocks = [c for c in rows if c.severity == "block"]
        firm = sorted({c.rule for c in blocks if not c.row["overridable"]})
        if firm:
            raise Blocked(", ".join(firm))
        wrong: dict[str, list[str]] = {}
        warned = sorted({c.rule for c in rows if c.severity == "warn"})
        if warned and step.data.get("accept_warnings") is not True:
            wrong["accept_warnings"] = [UNREAD]
        if blocks and len(str(step.data.get("override_reason") or "").strip()) < REASON:
            wrong["override_reason"] = [NO_REASON]
        if wrong:
            raise FormInvalid(wrong)
        if blocks and not self._cases.allowed(step.session, step.actor, step.case, "preqc", "override"):
            raise MayNotOverride(case=str(step.case.id))
        over = sorted({c.rule for c in blocks})
        if over or warned:
            data: dict[str, Json] = {"overridden": list[Json](over), "accepted": list[Json](warned)}
            self._note(step, "preqc.overridden" if over else "preqc.accepted", data)

    def passed(self, session: Session, case_id: UUID) -> Passed | None:
        """How the newest pre-QC was passed; None when it was not, or nothing had to be passed over or accepted."""
        handed_in = self._worklist.submissions(session, case_id, "pre_qc")
        if not handed_in or handed_in[-1].data.get("decision") != "pass":
            return None
        rows, form = found.checks(session, case_id), handed_in[-1]
        over, accepted = (
            tuple(sorted({c.rule for c in rows if c.severity == severity})) for severity in ("block", "warn")
        )
        reason = str(form.data.get("override_reason") or "").strip() if over else ""
        return Passed(form.account_id, form.submitted_at, over, accepted, reason) if over or accepted else None

    def review(self, step: Submitting) -> None:
        """Approving: no hint that blocks stands."""
        if step.case is None or step.data.get("verdict") != "approve":
            return
        if any(h.block for h in found.hints(step.session, self._worklist, step.case.id)):
            raise FormInvalid({"verdict": [STANDS]})

    def score(self, step: Submitting) -> None:
        """A low score shows a sentence of the report or an image."""
        if step.case is None:
            return
        drafts = self._worklist.submissions(step.session, step.case.id, "report")
        texts = [v for v in drafts[-1].data.values() if isinstance(v, str)] if drafts else []
        images = len(self._imaging.key_views_of(step.session, step.case.id))
        image = step.data.get("cited_image")
        wrong = scoring.uncited(step.data, str(step.data.get("citation") or ""), image, texts, images)
        if wrong is not None:
            raise FormInvalid({"cited_image" if wrong == "image" else "citation": [UNCITED[wrong]]})

    def arbitrate(self, step: Submitting) -> None:
        """Returning once more: only while rounds are left."""
        if step.case is None or step.data.get("decision") != "return":
            return
        if found.round_of(step.session, step.case.id) >= scoring.ROUNDS:
            raise FormInvalid({"decision": [NO_MORE_ROUNDS]})

    def _note(self, step: Submitting, kind: str, data: dict[str, Json]) -> None:
        record(
            step.session, tenant=step.case.tenant if step.case else step.actor.hospital_id, kind=kind, actor=step.actor.id, at=step.now,
            instance_id=step.task.instance_id, task_id=step.task.task_id, node=step.task.node, data=data,
        )  # fmt: skip
