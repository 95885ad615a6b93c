"""What a variable holds, from everything in the bundle that sets it."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.model import Bundle, lint, worth
from engine.model.view import Around, View
from engine.operations import Effect, Signature, Type

HEAD = (
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:spiffworkflow="http://spiffworkflow.org/bpmn/schema/1.0/core" id="d" targetNamespace="t">'
)
TOP = f"""{HEAD}<bpmn:process id="top" isExecutable="true">
<bpmn:scriptTask id="a"><bpmn:script>tries = 0
start_at = now() + duration("PT1H")
odd = 1</bpmn:script></bpmn:scriptTask>
<bpmn:scriptTask id="b"><bpmn:script>tries = tries + 1
odd = string(odd)
case.round = tries</bpmn:script></bpmn:scriptTask>
<bpmn:userTask id="u"><bpmn:extensionElements><spiffworkflow:properties><spiffworkflow:property name="form" value="f"/></spiffworkflow:properties></bpmn:extensionElements></bpmn:userTask>
<bpmn:serviceTask id="s"><bpmn:extensionElements><spiffworkflow:serviceTaskOperator id="t.do" resultVariable="done"/></bpmn:extensionElements></bpmn:serviceTask>
<bpmn:businessRuleTask id="r"><bpmn:extensionElements><spiffworkflow:calledDecisionId>d</spiffworkflow:calledDecisionId></bpmn:extensionElements></bpmn:businessRuleTask>
<bpmn:callActivity id="c" calledElement="inner"/>
</bpmn:process></bpmn:definitions>"""
INNER = f"""{HEAD}<bpmn:process id="inner" isExecutable="true">
<bpmn:ioSpecification><bpmn:dataInput id="in_tries" name="tries"/><bpmn:dataOutput id="out_twice" name="twice"/></bpmn:ioSpecification>
<bpmn:scriptTask id="x"><bpmn:script>twice = tries * 2</bpmn:script></bpmn:scriptTask>
</bpmn:process></bpmn:definitions>"""
FORM = (
    '{"id": "f", "sections": [{"fields": [{"name": "ok", "type": "bool", "process": true},'
    '{"name": "who", "type": "person", "process": true}, {"name": "all", "type": "person", "multiple": true, "process": true},'
    '{"name": "note", "type": "textarea"}]}]}'
)
TABLE = (Path(__file__).parents[1] / "lint" / "decision_input" / "d.dmn").read_text()
SIGNATURES = {"t.do": Signature("t.do", Effect.LOCAL, {}, {"count": Type.NUMBER, "rest": Type.ANY})}


def _view(table: str = TABLE) -> View:
    files = {"top.bpmn": TOP, "inner.bpmn": INNER, "f.form.json": FORM, "d.dmn": table}
    bundle = Bundle("top", {name: text.encode() for name, text in files.items()})
    around = Around(bundle, SIGNATURES, None, {"case": {"id": Type.TEXT}})
    model = bundle.models["top.bpmn"]
    return View(around, model, model.processes[0])


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("tries", "number"), ("start_at", "datetime"), ("odd", None), ("case.round", "number"), ("case", "context"),
        ("ok", "boolean"), ("who", "text"), ("all", "list"), ("note", None), ("done", "context"), ("done.count", "number"),
        ("done.rest", None), ("twice", "number"), ("tries < twice", "boolean"), ("nobody", None),
    ],
)  # fmt: skip
def test_kind_of_a_variable(source: str, kind: str | None) -> None:
    assert worth.kind(_view(), source) == kind


def test_a_called_process_takes_the_kind_of_who_calls_it() -> None:
    view = _view()
    inner = view.around.bundle.models["inner.bpmn"]
    assert worth.kind(View(view.around, inner, inner.processes[0]), "tries") == "number"


def test_a_table_gives_the_type_of_its_column() -> None:
    assert worth.kind(_view(), "d") is None
    assert worth.kind(_view(TABLE.replace('name="y"', 'name="y" typeRef="number"')), "d") == "number"


def test_a_column_of_another_kind_is_refused() -> None:
    """A table that compares texts with a number would always take its last row."""
    given = TABLE.replace("<text>x</text>", "<text>tries</text>").replace(
        '<inputExpression id="ie">', '<inputExpression id="ie" typeRef="string">'
    )
    found = [one for one in lint(_view(given).around.bundle, SIGNATURES) if one.rule == "value_kind"]
    assert [(one.element, one.severity) for one in found] == [("r", "error")]
    assert "number" in found[0].message
    assert "text" in found[0].advice
