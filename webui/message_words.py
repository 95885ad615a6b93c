"""What states and problems of messages, and notices to people, are called on pages."""

from __future__ import annotations

from typing import Final

from flask_babel import gettext

from webui.error_texts import PROBLEMS

STATES: Final[dict[str, str]] = {
    "pending": "待处理",
    "done": "处理完成",
    "failed": "未成功",
    "quarantined": "已隔离",
    "ignored": "不需处理",
    "sending": "发送中",
    "queued": "服务商已收下",
    "accepted": "服务商已收下",
    "sent": "已发出",
    "delivered": "已送达",
    "undelivered": "没有送达",
    "refused": "服务商不发",
    "unknown": "结果不明",
    "kept": "已存入发件箱，不外发",
    "accepted_offer": "已应诊",
    "declined": "已谢绝",
    "late": "邀请已结束，未生效",
    "ambiguous": "有多个邀请，未生效",
    "unknown_sender": "号码不认识",
    "not_understood": "没有看懂",
}


TYPES: Final[dict[str, str]] = {
    "ORU": "会诊报告", "ADT^A40": "患者合并", "ADT": "患者信息", "ORM": "检查申请", "OMI": "检查申请", "OMG": "检查申请", "ACK": "应答",
}  # fmt: skip
OFFERED: Final = "accepted"
"""What a reply did; of a message that went out the same word says that the provider took it."""
NEXT: Final[dict[str, str]] = {
    "AE": "对方没有接受内容。请按对方的说明改正（多半在对方的字典或设置里），再重发。",
    "AR": "对方拒绝了整份报文。请核对对方线路的应用名与版本，再重发。",
    "unknown": "不知道对方是否收到。系统不会自动再发；请先问收件人，再到停住的病例里选择。",
    "failed": "没有送达。排除原因后重发；同一控制号，对方不会收到两份。",
    "refused": "服务商不发这条短信。请核对电话号码，并改用电话通知。",
    "undelivered": "短信没有送达手机。请改用电话通知。",
    "quarantined": "内容与已收下的不一致，已隔离，不会使用。请联系发送方核对后，写明处理结果。",
}


def type_word(type_: str) -> str:
    """What a message is about, by its type."""
    word = TYPES.get(type_) or TYPES.get(type_.partition("^")[0], "")
    return str(gettext(word)) if word else type_


def next_word(state: str, code: str) -> str:
    """What to do about a message in trouble."""
    word = NEXT.get(code if state == "failed" else "") or NEXT.get(state, "")
    return str(gettext(word)) if word else ""


def state_word(state: str) -> str:
    """The word for a state; the state itself when it has none."""
    return str(gettext(STATES[state])) if state in STATES else state


def problem_word(problem: str | None, lang: str) -> str:
    """A problem in the reader's language, as far as it is a known one."""
    return PROBLEMS.get(problem or "", problem or "") if lang == "zh" else problem or ""
