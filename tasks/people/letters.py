"""A person's name in Latin letters, family name first, as it stands in a passport. Pure."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from pypinyin import lazy_pinyin

HANZI: Final = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]{2,6}")
TWO: Final = frozenset(
    [
        "欧阳",
        "司马",
        "上官",
        "诸葛",
        "东方",
        "皇甫",
        "尉迟",
        "公孙",
        "令狐",
        "慕容",
        "司徒",
        "夏侯",
        "端木",
        "独孤",
        "南宫",
        "长孙",
        "宇文",
        "轩辕",
        "闻人",
        "澹台",
        "公冶",
        "赫连",
        "呼延",
    ]
)
"""Family names of two characters."""
FAMILY: Final = {
    "单": "shan", "解": "xie", "曾": "zeng", "仇": "qiu", "任": "ren", "查": "zha", "区": "ou", "翟": "zhai", "盖": "ge", "朴": "piao",
    "乐": "yue", "缪": "miao", "尉迟": "yuchi", "令狐": "linghu", "覃": "qin", "隗": "wei", "繁": "po", "纪": "ji", "华": "hua", "冼": "xian",
    "种": "chong", "秘": "bi", "万": "wan", "员": "yun", "薄": "bo", "澹台": "tantai", "长孙": "zhangsun", "召": "shao",
}  # fmt: skip
"""Family names that are not read as the same characters elsewhere."""


@lru_cache(maxsize=4096)
def spelled(name: str) -> str:
    """林示范 as Lin Shifan; what is not two to six Chinese characters stays as it is."""
    bare = name.strip()
    if not HANZI.fullmatch(bare):
        return name
    long = 2 if len(bare) > 2 and bare[:2] in TWO else 1
    family, given = bare[:long], bare[long:]
    read = FAMILY.get(family) or "".join(lazy_pinyin(family, v_to_u=True))
    return f"{read.capitalize()} {''.join(lazy_pinyin(given, v_to_u=True)).capitalize()}"
