"""What history entries are called on pages: kinds of events, and actors who are not people."""

from __future__ import annotations

from typing import Final

from flask_babel import gettext

from tasks.people.letters import spelled
from webui.i18n import language

EVENTS: Final[dict[str, str]] = {
    "instance.started": "流程开始",
    "instance.completed": "流程结束",
    "instance.cancelled": "流程终止",
    "step": "经过一步",
    "decided": "按规则判定",
    "task.claimed": "领取",
    "task.unclaimed": "放回",
    "task.reassigned": "改派",
    "task.reminded": "催办",
    "task.submitted": "提交",
    "task.completed": "完成任务",
    "task.cut": "任务收回",
    "job.done": "系统完成",
    "job.failed": "系统未成功",
    "job.error": "系统报错",
    "job.late": "迟到的结果",
    "message.caught": "收到消息",
    "message.published": "发出消息",
    "message.expired": "无人等候的消息",
    "incident.opened": "停在一处",
    "incident.resolved": "已处理",
    "case.stop": "终止病例",
    "case.rebooked": "已改约",
    "chain.checked": "校验记录",
    "view": "查看",
    "access.refused": "被拒绝",
    "record.searched": "查询审计记录",
    "record.exported": "导出审计记录",
    "break_glass": "紧急授权",
    "break_glass.reviewed": "复核紧急授权",
    "login": "登录",
    "logout": "退出",
    "login_failed": "登录失败",
    "reauth_failed": "再次验证失败",
    "definition.released": "发布流程",
    "message_in": "处理来信",
    "message_repeat": "重新处理来信",
    "message.seen": "消息标为已处理",
    "order.received": "收到医嘱",
    "preqc.overridden": "放行未通过项",
    "preqc.accepted": "接受提示",
    "consent.added": "补签知情同意",
    "consent.refused": "无法取得同意",
    "consent.overdue": "知情同意逾期",
    "dicom.quarantined": "影像隔离",
    "dicom.refused": "影像拒收",
    "file.added": "加入文件",
    "file.opened": "打开文件",
    "file.withdrawn": "撤下文件",
    "file.swept": "清除未提交的文件",
    "patient.new": "登记患者",
    "patient.auto": "自动归并患者",
    "patient.flag": "标记疑似重复",
    "patient.manual": "归并患者",
    "patient.unlink": "拆分患者",
    "patient.clear": "解除疑似重复",
    "hospital_created": "新增医院",
    "account_created": "新增人员",
    "account_active": "启用或停用",
    "password_set": "重设密码",
    "role_given": "授予角色",
    "role_taken": "收回角色",
    "agreement_made": "签订协议",
    "shift_added": "排班",
    "substitution_made": "安排代理",
}
SEEN: Final[dict[str, str]] = {
    "case": "病例",
    "record": "病例",
    "task": "任务",
    "images": "影像",
    "report": "报告",
    "file": "文件",
}
OTHER: Final = "其他记录"
ACTORS: Final[dict[str, str]] = {
    "hidden": "已隐去",
    "unknown": "不明人员",
    "worker": "系统",
    "clock": "定时",
    "message": "流程消息",
    "mllp": "HL7 接口",
    "dicom": "DICOM 接口",
    "upload": "上传",
    "command line": "命令行",
    "lianyi migrate": "升级",
}


def event_word(kind: str) -> str:
    """The word for a kind of entry; a plain one for what an older version wrote and nobody names any more."""
    return str(gettext(EVENTS.get(kind, OTHER)))


def seen_word(what: str) -> str:
    """The word for what somebody looked at."""
    return str(gettext(SEEN[what])) if what in SEEN else ""


def named(name: str) -> str:
    """A colleague's name as its reader reads it: in Latin letters on English pages. Patients keep the name they are registered by."""
    return spelled(name) if name and language() == "en" else name


def actor_word(actor: str) -> str:
    """A person's name; the word for what acts by itself, named before a colon."""
    name = actor.partition(":")[0]
    return str(gettext(ACTORS[name])) if name in ACTORS else named(actor)
