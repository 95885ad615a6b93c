"""What kind of value an expression gives, from its text and the kinds of its names."""

from __future__ import annotations

import pytest

from engine.feel.kinds import Kind, kind_of

NAMES = {("n",): "number", ("t",): "text", ("c", "at"): "datetime", ("c",): "context", ("d",): "duration"}


def known(path: tuple[str, ...]) -> Kind:
    return NAMES.get(path)


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("1", "number"), ('"a"', "text"), ("true", "boolean"), ("null", None), ("n + 1", "number"), ("t + t", "text"),
        ("n + t", None), ("c.at + d", "datetime"), ("c.at - c.at", "duration"), ("n > 3", "boolean"), ("n > 3 and x", "boolean"),
        ("not(x)", "boolean"), ("if x then 1 else n", "number"), ("if x then 1 else t", None), ("if x then t else null", "text"),
        ("[1, 2]", "list"), ("{a: 1}", "context"), ("c", "context"), ("c.other", None), ("x[1]", None), ("count(x)", "number"),
        ("n between 1 and 2", "boolean"), ("n in (1, 2)", "boolean"), ("some y in x satisfies y = 1", "boolean"),
        ("for y in x return y", "list"), ("-n", "number"), ("string(n)", "text"), ('duration("PT1H")', "duration"), ("now()", "datetime"),
        ('@"2026-11-24"', "date"), ("d * 2", "duration"), ("x instance of number", "boolean"),
    ],
)  # fmt: skip
def test_kind(source: str, kind: str | None) -> None:
    assert kind_of(source, known) == kind
