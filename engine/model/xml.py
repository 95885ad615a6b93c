"""The few ways this room looks at XML elements."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
BPMNDI = "http://www.omg.org/spec/BPMN/20100524/DI"
DC = "http://www.omg.org/spec/DD/20100524/DC"
DI = "http://www.omg.org/spec/DD/20100524/DI"
SPIFF = "http://spiffworkflow.org/bpmn/schema/1.0/core"


def local(element: etree._Element) -> str:
    """The element's name without its namespace."""
    return str(etree.QName(element).localname)


def namespace(element: etree._Element) -> str:
    """The element's namespace, empty when it has none."""
    return str(etree.QName(element).namespace or "")


def line(element: etree._Element) -> int:
    """The line the element starts on, from 1."""
    return element.sourceline if isinstance(element.sourceline, int) else 1


def children(element: etree._Element, *names: str) -> Iterator[etree._Element]:
    """The BPMN children, of these names when any are given, in document order."""
    for child in element.iterchildren("*"):
        if namespace(child) == BPMN and (not names or local(child) in names):
            yield child


def text_of(element: etree._Element, name: str, space: str = BPMN, *, deep: bool = False) -> str:
    """The stripped text of a child (an extension's when deep), empty when there is none."""
    path = f"{{{BPMN}}}extensionElements/{{{space}}}{name}" if deep else f"{{{space}}}{name}"
    found = element.find(path)
    return "" if found is None else (found.text or "").strip()
