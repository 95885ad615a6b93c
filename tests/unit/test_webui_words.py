"""Nobody reads a raw code: every error and every kind of history entry has its words in both languages."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

import engine
import forms
import integrations
import tasks
import webui
from engine.errors import LianyiError
from forms.errors import FormError
from integrations import IntegrationError
from webui.error_texts import TEXTS
from webui.event_words import ACTORS, EVENTS

ROOT = Path(__file__).resolve().parents[2]
KIND = re.compile(r'(?:kind=|\.note\(|\.command\(|_note\([a-z_., ]+, )"([a-z_]+(?:\.[a-z_]+)?)"')


def _load_everything() -> None:
    for package in (engine, forms, integrations, tasks, webui):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)


def _below(kind: type[Exception]) -> set[type[Exception]]:
    found = {kind}
    for child in kind.__subclasses__():
        found |= _below(child)
    return found


def test_every_error_has_its_chinese_text() -> None:
    _load_everything()
    kinds = {k for root in (LianyiError, FormError, IntegrationError) for k in _below(root)}
    ours = {k for k in kinds if k.__module__.split(".")[0] in {"engine", "forms", "integrations", "tasks", "webui"}}
    codes = {str(k.code) for k in ours}  # type: ignore[attr-defined]
    assert codes - set(TEXTS) == set()
    assert all(message.endswith("。") and advice.endswith("。") for message, advice in TEXTS.values())


def test_every_kind_of_entry_has_its_word() -> None:
    noted: set[str] = set()
    for room in ("engine", "tasks"):
        for path in (ROOT / room).rglob("*.py"):
            text = path.read_text()
            if "history" in text or ".note(" in text or "record(" in text:
                noted |= {k for k in KIND.findall(text) if "." in k}
    assert noted - set(EVENTS) == set()
    assert len(noted) > 10
    assert "worker" in ACTORS
