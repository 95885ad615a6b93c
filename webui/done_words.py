"""What a person is told after handing in a form: a sentence about what has happened, not the name of the step."""

from __future__ import annotations

from typing import Final

from flask_babel import gettext

DONE: Final[dict[str, str]] = {
    "apply": "申请已提交",
    "approve": "审批意见已提交",
    "supplement": "补充资料已提交",
    "identity": "身份核对结果已提交",
    "pre_qc": "前质控结论已提交",
    "triage": "已发出邀请",
    "offer_reply": "已答复邀请",
    "dispatch": "已派单",
    "schedule": "会诊室已预订",
    "attend": "会诊已开始",
    "hold": "会诊已结束",
    "no_show": "缺席处理已提交",
    "report": "报告已提交审核",
    "review": "审核意见已提交",
    "sign": "报告已签发",
    "score": "评分已提交",
    "arbitrate": "裁定已提交",
    "consent": "知情同意结果已提交",
}


def handed_in(form: str | None, step: str, *, back: bool = False) -> str:
    """The sentence for a form; with the name of the step for a form of somebody's own model. `back`: it went back to pre-QC."""
    if back:
        return str(gettext("已退回前质控"))
    return str(gettext(DONE[form])) if form in DONE else str(gettext("已提交：%(step)s", step=step))
