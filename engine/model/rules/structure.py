"""The shape of a process: one start, every node on a way from start to end, flows only where they are read."""

from __future__ import annotations

from collections.abc import Iterator

from engine.model.finding import Finding, Rule
from engine.model.types import Node
from engine.model.view import View

NO_START = Rule("no_start", "{id} has no start event.", "Draw one start event.")
STARTS = Rule("several_starts", "{id} has {count} start events.", "Keep one start event; branch after it.")
START_EVENT = Rule(
    "typed_start",
    "A start event with a {kind} would start at once.",
    "Use a plain start event; whoever starts the case waits for the {kind}.",
)
START_INTO = Rule("flow_into_start", "A flow leads into the start event.", "Lead it to the first step instead.")
END_OUT = Rule("flow_from_end", "A flow leaves the end event.", "End where the process ends; use no end event before.")
NO_END = Rule("no_way_to_end", "No way leads from {id} to an end event.", "Draw the way on, up to an end event.")
UNREACHABLE = Rule("unreachable", "No way leads from the start to {id}.", "Connect it or remove it.")
DANGLING = Rule(
    "dangling_flow", "The flow joins {source!r} and {target!r}; one of them is not in its scope.", "Draw it again."
)
CONDITION = Rule(
    "condition_ignored",
    "The condition stands on a flow from {id}, where none is read.",
    "Only exclusive and inclusive gateways read conditions.",
)
NO_DEFAULT = Rule("no_default", "The gateway splits without a default flow.", "Mark one flow as default.")
BAD_DEFAULT = Rule(
    "bad_default", "The default flow {flow!r} does not leave this element.", "Mark one of its own flows."
)
NO_CONDITION = Rule(
    "no_condition", "The flow from {id} has no condition.", "Write a FEEL condition or make it the default."
)
DEFAULT_CONDITION = Rule(
    "default_condition", "The default flow has a condition, which is never read.", "Remove the condition."
)
GATEWAY = Rule(
    "event_gateway",
    "{why}",
    "Let an event-based gateway lead to two or more catching events or receive tasks of its own.",
)
TIMERS = Rule(
    "two_timers", "Several timers follow one event-based gateway.", "Keep one timer; compute the earlier time in FEEL."
)
LONE = Rule("pointless_gateway", "The gateway neither splits nor joins.", "Remove it.", "warning")
LARGE = Rule(
    "large",
    "The process has {count} nodes; 25 can still be read.",
    "Move a part into a process of its own and call it.",
    "warning",
)
SPIN = Rule(
    "loop_without_wait",
    "The loop through {id} never waits.",
    "Let a person, an event or an operation stand in the loop.",
    "warning",
)

_CONDITIONAL = ("exclusiveGateway", "inclusiveGateway")
_WAITS = frozenset(
    ["userTask", "manualTask", "serviceTask", "receiveTask", "callActivity", "intermediateCatchEvent", "eventBasedGateway"]
)  # fmt: skip


def check(view: View) -> Iterator[Finding]:
    """Findings over nodes and flows."""
    for scope, nodes in view.scopes.items():
        yield from _scope(view, scope, nodes)
    yield from _flows(view)
    for node in view.process.nodes:
        yield from _leaving(view, node)
        if node.kind == "eventBasedGateway":
            yield from _event_gateway(view, node)
    if len(view.process.nodes) > 25:
        yield LARGE.at(view.file, view.process, count=len(view.process.nodes))
    yield from _spinning(view)


def _scope(view: View, scope: str, nodes: list[Node]) -> Iterator[Finding]:
    place = view.nodes.get(scope, view.process)
    starts = [node for node in nodes if node.kind == "startEvent"]
    if not starts:
        yield NO_START.at(view.file, place, id=scope)
    if len(starts) > 1:
        yield STARTS.at(view.file, starts[1], id=scope, count=len(starts))
    for start in starts:
        for event in start.events:
            yield START_EVENT.at(view.file, start, kind=event.kind)
        if start.id in view.into:
            yield START_INTO.at(view.file, start)
    ends = [node for node in nodes if node.kind == "endEvent"]
    for end in ends:
        if end.id in view.out:
            yield END_OUT.at(view.file, end)
    inside = {node.id for node in nodes}
    ahead = {node.id: [one.id for one in view.next(node) if one.id in inside] for node in nodes}
    behind: dict[str, list[str]] = {node.id: [] for node in nodes}
    for source, targets in ahead.items():
        for target in targets:
            behind[target].append(source)
    reached, ending = _walk(ahead, [n.id for n in starts]), _walk(behind, [n.id for n in ends])
    for node in nodes:
        if starts and node.id not in reached:
            yield UNREACHABLE.at(view.file, node, id=node.id)
        if node.id not in ending:
            yield NO_END.at(view.file, node, id=node.id)


