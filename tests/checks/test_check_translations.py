"""Every Chinese text that a page can show has its English one, and every English one is used."""

from __future__ import annotations

import re
from pathlib import Path

from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parents[2]
CHINESE = re.compile(r"[\u4e00-\u9fff]")
IN_TEMPLATE = re.compile(r"""_\(\s*(["'])(.+?)\1""")
IN_CODE = re.compile(r'(?:gettext|counted)\(\s*"(.+?)"')
CONSTANT = re.compile(r'"([^"\n]*[\u4e00-\u9fff][^"\n]*)"')


def _used() -> set[str]:
    found: set[str] = set()
    for path in (ROOT / "webui" / "templates").rglob("*.html"):
        found |= {m.group(2) for m in IN_TEMPLATE.finditer(path.read_text())}
    for path in (ROOT / "webui").rglob("*.py"):
        found |= {m.group(1) for m in IN_CODE.finditer(path.read_text())}
    words = (
        "webui/navigation.py",
        "webui/event_words.py",
        "webui/done_words.py",
        "webui/audit_words.py",
        "webui/incident_words.py",
        "webui/message_words.py",
        "forms/compile.py",
        "tasks/applications/intake.py",
        "tasks/quality/gates.py",
        "webui/check_words.py",
        "tasks/triage/service.py",
        "tasks/session/service.py",
    )
    for path in (ROOT / name for name in words):
        found |= {m.group(1) for m in CONSTANT.finditer(path.read_text())}
    return {text for text in found if CHINESE.search(text)}


def _translated() -> dict[str, str]:
    with (ROOT / "webui" / "translations" / "en" / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return {_first(m.id): _first(m.string) for m in read_po(file, locale="en") if m.id}


def _first(text: str | list[str] | tuple[str, ...]) -> str:
    """A text, or the singular of one that has a plural."""
    return text if isinstance(text, str) else text[0]


def test_english_is_complete() -> None:
    translated = _translated()
    assert sorted(_used() - set(translated)) == []
    assert [k for k, v in translated.items() if not v or (CHINESE.search(v) and "联医" not in v)] == []


def test_placeholders_are_kept() -> None:
    for text, english in _translated().items():
        assert sorted(re.findall(r"%\(\w+\)\d*[sd]|\{\w+\}", text)) == sorted(
            re.findall(r"%\(\w+\)\d*[sd]|\{\w+\}", english)
        ), text


def test_what_is_counted_has_a_singular() -> None:
    """`1 images` on no page: where a number stands before a plural noun there is an entry for one."""
    path = ROOT / "webui" / "translations" / "en" / "LC_MESSAGES" / "messages.po"
    with path.open("rb") as file:
        counted = [m for m in read_po(file, locale="en") if m.id and "%(n)s" in str(m.id)]
    assert [m.string for m in counted if isinstance(m.string, tuple) and m.string[0] == ""] == []
    plural = re.compile(r"%\(n\)s (?!takes\b)[a-z]+s\b")
    assert [m.string for m in counted if isinstance(m.string, str) and plural.search(m.string)] == []
    several = {m.id[0] for m in counted if isinstance(m.id, tuple)}
    told = {
        m for path in (ROOT / "webui").rglob("*.py") for m in re.findall(r'\bgettext\(\s*"(.+?)"', path.read_text())
    }
    assert told & several == set()  # `gettext` knows no number: `i18n.counted` does
