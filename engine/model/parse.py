"""BPMN 2.0 XML to plain values: no DOCTYPE, no entities, no network, 2 MB at most, lines kept."""

from __future__ import annotations

import math
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from functools import lru_cache

from lxml import etree

from engine.model.errors import ModelUnreadable
from engine.model.node import extension_properties, node
from engine.model.types import Data, Flow, Model, Named, Node, Process, Shape, Strange
from engine.model.xml import BPMN, BPMNDI, DC, DI, SPIFF, children, line, local, namespace, text_of

LIMIT = 2 * 1024 * 1024
"""Bytes of one model file."""

NODES = frozenset(
    [
        "task",
        "userTask",
        "manualTask",
        "serviceTask",
        "scriptTask",
        "businessRuleTask",
        "sendTask",
        "receiveTask",
        "callActivity",
        "subProcess",
        "transaction",
        "adHocSubProcess",
        "startEvent",
        "endEvent",
        "boundaryEvent",
        "intermediateCatchEvent",
        "intermediateThrowEvent",
        "exclusiveGateway",
        "inclusiveGateway",
        "parallelGateway",
        "eventBasedGateway",
        "complexGateway",
    ]
)
_INERT = frozenset(["documentation", "extensionElements", "incoming", "outgoing", "auditing", "monitoring"])
_IN_SCOPE = frozenset(
    ["sequenceFlow", "laneSet", "textAnnotation", "association", "group", "dataObject", "dataObjectReference"]
)
_IN_NODE = frozenset(
    [
        "standardLoopCharacteristics",
        "multiInstanceLoopCharacteristics",
        "completionCondition",
        "eventDefinitionRef",
        "script",
    ]
)
_EXTENSIONS = frozenset(["properties", "serviceTaskOperator", "calledDecisionId", "messagePayload", "messageVariable"])
_TOP = frozenset(
    ["process", "message", "error", "escalation", "signal", "collaboration", "documentation", "extensionElements",
     "itemDefinition"]
)  # fmt: skip


def read(content: bytes) -> etree._Element:
    """The root element. ModelUnreadable says what is wrong and on which line."""
    if len(content) > LIMIT:
        raise ModelUnreadable(f"It has {len(content)} bytes; {LIMIT} are allowed.")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise ModelUnreadable(str(error)[:300], getattr(error, "lineno", None) or 1) from None
    if root is None:
        raise ModelUnreadable("It is empty.")
    if root.getroottree().docinfo.internalDTD is not None:
        raise ModelUnreadable("It has a DOCTYPE.")
    return root


@lru_cache(maxsize=256)
def parse(file: str, content: bytes) -> Model:
    """The model of one file; raises ModelUnreadable and nothing else."""
    root = read(content)
    if root.tag != f"{{{BPMN}}}definitions":
        raise ModelUnreadable(f"The root element is {root.tag}, not definitions of BPMN 2.0.", line(root))
    named = [_named(child) for child in children(root, "message", "error", "escalation", "signal")]
    return Model(
        file,
        processes=tuple(_process(child) for child in children(root, "process")),
        named={found.id: found for found in named},
        shapes=tuple(_shapes(root)),
        diagrams=sum(1 for _ in root.iter(f"{{{BPMNDI}}}BPMNPlane")),
        ids=tuple(
            (found.get("id", ""), line(found)) for found in root.iter("*") if found.get("id") and _owns_id(found)
        ),
        strange=tuple(_strange_top(root)),
        pools=sum(1 for _ in root.iter(f"{{{BPMN}}}participant")),
    )


def _owns_id(element: etree._Element) -> bool:
    return namespace(element) in (BPMN, BPMNDI)


def _strange_top(root: etree._Element) -> Iterator[Strange]:
    for child in root.iterchildren("*"):
        if namespace(child) != BPMNDI and not (namespace(child) == BPMN and local(child) in _TOP):
            yield _odd(child)
        elif local(child) in ("message", "error", "escalation", "signal"):
            yield from _foreign_extensions(child)


def _named(element: etree._Element) -> Named:
    kind = local(element)
    return Named(
        element.get("id", ""),
        kind,
        line(element),
        name=element.get("name", ""),
        code=element.get(f"{kind}Code", ""),
        payload=text_of(element, "messagePayload", SPIFF, deep=True),
        variable=text_of(element, "messageVariable", SPIFF, deep=True),
    )


