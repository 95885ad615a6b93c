"""Decision tables decide as the standard says, and a table with a hole does not pass."""

from __future__ import annotations

import importlib.resources
from datetime import UTC, datetime
from typing import Any

import pytest

from engine.dmn import Decisions, DmnError, NoRule, SeveralRules, check, decide_file, load

NOW = datetime(2026, 11, 24, tzinfo=UTC)
CASE = {"case": {"kind": "RC", "modality": "CT", "part": "head", "tag": "none", "urgency": "U"}}


def _file(policy: str, rules: list[tuple[str, str]], aggregation: str = "", default: str = "") -> bytes:
    rows = "".join(
        f'<rule id="r{i}"><inputEntry id="i{i}"><text>{test}</text></inputEntry><outputEntry id="o{i}"><text>{value}</text></outputEntry></rule>'
        for i, (test, value) in enumerate(rules, 1)
    )
    more = f' aggregation="{aggregation}"' if aggregation else ""
    entry = f"<defaultOutputEntry><text>{default}</text></defaultOutputEntry>" if default else ""
    return (
        '<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" id="d" name="d" namespace="x"><decision id="d" name="d">'
        f'<decisionTable id="t" hitPolicy="{policy}"{more}><input id="in"><inputExpression id="e"><text>x</text></inputExpression>'
        f'<inputValues><text>1, 2, 3</text></inputValues></input><output id="out" name="y">{entry}</output>{rows}</decisionTable></decision></definitions>'
    ).encode()


@pytest.mark.parametrize(
    ("policy", "rules", "aggregation", "x", "value"),
    [
        ("UNIQUE", [("1", '"a"'), ("&gt; 1", '"b"')], "", 2, "b"),
        ("FIRST", [("-", '"a"'), ("1", '"b"')], "", 1, "a"),
        ("COLLECT", [("1", "1"), ("-", "2")], "", 1, [1, 2]),
        ("COLLECT", [("1", "1"), ("-", "2")], "SUM", 1, 3),
        ("COLLECT", [("1", "1"), ("-", "2")], "MIN", 1, 1),
        ("COLLECT", [("1", "1"), ("-", "2")], "COUNT", 1, 2),
        ("RULE ORDER", [("1", "5"), ("-", "2")], "", 1, [5, 2]),
        ("ANY", [("1", "5"), ("-", "5")], "", 1, 5),
    ],
)
def test_hit_policies(policy: str, rules: list[tuple[str, str]], aggregation: str, x: int, value: Any) -> None:
    assert decide_file(_file(policy, rules, aggregation), None, {"x": x}, now=NOW) == value


def test_no_row_and_several_rows_are_errors_not_guesses() -> None:
    with pytest.raises(NoRule):
        decide_file(_file("UNIQUE", [("1", "1")]), None, {"x": 2}, now=NOW)
    with pytest.raises(SeveralRules):
        decide_file(_file("UNIQUE", [("1", "1"), ("-", "2")]), None, {"x": 1}, now=NOW)
    assert decide_file(_file("UNIQUE", [("1", "1")], default="9"), None, {"x": 2}, now=NOW) == 9


@pytest.mark.parametrize(
    ("policy", "rules", "kinds"),
    [
        ("UNIQUE", [("1", "1"), ("2", "2")], {"gap"}),
        ("UNIQUE", [("1", "1"), ("-", "2")], {"overlap"}),
        ("FIRST", [("-", "1"), ("1", "2")], {"dead"}),
        ("FIRST", [("1", "1"), ("-", "2")], set()),
    ],
)
def test_check(policy: str, rules: list[tuple[str, str]], kinds: set[str]) -> None:
    assert {f.kind for f in check(load(_file(policy, rules)).decisions["d"])} == kinds


@pytest.mark.parametrize("name", ["triage", "sla"])
def test_shipped_tables_have_no_holes(name: str) -> None:
    xml = (importlib.resources.files("bpmn") / f"{name}.dmn").read_bytes()
    file = load(xml)
    assert check(file.decisions[name]) == []
    assert Decisions(file).decide(name, CASE, now=NOW).rules


@pytest.mark.parametrize("xml", [
    b"", b"<a/>", b"<!DOCTYPE a><a/>", b"\xff\xfe", b"<definitions xmlns='https://www.omg.org/spec/DMN/x'/>",
    _file("NEWEST", [("1", "1")]), _file("UNIQUE", [("1 +", "1")]),
])  # fmt: skip
def test_bad_files_are_refused(xml: bytes) -> None:
    with pytest.raises(DmnError):
        decide_file(xml, None, {"x": 1}, now=NOW)
