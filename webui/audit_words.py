"""What an entry of the record is called for an auditor: what was done, why it might be done, and from where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from flask_babel import gettext

from tasks.cases.ledger import Line
from webui.drawing import role_word
from webui.event_words import actor_word, event_word, named
from webui.i18n import language

LOOKED: Final[dict[str, str]] = {
    "case": "看病例", "record": "看病例", "task": "看任务", "preview": "看预览", "images": "看影像", "report": "看报告", "file": "看文件", "room": "看会诊室",
}  # fmt: skip
PAGES: Final[dict[str, str]] = {
    "audit": "审计",
    "monitor": "运行监控",
    "incidents": "运行监控",
    "messages": "消息中心",
    "alliance_api": "联盟设置",
}
PARTS: Final[dict[str, str]] = {
    "applicant": "申请医生", "expert": "应诊专家", "author": "报告作者", "reviewer": "审核", "scorer": "后质控评分", "approver": "医务审批",
    "preqc": "前质控", "triage": "分诊", "owner": "申请医生", "coordinator": "协调",
}  # fmt: skip
REASONS: Final[dict[str, str]] = {
    "complaint": "投诉核查",
    "incident": "不良事件",
    "authority": "主管部门调取",
    "rescue": "抢救",
}
GROUPS: Final[dict[str, str]] = {
    "looked": "查看", "refused": "被拒绝", "emergency": "紧急授权", "exported": "查询与导出", "login": "登录", "acted": "操作",
}  # fmt: skip


def what(line: Line) -> str:
    """What somebody looked at or did, in the reader's language."""
    data = line.data
    if line.kind == "view":
        return str(gettext(LOOKED[data["what"]])) if data.get("what") in LOOKED else event_word(line.kind)
    if line.kind == "access.refused":
        page = PAGES.get(str(data.get("where", "")).partition(".")[0], "")
        where = gettext("病例") if "case" in data else gettext(page) if page else data.get("where", "")
        return str(gettext("打开%(what)s，被拒绝", what=where))
    if line.kind == "task.submitted":
        return str(gettext("提交%(what)s", what=node(line) or gettext("任务")))
    if line.kind in ("login_failed", "reauth_failed") and data.get("placed", 1) > 1:
        return str(gettext("%(what)s，本小时第 %(n)s 次", what=event_word(line.kind), n=data["placed"]))
    if line.kind == "record.exported":
        return str(gettext("导出审计记录 %(n)s 条", n=data.get("rows", 0)))
    step = node(line)
    return f"{event_word(line.kind)} {step}" if step and line.kind != "step" else step or event_word(line.kind)


def node(line: Line) -> str:
    """The name of the step, in the reader's language."""
    return line.node[1] if language() == "en" else line.node[0]


def why(line: Line) -> str:
    """The rule that let him, or kept him from it; empty where nothing needed one."""
    data = line.data
    if line.kind == "access.refused":
        return str(gettext("无授权，不在参与者中") if "case" in data else gettext("角色无此权限"))
    if line.kind == "login_failed":
        return str(gettext("密码不对") if line.actor else gettext("没有这个工号"))
    if line.kind == "break_glass" or data.get("by") == "glass":
        reason = REASONS.get(str(data.get("reason")), "")
        return str(gettext("紧急授权，%(why)s", why=gettext(reason)) if reason else gettext("紧急授权"))
    if line.kind == "task.submitted":
        return _part(str(data.get("role", "")))
    return _by(data)


def _by(data: Mapping[str, Any]) -> str:
    by, role = data.get("by"), role_word(str(data.get("role", "")))
    if by in ("own", "part") and (data.get("part") or data.get("task")):
        return _part(str(data.get("part") or data["task"]))
    words = {
        "from": gettext("申请医院，%(role)s", role=role), "to": gettext("受邀医院，%(role)s", role=role),
        "party": gettext("参与医院，%(role)s", role=role), "home": gettext("本院，%(role)s", role=role), "ever": gettext("审计员"),
    }  # fmt: skip
    return str(words.get(str(by), role if by else ""))


def _part(code: str) -> str:
    return str(gettext(PARTS[code])) if code in PARTS else role_word(code)


def who(line: Line) -> str:
    """A person's name, or the word for what acts by itself."""
    return named(line.name) or actor_word(line.by)


def source(line: Line) -> str:
    """Where it came from, as far as it is known: the address of the work place."""
    return str(line.data.get("address", "")) or (line.by.partition(":")[2] if line.actor is None else "")


@dataclass
class Share:
    """What one person had to do with a patient: how often what, from when to when, and why he might."""

    actor: UUID
    name: str
    hospital: UUID | None
    title: str | None
    first: datetime
    last: datetime
    times: int = 0
    did: Counter[str] = field(default_factory=Counter)
    reasons: dict[str, None] = field(default_factory=dict)
    refused: int = 0
    emergency: int = 0

    @property
    def basis(self) -> list[str]:
        """Why he might, each reason once: one that says more stands for the one it contains."""
        return [r for r in self.reasons if not any(r != other and r in other for other in self.reasons)]

    @property
    def words(self) -> list[str]:
        """What he did, the most frequent first, each with its number where it is more than one."""
        return [f"{word} {n}" if n > 1 else word for word, n in self.did.most_common()]


def shares(lines: Sequence[Line]) -> list[Share]:
    """The people among these entries (oldest first), who did most first."""
    found: dict[UUID, Share] = {}
    for line in lines:
        if line.actor is None:
            continue
        one = found.setdefault(line.actor, Share(line.actor, who(line), line.hospital, line.title, line.at, line.at))
        one.last, one.times = line.at, one.times + 1
        one.did[what(line)] += 1
        if word := why(line):
            one.reasons[word] = None
        one.refused += line.kind == "access.refused"
        one.emergency += line.kind == "break_glass"
    return sorted(found.values(), key=lambda one: (-one.times, one.name))
