"""Pages find every node of every process in both languages."""

from __future__ import annotations

from importlib.resources import files

from engine.model import Bundle, describe


def test_describe_names_nodes_and_flows() -> None:
    available = {entry.name: entry.read_bytes() for entry in files("bpmn").iterdir() if entry.name.endswith(".bpmn")}
    view = describe(Bundle.closure("consultation", available))
    consultation = view["consultation"]
    assert consultation.name_en == "Remote consultation"
    assert consultation.nodes["apply"].form == "apply"
    assert consultation.nodes["pre_qc"].called == "pre_qc"
    assert view["approval"].flows["f4"].name_en == "No"
    assert consultation.xml.startswith(b"<?xml")
    assert "notify" in view
