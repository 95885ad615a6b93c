"""The DMN Technology Compatibility Kit over our FEEL and DMN: how many of its results we give, and never fewer than before."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from engine import dmn
from engine.feel import temporal
from engine.feel.values import number

HOME = Path(os.environ.get("LIANYI_TEST_DATA", Path(__file__).parents[2].parent / "shared" / "data")) / "dmn-tck"
RATCHET = Path(__file__).with_name("dmn_tck_ratchet.json")
NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
READ = {
    "string": lambda text: text, "boolean": lambda text: text == "true", "date": temporal.parse_date,
    "time": temporal.parse_time, "dateTime": temporal.parse_datetime, "duration": temporal.parse_duration,
}  # fmt: skip


@pytest.mark.parametrize("level", ["compliance-level-2", "compliance-level-3"])
def test_as_many_results_as_before(level: str, record_property: Any) -> None:
    if not (HOME / level).is_dir():
        pytest.skip(f"the compatibility kit is not at {HOME}; set LIANYI_TEST_DATA")
    counts, failed = Counter[str](), []
    for folder in sorted((HOME / level).iterdir()):
        for name, passed in results(folder):
            counts["passed" if passed else "failed"] += 1
            if not passed:
                failed.append(name)
    total = counts.total()
    record_property(level, f"{counts['passed']}/{total}")
    print(f"{level}: {counts['passed']} of {total}")
    before = json.loads(RATCHET.read_text())[level]
    assert counts["passed"] >= before["passed"], failed
    assert total >= before["total"]


def results(folder: Path) -> Iterator[tuple[str, bool]]:
    """Name and success of every result a folder of the kit expects."""
    models = Models(folder)
    for path in sorted(folder.glob("*.xml")):
        tests = etree.parse(path).getroot()
        model = models.get(str(tests.findtext("{*}modelName")), tests.get("namespace"))
        for case in tests.iter("{*}testCase"):
            for node in case.iter("{*}resultNode"):
                name = f"{folder.name}/{case.get('id')}/{node.get('name')}"
                try:
                    found = decide(model, case, node)
                except dmn.DmnError:
                    found = None
                expected = node.find("{*}expected")
                yield name, alike(found, value_of(expected) if expected is not None else None)


class Models:
    """The compiled models of a folder, imports first."""

    def __init__(self, folder: Path) -> None:
        self._files = {path.name: dmn.load(path.read_bytes()) for path in sorted(folder.glob("*.dmn"))}
        self._made: dict[str, dmn.Decisions] = {}

    def get(self, name: str, _: str | None) -> dmn.Decisions:
        """The compiled model of a file name."""
        file = self._files[name]
        if name not in self._made:
            others = {one.namespace: other for other, one in self._files.items()}
            imports = {space: self.get(others[space], None) for space in file.imports.values() if space in others}
            self._made[name] = dmn.Decisions(file, imports, lenient=True)
        return self._made[name]


def decide(model: dmn.Decisions, case: etree._Element, node: etree._Element) -> Any:
    """The FEEL value a test case asks for."""
    given = {str(one.get("name")): value_of(one) for one in case.iter("{*}inputNode")}
    file = model.file
    if case.get("type") == "decisionService":
        ids = [one.id for one in file.services.values() if one.name == case.get("invocableName")]
        found = model.serve(ids[0], given, now=NOW)
        return found[node.get("name")] if len(file.services[ids[0]].outputs) > 1 and found else found
    ids = [one.id for one in file.decisions.values() if one.name == node.get("name")]
    return model.evaluate(ids[0], given, now=NOW)


def value_of(element: etree._Element) -> Any:
    """The FEEL value an element of a test holds."""
    value, items = element.find("{*}value"), element.find("{*}list")
    if value is not None:
        if value.get(f"{XSI}nil") == "true":
            return None
        kind = (value.get(f"{XSI}type") or "string").split(":")[-1]
        text = value.text or ""
        return READ[kind](text) if kind in READ else number(text.strip())
    if items is not None:
        return None if items.get(f"{XSI}nil") == "true" else [value_of(one) for one in items.findall("{*}item")]
    parts = element.findall("{*}component")
    if not parts or element.get(f"{XSI}nil") == "true":
        return None
    return {str(one.get("name")): value_of(one) for one in parts}


def alike(found: Any, expected: Any) -> bool:
    """Equal, numbers to eight places as the kit gives them."""
    if isinstance(expected, Decimal) and isinstance(found, Decimal):
        return abs(found - expected) < Decimal("0.00000001") * max(1, abs(expected))
    if isinstance(expected, list) and isinstance(found, list):
        return len(found) == len(expected) and all(map(alike, found, expected))
    if isinstance(expected, dict) and isinstance(found, dict):
        return found.keys() == expected.keys() and all(alike(found[key], expected[key]) for key in expected)
    return type(found) is type(expected) and bool(found == expected)
