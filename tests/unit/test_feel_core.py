"""FEEL means what the standard says, and nothing a model can write gets out of it or runs for long."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.feel import FeelError, compile, compile_unary, from_json, to_json

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
CASE = {
    "case": {"urgency": "R", "to": "h1"},
    "tries": 1,
    "candidates": ["a", "b"],
    "start_at": {"@": "dt", "v": "2026-11-24T10:00:00+00:00"},
}


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("1 + 2 * 3", 7), ("2 ** 3 ** 1", 8), ("10 / 4", 2.5), ("1 / 0", None), ("0.1 + 0.2", 0.3), ('"a" + "b"', "ab"),
        ("1 < 2 and 2 < 3", True), ("1 < null", None), ("null = null", True), ("null = 1", False), ("true and null", None),
        ("false and null", False), ("true or null", True), ("not(null)", None), ('if null then 1 else 2', 2),
        ("3 between 1 and 5", True), ("3 in [1..3)", False), ("3 in (1..3]", True), ("5 in (> 3, < 1)", True), ("2 in [1,2,3]", True),
        ("for x in 1..3 return x * x", [1, 4, 9]), ("for x in [1,2], y in [3,4] return x * y", [3, 4, 6, 8]),
        ("some x in [1,2] satisfies x > 1", True), ("every x in [1,2] satisfies x > 1", False), ("[1,2,3][item > 1]", [2, 3]),
        ("[1,2,3][-1]", 3), ("[1,2,3][9]", None), ("{a: 1, b: a + 1}.b", 2), ("[{x: 1}, {x: 2}].x", [1, 2]), ("[{x: 1}, {x: 2}][x = 2].x", [2]),
        ('case.urgency = "R"', True), ("candidates[tries + 1]", "b"), ("nobody", None), ("a.b.c", None), ("tries < count(candidates)", True),
        ('string length("影像")', 2), ('substring("foobar", 3)', "obar"), ('upper case("aB")', "AB"), ("max([1, 3, 2])", 3), ("sum(1, 2, 3)", 6),
        ("round half up(5.5, 0)", 6), ("decimal(2.5, 0)", 2), ("modulo(-12, 5)", 3), ('number("1.5")', 1.5), ('string(1.50)', "1.5"),
        ('duration("PT3S") / 3', {"@": "dur", "v": "PT1S"}), ('duration("P3M") / 3', {"@": "ym", "v": "P1M"}),
        ('start_at - duration("PT15M")', {"@": "dt", "v": "2026-11-24T09:45:00+00:00"}), ('duration("PT1M") * 30', {"@": "dur", "v": "PT30M"}),
        ('now() + duration("P1D")', {"@": "dt", "v": "2026-11-25T08:00:00+00:00"}), ('date("2026-01-31") + duration("P1M")', {"@": "d", "v": "2026-02-28"}),
        ('@"2026-11-24".year', 2026), ('@"PT36H".days', 1), ("1 instance of number", True), ('"a" instance of number', False),
        ("(function(a, b) a + b)(1, 2)", 3), ("sort([3,1,2], function(a, b) a > b)", [3, 2, 1]), ("substring(string: \"abc\", start position: 2)", "bc"),
        ("// nothing\n1", 1), ("distinct values([1,1,2])", [1, 2]), ("count(5)", 1), ('{"a b": 1}.a b', 1), ("-1 + 2", 1), ("- (1 + 2)", -3),
    ],
)  # fmt: skip
def test_value(source: str, value: Any) -> None:
    assert to_json(compile(source).evaluate(CASE, now=NOW)) == value


def test_names_with_spaces_are_known_from_the_scope() -> None:
    expression = compile("monthly salary - tax-free part", names=["monthly salary", "tax-free part"])
    assert expression.evaluate({"monthly salary": 10, "tax-free part": 3}, now=NOW) == 7
    assert expression.names == {"monthly salary", "tax-free part"}


@pytest.mark.parametrize(("cell", "value", "holds"), [
    ('"a", "b"', "b", True), ('not("a")', "b", True), ("-", None, True), ("[0..14]", 7, True), ("< 14", 14, False), ("", 1, True),
    ("? > 3 and ? < 5", 4, True), ("> 5", None, None), ("null", None, True), ("(1..3)", 3, False), ('"CT"', "MR", False),
])  # fmt: skip
def test_unary(cell: str, value: Any, holds: bool | None) -> None:
    assert compile_unary(cell).holds(from_json(value), {}, now=NOW) is holds


@pytest.mark.parametrize("source", [
    "", "1 +", "if 1", "(", "a b", "[1", "{a 1}", "for x return 1", '"open', "1 ]", "import os", "__import__('os')",
    "lambda: 0", "#", "@\"nonsense\"", "'" , "a;b", "x := 1",
])  # fmt: skip
def test_refused_with_a_position(source: str) -> None:
    with pytest.raises(FeelError) as caught:
        compile(source)
    assert caught.value.code == "feel"


@pytest.mark.parametrize("source", [
    "().__class__", "case.__class__.__mro__", "now.__globals__", "string.call", "case.keys", "x.__class__()", "candidates.append", '"x".format',
])  # fmt: skip
def test_no_attribute_of_python_is_in_reach(source: str) -> None:
    try:
        value = compile(source).evaluate(CASE, now=NOW)
    except FeelError:
        return
    assert value in (None, [None, None])


@pytest.mark.parametrize("source", [
    "for a in 1..100000, b in 1..100000 return 1", "[for x in 1..1000000000 return x][1]", "10 ** 10000",
    "for x in 1..5000 return for y in 1..5000 return x", 'matches("aaaaaaaaaaaaaaaaaaaaaaaaaaaa!", "(a+)+$")',
    "{f: function(n) f(n + 1), r: f(0)}.r", "(" * 100 + "1" + ")" * 100, "some x in 1..999999999 satisfies x < 0",
])  # fmt: skip
def test_too_much_work_ends_in_an_error_or_null(source: str) -> None:
    with suppress(FeelError):
        assert compile(source).evaluate({}, now=NOW) is None


def test_a_source_is_bounded() -> None:
    with pytest.raises(FeelError):
        compile("1" + " + 1" * 1000)


numbers = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**6), max_value=10**6, places=3)


@given(numbers, numbers, st.sampled_from("+-*"))
def test_arithmetic_is_decimal(a: Decimal, b: Decimal, op: str) -> None:
    expected = {"+": a + b, "-": a - b, "*": a * b}[op]
    assert compile(f"({a}) {op} ({b})").evaluate({}, now=NOW) == expected


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(min_size=1, max_size=5), inner, max_size=4),
    max_leaves=10,
)


@given(json_values)
def test_process_data_survives_the_passage(value: Any) -> None:
    assert to_json(from_json(value)) == value


words = st.sampled_from(
    [
        "1",
        "2.5",
        '"a"',
        "x",
        "case.urgency",
        "+",
        "-",
        "*",
        "/",
        "**",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "..",
        "<",
        ">",
        "=",
        "and",
        "or",
        "not",
        "if",
        "then",
        "else",
        "for",
        "in",
        "return",
        "some",
        "satisfies",
        "?",
        '@"P1D"',
        "function",
        "null",
        "true",
    ]
)


@given(st.lists(words, max_size=14))
def test_whatever_is_written_only_a_feel_error_comes_out(parts: list[str]) -> None:
    source = " ".join(parts)
    with suppress(FeelError):
        compile(source).evaluate(CASE, now=NOW, fuel=2000)
    with suppress(FeelError):
        compile_unary(source).holds(Decimal(1), CASE, now=NOW, fuel=2000)
