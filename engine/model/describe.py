"""A bundle for pages: what stands where, in both languages, and the XML to draw it from."""

from __future__ import annotations

from dataclasses import dataclass

from engine.model.bundle import Bundle


@dataclass(frozen=True)
class NodeView:
    """A node as a page names it; `called` is the process behind a call activity."""

    kind: str
    name: str
    name_en: str
    form: str
    lane: str
    called: str = ""


@dataclass(frozen=True)
class FlowView:
    """A flow as a page names it."""

    source: str
    target: str
    name: str
    name_en: str


@dataclass(frozen=True)
class ProcessView:
    """One process: names, nodes and flows by id, and the XML with its diagram."""

    name: str
    name_en: str
    nodes: dict[str, NodeView]
    flows: dict[str, FlowView]
    xml: bytes


def describe(bundle: Bundle) -> dict[str, ProcessView]:
    """Every process of the bundle by id."""
    found = {}
    for file, model in bundle.models.items():
        for process in model.processes:
            nodes = {
                node.id: NodeView(
                    node.kind,
                    node.name,
                    node.properties.get("name_en", ""),
                    node.properties.get("form", ""),
                    node.lane,
                    node.called,
                )
                for node in process.nodes
            }
            flows = {
                flow.id: FlowView(flow.source, flow.target, flow.name, flow.properties.get("name_en", ""))
                for flow in process.flows
            }
            english = process.properties.get("name_en", "")
            found[process.id] = ProcessView(process.name, english, nodes, flows, bundle.files[file])
    return found