def _walk(graph: dict[str, list[str]], first: list[str]) -> set[str]:
    seen, waiting = set(first), list(first)
    while waiting:
        for one in graph.get(waiting.pop(), []):
            if one not in seen:
                seen.add(one)
                waiting.append(one)
    return seen


def _flows(view: View) -> Iterator[Finding]:
    for flow in view.process.flows:
        ends = [view.nodes.get(flow.source), view.nodes.get(flow.target)]
        if any(end is None or end.scope != flow.scope for end in ends):
            yield DANGLING.at(view.file, flow, source=flow.source, target=flow.target)


def _leaving(view: View, node: Node) -> Iterator[Finding]:
    flows = view.out.get(node.id, [])
    if node.is_gateway and node.kind != "eventBasedGateway" and len(flows) < 2 and len(view.into.get(node.id, [])) < 2:
        yield LONE.at(view.file, node)
    if node.default and node.default not in [flow.id for flow in flows]:
        yield BAD_DEFAULT.at(view.file, node, flow=node.default)
    if node.kind not in _CONDITIONAL:
        for flow in flows:
            if flow.condition is not None:
                yield CONDITION.at(view.file, flow, id=node.id)
        return
    if len(flows) > 1 and not node.default:
        yield NO_DEFAULT.at(view.file, node)
    for flow in flows:
        if flow.id == node.default:
            if flow.condition is not None:
                yield DEFAULT_CONDITION.at(view.file, flow)
        elif not flow.condition and (len(flows) > 1 or flow.condition is not None):
            yield NO_CONDITION.at(view.file, flow, id=node.id)


def _event_gateway(view: View, node: Node) -> Iterator[Finding]:
    targets = [view.nodes[flow.target] for flow in view.out.get(node.id, []) if flow.target in view.nodes]
    if len(targets) < 2:
        yield GATEWAY.at(view.file, node, why="The event-based gateway leads to fewer than two events.")
    for target in targets:
        if target.kind not in ("intermediateCatchEvent", "receiveTask"):
            yield GATEWAY.at(view.file, target, why=f"{target.id} follows an event-based gateway but catches nothing.")
        elif len(view.into.get(target.id, [])) > 1:
            yield GATEWAY.at(view.file, target, why=f"{target.id} follows an event-based gateway and something else.")
    refs = [event.ref for target in targets for event in target.events if event.kind == "message"]
    refs += [target.attributes.get("messageRef", "") for target in targets]
    messages = [view.model.named[ref].name for ref in refs if ref in view.model.named]
    if len(set(messages)) < len(messages):
        yield GATEWAY.at(view.file, node, why="Two events behind the event-based gateway wait for the same message.")
    if sum(event.kind == "timer" for target in targets for event in target.events) > 1:
        yield TIMERS.at(view.file, node)
    if node.attributes.get("instantiate") == "true" or node.attributes.get("eventGatewayType") == "Parallel":
        yield GATEWAY.at(view.file, node, why="An instantiating or parallel event gateway is not executed.")


def _spinning(view: View) -> Iterator[Finding]:
    """Strip what cannot lie on a loop of nodes that never wait; what is left does."""
    waiting_scopes = {n.scope for n in view.process.nodes if n.kind in _WAITS}
    busy = {
        n.id
        for n in view.process.nodes
        if n.kind not in _WAITS and n.id not in waiting_scopes and n.kind != "boundaryEvent"
    }
    after = {id: {flow.target for flow in view.out.get(id, [])} & busy for id in busy}
    while True:
        fed = {target for targets in after.values() for target in targets}
        loose = {id for id, targets in after.items() if not targets or id not in fed}
        if not loose:
            break
        after = {id: targets - loose for id, targets in after.items() if id not in loose}
    if after:
        first = min((view.nodes[id] for id in after), key=lambda node: node.line)
        yield SPIN.at(view.file, first, id=first.id)
