"""The words of short messages and notices. A short message names the case by its number only: never a patient, never a finding."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

LONGEST = {"zh": 70, "en": 160}
"""Characters of one short message: UCS-2 for Chinese, GSM 7-bit for English."""

SMS: Mapping[str, tuple[str, str]] = {
    "offer": (
        "【联医】{urgency}会诊{ref}待您确认，请于{due}前回复1应诊/2谢绝",
        "[Lianyi] {urgency} consult {ref}: reply 1 accept/2 decline by {due}",
    ),
    "offer_reminder": (
        "【联医】会诊{ref}仍待您确认，请于{due}前回复1应诊/2谢绝",
        "[Lianyi] Consult {ref} still waits: reply 1/2 by {due}",
    ),
    "scheduled": (
        "【联医】会诊{ref}已排期，请登录查看时间与会诊室",
        "[Lianyi] Consult {ref} is scheduled, log in for time and room",
    ),
    "rescheduled": (
        "【联医】会诊{ref}已改约，请登录查看新的时间",
        "[Lianyi] Consult {ref} has moved, log in for the new time",
    ),
    "reminder": ("【联医】会诊{ref}即将开始，请提前入会", "[Lianyi] Consult {ref} begins soon, please join"),
    "consent_due": (
        "【联医】{ref}的知情同意书尚未补签，请登录上传",
        "[Lianyi] The consent form of {ref} is still missing, please log in and add it",
    ),
    "published": ("【联医】{ref}结果已发布，请登录查看", "[Lianyi] The result of {ref} is published, please log in"),
    "reply_accepted": ("【联医】已记录您应诊{ref}，谢谢", "[Lianyi] You accepted {ref}, thank you"),
    "reply_declined": ("【联医】已记录您谢绝{ref}，谢谢", "[Lianyi] You declined {ref}, thank you"),
    "reply_late": ("【联医】该邀请已结束，您的回复未生效", "[Lianyi] That offer has ended, your reply changed nothing"),
    "reply_ambiguous": (
        "【联医】您有多个待确认邀请，请登录逐一答复",
        "[Lianyi] Several offers wait, please answer them on the page",
    ),
    "reply_unclear": (
        "【联医】未能识别，请回复1应诊或2谢绝",
        "[Lianyi] Not understood, reply 1 to accept or 2 to decline",
    ),
}
NOTICES: Mapping[str, tuple[str, str]] = {
    "scheduled": ("会诊 {ref} 已排期", "Consultation {ref} is scheduled"),
    "rescheduled": ("会诊 {ref} 已改约，请查看新的时间", "Consultation {ref} has moved, see the new time"),
    "reminder": ("会诊 {ref} 即将开始", "Consultation {ref} begins soon"),
    "consent_due": ("{ref} 的知情同意书尚未补签", "The consent form of {ref} is still missing"),
    "published": ("{ref} 的结果已发布", "The result of {ref} is published"),
    "glass": ("有人以紧急授权查看 {ref}，已记录", "Somebody opened {ref} by emergency access; it is recorded"),
    "remind": ("会诊 {ref} 有任务等您处理，协调员催办", "Consultation {ref} waits for you, the coordinator asks"),
    "not_acknowledged": ("{ref} 的结果对方尚未确认", "The result of {ref} is not acknowledged yet"),
}
URGENCY: Mapping[str, tuple[str, str]] = {"E": ("急", "Urgent"), "U": ("加急", "Expedited"), "R": ("", "Routine")}


def sms(
    template: str,
    *,
    ref: str,
    urgency: str = "R",
    due: datetime | None = None,
    zone: str = "Asia/Shanghai",
    lang: str = "zh",
) -> str:
    """The text of a short message; KeyError for an unknown template."""
    words = SMS[template][lang == "en"]
    when = due.astimezone(ZoneInfo(zone)).strftime("%m-%d %H:%M") if due else ""
    return words.format(ref=ref, urgency=URGENCY.get(urgency, URGENCY["R"])[lang == "en"], due=when)


def notice(template: str, ref: str, lang: str = "zh") -> str:
    """The text of a notice."""
    return NOTICES[template][lang == "en"].format(ref=ref)


def meaning(text: str) -> bool | None:
    """Does a reply accept (True), decline (False), or mean nothing we know?"""
    word = text.strip().strip("。.!！").lower()
    if word in ("1", "１", "应诊", "接受", "同意", "y", "yes", "accept"):
        return True
    return False if word in ("2", "２", "谢绝", "拒绝", "n", "no", "decline") else None
