"""Events: only those that do what the drawing says, with everything they refer to."""

from __future__ import annotations

from collections.abc import Iterator

from engine.model.finding import Finding, Rule, choice
from engine.model.types import Event, Node
from engine.model.view import View

LINK = Rule(
    "link_event", "{why}", "Give both ends of a link one name, one catching event for it, and no flow between the two."
)
SIGNAL_END = Rule(
    "signal_end", "A signal end event throws nothing.", "End with a message, or throw before a plain end."
)
UNSUPPORTED = Rule(
    "unsupported_event",
    "A {kind} event is not executed as {node}.",
    "Use a timer, message, error or escalation where docs/models.md shows it.",
)
SEVERAL = Rule(
    "several_definitions", "The event has {count} definitions.", "Keep one; use an event-based gateway for a choice."
)
NOTHING = Rule("event_without_definition", "The event catches nothing.", "Say what it waits for.")
REFERENCE = Rule(
    "event_definition_ref", "eventDefinitionRef is never read.", "Write the definition into the event itself."
)
MISSING = Rule("missing_reference", "The {kind} {ref!r} does not exist.", "The file declares: {known}.")
NAMELESS = Rule("message_without_name", "The message {id} has no name.", "Give it the name senders use.")
LONG = Rule("too_long", "The name of {id} has {count} characters.", "Use at most {most}.")
CODELESS = Rule("error_without_code", "The {kind} {id} has no code.", "Give it the code that is raised.")
HOST = Rule(
    "boundary_host", "The boundary event stands on {host!r}, which is no step of its scope.", "Attach it to a step."
)
BOUNDARY_OUT = Rule("boundary_flow", "{why}", "Let one flow leave a boundary event and none enter it.")
BOUNDARY_LOOP = Rule(
    "boundary_to_host",
    "The flow goes straight back to {host}.",
    "Put a step or a merging gateway between; a direct return leaves ghost tasks.",
)
ERROR_INTERRUPTS = Rule(
    "error_interrupts", "An error always ends what raised it.", "Set cancelActivity to true, or use an escalation."
)
NO_TIME = Rule("timer_empty", "The timer has no date, duration or cycle.", "Write ISO 8601 or FEEL.")
CYCLE = Rule("timer_cycle", "A cycle here fires once at most.", "Use cycles on non-interrupting boundary events only.")

_ALLOWED = {
    "startEvent": frozenset[str](),
    "endEvent": frozenset(["message", "error", "escalation", "terminate"]),
    "boundaryEvent": frozenset(["timer", "message", "error", "escalation"]),
    "intermediateCatchEvent": frozenset(["timer", "message"]),
    "intermediateThrowEvent": frozenset(["message", "escalation"]),
}
LONGEST = 120
_HOSTS = ("Task", "task", "callActivity", "subProcess")


def check(view: View) -> Iterator[Finding]:
    """Findings over events, and over what receive tasks wait for."""
    for node in view.process.nodes:
        if node.kind == "receiveTask":
            ref = node.attributes.get("messageRef", "")
            yield from _reference(view, node, Event("message", node.line, ref=ref))
        elif node.is_event:
            yield from _event(view, node)
    for named in view.model.named.values():
        if named.kind == "message" and not named.name:
            yield NAMELESS.at(view.file, named, id=named.id)
        if len(named.name) > LONGEST:
            yield LONG.at(view.file, named, id=named.id, count=len(named.name), most=LONGEST)
        if named.kind in ("error", "escalation") and not named.code:
            yield CODELESS.at(view.file, named, kind=named.kind, id=named.id)


def _event(view: View, node: Node) -> Iterator[Finding]:
    if node.event_refs:
        yield REFERENCE.at(view.file, node)
    if len(node.events) > 1 or node.attributes.get("parallelMultiple") == "true":
        yield SEVERAL.at(view.file, node, count=len(node.events))
    if not node.events and not node.event_refs and node.kind in ("boundaryEvent", "intermediateCatchEvent"):
        yield NOTHING.at(view.file, node)
    for event in node.events:
        if event.kind == "link":
            yield from _link(view, node, event)
        elif event.kind == "signal" and node.kind == "endEvent":
            yield SIGNAL_END.at(view.file, node)
        elif event.kind not in _ALLOWED[node.kind] and event.kind != "compensate" and node.kind != "startEvent":
            yield UNSUPPORTED.at(view.file, node, kind=event.kind, node=node.kind)
        elif event.kind == "timer":
            yield from _timer(view, node, event)
        elif event.kind in ("message", "error", "escalation"):
            yield from _reference(view, node, event)
    if node.kind == "boundaryEvent":
        yield from _boundary(view, node)


def _link(view: View, node: Node, event: Event) -> Iterator[Finding]:
    if node.kind not in ("intermediateCatchEvent", "intermediateThrowEvent"):
        yield LINK.at(view.file, node, why=f"A link is no {node.kind}.")
        return
    catches, throws = view.links(node.scope, event.text)
    throwing = node.kind == "intermediateThrowEvent"
    drawn = [flow for flow in view.process.flows if node.id == (flow.source if throwing else flow.target)]
    if not event.text:
        yield LINK.at(view.file, node, why="The link has no name.")
    elif drawn:
        yield LINK.at(view.file, node, why="A flow leaves the link." if throwing else "A flow leads into the link.")
    elif len(catches) != 1 or not throws:
        why = f"{len(throws)} throwing and {len(catches)} catching events are named {event.text!r} in this scope."
        yield LINK.at(view.file, node, why=why)


def _reference(view: View, node: Node, event: Event) -> Iterator[Finding]:
    named = view.model.named.get(event.ref)
    catches_all = not event.ref and node.kind == "boundaryEvent" and event.kind != "message"
    if not catches_all and (named is None or named.kind != event.kind):
        declared = [one.id for one in view.model.named.values() if one.kind == event.kind]
        yield MISSING.at(
            view.file, node, line=event.line, kind=event.kind, ref=event.ref, known=choice(event.ref, declared)
        )


def _timer(view: View, node: Node, event: Event) -> Iterator[Finding]:
    if not event.text or event.form not in ("timeDate", "timeDuration", "timeCycle"):
        yield NO_TIME.at(view.file, node, line=event.line)
    elif event.form == "timeCycle" and (node.kind != "boundaryEvent" or node.interrupting):
        yield CYCLE.at(view.file, node, line=event.line)


def _boundary(view: View, node: Node) -> Iterator[Finding]:
    host = view.nodes.get(node.attached_to)
    if host is None or host.scope != node.scope or not host.kind.endswith(_HOSTS):
        yield HOST.at(view.file, node, host=node.attached_to)
    flows = view.out.get(node.id, [])
    if not flows:
        yield BOUNDARY_OUT.at(view.file, node, why="No flow leaves the boundary event.")
    if node.id in view.into:
        yield BOUNDARY_OUT.at(view.file, node, why="A flow enters the boundary event.")
    if any(flow.target == node.attached_to for flow in flows):
        yield BOUNDARY_LOOP.at(view.file, node, host=node.attached_to)
    kinds = {event.kind: event for event in node.events}
    if not node.interrupting and "error" in kinds:
        yield ERROR_INTERRUPTS.at(view.file, node)
