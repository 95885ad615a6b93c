"""One directory a rule: its files are one bundle, expected.json what lint says about them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.model import lint_files
from engine.operations import Effect, Signature, Type
from engine.spiff_parser import read

HERE = Path(__file__).parent
CASES = sorted(path.name for path in HERE.iterdir() if (path / "expected.json").exists())
SIGNATURES = {
    "demo.do": Signature(
        "demo.do",
        Effect.LOCAL,
        {"case": Type.TEXT, "count": Type.NUMBER, "mood": Type.TEXT},
        {"ok": Type.BOOLEAN},
        frozenset(["full"]),
        frozenset(["count", "mood"]),
        words={"mood": frozenset(["happy", "sad"])},
    ),
    "demo.tell": Signature("demo.tell", Effect.LOCAL, {"case": Type.TEXT}),
}
ROLES = frozenset(["triage", "expert"])
CONTEXTS = {"case": dict.fromkeys(("id", "to", "from", "urgency"), Type.TEXT) | {"version": Type.NUMBER}}


def judged(case: str) -> list[dict[str, str | int]]:
    files = {path.name: path.read_bytes() for path in (HERE / case).iterdir() if path.name != "expected.json"}
    return lint_files(files, SIGNATURES, roles=ROLES, contexts=CONTEXTS)


@pytest.mark.parametrize("case", CASES)
def test_rule(case: str) -> None:
    keys = ("file", "line", "element", "rule", "severity")
    found = [{key: one[key] for key in keys} for one in judged(case)]
    assert found == json.loads((HERE / case / "expected.json").read_text())
    assert all(one["message"] and one["advice"] for one in judged(case))


def test_the_good_model_is_accepted() -> None:
    assert judged("good") == []


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("unknown_operation", "demo.do, demo.tell"),
        ("unknown_parameter", "It takes: "),
        ("missing_parameter", "text"),
        ("unknown_form", "none"),
        ("unknown_role", "expert"),
        ("unknown_word", "happy, sad"),
        ("unknown_entry", "urgency, "),
        ("unknown_result_entry", "ok"),
        ("unset_input", "case"),
        ("unknown_value", "can be: no, yes"),
        ("undeclared_error", "none"),
        ("unknown_process", "none"),
        ("missing_reference", "The file declares"),
    ],
)
def test_the_advice_says_what_there_is_the_likest_first(case: str, said: str) -> None:
    assert any(said in str(one["advice"]) for one in judged(case)), [one["advice"] for one in judged(case)]


@pytest.mark.parametrize("case", CASES)
def test_what_is_accepted_has_an_executable_form(case: str) -> None:
    if any(one["severity"] == "error" for one in judged(case)):
        return
    files = {path.name: path.read_bytes() for path in (HERE / case).iterdir() if path.name != "expected.json"}
    assert read("p", files).top.name == "p"
