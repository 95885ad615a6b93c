"""What templates may call: addresses of assets, words for scripts, the time left, small facts about this work place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Flask, current_app, g, request
from flask_babel import gettext
from markupsafe import Markup, escape

from tasks.files.service import LIMIT as LARGEST_FILE
from tasks.people.service import directory
from webui import check_words
from webui.assets import asset
from webui.context import context, services
from webui.event_words import actor_word, event_word, named, seen_word
from webui.headers import nonce, request_id
from webui.i18n import counted, duration, language
from webui.navigation import Item

SOON = timedelta(hours=1)
SOON_SHARE = 0.2


@dataclass(frozen=True)
class Left:
    """The time left as it is drawn: `kind` over, soon, ok, paused or none; `share` of the time left from 0 to 1."""

    kind: str
    text: str
    share: float = 0.0

    @property
    def arc(self) -> str:
        """The dash of the ring (r = 4.6, circumference 28.9)."""
        return f"{28.9 * self.share:.1f} 28.9"


def time_left(
    due: datetime | None, now: datetime | None = None, since: datetime | None = None, paused: str | None = None
) -> Left:
    """How much time is left until `due`; `since` is when the clock began, `paused` the reason why it stands."""
    if paused is not None:
        return Left("paused", gettext("已暂停，%(why)s", why=paused) if paused else gettext("已暂停"))
    if due is None:
        return Left("none", "")
    at = now or context().clock.now()
    rest = due - at
    minutes = int(abs(rest).total_seconds() // 60)
    if rest < timedelta(0):
        return Left("over", gettext("超时 %(t)s", t=duration(max(1, minutes))))
    whole = (due - since) if since and due > since else timedelta(hours=8)
    share = min(1.0, rest / whole)
    if rest <= SOON or (since is not None and share <= SOON_SHARE):
        return Left("soon", gettext("剩余 %(t)s", t=duration(minutes)), share)
    return Left("ok", duration(minutes), share)


def root_class() -> str:
    """The classes of <html>: theme, size and density of this work place."""
    kept = request.cookies
    names = (
        "dark" if kept.get("theme") == "dark" else "",
        "large" if kept.get("size") == "large" else "",
        kept.get("density", "") if kept.get("density") in ("comfortable", "compact") else "",
    )
    return " ".join(n for n in names if n)


def preference(name: str, default: str) -> str:
    """A choice of this work place."""
    return request.cookies.get(name, default)


def words() -> dict[str, str]:
    """The texts scripts need."""
    return {
        "copied": gettext("已复制"),
        "saved": gettext("草稿已保存 {time}"),
        "draft_elsewhere": gettext("另一个窗口改过这份草稿，请刷新"),
        "task_gone": gettext("没有保存：任务已收回或已提交，请刷新"),
        "logged_out": gettext("没有保存：登录已过期"),
        "not_saved": gettext("没有保存，将再试"),
        "open": gettext("打开"),
        "claimed": gettext("已领取"),
        "not_claimed": gettext("没有领取，可能他人已领取"),
        "undo": gettext("撤销"),
        "wrong_password": gettext("密码不对，请再输入一次。"),
        "uploading": gettext("已核对 {checked}，已上传 {done} / {all}"),
        "uploaded": gettext("已上传 {all} 个文件"),
        "uploaded_left": gettext("已上传 {all} 个文件，{left} 个没有上传"),
        "series": gettext("序列 {n}"),
        "application_says": gettext("申请 {value}"),
        "image_says": gettext("影像 {value}"),
        "still": gettext("还有 {n} 项需处理，提交时会跳到该项"),
        "still_wrong": gettext("还有 {n} 处要改正"),
        "invite": gettext("邀请{name}"),
        "invite_many": gettext("依次邀请 {n} 位"),
        "about": gettext("关于哪一项"),
        "remark": gettext("写给作者的意见"),
        "phrases": gettext("常用短语"),
        "more_phrases": gettext("更多短语"),
        "uploaded_none": gettext("一个文件也没有收下"),
        "file_large": gettext("{name}：文件太大，每个不超过 {mb} MB，没有加入"),
        "file_empty": gettext("{name}：空文件，没有加入"),
        "upload_empty": gettext("空文件，没有内容"),
        "upload_large": gettext("文件太大，每个不超过 {mb} MB，没有上传"),
        "upload_again": gettext("继续上传其余 {n} 个"),
        "upload_stopped": gettext("停在 {done} / {all}：{why}"),
        "upload_failed": gettext("服务器拒绝（{status}）"),
        "upload_broken": gettext("连接中断，请再试"),
    }


def pulse() -> str:
    """Where scripts ask for new tasks, when the person has an inbox."""
    has = any(rule.rule == "/inbox/pulse" for rule in current_app.url_map.iter_rules())
    return "/inbox/pulse" if has and g.get("actor") else ""


def appointments() -> list[tuple[str, list[str]]]:
    """The hospitals at which the person behind this request holds roles, with the words for these; his own first."""
    who = g.get("actor")
    if who is None:
        return []
    english = language() == "en"
    with services().db.read() as session:
        places = {h.id: h for h in directory.hospitals(session)}
    found: dict[UUID | None, list[str]] = {}
    for one in sorted(who.assignments, key=lambda a: (a.hospital_id != who.hospital_id, str(a.hospital_id))):
        found.setdefault(one.hospital_id, []).append(role_word(one.role))
    names = {i: (h.name_en if english else h.name) or h.name for i, h in places.items()}
    return [(str(names[place] if place else gettext("平台")), words) for place, words in found.items()]


def own_place(hospital_id: UUID | None) -> str:
    """The name of a hospital for who works at several: at which of them it is to be done. Nothing for anybody else."""
    who = g.get("actor")
    if who is None or hospital_id is None or len({a.hospital_id for a in who.assignments if a.hospital_id}) < 2:
        return ""
    if "own_places" not in g:
        with services().db.read() as session:
            g.own_places = {
                h.id: (h.name_en if language() == "en" else h.name) or h.name for h in directory.hospitals(session)
            }
    return str(g.own_places.get(hospital_id, ""))


def role_word(role: str) -> str:
    """The word for a role."""
    words = {
        "applicant": gettext("申请医生"), "technician": gettext("技师"), "approver": gettext("医务审批"), "preqc": gettext("前质控"),
        "triage": gettext("分诊"), "expert": gettext("会诊专家"), "reviewer": gettext("审核"), "scorer": gettext("后质控"),
        "coordinator": gettext("协调"), "publisher": gettext("流程发布"), "auditor": gettext("审计"), "node_admin": gettext("节点管理"),
        "platform_admin": gettext("平台管理"), "teacher": gettext("教师"), "learner": gettext("学员"),
    }  # fmt: skip
    return str(words.get(role, role))


def person_line() -> list[str]:
    """Hospital or department and title of the person behind this request, in the reader's language."""
    who = g.get("actor")
    if who is None:
        return []
    with services().db.read() as session:
        account = services().people.account(session, who.account_id)
        home = services().people.hospital(session, who.hospital_id)
        department = services().people.department(session, account.department_id)
    english = language() == "en"
    place = (department.name_en or "") if department and english else department.name if department else ""
    several = len({a.hospital_id for a in who.assignments if a.hospital_id})
    where = counted("%(n)s 家医院", n=several) if several > 1 else place or (home.name_en if english else home.name)
    return [w for w in (where, title_word(account.title)) if w]


