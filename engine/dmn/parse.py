"""Reads DMN 1.1 to 1.5 XML. Entities, DOCTYPE and network are refused, a file has at most 2 MB."""

from __future__ import annotations

from lxml import etree

from engine.dmn.errors import DmnError
from engine.dmn.model import Decision, File, Input, Output, Rule, Table

LIMIT = 2 * 1024 * 1024
POLICIES = ("UNIQUE", "FIRST", "PRIORITY", "ANY", "COLLECT", "RULE ORDER", "OUTPUT ORDER")


def load(xml: bytes) -> File:
    """The decisions of a file. DmnError says what is wrong and where."""
    root = _root(xml)
    if etree.QName(root).localname != "definitions" or "DMN" not in (etree.QName(root).namespace or ""):
        raise DmnError("The root element is not DMN definitions.")
    decisions: dict[str, Decision] = {}
    for element in _children(root, "decision"):
        decision = _decision(element)
        if decision.id in decisions:
            raise DmnError(f"Two decisions have the id {decision.id} (line {element.sourceline}).")
        decisions[decision.id] = decision
    if not decisions:
        raise DmnError("The file holds no decision.")
    return File(decisions, tuple(e.get("name", "") for e in _children(root, "inputData")))


def _root(xml: bytes) -> etree._Element:
    if len(xml) > LIMIT:
        raise DmnError(f"The file has {len(xml)} bytes; {LIMIT} are the most.")
    if b"<!DOCTYPE" in xml or b"<!ENTITY" in xml:
        raise DmnError("A DOCTYPE or an entity is not allowed.")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
    try:
        return etree.fromstring(xml, parser)
    except (etree.XMLSyntaxError, ValueError) as problem:
        raise DmnError(f"The file is not well-formed XML: {problem}.") from None


def _children(element: etree._Element, name: str) -> list[etree._Element]:
    return [child for child in element if isinstance(child.tag, str) and etree.QName(child).localname == name]


def _text(element: etree._Element, name: str) -> str:
    found = _children(element, name)
    if not found:
        return ""
    inner = _children(found[0], "text")
    return (inner[0].text or "").strip() if inner else ""


def _own_text(element: etree._Element) -> str:
    inner = _children(element, "text")
    return (inner[0].text or "").strip() if inner else ""


def _decision(element: etree._Element) -> Decision:
    id_ = element.get("id", "")
    name = element.get("name", "")
    if not id_:
        raise DmnError(f"A decision has no id (line {element.sourceline}).")
    variables = _children(element, "variable")
    variable = variables[0].get("name", "") if variables else ""
    requires = tuple(
        (r.get("href") or "").lstrip("#")
        for i in _children(element, "informationRequirement")
        for r in _children(i, "requiredDecision")
    )
    tables, literals = _children(element, "decisionTable"), _children(element, "literalExpression")
    if not tables and not literals:
        raise DmnError(f"Decision {id_} holds neither a table nor an expression (line {element.sourceline}).")
    table = _table(id_, tables[0]) if tables else None
    literal = _own_text(literals[0]) if literals and not tables else ""
    return Decision(id_, name, variable or id_, _line(element), table, literal, requires)


def _table(decision: str, element: etree._Element) -> Table:
    policy = element.get("hitPolicy", "UNIQUE").upper()
    if policy not in POLICIES:
        raise DmnError(f"Decision {decision} has the unknown hit policy {policy} (line {element.sourceline}).")
    inputs = tuple(
        Input(_text(e, "inputExpression"), e.get("label", ""), _text(e, "inputValues"), _type(e))
        for e in _children(element, "input")
    )
    outputs = tuple(
        Output(
            e.get("name", ""), e.get("label", ""), _text(e, "outputValues"), _text(e, "defaultOutputEntry"), e.get("typeRef", "")
        )
        for e in _children(element, "output")
    )  # fmt: skip
    rules = tuple(
        Rule(
            e.get("id") or f"{decision}_{number}", tuple(map(_own_text, _children(e, "inputEntry"))),
            tuple(map(_own_text, _children(e, "outputEntry"))), _line(e), _note(e),
        )
        for number, e in enumerate(_children(element, "rule"), 1)
    )  # fmt: skip
    for rule in rules:
        if len(rule.inputs) != len(inputs) or len(rule.outputs) != len(outputs):
            raise DmnError(f"Rule {rule.id} has another number of cells than the table has columns (line {rule.line}).")
    return Table(policy, element.get("aggregation", ""), inputs, outputs, rules)


def _type(element: etree._Element) -> str:
    found = _children(element, "inputExpression")
    return found[0].get("typeRef", "") if found else ""


def _note(element: etree._Element) -> str:
    found = _children(element, "description")
    return (found[0].text or "").strip() if found else ""


def _line(element: etree._Element) -> int:
    return int(str(element.sourceline or 0))