def _process(element: etree._Element) -> Process:
    scopes = list(_scopes(element))
    lanes = {
        (ref.text or "").strip(): lane.get("name", "")
        for lane in element.iter(f"{{{BPMN}}}lane")
        for ref in lane.findall(f"{{{BPMN}}}flowNodeRef")
    }
    io = element.find(f"{{{BPMN}}}ioSpecification")
    return Process(
        element.get("id", ""),
        line(element),
        name=element.get("name", ""),
        executable=element.get("isExecutable") == "true",
        properties=extension_properties(element),
        nodes=tuple(_nodes(scopes, lanes)),
        flows=tuple(_flow(child, scope) for scope, holder in scopes for child in children(holder, "sequenceFlow")),
        inputs=_data(io, "dataInput"),
        outputs=_data(io, "dataOutput"),
        declares_data=io is not None,
        strange=tuple(_strange(scopes)),
        artifacts=tuple(
            Data(found.get("id", ""), found.get("name", ""), line(found))
            for _, holder in scopes
            for found in children(holder, "textAnnotation", "association", "group", "dataObjectReference")
        ),
    )


def _scopes(element: etree._Element) -> Iterator[tuple[str, etree._Element]]:
    """The process and every sub-process in it, outermost first."""
    waiting = [element]
    while waiting:
        holder = waiting.pop(0)
        yield holder.get("id", ""), holder
        waiting.extend(children(holder, "subProcess", "transaction", "adHocSubProcess"))


def _nodes(scopes: list[tuple[str, etree._Element]], lanes: dict[str, str]) -> Iterator[Node]:
    for scope, holder in scopes:
        for child in children(holder):
            if local(child) in NODES:
                yield node(child, scope, lanes.get(child.get("id", ""), ""))


def _strange(scopes: list[tuple[str, etree._Element]]) -> Iterator[Strange]:
    """Whatever a process, node or flow holds that nobody would read: it must not look as if it meant something."""
    for _, holder in scopes:
        inner = _IN_SCOPE | NODES | (_IN_NODE if local(holder) != "process" else {"ioSpecification", "property"})
        yield from _unknown(holder, inner)
        for child in children(holder):
            if local(child) in NODES and local(child) not in ("subProcess", "transaction", "adHocSubProcess"):
                yield from _unknown(child, _IN_NODE)
            elif local(child) == "sequenceFlow":
                yield from _unknown(child, {"conditionExpression"})


def _unknown(element: etree._Element, known: AbstractSet[str]) -> Iterator[Strange]:
    for child in element.iterchildren("*"):
        name = local(child)
        if namespace(child) == BPMN and (name in _INERT or name in known or name.endswith("EventDefinition")):
            continue
        yield _odd(child)
    yield from _foreign_extensions(element)


def _foreign_extensions(element: etree._Element) -> Iterator[Strange]:
    for holder in children(element, "extensionElements"):
        for child in holder.iterchildren("*"):
            if namespace(child) != SPIFF or local(child) not in _EXTENSIONS:
                yield _odd(child)


def _odd(element: etree._Element) -> Strange:
    owner = element
    while owner is not None and not owner.get("id"):
        owner = owner.getparent()  # type: ignore[assignment]
    return Strange(local(element), namespace(element), "" if owner is None else owner.get("id", ""), line(element))


def _flow(element: etree._Element, scope: str) -> Flow:
    condition = element.find(f"{{{BPMN}}}conditionExpression")
    return Flow(
        element.get("id", ""),
        element.get("sourceRef", ""),
        element.get("targetRef", ""),
        line(element),
        scope,
        name=element.get("name", ""),
        condition=None if condition is None else (condition.text or "").strip(),
        properties=extension_properties(element),
    )


def _data(io: etree._Element | None, tag: str) -> tuple[Data, ...]:
    if io is None:
        return ()
    return tuple(
        Data(one.get("id", ""), one.get("name") or one.get("id") or "", line(one)) for one in children(io, tag)
    )


def _shapes(root: etree._Element) -> Iterator[Shape]:
    for found in root.iter(f"{{{BPMNDI}}}BPMNShape", f"{{{BPMNDI}}}BPMNEdge"):
        bounds = found.find(f"{{{DC}}}Bounds")
        yield Shape(
            found.get("bpmnElement", ""),
            line(found),
            None if bounds is None else _bounds(bounds),
            len(found.findall(f"{{{DI}}}waypoint")),
        )


def _bounds(element: etree._Element) -> tuple[float, float, float, float] | None:
    try:
        x, y, width, height = (float(element.get(key, "")) for key in ("x", "y", "width", "height"))
    except ValueError:
        return None
    return (x, y, width, height) if all(map(math.isfinite, (x, y, width, height))) else None
