"""What a form may not say although it can be read: judged on release; a form of a running case stays as it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from forms.errors import choice
from forms.formdef import Field, FormDef

FREE = frozenset(["text", "textarea", "rich", "vocab", "signature"])
"""Types whose value is whatever somebody types: words that may name a patient, and so may not leave the submission."""


@dataclass(frozen=True)
class Problem:
    """One thing wrong with one field: a rule's stable id, what it is, and what to do."""

    rule: str
    field: str
    message: str
    advice: str


def lint(form: FormDef) -> list[Problem]:
    """Everything that would go wrong silently; empty when the form may be released."""
    return [*_free(form), *_values(form)]


def _free(form: FormDef) -> Iterator[Problem]:
    for field in form.fields:
        if field.process and field.type in FREE:
            yield Problem(
                "free_text_to_process", field.name,
                f"{field.name} is free text ({field.type}) and would be copied into the case's process data.",
                "Remove process: the submission keeps the text. For what the model has to know use a choice, bool, int or score.",
            )  # fmt: skip


def _values(form: FormDef) -> Iterator[Problem]:
    """Values no choice has: such a condition never holds, such a default is refused when the form is handed in."""
    conditions = [c for f in form.fields for c in (f.visible_if, f.required_if) if c] + [
        r.condition for r in form.rules
    ]
    asked = [pair for condition in conditions for pair in _compared(condition)]
    asked += [(f.name, value) for f in form.fields for value in _listed(f.default)]
    for name, value in asked:
        known = _known(form.by_name[name])
        if known is not None and value not in known:
            advice = f"Correct the value. {name} has: {choice(value, map(str, known))}."
            yield Problem("unknown_choice", name, f"{name} is compared with {value!r}, which it never is.", advice)


def _known(field: Field) -> list[Any] | None:
    if field.type == "bool":
        return [True, False]
    return [one.value for one in field.choices] or None


def _compared(condition: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for part in (
        *condition.get("all", ()),
        *condition.get("any", ()),
        *([condition["not"]] if "not" in condition else ()),
    ):
        yield from _compared(part)
    if "field" in condition:
        for value in [*condition.get("in", ()), *(condition[word] for word in ("eq", "ne") if word in condition)]:
            yield condition["field"], value


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
