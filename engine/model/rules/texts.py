"""Every expression of a process compiles, and asks only for names somebody can set."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from engine import feel
from engine.model.finding import Finding, Placed, Rule
from engine.model.types import Node
from engine.model.view import View

FEEL = Rule(
    "not_feel", "{what} is not FEEL: {why}", "Write FEEL; docs/models.md shows it. There is no Python in a model."
)
SCRIPT = Rule(
    "script_line",
    "The line {text!r} is not of the form name = expression.",
    "Write one assignment a line; indent its continuation.",
)
FORMAT = Rule("script_format", "The script's language is {format!r}.", 'Set scriptFormat="feel" and write FEEL.')
EMPTY = Rule("script_empty", "The script does nothing.", "Write an assignment, or remove the task.")
TIMER = Rule(
    "bad_timer", "{text!r} looks like ISO 8601 but is no {form}.", "Write PT15M, R3/PT10M or 2026-01-31T08:00:00Z."
)
NAME = Rule(
    "unknown_name",
    "{what} asks for {name}, which nothing here sets; it would be null.",
    "Correct the name, or declare it as data input.",
)

_ASSIGN = re.compile(r"^([^\W\d]\w*(?:\.\w+)*)\s*=(?!=)\s*(.+)$", re.S)
_DURATION = re.compile(r"-?P(?=.)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?\Z")
_REPEAT = re.compile(r"R(\d*)/(.+)\Z")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})\Z")
_FEEL_PROPERTIES = ("role", "scope", "person", "due", "reauth", "correlation")


@dataclass(frozen=True)
class Text:
    """One expression of a model: where it stands, what it is called, its source and the names only it sees."""

    place: Placed
    line: int
    what: str
    source: str
    local: frozenset[str] = frozenset()


def check(view: View) -> Iterator[Finding]:
    """Findings over conditions, scripts, timers, parameters, payloads, properties and loops."""
    known = known_names(view)
    for node in view.process.nodes:
        if node.kind == "scriptTask":
            yield from _script(view, node)
    yield from _literal_timers(view)
    for text in texts(view):
        try:
            names = feel.compile(text.source).names
        except feel.FeelError as error:
            yield FEEL.at(view.file, text.place, text.line, what=text.what, why=error.detail)
            continue
        for name in sorted(names - text.local - known if known is not None else ()):
            yield NAME.at(view.file, text.place, text.line, what=text.what, name=name)


def texts(view: View) -> Iterator[Text]:
    """Every FEEL source of a process."""
    for flow in view.process.flows:
        if flow.condition:
            yield Text(flow, flow.line, "The condition", flow.condition)
    for named in view.model.named.values():
        if named.payload:
            yield Text(named, named.line, "The payload", named.payload)
    for node in view.process.nodes:
        yield from _node(node)


def _node(node: Node) -> Iterator[Text]:
    for name in _FEEL_PROPERTIES:
        if node.properties.get(name):
            yield Text(node, node.line, f"The property {name}", node.properties[name])
    for parameter in node.service.parameters if node.service else ():
        yield Text(node, parameter.line, f"The parameter {parameter.name}", parameter.value)
    if node.payload:
        yield Text(node, node.line, "The payload", node.payload)
    for event in node.events:
        if event.kind == "timer" and event.text and not looks_iso(event.text):
            yield Text(node, event.line, "The timer", event.text)
    for _, source in assignments(node.script):
        if source:
            yield Text(node, node.line, "The script", source)
    if node.loop:
        for what, source in (
            ("The number of runs", node.loop.cardinality),
            ("The completion condition", node.loop.completion),
        ):
            if source:
                yield Text(node, node.loop.line, what, source, frozenset([node.loop.item_in, node.loop.item_out]))


def assignments(script: str) -> list[tuple[str, str]]:
    """Target and source of each statement; the source is empty where the line is no assignment."""
    lines: list[str] = []
    for line in textwrap.dedent(script.strip("\n")).splitlines():
        if line[:1].isspace() and lines:
            lines[-1] += "\n" + line
        elif line.strip():
            lines.append(line.strip())
    matches = [(line, _ASSIGN.match(line)) for line in lines]
    return [(match[1], match[2].strip()) if match else (line, "") for line, match in matches]


def _script(view: View, node: Node) -> Iterator[Finding]:
    language = node.attributes.get("scriptFormat", "feel")
    if language.lower() != "feel":
        yield FORMAT.at(view.file, node, format=language)
    found = assignments(node.script)
    if not found:
        yield EMPTY.at(view.file, node)
    for target, source in found:
        if not source:
            yield SCRIPT.at(view.file, node, text=target[:80])


def looks_iso(text: str) -> bool:
    """Does the runner take this timer as a literal rather than FEEL?"""
    return bool(re.match(r"-?P[\dT]|R\d*/|\d{4}-\d{2}-\d{2}", text))


def _literal_timers(view: View) -> Iterator[Finding]:
    for node in view.process.nodes:
        for event in node.events:
            if event.kind != "timer" or not looks_iso(event.text):
                continue
            if event.form == "timeCycle":
                repeat = _REPEAT.match(event.text)
                good = bool(repeat and _DURATION.match(repeat[2].split("/")[-1]))
            elif event.form == "timeDuration":
                good = bool(_DURATION.match(event.text))
            else:
                good = bool(_DATE.match(event.text))
            if not good:
                yield TIMER.at(view.file, node, event.line, text=event.text[:60], form=event.form)


def known_names(view: View) -> frozenset[str] | None:
    """Variables the process can have; None where it is open: a top process is started with any data."""
    if not view.process.declares_data:
        return None
    known = {data.name for data in (*view.process.inputs, *view.process.outputs)}
    for node in view.process.nodes:
        added = _sets(view, node)
        if added is None:
            return None
        known |= added
    for named in view.model.named.values():
        known.add(named.variable)
    return frozenset(known)


def _sets(view: View, node: Node) -> set[str] | None:
    found = {node.variable, *(target.split(".")[0] for target, source in assignments(node.script) if source)}
    if node.kind == "userTask":
        fields = view.around.forms.get(node.properties.get("form", ""))
        if fields is None:
            return None
        found |= fields
    if node.service:
        found.add(node.service.result)
    if node.kind == "businessRuleTask":
        file = view.around.decisions.get(node.decision)
        decision = file.decisions.get(node.decision) if file else None
        if decision is None:
            return None
        found.add(decision.variable or decision.id)
    if node.kind == "callActivity":
        called = view.around.processes.get(node.called)
        if called is None:
            return None
        found |= {data.name for data in called.outputs}
    if node.loop:
        found |= {node.loop.item_in, node.loop.item_out, node.loop.data_out}
    return found
