"""What compared values and their sources are called on pages."""

from __future__ import annotations

from typing import Final

from flask_babel import gettext

VALUES: Final[dict[str, str]] = {
    "M": "男", "F": "女", "L": "左", "R": "右", "B": "双侧", "N": "不分侧",
    "head": "头颅", "neck": "颈部", "chest": "胸部", "abdomen": "腹部", "pelvis": "盆腔", "spine": "脊柱", "joint": "关节", "bone": "骨骼",
    "heart": "心脏", "coronary": "冠状动脉", "aorta": "主动脉", "breast": "乳腺", "stomach": "胃", "colon": "结肠", "whole_body": "全身",
    "plain": "平扫", "enhanced": "增强", "arterial": "动脉期", "venous": "静脉期", "delayed": "延迟期",
    "ecg": "心电图", "pathology": "病理", "lab": "检验", "allergy": "过敏史", "pregnancy": "妊娠",
}  # fmt: skip
"""Codes of the application and of headers; what is not here is shown as it came."""
SOURCES: Final[dict[str, str]] = {
    "form": "申请表", "EMR": "病历", "index": "影像索引", "agreement": "协议登记", "cases": "病例登记",
}  # fmt: skip
LISTED = " / "


def value(text: str) -> str:
    """A value, or several of them, in the reader's language."""
    return LISTED.join(str(gettext(VALUES[one])) if one in VALUES else one for one in text.split(LISTED))


def source(code: str) -> str:
    """Where the second value comes from: a DICOM attribute or HL7 field as it is, anything else in words."""
    return str(gettext(SOURCES[code])) if code in SOURCES else code
