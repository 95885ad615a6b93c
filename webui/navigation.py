"""The side bar: what a person's roles open, in the order of his first role; only pages that exist."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Item:
    """One entry: `label` is a message id, `short` the word on narrow screens, `key` the letter after g."""

    name: str
    path: str
    label: str
    short: str
    icon: str
    key: str = ""
    heading: str = ""


ITEMS: Final = {
    item.name: item
    for item in (
        Item("inbox", "/inbox", "待办", "待办", "inbox", "i"),
        Item("applications", "/applications", "会诊申请", "申请", "file-plus-2", "p"),
        Item("cases", "/cases", "病例", "病例", "folder-open", "c"),
        Item("images", "/images", "影像", "影像", "scan-line", "m"),
        Item("rooms", "/sessions", "会诊室", "会诊室", "video", "s"),
        Item("monitor", "/monitor", "运行监控", "监控", "activity", "o"),
        Item("messages", "/messages", "消息中心", "消息", "arrow-left-right", "x"),
        Item("audit", "/audit", "审计", "审计", "shield-check", "a"),
    )
}

_DOCTOR = ("inbox", "applications", "cases", "images", "rooms")
BY_ROLE: Final[dict[str, tuple[str, ...]]] = {
    "applicant": _DOCTOR,
    "expert": ("inbox", "cases", "images", "rooms"),
    "reviewer": ("inbox", "cases", "images", "rooms"),
    "scorer": ("inbox", "cases", "images"),
    "preqc": ("inbox", "cases", "images"),
    "triage": ("inbox", "cases", "images"),
    "approver": ("inbox", "cases", "rooms"),
    "technician": ("inbox", "cases", "images", "rooms"),
    "coordinator": ("monitor", "inbox", "cases", "rooms", "messages"),
    "auditor": ("audit",),
    "node_admin": ("messages",),
    "platform_admin": ("monitor", "messages"),
}
_ORDER = tuple(BY_ROLE)


def items(roles: Collection[str], paths: Collection[str]) -> list[Item]:
    """The entries for these roles whose address is among the existing ones; several roles: their union,
    a doctor's entries first."""
    names: dict[str, None] = {}
    for role in _ORDER:
        if role in roles:
            names |= dict.fromkeys(BY_ROLE[role])
    return [ITEMS[name] for name in names if ITEMS[name].path in paths]


def landing(found: Iterable[Item]) -> str:
    """Where a person arrives after logging in: the first entry, or the start page when nothing is open to him."""
    first = next(iter(found), None)
    return first.path if first else "/"
