"""The invented alliance of the demo: one hub, two primary hospitals, their people, agreements, rota and lines."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

PASSWORD = "lianyi-demo-2026"
HUB, APPLYING, OTHER = "SF", "QH", "YL"

PEOPLE: list[tuple[str, str, str, str, str, list[str], list[str]]] = [
    # login, name, hospital, title, department, roles, specialties
    ("he", "何演示", APPLYING, "attending", "神经内科", ["applicant", "technician"], []),
    ("gao", "高审批", APPLYING, "chief", "医务科", ["approver"], []),
    ("feng", "冯例一", OTHER, "attending", "放射科", ["applicant", "technician"], []),
    ("tang", "唐审批", OTHER, "chief", "医务科", ["approver"], []),
    ("chen", "陈前检", HUB, "attending", "远程中心", ["preqc"], []),
    ("shen", "沈样例", HUB, "associate", "远程中心", ["triage"], []),
    ("lin", "林示范", HUB, "chief", "神经影像", ["expert"], ["neuro", "general"]),
    ("zhou", "周备选", HUB, "associate", "神经影像", ["expert"], ["neuro"]),
    ("qian", "钱胸科", HUB, "associate", "胸部影像", ["expert"], ["chest", "general"]),
    ("wu", "吴协调", HUB, "attending", "远程中心", ["coordinator"], []),
    ("sun", "孙审核", HUB, "chief", "神经影像", ["reviewer"], ["neuro"]),
    ("zheng", "郑评分", HUB, "chief", "质控办", ["scorer"], []),
    ("wang", "王质控", HUB, "chief", "质控办", ["approver"], []),
    ("jin", "金审计", HUB, "attending", "审计科", ["auditor"], []),
    ("bai", "白复评", HUB, "chief", "质控办", ["scorer"], []),
    ("admin", "管理员", HUB, "attending", "信息科", ["platform_admin"], []),
    ("xu", "许审计", APPLYING, "attending", "审计科", ["auditor"], []),
]


def phone(index: int) -> str:
    """An invented mobile number for the person at this place of the list."""
    return f"+861390000{index:04d}"


def describe(now: datetime, *, his_port: int, pacs_port: int) -> dict[str, Any]:
    """The whole alliance as one JSON document, as `POST /api/v1/alliance` takes it."""
    hospitals = [
        {"code": HUB, "name": "示范中心医院", "name_en": "Demo Central Hospital", "kind": "hub", "ae_title": "SF_PACS"},
        {
            "code": APPLYING,
            "name": "青禾县人民医院",
            "name_en": "Qinghe County Hospital",
            "kind": "primary",
            "ae_title": "QH_CT",
        },
        {
            "code": OTHER,
            "name": "云岭县中医院",
            "name_en": "Yunling County Hospital",
            "kind": "primary",
            "ae_title": "YL_CT",
        },
    ]
    accounts = [
        {
            "login": login, "name": name, "hospital": code, "title": title, "department": department, "roles": roles,
            "specialties": specialties, "phone": phone(i), "password": PASSWORD,
        }
        for i, (login, name, code, title, department, roles, specialties) in enumerate(PEOPLE, 1)
    ]  # fmt: skip
    agreements = [
        {
            "from": code, "to": HUB, "scopes": ["RC", "RR"], "valid_from": (now - timedelta(days=30)).isoformat(),
            "valid_to": (now + timedelta(days=335)).isoformat(),
        }
        for code in (APPLYING, OTHER)
    ]  # fmt: skip
    experts = [person[0] for person in PEOPLE if "expert" in person[5]]
    shifts = [
        {"login": login, "kind": "duty", "starts": now.isoformat(), "ends": (now + timedelta(days=14)).isoformat()}
        for login in experts
    ]
    endpoints = [
        {
            "hospital": APPLYING,
            "kind": "hl7",
            "name": "QH HIS",
            "host": "127.0.0.1",
            "port": his_port,
            "application": "QH_HIS",
        },
        {
            "hospital": APPLYING,
            "kind": "dicom",
            "name": "QH PACS",
            "host": "127.0.0.1",
            "port": pacs_port,
            "ae_title": "QH_PACS",
        },
    ]
    return {
        "hospitals": hospitals,
        "accounts": accounts,
        "agreements": agreements,
        "shifts": shifts,
        "endpoints": endpoints,
    }
