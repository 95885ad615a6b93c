"""What people see: names in both languages, forms, who may take a task."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from uuid import UUID

from engine.feel.temporal import Months
from engine.model import times
from engine.model.finding import Finding, Rule, choice
from engine.model.rules.sources import literal, looks_iso
from engine.model.types import Flow, Node, Process
from engine.model.view import View

NO_ENGLISH = Rule("no_name_en", "{id} has no English name.", "Add the property name_en.")
LONG = Rule("too_long", "The name of {id} has {count} characters.", "Use at most {most}; the step's form can say more.")
NO_NAME = Rule("no_name", "{id} has no name.", "Name every step a person or an auditor sees.")
PROPERTY = Rule("unknown_property", "{id} has the property {name!r}, which nobody reads.", "Known are: {known}.")
NO_FORM = Rule("no_form", "The user task names no form.", "Add the property form.")
UNKNOWN_FORM = Rule(
    "unknown_form", "There is no form {form!r}.", "Add {form}.form.json to the bundle, or use one of it: {known}."
)
NOBODY = Rule("nobody", "Nobody can take the task: it has neither role nor person.", "Add the property role or person.")
NO_SCOPE = Rule("no_scope", "The role is asked for in no hospital.", "Add the property scope, e.g. case.to.")
VALUE = Rule("property_value", "The property {name} is {value!r}, {wrong}.", "{advice}")
ROLE = Rule("unknown_role", "There is no role {role!r}.", "Use one of: {known}.")

LONGEST = 200
_TASK = frozenset(["name_en", "form", "role", "scope", "person", "due", "reauth"])
_EVENT = frozenset(["name_en", "correlation"])
_VISIBLE = (
    "userTask",
    "manualTask",
    "serviceTask",
    "receiveTask",
    "callActivity",
    "businessRuleTask",
    "scriptTask",
    "subProcess",
)


def check(view: View) -> Iterator[Finding]:
    """Findings over names, properties and task assignment."""
    named: list[Process | Node | Flow] = [view.process, *view.process.nodes, *view.process.flows]
    for placed in named:
        yield from _names(view, placed)
    for node in view.process.nodes:
        if node.kind in _VISIBLE and not node.name:
            yield NO_NAME.at(view.file, node, id=node.id)
        if node.kind == "userTask":
            yield from _task(view, node)


def _names(view: View, placed: Process | Node | Flow) -> Iterator[Finding]:
    if placed.name and not placed.properties.get("name_en"):
        yield NO_ENGLISH.at(view.file, placed, id=placed.id)
    count = max(len(placed.name), len(placed.properties.get("name_en", "")))
    if count > LONGEST:
        yield LONG.at(view.file, placed, id=placed.id, count=count, most=LONGEST)
    known = frozenset(["name_en"])
    if isinstance(placed, Node):
        if placed.kind in ("userTask", "manualTask"):
            known = _TASK
        elif placed.is_event or placed.kind == "receiveTask":
            known = _EVENT
    for name in placed.properties:
        if name not in known:
            yield PROPERTY.at(view.file, placed, id=placed.id, name=name, known=choice(name, known))


def _task(view: View, node: Node) -> Iterator[Finding]:
    form = node.properties.get("form", "")
    if not form:
        yield NO_FORM.at(view.file, node)
    elif f"{form}.form.json" not in view.around.bundle.files:
        yield UNKNOWN_FORM.at(view.file, node, form=form, known=choice(form, view.around.forms))
    asked = node.properties.get("role")
    if not asked and not node.properties.get("person"):
        yield NOBODY.at(view.file, node)
    if asked and not node.properties.get("scope"):
        yield NO_SCOPE.at(view.file, node)
    for name, (fits, wrong, advice) in _LITERALS.items():
        value = _literal(node, name)
        if value is not None and not fits(value):
            yield VALUE.at(view.file, node, name=name, value=str(value), wrong=wrong, advice=advice)
    role = _literal(node, "role")
    if isinstance(role, str) and view.around.roles is not None and role not in view.around.roles:
        yield ROLE.at(view.file, node, role=role, known=choice(role, view.around.roles))


def _literal(node: Node, name: str) -> object:
    """The value of a property that needs no variables, None when it is not known before it runs."""
    source = node.properties.get(name, "").strip()
    if not source or (name == "due" and looks_iso(source)):
        return source or None
    return literal(source)


def _id(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(UUID(value))
    except ValueError:
        return False


def _time(value: object) -> bool:
    found = times.moment(value) if isinstance(value, str) else value
    return isinstance(found, date | timedelta | Months)


_LITERALS: Mapping[str, tuple[Callable[[object], bool], str, str]] = {
    "role": (lambda value: isinstance(value, str), "no role", 'Write a role in quotes, e.g. "triage".'),
    "scope": (_id, "no id of a hospital", "Take it from the case, e.g. case.to."),
    "person": (_id, "no id of an account", "Take it from the case or a form, e.g. case.applicant."),
    "due": (_time, "neither an instant nor a duration", "Write PT2H or a FEEL expression that gives one."),
    "reauth": (lambda value: isinstance(value, bool), "neither true nor false", "Write true or false."),
}
