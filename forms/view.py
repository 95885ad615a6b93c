"""The rendering model: everything a template needs to draw a form, in one language, with values and errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from forms import conditions
from forms.formdef import Field, FormDef, Text


@dataclass(frozen=True)
class Option:
    """One option of a choice."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True)
class FieldView:
    """One field ready to draw. `control` names the kind of control, `condition` is `visible_if` as JSON for the browser."""

    name: str
    id: str
    control: str
    label: str
    help: str
    unit: str
    value: Any
    options: tuple[Option, ...]
    required: bool
    readonly: bool
    source: str
    multiple: bool
    errors: tuple[str, ...]
    visible: bool
    condition: str
    required_condition: str
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SectionView:
    """A titled group of fields."""

    id: str
    title: str
    fields: tuple[FieldView, ...]


@dataclass(frozen=True)
class FormView:
    """A whole form ready to draw; `errors` are those of the form as a whole."""

    id: str
    pin: str
    title: str
    sections: tuple[SectionView, ...]
    errors: tuple[str, ...]

    @property
    def fields(self) -> tuple[FieldView, ...]:
        """Every field in order."""
        return tuple(f for s in self.sections for f in s.fields)


def view(
    form: FormDef,
    data: Mapping[str, Any],
    errors: Mapping[str, list[str]] | None = None,
    lang: str = "zh",
    options: Mapping[str, list[tuple[str, str]]] | None = None,
    sources: Mapping[str, str] | None = None,
) -> FormView:
    """Draw a form with values and errors.

    `options` gives the choices of person, hospital and study fields as (value, label); `sources` says where a prefilled
    value came from (HIS, DICOM). A field without a value shows its default.
    """
    errors = errors or {}
    shown = {f.name: data.get(f.name, f.default) for f in form.fields}
    sections = tuple(
        SectionView(
            s.id, _in(s.title, lang),
            tuple(_field(f, shown, errors, lang, (options or {}).get(f.name), (sources or {}).get(f.name, "")) for f in s.fields),
        )
        for s in form.sections
    )  # fmt: skip
    return FormView(form.id, form.pin, _in(form.title, lang), sections, tuple(errors.get("_schema", ())))


def _in(text: Text | None, lang: str) -> str:
    return "" if text is None else text.get(lang) or text["zh"]


def _word(value: Any) -> str:
    return {True: "true", False: "false"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def _field(
    f: Field,
    shown: Mapping[str, Any],
    errors: Mapping[str, list[str]],
    lang: str,
    extra: list[tuple[str, str]] | None,
    source: str,
) -> FieldView:
    value = shown[f.name]
    chosen = (
        {_word(v) for v in value} if isinstance(value, list | tuple) else set() if value is None else {_word(value)}
    )
    pairs = [(_word(c.value), _in(c.label, lang)) for c in f.choices] if f.choices else list(extra or [])
    options = tuple(Option(v, label, v in chosen) for v, label in pairs)
    return FieldView(
        name=f.name,
        id=f"f-{f.name}",
        control=_control(f, options),
        label=_in(f.label, lang),
        help=_in(f.help, lang),
        unit=_in(f.unit, lang),
        value=value,
        options=options,
        required=f.required or bool(f.required_if and conditions.evaluate(f.required_if, shown)) or f.must_be_true,
        readonly=f.readonly,
        source=source or f.source or "",
        multiple=f.is_list,
        errors=tuple(errors.get(f.name, ())),
        visible=conditions.evaluate(f.visible_if, shown),
        condition=orjson.dumps(f.visible_if).decode() if f.visible_if else "",
        required_condition=orjson.dumps(f.required_if).decode() if f.required_if else "",
        attributes=_attributes(f),
    )


def _control(f: Field, options: tuple[Option, ...]) -> str:
    if f.type == "bool":
        return "joined" if f.choices else "checkbox"
    if f.type == "choice":
        return "joined" if len(options) <= 4 else "select"
    if f.type in ("person", "hospital", "study_ref"):
        return "checks" if f.multiple else "select"
    return {
        "multichoice": "checks", "textarea": "textarea", "rich": "textarea", "int": "number", "decimal": "number", "date": "date",
        "datetime": "datetime", "score": "score", "attachment": "file",
    }.get(f.type, "text")  # fmt: skip


def _attributes(f: Field) -> dict[str, str]:
    found: dict[str, str] = {}
    if f.type in ("int", "decimal", "score"):
        found = {k: f"{v:g}" for k, v in (("min", f.min), ("max", f.max), ("step", f.step)) if v is not None}
    if f.max_length:
        found["maxlength"] = str(f.max_length)
    return found
