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
}


def state_word(state: str) -> str:
    """The word for a state; the state itself when it has none."""
    return str(gettext(STATES[state])) if state in STATES else state


def problem_word(problem: str | None, lang: str) -> str:
    """A problem in the reader's language, as far as it is a known one."""
    return PROBLEMS.get(problem or "", problem or "") if lang == "zh" else problem or ""
