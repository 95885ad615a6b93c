"""Nobody reads a code: entries of the history and steps of the models have words in both languages, and English pages no Chinese commas."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from engine.model import describe
from tasks import catalogue
from tasks.cases import node_names
from webui.event_words import EVENTS

ROOT = Path(__file__).resolve().parents[2]
WIDE = re.compile(r"[，。：；？！（）、]")
TRANSLATED = re.compile(r"""_\(\s*(["']).+?\1""")
CHOSEN = re.compile(
    r"""(?:["'][，。：；？！（）、]["'] if language\(\) == "zh"|language\(\) == "zh" and ["'][；、，]["']|if language\(\) == "en" else ["'][，：；、]["'])"""
)


def _constants(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _constants(node.body)
        yield from _constants(node.orelse)


def _noted(path: Path) -> Iterator[str]:
    """The kinds of entries that a file writes into the history, as far as it says them outright."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name == "record":
            yield from (text for k in node.keywords if k.arg == "kind" for text in _constants(k.value))
        elif name == "note":
            yield from (text for arg in node.args[:1] for text in _constants(arg))
        elif name == "_note":
            yield from (text for arg in node.args for text in _constants(arg))


def test_every_entry_of_the_history_has_a_word() -> None:
    kinds = {k for room in ("engine", "tasks", "webui") for p in (ROOT / room).rglob("*.py") for k in _noted(p)}
    assert {"task.claimed", "consent.refused", "login", "hospital_created", "job.done"} <= kinds
    assert sorted(kinds - set(EVENTS)) == []


def test_every_step_of_every_model_has_a_name_in_both_languages() -> None:
    for view in describe(catalogue.bundle()).values():
        for node, (zh, en) in node_names.names(view).items():
            assert re.search(r"[\u4e00-\u9fff]|PDF|DICOM|HL7", zh), (view.name, node, zh)
            assert en not in ("", node), (view.name, node)
            assert not re.search(r"[\u4e00-\u9fff]", en), (view.name, node, en)


def test_templates_set_no_chinese_signs_on_english_pages() -> None:
    found = []
    for path in (ROOT / "webui" / "templates").rglob("*.html"):
        if path.name == "gallery.html":
            continue
        bare = re.sub(r"{#.*?#}", "", path.read_text(), flags=re.S)
        bare = CHOSEN.sub("", TRANSLATED.sub("", bare))
        found += [f"{path.name}: …{bare[max(0, m.start() - 40) : m.end() + 10]}" for m in WIDE.finditer(bare)]
    assert found == []
