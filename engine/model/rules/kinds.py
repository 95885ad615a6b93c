"""Elements and attributes that would be ignored, done otherwise than drawn, or not at all."""

from __future__ import annotations

from collections.abc import Iterator

from engine import feel
from engine.model.finding import Finding, Rule
from engine.model.types import MOST_PARALLEL, MOST_SEQUENTIAL, Loop, Node
from engine.model.view import View

COMPLEX = Rule(
    "complex_gateway", "A complex gateway is not executed.", "Say what it means with exclusive and parallel gateways."
)
AD_HOC = Rule(
    "ad_hoc", "An ad-hoc sub-process is not executed.", "Draw the order, or one user task that lists the steps."
)
TRANSACTION = Rule("transaction", "A transaction is not executed.", "Use an embedded sub-process with boundary events.")
EVENT_SUB = Rule(
    "event_subprocess", "An event sub-process is not executed.", "Put a boundary event on a sub-process instead."
)
SEND = Rule("send_task", "A send task has no message here.", "Use a throwing message event or a service task.")
ABSTRACT = Rule("abstract_task", "A plain task does nothing.", "Make it a user, service, script or business rule task.")
MANUAL = Rule("manual_task", "A manual task lies in nobody's list.", "Use a user task with a form that confirms it.")
COMPLETION = Rule(
    "loop_completion",
    "The completion condition asks for {name}, which is filled after it is asked.",
    "Ask for what one run gives: {item}.",
)
QUANTITY = Rule("token_quantity", "{name} is never read.", "Remove it; draw a gateway if several tokens are meant.")
INSTANTIATE = Rule(
    "instantiate",
    "An instantiating receive task waits instead of starting a case.",
    "Start with a plain start event; receive after it.",
)
COMPENSATION = Rule(
    "compensation", "Compensation is not executed.", "Draw the undoing as steps after a gateway or a boundary event."
)
FOREIGN = Rule("foreign_attribute", "{name} would be ignored.", "Remove it, or say it with spiffworkflow properties.")
NO_LOOP_DATA = Rule(
    "loop_data", "{why}", "Give the loop a number or a list, and for results an output list with its item."
)
BEHAVIOR = Rule("loop_behavior", "behavior={value} is never read.", "Remove it; let a step inside throw the message.")
CARDINALITY = Rule(
    "loop_cardinality",
    "The loop runs {value} times.",
    "Use a number from 1 to {most}, or a list. More than {parallel} at a time make every step slow: do them one after the other, "
    "or let a message start a case for each.",
)
STANDARD = Rule("loop_kind", "A standard loop is not executed.", "Draw the loop with a gateway and a condition.")
FOREVER = Rule(
    "loop_endless",
    "The loop has neither condition nor maximum, or the maximum is not positive.",
    "Draw the loop with a gateway and a condition.",
)

_ATTRIBUTES = {"startQuantity": "1", "completionQuantity": "1"}


def check(view: View) -> Iterator[Finding]:
    """Findings over single nodes."""
    for node in view.process.nodes:
        yield from _kind(view, node)
        for name, usual in _ATTRIBUTES.items():
            if node.attributes.get(name, usual).strip() != usual:
                yield QUANTITY.at(view.file, node, name=name)
        for name in node.attributes:
            if name.startswith("{"):
                yield FOREIGN.at(view.file, node, name=name)
        if node.loop:
            yield from _loop(view, node, node.loop)


def _kind(view: View, node: Node) -> Iterator[Finding]:
    simple = {
        "complexGateway": COMPLEX, "adHocSubProcess": AD_HOC, "transaction": TRANSACTION, "task": ABSTRACT,
        "manualTask": MANUAL,
    }  # fmt: skip
    if node.kind in simple:
        yield simple[node.kind].at(view.file, node)
    if node.attributes.get("triggeredByEvent") == "true":
        yield EVENT_SUB.at(view.file, node)
    if node.kind == "receiveTask" and node.attributes.get("instantiate") == "true":
        yield INSTANTIATE.at(view.file, node)
    if node.attributes.get("isForCompensation") == "true" or any(e.kind == "compensate" for e in node.events):
        yield COMPENSATION.at(view.file, node)
    if node.kind == "sendTask":
        yield SEND.at(view.file, node)


def _loop(view: View, node: Node, loop: Loop) -> Iterator[Finding]:
    if loop.kind == "standard":
        if (not loop.condition and not loop.maximum) or (loop.maximum and not _positive(loop.maximum)):
            yield FOREVER.at(view.file, node, line=loop.line)
        else:
            yield STANDARD.at(view.file, node, line=loop.line)
        return
    if loop.behavior not in ("", "All"):
        yield BEHAVIOR.at(view.file, node, line=loop.line, value=loop.behavior)
    if not loop.cardinality and not loop.data_in:
        yield NO_LOOP_DATA.at(view.file, node, line=loop.line, why="The loop has neither a number nor a list.")
    if bool(loop.data_out) != bool(loop.item_out):
        yield NO_LOOP_DATA.at(view.file, node, line=loop.line, why="Output list and output item belong together.")
    if loop.data_in and not loop.item_in:
        yield NO_LOOP_DATA.at(view.file, node, line=loop.line, why="The list has no item to give to each run.")
    if loop.data_out and loop.data_out in _names(loop.completion):
        yield COMPLETION.at(view.file, node, line=loop.line, name=loop.data_out, item=loop.item_out)
    number, most = _number(loop.cardinality), MOST_SEQUENTIAL if loop.kind == "sequential" else MOST_PARALLEL
    if number is not None and not (1 <= number <= most and number == int(number)):
        yield CARDINALITY.at(view.file, node, line=loop.line, value=loop.cardinality, most=most, parallel=MOST_PARALLEL)


def _names(source: str) -> frozenset[str]:
    try:
        return feel.compile(source).names if source else frozenset()
    except feel.FeelError:
        return frozenset()


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _positive(text: str) -> bool:
    number = _number(text)
    return number is not None and number >= 1
