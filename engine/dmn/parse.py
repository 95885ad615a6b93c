"""Reads DMN 1.1 to 1.5 XML. Entities, DOCTYPE and network are refused, a file has at most 2 MB."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

from lxml import etree

from engine.dmn import boxes
from engine.dmn.errors import DmnError
from engine.dmn.model import (
    Decision,
    Definition,
    Entry,
    File,
    InputData,
    Item,
    Knowledge,
    Requirement,
    Service,
)
from engine.dmn.xml import child, children, line, text_of, type_ref

LIMIT = 2 * 1024 * 1024
NEEDS = {"requiredInput": "input", "requiredDecision": "decision", "requiredKnowledge": "knowledge"}


class _HasId(Protocol):
    @property
    def id(self) -> str: ...


Part = TypeVar("Part", bound=_HasId)


def load(xml: bytes) -> File:
    """The elements of a file. DmnError says what is wrong and where."""
    root = _root(xml)
    if etree.QName(root).localname != "definitions" or "DMN" not in (etree.QName(root).namespace or ""):
        raise DmnError("The root element is not DMN definitions.")
    namespace = root.get("namespace", "")
    file = File(
        _by_id(_decision, children(root, "decision"), namespace),
        _by_id(_input, children(root, "inputData"), namespace),
        _by_id(_knowledge, children(root, "businessKnowledgeModel"), namespace),
        _by_id(_service, children(root, "decisionService"), namespace),
        tuple(_item(one) for one in children(root, "itemDefinition")),
        {one.get("name", ""): one.get("namespace", "") for one in children(root, "import")},
        namespace,
    )
    if not (file.decisions or file.knowledge or file.items or file.data):
        raise DmnError("The file holds no decision.")
    return file


def _root(xml: bytes) -> etree._Element:
    if len(xml) > LIMIT:
        raise DmnError(f"The file has {len(xml)} bytes; {LIMIT} are the most.")
    if b"<!DOCTYPE" in xml or b"<!ENTITY" in xml:
        raise DmnError("A DOCTYPE or an entity is not allowed.")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
    try:
        root = etree.fromstring(xml, parser)
    except (etree.XMLSyntaxError, ValueError) as problem:
        raise DmnError(f"The file is not well-formed XML: {problem}.") from None
    if getattr(root.getroottree().docinfo, "doctype", ""):  # in another encoding than the bytes above
        raise DmnError("A DOCTYPE or an entity is not allowed.")
    return root


def _by_id(
    read: Callable[[etree._Element, str], Part], elements: Iterable[etree._Element], space: str
) -> dict[str, Part]:
    found: dict[str, Part] = {}
    for element in elements:
        one = read(element, space)
        if not one.id:
            raise DmnError(f"A {etree.QName(element).localname} has neither id nor name (line {line(element)}).")
        if one.id in found:
            raise DmnError(f"Two elements have the id {one.id} (line {line(element)}).")
        found[one.id] = one
    return found


def _id(element: etree._Element) -> str:
    return str(element.get("id") or element.get("name") or "")


def _variable(element: etree._Element) -> tuple[str, str]:
    """Name and type of the element's variable."""
    variable = child(element, "variable")
    if variable is None:
        return element.get("name", ""), type_ref(element)
    return str(variable.get("name") or element.get("name") or ""), type_ref(variable)


def _needs(element: etree._Element, space: str) -> tuple[Requirement, ...]:
    found = []
    for holder in element:
        for one in holder if isinstance(holder.tag, str) else ():
            kind = NEEDS.get(etree.QName(one).localname) if isinstance(one.tag, str) else None
            if kind:
                found.append(_reference(kind, one, space))
    return tuple(found)


def _reference(kind: str, element: etree._Element, space: str) -> Requirement:
    namespace, _, id_ = element.get("href", "").rpartition("#")
    return Requirement(kind, id_, "" if namespace == space else namespace)


def _decision(element: etree._Element, space: str) -> Decision:
    name, kind = _variable(element)
    id_ = _id(element)
    box = boxes.inside(element, id_)
    return Decision(id_, element.get("name", ""), name or id_, line(element), box, kind, _needs(element, space))


def _input(element: etree._Element, _: str) -> InputData:
    name, kind = _variable(element)
    return InputData(_id(element), name, kind)


def _knowledge(element: etree._Element, space: str) -> Knowledge:
    name, kind = _variable(element)
    logic = child(element, "encapsulatedLogic")
    id_ = _id(element)
    function = boxes.definition(logic, id_) if logic is not None else Definition((), None)
    return Knowledge(id_, name, line(element), function, kind, _needs(element, space))


def _service(element: etree._Element, space: str) -> Service:
    name, kind = _variable(element)
    outputs = tuple(_reference("decision", one, space) for one in children(element, "outputDecision"))
    inputs = [_reference("input", one, space) for one in children(element, "inputData")]
    inputs += [_reference("decision", one, space) for one in children(element, "inputDecision")]
    return Service(_id(element), name, outputs, tuple(inputs), kind)


def _item(element: etree._Element) -> Item:
    function = child(element, "functionItem")
    params = None
    if function is not None:
        params = tuple(Entry(one.get("name", ""), type_ref(one)) for one in children(function, "parameters"))
    values = text_of(element, "typeConstraint") or text_of(element, "allowedValues")
    return Item(
        element.get("name", ""),
        type_ref(element),
        values,
        element.get("isCollection") == "true",
        tuple(_item(one) for one in children(element, "itemComponent")),
        params,
        function.get("outputTypeRef", "") if function is not None else "",
    )
