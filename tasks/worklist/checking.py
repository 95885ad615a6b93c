"""Check what was filled in against the form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, tzinfo
from typing import Any

from marshmallow import ValidationError

import forms
from forms import FormDef
from tasks.worklist.errors import FormInvalid


def checked(
    form: FormDef,
    data: Mapping[str, Any],
    *,
    zone: tzinfo = UTC,
    lang: str = "zh",
    translate: Callable[..., str] = forms.plain,
) -> dict[str, Any]:
    """The values of a form as JSON, or FormInvalid with messages by field."""
    try:
        clean: dict[str, Any] = forms.compile(form, translate, zone, lang)().load(dict(data))
    except ValidationError as problem:
        told: Mapping[str, Any] = problem.normalized_messages()  # type: ignore[no-untyped-call]
        raise FormInvalid({str(name): _flat(words) for name, words in told.items()}) from problem
    return clean


def wrong(form: FormDef, data: Mapping[str, Any], **how: Any) -> dict[str, list[str]]:
    """What the form's own checks say of values: messages by field, nothing where they do. `how` as for `checked`."""
    try:
        checked(form, data, **how)
    except FormInvalid as problem:
        return problem.errors
    return {}


def _flat(told: Any) -> list[str]:
    if isinstance(told, Mapping):
        return [word for inner in told.values() for word in _flat(inner)]
    return [str(word) for word in told] if isinstance(told, list | tuple) else [str(told)]
