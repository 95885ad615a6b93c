"""Small reads of DMN elements, whatever version's namespace they carry."""

from __future__ import annotations

from lxml import etree


def children(element: etree._Element, *names: str) -> list[etree._Element]:
    """The child elements of these local names."""
    return [one for one in element if isinstance(one.tag, str) and etree.QName(one).localname in names]


def child(element: etree._Element, name: str) -> etree._Element | None:
    """The first child of a local name."""
    return next(iter(children(element, name)), None)


def text_of(element: etree._Element, name: str) -> str:
    """The `text` inside a child of this name."""
    found = child(element, name)
    return own_text(found) if found is not None else ""


def own_text(element: etree._Element) -> str:
    """The `text` inside this element."""
    found = child(element, "text")
    return "".join(map(str, found.itertext())).strip() if found is not None else ""


def type_ref(element: etree._Element) -> str:
    """The type an element names, by attribute or, as in DMN 1.1, by a child; without the prefix of FEEL's own types."""
    found = child(element, "typeRef")
    name = element.get("typeRef") or (found.text if found is not None else "") or ""
    return name.strip().rsplit(":", 1)[-1]


def line(element: etree._Element) -> int:
    """Where it stands."""
    return int(str(element.sourceline or 0))