def title_word(title: str | None) -> str:
    """The word for a doctor's title."""
    words = {
        "resident": gettext("住院医师"), "attending": gettext("主治医师"), "associate": gettext("副主任医师"), "chief": gettext("主任医师"),
    }  # fmt: skip
    return str(words.get(title or "", ""))


def waiting() -> int:
    """How many tasks wait for the person behind this request."""
    who = g.get("actor")
    if who is None or not hasattr(services(), "worklist"):
        return 0
    with services().db.read() as session:
        return int(services().worklist.counts(session, who)["all"])


def initial(name: str) -> str:
    """The family name's first character for an avatar."""
    return name.strip()[:1]


def marked(text: str, other: str) -> Markup:
    """A value with what differs from the other one marked: the middle between their common beginning and end."""
    start = 0
    while start < min(len(text), len(other)) and text[start] == other[start]:
        start += 1
    end = 0
    while end < min(len(text), len(other)) - start and text[-1 - end] == other[-1 - end]:
        end += 1
    middle = text[start : len(text) - end]
    if not middle:
        return escape(text)
    return escape(text[:start]) + Markup("<mark>%s</mark>") % middle + escape(text[len(text) - end :])


def dicom_day(text: str | None) -> str:
    """20261124 as 2026-11-24; anything else as it is."""
    return f"{text[:4]}-{text[4:6]}-{text[6:]}" if text and len(text) == 8 and text.isdigit() else text or ""


def said(text: str) -> str:
    """A compared value as people write it: a date with dashes, a code as a word."""
    return check_words.value(dicom_day(text))


def register(app: Flask, navigation: Callable[[], list[Item]]) -> None:
    """Make all of it known to templates."""
    globals_: dict[str, Any] = {
        "asset": asset,
        "nav": navigation,
        "language": language,
        "nonce": nonce,
        "request_id": request_id,
        "time_left": time_left,
        "root_class": root_class,
        "preference": preference,
        "words": words,
        "pulse": pulse,
        "marked": marked,
        "appointments": appointments,
        "person_line": person_line,
        "own_place": own_place,
        "waiting": waiting,
        "largest_file": lambda: LARGEST_FILE,
        "now": lambda: context().clock.now(),
    }
    app.jinja_env.globals.update(globals_)
    app.jinja_env.filters.update(
        {
            "initial": initial,
            "file_name": lambda one, names: names.get(str(one), str(one)),
            "dicom_day": dicom_day,
            "said": said,
            "source_word": check_words.source,
            "event_word": event_word,
            "actor_word": actor_word,
            "named": named,
            "title_word": title_word,
            "seen_word": seen_word,
        }
    )
