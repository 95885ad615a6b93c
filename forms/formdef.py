"""Form definitions: what people fill, as data. See docs/models.md for the JSON."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson

from forms import conditions
from forms.errors import FormError, choice

TYPES = frozenset(
    [
        "text",
        "textarea",
        "rich",
        "int",
        "decimal",
        "date",
        "datetime",
        "choice",
        "multichoice",
        "bool",
        "score",
        "person",
        "hospital",
        "study_ref",
        "attachment",
        "vocab",
        "signature",
    ]
)
FIELD_KEYS = frozenset(
    [
        "name",
        "type",
        "label",
        "help",
        "required",
        "process",
        "visible_if",
        "required_if",
        "min",
        "max",
        "max_length",
        "pattern",
        "choices",
        "default",
        "default_from",
        "readonly",
        "source",
        "unit",
        "multiple",
        "must_be_true",
        "step",
    ]
)
SIZE_LIMIT = 256 * 1024

Text = Mapping[str, str]
"""A text in both languages: `{"zh": …, "en": …}`."""


@dataclass(frozen=True)
class Choice:
    """One option of a choice."""

    value: Any
    label: Text


@dataclass(frozen=True)
class Field:
    """One field. `process` fields are the only ones that reach a model; `multiple` ones hold a list."""

    name: str
    type: str
    label: Text
    help: Text | None = None
    required: bool = False
    process: bool = False
    visible_if: Mapping[str, Any] | None = None
    required_if: Mapping[str, Any] | None = None
    min: float | None = None
    max: float | None = None
    max_length: int | None = None
    pattern: str | None = None
    choices: tuple[Choice, ...] = ()
    default: Any = None
    default_from: str | None = None
    readonly: bool = False
    source: str | None = None
    unit: Text | None = None
    multiple: bool = False
    must_be_true: bool = False
    step: float | None = None

    @property
    def is_list(self) -> bool:
        """True when the value is a list."""
        return self.multiple or self.type == "multichoice"


@dataclass(frozen=True)
class Section:
    """A titled group of fields."""

    id: str
    title: Text
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Rule:
    """A condition over the whole form that has to hold, and what is said when it does not."""

    condition: Mapping[str, Any]
    message: Text


@dataclass(frozen=True)
class FormDef:
    """A form. `pin` names exactly this version of it."""

    id: str
    version: int
    title: Text
    sections: tuple[Section, ...]
    rules: tuple[Rule, ...]
    sha256: str

    @property
    def fields(self) -> Iterator[Field]:
        """Every field in order."""
        return (field for section in self.sections for field in section.fields)

    @cached_property
    def by_name(self) -> dict[str, Field]:
        """Fields by name."""
        return {field.name: field for field in self.fields}

    @property
    def pin(self) -> str:
        """`id@version#hash`, stored with every submission."""
        return f"{self.id}@{self.version}#{self.sha256[:16]}"


def load(raw: bytes) -> FormDef:
    """Read and check a definition; FormError names the field and what is wrong."""
    if len(raw) > SIZE_LIMIT:
        raise FormError(f"A form definition has at most {SIZE_LIMIT} bytes.")
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError):
        raise FormError("The form definition is not JSON.") from None
    if not isinstance(data, dict):
        raise FormError("A form definition is a JSON object.")
    try:
        return _form(data)
    except (KeyError, TypeError, AttributeError) as problem:
        raise FormError(f"The form definition lacks or misuses {problem}.") from None


def _form(data: dict[str, Any]) -> FormDef:
    sections = tuple(
        Section(s["id"], _text(s["title"], s["id"]), tuple(map(_field, s["fields"]))) for s in data["sections"]
    )
    names = [field.name for section in sections for field in section.fields]
    doubled = {name for name in names if names.count(name) > 1}
    if doubled:
        raise FormError(f"Fields occur twice: {', '.join(sorted(doubled))}.")
    known = set(names)
    for field in (f for s in sections for f in s.fields):
        for condition in (field.visible_if, field.required_if):
            if condition is not None:
                conditions.check(condition, known)
    rules = []
    for rule in data.get("rules", []):
        conditions.check(rule["assert"], known)
        rules.append(Rule(rule["assert"], _text(rule["message"], "a rule's message")))
    digest = hashlib.sha256(orjson.dumps(data, option=orjson.OPT_SORT_KEYS)).hexdigest()
    if not re.fullmatch(r"[a-z][a-z0-9_]*", data["id"]):
        raise FormError("A form's id has small letters, digits and underscores.")
    return FormDef(data["id"], int(data["version"]), _text(data["title"], "title"), sections, tuple(rules), digest)


def _text(value: Any, where: str) -> Text:
    if not isinstance(value, dict) or not value.get("zh") or not value.get("en"):
        raise FormError(f"The text of {where} needs zh and en.")
    return value


def _field(data: dict[str, Any]) -> Field:
    name = data["name"]
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise FormError(f"The field name {name!r} has other than small letters, digits and underscores.")
    if data["type"] not in TYPES:
        raise FormError(
            f"Field {name} has the unknown type {data['type']!r}; there are: {choice(data['type'], TYPES)}."
        )
    for wrong in sorted(set(data) - FIELD_KEYS):
        raise FormError(f"Field {name} has the unknown attribute {wrong!r}; there are: {choice(wrong, FIELD_KEYS)}.")
    if data["type"] in ("choice", "multichoice") and not data.get("choices"):
        raise FormError(f"Field {name} needs choices.")
    choices = tuple(Choice(c["value"], _text(c["label"], f"{name}'s choice")) for c in data.get("choices", []))
    rest = {k: v for k, v in data.items() if k not in ("label", "help", "unit", "choices")}
    texts: dict[str, Any] = {k: _text(data[k], f"{name}'s {k}") for k in ("help", "unit") if k in data}
    return Field(label=_text(data["label"], name), choices=choices, **texts, **rest)


def process_fields(form: FormDef, data: Mapping[str, Any]) -> dict[str, Any]:
    """What a model may see of a submission: every `process` field, null when it has no value, dates in ISO 8601."""
    found: dict[str, Any] = {}
    for field in form.fields:
        if field.process:
            value = data.get(field.name)
            found[field.name] = (
                {"@": "dt", "v": value} if field.type == "datetime" and isinstance(value, str) else value
            )
    return found
