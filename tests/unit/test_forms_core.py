"""Forms say what is missing in words, hide what does not apply, and let only process fields out."""

from __future__ import annotations

import importlib.resources
import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from forms import FormError, compile, lint, load, process_fields, view
from forms.conditions import evaluate

SHIPPED = sorted(p.name for p in importlib.resources.files("forms").iterdir() if p.name.endswith(".form.json"))
ZONE = ZoneInfo("Asia/Shanghai")


def _shipped(name: str) -> Any:
    return load((importlib.resources.files("forms") / name).read_bytes())


def _errors(name: str, data: dict[str, Any]) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as caught:
        compile(_shipped(name), zone=ZONE)().load(data)
    return caught.value.messages  # type: ignore[return-value]


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_forms_load_compile_and_draw(name: str) -> None:
    form = _shipped(name)
    assert name == f"{form.id}.form.json"
    errors = _errors(name, {})
    drawn = view(form, {}, errors, "en")
    assert drawn.fields
    assert all(f.label for f in drawn.fields)
    assert any(f.errors for f in drawn.fields)


def test_an_offer_that_is_declined_needs_a_reason() -> None:
    assert set(_errors("offer_reply.form.json", {"accepted": "false"})) == {"decline_reason"}
    schema = compile(_shipped("offer_reply.form.json"))()
    assert schema.load({"accepted": "true", "decline_reason": "time"}) == {"accepted": True}
    assert set(_errors("offer_reply.form.json", {})) == {"accepted"}


def test_consent_is_a_rule_of_the_application() -> None:
    errors = _errors("apply.form.json", {"urgency": "R"})
    assert "没有知情同意不能提交" in errors["_schema"][0]
    assert "_schema" not in _errors("apply.form.json", {"urgency": "E"})


def test_scores_stay_on_the_scale() -> None:
    good = dict.fromkeys(("logic", "standard", "completeness", "reasoning", "accuracy"), "18") | {"decision": "pass"}
    schema = compile(_shipped("score.form.json"))()
    assert schema.load(good)["logic"] == 18
    assert set(_errors("score.form.json", good | {"logic": "17"})) == {"logic"}
    assert set(_errors("score.form.json", good | {"logic": "22"})) == {"logic"}
    assert set(_errors("score.form.json", good | {"logic": "12"})) == {"citation"}
    assert "_schema" in _errors("score.form.json", good | {"veto": "true"})


def test_a_local_time_becomes_an_instant() -> None:
    form = _shipped("schedule.form.json")
    data = compile(form, zone=ZONE)().load({"start_at": "2026-11-24T15:30", "minutes": "30"})
    assert process_fields(form, data) == {"start_at": {"@": "dt", "v": "2026-11-24T07:30:00+00:00"}, "minutes": 30}


def test_only_process_fields_leave_and_all_of_them() -> None:
    form = _shipped("apply.form.json")
    seen = process_fields(form, {"question": "王示例", "summary": "王示例", "urgency": "U"})
    assert "王示例" not in json.dumps(seen, ensure_ascii=False)
    assert seen["urgency"] == "U"
    assert seen["specialty"] is None


@pytest.mark.parametrize("raw", [
    b"", b"[]", b"{}", b"{" * 5000, b'{"id":"x","version":1,"title":{"zh":"a","en":"b"},"sections":[{"id":"s","title":{"zh":"a","en":"b"},"fields":[{"name":"X","type":"text","label":{"zh":"a","en":"b"}}]}]}',
    b'{"id":"x","version":1,"title":{"zh":"a"},"sections":[]}',
])  # fmt: skip
def test_bad_definitions_are_refused(raw: bytes) -> None:
    with pytest.raises(FormError):
        load(raw)


values = (
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3) | st.lists(st.text(max_size=2), max_size=2)
)
leaves = st.builds(
    lambda f, op, v: {"field": f, op: v},
    st.sampled_from("abc"),
    st.sampled_from(["eq", "ne", "gt", "lte", "empty"]),
    values,
)
trees = st.recursive(
    leaves,
    lambda t: (
        st.builds(lambda w, p: {w: p}, st.sampled_from(["all", "any"]), st.lists(t, min_size=1, max_size=3))
        | st.builds(lambda p: {"not": p}, t)
    ),
    max_leaves=6,
)


@given(trees, st.dictionaries(st.sampled_from("abc"), values))
def test_every_condition_is_true_or_false_and_not_turns_it_round(tree: dict[str, Any], data: dict[str, Any]) -> None:
    assert evaluate({"not": tree}, data) is (not evaluate(tree, data))


@given(st.dictionaries(st.sampled_from(["accepted", "decline_reason", "note", "other"]), values))
def test_anything_posted_loads_or_is_told(data: dict[str, Any]) -> None:
    schema = compile(_shipped("offer_reply.form.json"))()
    if not schema.validate(data):
        assert isinstance(schema.load(data)["accepted"], bool)


def _changed(name: str, field: str, **values: Any) -> Any:
    form = json.loads((importlib.resources.files("forms") / name).read_bytes())
    for section in form["sections"]:
        for one in section["fields"]:
            if one["name"] == field:
                one.update(values)
    return load(json.dumps(form).encode())


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_forms_may_be_released(name: str) -> None:
    assert lint(_shipped(name)) == []


@pytest.mark.parametrize("field", ["question", "summary", "callback"])
def test_free_text_never_reaches_a_model(field: str) -> None:
    (found,) = lint(_changed("apply.form.json", field, process=True))
    assert (found.rule, found.field) == ("free_text_to_process", field)
    assert "Remove process" in found.advice


@pytest.mark.parametrize(
    "condition",
    [
        {"field": "decision", "eq": "supplment"},
        {"any": [{"not": {"field": "decision", "in": ["reject", "supplment"]}}]},
        {"field": "accept_warnings", "eq": "true"},
    ],
)
def test_a_condition_that_can_never_hold_is_found(condition: dict[str, Any]) -> None:
    (found,) = lint(_changed("pre_qc.form.json", "reason", required_if=condition))
    assert found.rule == "unknown_choice"
    assert found.advice.startswith(
        ("Correct the value. decision has: supplement", "Correct the value. accept_warnings")
    )


def test_a_form_error_says_what_there_is() -> None:
    for field, wrong, there in (
        ("reason", {"type": "textaera"}, "there are: textarea, text"),
        ("reason", {"requird_if": {}}, "there are: required_if, required"),
        ("reason", {"required_if": {"field": "decison", "eq": "pass"}}, "there are: decision"),
        ("reason", {"required_if": {"field": "decision", "in": "pass"}}, "a list of values"),
    ):
        with pytest.raises(FormError, match=there):
            _changed("pre_qc.form.json", field, **wrong)


@pytest.mark.parametrize("name", SHIPPED)
def test_what_is_wrong_with_a_field_is_told_once(name: str) -> None:
    """What was typed and does not do is not also called missing."""
    form = _shipped(name)
    told = compile(form, zone=ZONE)().validate({f.name: "☃" for f in form.fields})
    assert {field: words for field, words in told.items() if field != "_schema" and len(words) > 1} == {}
