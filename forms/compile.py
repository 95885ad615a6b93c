"""A form definition becomes a marshmallow schema: types, lengths, choices, visibility, rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, pre_load, validate, validates_schema

from forms import conditions
from forms.formdef import Field, FormDef

Translate = Callable[..., str]


def plain(text: str, **values: Any) -> str:
    """Messages as they are written, in Chinese."""
    return text.format(**values) if values else text


MESSAGES = {
    "required": "请填写", "null": "请填写", "invalid": "格式不对", "invalid_string": "请填写文字", "invalid_integer": "请填写整数",
    "too_large": "数字太大", "invalid_datetime": "请填写日期和时间", "invalid_date": "请填写日期", "invalid_choice": "请从列出的选项中选择",
}  # fmt: skip


class Moment(fields.Field[str]):
    """A date and time; text without a zone is in the zone of the people who fill the form. Kept as ISO 8601 text in UTC."""

    def __init__(self, zone: tzinfo, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.zone = zone

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:  # noqa: ARG002
        try:
            found = datetime.fromisoformat(str(value))
        except ValueError:
            raise self.make_error("invalid") from None
        return (found if found.tzinfo else found.replace(tzinfo=self.zone)).astimezone(UTC).isoformat()


def compile(form: FormDef, translate: Translate = plain, zone: tzinfo = UTC, lang: str = "zh") -> type[Schema]:
    """A schema class that loads what people typed (text or lists of text) into JSON values.

    Fields that are not visible for the values given are dropped. `translate` turns a Chinese message into the reader's
    language, `lang` picks the words of the form's own rules; `zone` is the zone of naive dates and times. Errors are `{field: [messages]}`, rules under `_schema`.
    """
    members: dict[str, Any] = {f.name: _field(f, translate, zone) for f in form.fields}
    members["Meta"] = type("Meta", (), {"unknown": EXCLUDE})
    members["_drop"] = pre_load(_dropper(form))
    members["_whole"] = validates_schema(skip_on_field_errors=False, pass_original=True)(
        _checker(form, translate, lang)
    )
    return type(f"Form_{form.id}", (Schema,), members)


def _dropper(form: FormDef) -> Callable[..., dict[str, Any]]:
    def drop(_: Schema, data: Mapping[str, Any], **__: Any) -> dict[str, Any]:
        tidy = {f.name: _tidy(f, data[f.name]) for f in form.fields if f.name in data}
        return visible(form, {k: v for k, v in tidy.items() if v not in (None, "")})

    return drop


def visible(form: FormDef, data: Mapping[str, Any]) -> dict[str, Any]:
    """The values of fields whose `visible_if` holds; hiding one may hide others."""
    kept = dict(data)
    while True:
        hidden = [f.name for f in form.fields if f.name in kept and not conditions.evaluate(f.visible_if, kept)]
        if not hidden:
            return kept
        for name in hidden:
            del kept[name]


def _tidy(field: Field, value: Any) -> Any:
    if field.is_list:
        items = value if isinstance(value, list | tuple) else [value]
        return [item for item in items if item not in (None, "")]
    if isinstance(value, list | tuple):
        value = value[-1] if value else None
    if isinstance(value, str) and field.type not in ("textarea", "rich"):
        value = value.strip()
    if isinstance(value, str) and field.type == "bool":
        return {"true": True, "on": True, "1": True, "false": False, "off": False, "0": False}.get(value.lower(), value)
    if isinstance(value, str) and field.type in ("textarea", "rich"):
        return value.replace("\r\n", "\n").strip()
    return value


def _checker(form: FormDef, translate: Translate, lang: str) -> Callable[..., None]:
    def whole(_: Schema, data: Mapping[str, Any], typed: Mapping[str, Any], **__: Any) -> None:
        errors: dict[str, list[str]] = {}
        for field in form.fields:
            shown = conditions.evaluate(field.visible_if, data)
            needed = field.required or (field.required_if is not None and conditions.evaluate(field.required_if, data))
            if _tidy(field, typed.get(field.name)) not in (None, "", []) and field.name not in data:
                continue  # what was typed does not do, and its own check says why
            if field.must_be_true and shown and data.get(field.name) is not True:
                errors[field.name] = [translate("请核对后勾选")]
            elif shown and needed and data.get(field.name) in (None, "", []):
                errors[field.name] = [translate(MESSAGES["required"])]
        for rule in form.rules:
            if not conditions.evaluate(rule.condition, data):
                errors.setdefault("_schema", []).append(rule.message[lang])
        if errors:
            raise ValidationError(errors)

    return whole


def _field(field: Field, translate: Translate, zone: tzinfo) -> fields.Field[Any]:
    messages: dict[str, Any] = {name: translate(text) for name, text in MESSAGES.items()}
    messages["validator_failed"] = messages["invalid"]
    common: dict[str, Any] = {"required": False, "allow_none": True, "error_messages": messages}
    checks = _checks(field, translate)
    if field.is_list:
        inner = fields.String(validate=_one_of(field, translate), error_messages=messages)
        return fields.List(inner, validate=checks, **common)
    if field.type in ("int", "score"):
        own = messages | {"invalid": messages["invalid_integer"]}
        return fields.Integer(strict=False, validate=checks, **(common | {"error_messages": own}))
    if field.type == "decimal":
        return fields.Float(validate=checks, **common)
    if field.type == "bool":
        own = messages | {"invalid": messages["invalid_choice"]}
        return fields.Boolean(**(common | {"error_messages": own}))
    if field.type == "datetime":
        return Moment(zone, **(common | {"error_messages": messages | {"invalid": messages["invalid_datetime"]}}))
    if field.type == "date":
        return fields.String(validate=validate.Regexp(r"\d{4}-\d\d-\d\d\Z", error=messages["invalid_date"]), **common)
    return fields.String(validate=checks, **common)


def _one_of(field: Field, translate: Translate) -> list[Any]:
    if not field.choices:
        return []
    return [validate.OneOf([c.value for c in field.choices], error=translate(MESSAGES["invalid_choice"]))]


def _checks(field: Field, translate: Translate) -> list[Any]:
    checks: list[Any] = [] if field.is_list else _one_of(field, translate)
    low, high = field.min, field.max
    if field.type in ("int", "score", "decimal"):
        if low is not None or high is not None:
            checks.append(
                validate.Range(
                    low, high, error=translate("请填写 {min} 到 {max} 之间的数", min=_shown(low), max=_shown(high))
                )
            )
        if field.step:
            checks.append(_on_step(field.step, translate("请按 {step} 的倍数填写", step=_shown(field.step))))
    elif low is not None or high is not None:
        words = "请选择 {min} 到 {max} 项" if field.is_list else "请填写 {min} 到 {max} 个字"
        most = int(high) if high is not None else field.max_length
        text = translate(words, min=_shown(low), max=_shown(most))
        checks.append(validate.Length(min=int(low) if low is not None else None, max=most, error=text))
    if field.max_length and low is None:
        checks.append(
            validate.Length(max=field.max_length, error=translate("最多 {max} 个字", max=str(field.max_length)))
        )
    if field.pattern:
        checks.append(validate.Regexp(field.pattern, error=translate(MESSAGES["invalid"])))
    return checks


def _on_step(step: float, message: str) -> Callable[[Any], None]:
    def check(value: Any) -> None:
        if value is not None and value % step:
            raise ValidationError(message)

    return check


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:g}"
