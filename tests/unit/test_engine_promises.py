"""Results are held to their signature."""

from __future__ import annotations

from typing import Any

import pytest

from engine import Effect, Signature, Type
from engine.promises import ResultMismatch, accept

GOOD: dict[Type, list[Any]] = {
    Type.TEXT: ["", "x"],
    Type.NUMBER: [0, -1.5, {"@": "dec", "v": "0.1"}],
    Type.BOOLEAN: [True, False],
    Type.DATETIME: [{"@": "dt", "v": "2026-11-24T08:42:00+00:00"}],
    Type.DURATION: [{"@": "dur", "v": "PT1H"}, {"@": "ym", "v": "P1Y"}],
    Type.LIST: [[], ["a", 1]],
    Type.CONTEXT: [{}, {"a": 1}],
    Type.ANY: [None, 1, "x", [], {}],
}


@pytest.mark.parametrize("kind", list(Type))
def test_a_value_passes_for_its_own_type_alone(kind: Type) -> None:
    signature = Signature("t.x", Effect.LOCAL, result={"v": kind})
    for value in GOOD[kind]:
        assert accept(signature, {"v": value}) == {"v": value}
    others = [None] + [value for given, values in GOOD.items() if given not in (kind, Type.ANY) for value in values]
    for value in others if kind is not Type.ANY else []:
        with pytest.raises(ResultMismatch, match=rf"v is no {kind.value}"):
            accept(signature, {"v": value})


@pytest.mark.parametrize(("result", "told"), [({}, "v is missing"), ({"v": 1, "w": 2}, "w is not declared")])
def test_names_are_exactly_the_declared(result: dict[str, Any], told: str) -> None:
    with pytest.raises(ResultMismatch, match=told):
        accept(Signature("t.x", Effect.LOCAL, result={"v": Type.NUMBER}), result)


def test_the_refusal_holds_no_value() -> None:
    with pytest.raises(ResultMismatch) as caught:
        accept(Signature("t.x", Effect.LOCAL, result={"v": Type.NUMBER}), {"v": "王示例"})
    assert "王" not in str(caught.value)
