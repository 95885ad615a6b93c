"""One flow node out of its element."""

from __future__ import annotations

from lxml import etree

from engine.model.types import Event, Loop, Node, Parameter, Service
from engine.model.xml import BPMN, SPIFF, children, line, local, text_of

_REFS = ("messageRef", "errorRef", "escalationRef", "signalRef")
_EXTENSIONS = f"{{{BPMN}}}extensionElements"


def extension_properties(element: etree._Element) -> dict[str, str]:
    """The spiffworkflow properties of an element, as written."""
    path = f"{_EXTENSIONS}/{{{SPIFF}}}properties/{{{SPIFF}}}property"
    return {found.get("name", ""): found.get("value", "") for found in element.findall(path)}


def node(element: etree._Element, scope: str, lane: str) -> Node:
    """The node of an element; extensions count only where the modeller writes them."""
    found = _service(element)
    return Node(
        element.get("id", ""),
        local(element),
        line(element),
        scope,
        name=element.get("name", ""),
        properties=extension_properties(element),
        attributes={str(key): str(value) for key, value in element.attrib.items()},
        events=tuple(_event(child) for child in children(element) if local(child).endswith("EventDefinition")),
        event_refs=tuple((child.text or "").strip() for child in children(element, "eventDefinitionRef")),
        loop=_loop(element),
        service=found,
        decision=text_of(element, "calledDecisionId", SPIFF, deep=True),
        script=_script(element),
        payload=text_of(element, "messagePayload", SPIFF, deep=True),
        variable=text_of(element, "messageVariable", SPIFF, deep=True),
        completion=text_of(element, "completionCondition"),
        lane=lane,
    )


def _script(element: etree._Element) -> str:
    """Indentation continues a line, so the text is kept but for empty lines around it."""
    found = element.find(f"{{{BPMN}}}script")
    return "" if found is None else (found.text or "").strip("\n")


def _event(element: etree._Element) -> Event:
    kind = local(element).removesuffix("EventDefinition")
    ref = next((element.get(name, "") for name in _REFS if element.get(name)), "")
    form, text = "", ""
    for child in children(element, "timeDate", "timeDuration", "timeCycle", "condition"):
        form, text = local(child), (child.text or "").strip()
    if kind == "link":
        text = element.get("name", "")
    return Event(kind, line(element), element.get("id", ""), ref, form, text)


def _loop(element: etree._Element) -> Loop | None:
    for child in children(element, "standardLoopCharacteristics", "multiInstanceLoopCharacteristics"):
        if local(child) == "standardLoopCharacteristics":
            return Loop(
                "standard",
                line(child),
                condition=text_of(child, "loopCondition"),
                maximum=child.get("loopMaximum", ""),
            )
        return Loop(
            "sequential" if child.get("isSequential") == "true" else "parallel",
            line(child),
            cardinality=text_of(child, "loopCardinality"),
            data_in=text_of(child, "loopDataInputRef"),
            data_out=text_of(child, "loopDataOutputRef"),
            item_in=_item(child, "inputDataItem"),
            item_out=_item(child, "outputDataItem"),
            completion=text_of(child, "completionCondition"),
            behavior=child.get("behavior", ""),
        )
    return None


def _item(element: etree._Element, name: str) -> str:
    found = element.find(f"{{{BPMN}}}{name}")
    return "" if found is None else found.get("name") or found.get("id") or ""


def _service(element: etree._Element) -> Service | None:
    found = element.find(f"{_EXTENSIONS}/{{{SPIFF}}}serviceTaskOperator")
    if found is None:
        return None
    parameters = tuple(
        Parameter(one.get("id", ""), one.get("value", ""), line(one))
        for one in found.findall(f"{{{SPIFF}}}parameters/{{{SPIFF}}}parameter")
    )
    return Service(found.get("id", ""), found.get("resultVariable", ""), parameters, line(found))
