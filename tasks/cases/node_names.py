"""What a step of a process is called, also where its model gives it no name: by what it is. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

from engine.model import ProcessView

EVENTS: Final = {"startEvent": ("开始", "Start"), "endEvent": ("结束", "End")}
SPLITS: Final = {
    "exclusiveGateway": ("选择去向", "Way chosen"), "parallelGateway": ("同时开始", "Both begin"),
    "eventBasedGateway": ("等待其一", "Waits for the first"), "inclusiveGateway": ("选择去向", "Ways chosen"),
}  # fmt: skip
JOIN: Final = ("汇合", "Ways meet")
OTHER: Final = ("一步", "Step")


def names(view: ProcessView) -> Mapping[str, tuple[str, str]]:
    """The Chinese and English name of every node of a process; none is empty, and none is the node's id."""
    leaving = Counter(flow.source for flow in view.flows.values())
    found = {}
    for node_id, node in view.nodes.items():
        zh, en = EVENTS.get(node.kind, OTHER)
        if node.kind in SPLITS:
            zh, en = SPLITS[node.kind] if leaving[node_id] > 1 else JOIN
        found[node_id] = (node.name or zh, node.name_en or node.name or en)
    return found
