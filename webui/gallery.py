"""Invented values for the gallery of components, which is served in tests only."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from forms.formdef import load
from forms.view import view
from webui.i18n import language

_FIELDS: list[dict[str, Any]] = [
    {"name": "question", "type": "textarea", "label": {"zh": "会诊问题", "en": "Question"}, "required": True},
    {"name": "birth", "type": "date", "label": {"zh": "出生日期", "en": "Born"}, "readonly": True},
    {"name": "diagnosis", "type": "text", "label": {"zh": "临床诊断", "en": "Diagnosis"},
     "help": {"zh": "ICD-10，输入编码或名称", "en": "ICD-10, code or name"}},
    {"name": "minutes", "type": "int", "label": {"zh": "时长", "en": "Length"}, "min": 5, "max": 120, "unit": {"zh": "分", "en": "min"}},
    {"name": "start", "type": "datetime", "label": {"zh": "开始", "en": "Start"}},
    {"name": "urgency", "type": "choice", "label": {"zh": "紧急程度", "en": "Urgency"}, "required": True, "choices": [
        {"value": "E", "label": {"zh": "急", "en": "Emergency"}}, {"value": "U", "label": {"zh": "加", "en": "Urgent"}},
        {"value": "R", "label": {"zh": "常规", "en": "Routine"}}]},
    {"name": "why", "type": "text", "label": {"zh": "加急理由", "en": "Why urgent"}, "visible_if": {"field": "urgency", "eq": "E"}},
    {"name": "part", "type": "choice", "label": {"zh": "部位", "en": "Body part"}, "choices": [
        {"value": str(n), "label": {"zh": f"部位 {n}", "en": f"Part {n}"}} for n in range(6)]},
    {"name": "purpose", "type": "multichoice", "label": {"zh": "目的", "en": "Purpose"}, "required": True, "choices": [
        {"value": "a", "label": {"zh": "诊断", "en": "Diagnosis"}}, {"value": "b", "label": {"zh": "转诊", "en": "Referral"}}]},
    {"name": "consent", "type": "bool", "label": {"zh": "已取得知情同意", "en": "Consent was given"}, "must_be_true": True},
    {"name": "scan", "type": "attachment", "label": {"zh": "同意书", "en": "Consent form"}},
    {"name": "completeness", "type": "score", "label": {"zh": "描述完整性", "en": "Completeness"}, "min": 0, "max": 20, "step": 2},
]  # fmt: skip


def sample() -> dict[str, Any]:
    """What gallery.html draws."""
    title = {"zh": "示例", "en": "Sample"}
    raw = {"id": "sample", "version": 1, "title": title, "sections": [{"id": "all", "title": title, "fields": _FIELDS}]}
    now = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
    data = {"birth": "1959-03-08", "completeness": 12, "urgency": "U", "consent": False}
    errors = {
        "question": ["请写明希望专家回答的问题"], "purpose": ["请选择"], "urgency": ["请选择"], "consent": ["须先取得同意"],
    }  # fmt: skip
    form = view(load(orjson.dumps(raw)), data, errors, language(), sources={"birth": "HIS"})
    rows = [
        ("审核报告", "李样本", now - timedelta(minutes=12), "U", "CT", "腹部平扫，急腹症排除穿孔", "林示范"),
        (
            "会诊意见",
            "王示例",
            now + timedelta(minutes=24),
            "E",
            "CT",
            "头颅平扫，左侧颞枕叶低密度，是否梗死",
            "林示范",
        ),
        ("诊断报告", "孙试例", now + timedelta(minutes=130), "R", "MR", "颈椎平扫，双上肢麻木三月", None),
    ]
    return {"form": form, "at": now, "since": now - timedelta(hours=1), "rows": rows, "later": now + timedelta(hours=3)}
