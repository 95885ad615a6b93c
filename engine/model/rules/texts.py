"""Every expression of a process compiles, and every time that is written in ISO 8601 is one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from engine import feel
from engine.feel.temporal import Months
from engine.model import times
from engine.model.finding import Finding, Placed, Rule
from engine.model.rules.sources import literal, looks_iso, texts
from engine.model.script import assignments
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
CONDITION = Rule(
    "condition_type",
    "The condition is always {value!r}, neither true nor false.",
    "Compare, e.g. tries < 3 or not(ok).",
)
TIMER = Rule(
    "bad_timer", "{text!r} looks like ISO 8601 but is no {form}.", "Write PT15M, R3/PT10M or 2026-01-31T08:00:00Z."
)


def check(view: View) -> Iterator[Finding]:
    """Findings over conditions, scripts, timers, parameters, payloads, properties and loops."""
    for node in view.process.nodes:
        if node.kind == "scriptTask":
            yield from _script(view, node)
    asked: list[tuple[Placed, str]] = [(flow, flow.condition or "") for flow in view.process.flows]
    asked += [(node, node.loop.completion) for node in view.process.nodes if node.loop]
    for place, source in asked:
        value = literal(source)
        if value is not None and not isinstance(value, bool):
            yield CONDITION.at(view.file, place, value=str(value))
    yield from _literal_timers(view)
    for text in texts(view):
        try:
            feel.compile(text.source)
        except feel.FeelError as error:
            yield FEEL.at(view.file, text.place, text.line, what=text.what, why=error.detail)


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


def _literal_timers(view: View) -> Iterator[Finding]:
    for node in view.process.nodes:
        for event in node.events:
            if event.kind != "timer" or not looks_iso(event.text):
                continue
            found = times.moment(event.text)
            if event.form == "timeCycle":
                good = times.cycle(event.text) is not None
            elif event.form == "timeDuration":
                good = isinstance(found, timedelta | Months)
            else:
                good = isinstance(found, datetime) and found.tzinfo is not None
            if not good:
                yield TIMER.at(view.file, node, event.line, text=event.text[:60], form=event.form)
