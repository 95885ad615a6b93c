"""Rewrites what the executing core does not know into what it does, with the same meaning (BPMN 2.0.2, 10.4 and 13.2).

Several flows that leave an element which is no gateway: a parallel gateway behind it. Link events: a sequence flow from every
throwing one to the catching one of its name. What is added has ids that models may not use, and never shows in the history.
"""

from __future__ import annotations

from lxml import etree

from engine.model.xml import BPMN, children, local

SPLIT = ".split"
"""Ends the id of an added gateway."""
FLOW = ".flow"
"""Ends the id of an added flow."""
_NODES = ("Task", "task", "Event", "callActivity", "subProcess")


def lower(root: etree._Element) -> etree._Element:
    """The same definitions, rewritten in place."""
    for scope in [*root.iter(f"{{{BPMN}}}process", f"{{{BPMN}}}subProcess")]:
        _link(scope)
        _split(scope)
    return root


def _link(scope: etree._Element) -> None:
    ends: dict[tuple[str, str], list[etree._Element]] = {}
    for node in children(scope, "intermediateThrowEvent", "intermediateCatchEvent"):
        for definition in [*children(node, "linkEventDefinition")]:
            ends.setdefault((local(node), definition.get("name", "")), []).append(node)
            node.remove(definition)
    for (kind, name), nodes in ends.items():
        if kind == "intermediateCatchEvent":
            for node in nodes:
                node.tag = f"{{{BPMN}}}intermediateThrowEvent"  # without a definition: a place a token passes
            continue
        targets = ends.get(("intermediateCatchEvent", name), [])
        for node in nodes:
            for target in targets[:1]:
                _flow(scope, f"{node.get('id')}{FLOW}", node.get("id", ""), target.get("id", ""))


def _split(scope: etree._Element) -> None:
    leaving: dict[str, list[etree._Element]] = {}
    for flow in children(scope, "sequenceFlow"):
        leaving.setdefault(flow.get("sourceRef", ""), []).append(flow)
    for node in [one for one in children(scope) if local(one).endswith(_NODES)]:
        id, flows = node.get("id", ""), leaving.get(node.get("id", ""), [])
        if len(flows) < 2:
            continue
        scope.append(etree.Element(f"{{{BPMN}}}parallelGateway", {"id": f"{id}{SPLIT}"}))
        for flow in flows:
            flow.set("sourceRef", f"{id}{SPLIT}")
        _flow(scope, f"{id}{SPLIT}{FLOW}", id, f"{id}{SPLIT}")


def _flow(scope: etree._Element, id: str, source: str, target: str) -> None:
    scope.append(etree.Element(f"{{{BPMN}}}sequenceFlow", {"id": id, "sourceRef": source, "targetRef": target}))
