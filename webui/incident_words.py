"""What an incident is called, and what may be done about it."""

from __future__ import annotations

from typing import Final

from flask_babel import gettext

KINDS: Final[dict[str, str]] = {
    "unknown_outcome": "不知道是否已经发出",
    "job": "系统任务没有成功",
    "error_uncaught": "出错，流程里没有安排怎么办",
    "expression": "条件或表达式没有结果",
    "decision": "决策表没有结果",
    "assignment": "任务没有人能接",
    "step_limit": "流程空转，已停住",
    "instance": "病例走不下去",
    "image": "有影像解不出来",
}
HELP: Final[dict[str, str]] = {
    "unknown_outcome": "请先问收件人是否收到，再选择。没有人回答之前，系统不会再发。",
    "job": "请先排除原因（对方系统、线路、设置），再重试。",
    "error_uncaught": "请先排除原因，再重试。",
    "expression": "请核对上面的取值；改正后从这一步继续。",
    "decision": "请核对上面的取值；改正后从这一步继续。",
    "assignment": "请改成现有的角色、医院或在岗人员的编号；若只是账号停用，先启用账号或安排代班，再按原值重试。",
    "step_limit": "请联系建模者；流程改好之前，重试没有用。",
    "image": "该影像已隔离，不会显示；病例照常进行。请让申请医院从设备重新导出发送，或在报告中说明缺少这一幅。",
    "instance": "多半是程序或流程版本不对；装回正确的版本后重试。",
}
ACTS: Final[dict[str, str]] = {
    "again": "没有成功：再做一次",
    "sent": "已经发出：继续往下走",
    "change": "改正取值后继续",
    "seen": "已处理",
}
ASIDE: Final[dict[str, str]] = {
    "other_bytes": "同一编号，内容不同",
    "undecodable": "像素解不出来",
    "blob_missing": "存储里找不到",
    "blob_damaged": "存储里的内容已损坏",
}


def aside_word(reason: str) -> str:
    """Why an object is quarantined."""
    return str(gettext(ASIDE[reason])) if reason in ASIDE else reason


def kind_word(kind: str) -> str:
    """What happened, in the reader's language."""
    return str(gettext(KINDS[kind])) if kind in KINDS else kind


def help_word(kind: str) -> str:
    """What to look at before deciding."""
    return str(gettext(HELP[kind])) if kind in HELP else ""


def act_word(act: str) -> str:
    """What a person may decide."""
    return str(gettext(ACTS[act]))
