"""The syntax tree of FEEL: what the parser makes and the compiler turns into closures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from engine.feel.types import Type


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, text, true, false, null, or `@"…"`."""

    value: Any


@dataclass(frozen=True, slots=True)
class Name:
    """A variable or function."""

    name: str
    at: int = 0


@dataclass(frozen=True, slots=True)
class Path:
    """`of.name`."""

    of: Node
    name: str


@dataclass(frozen=True, slots=True)
class Filter:
    """`of[test]`."""

    of: Node
    test: Node


@dataclass(frozen=True, slots=True)
class Call:
    """`function(arguments)`; `names` are the parameter names, empty when arguments go by position."""

    function: Node
    arguments: tuple[Node, ...]
    names: tuple[str, ...] = ()
    at: int = 0


@dataclass(frozen=True, slots=True)
class Chain:
    """Operators of one strength, from left to right: arithmetic, comparison, and, or."""

    first: Node
    rest: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class Negate:
    """`-of`."""

    of: Node


@dataclass(frozen=True, slots=True)
class Between:
    """`value between low and high`."""

    value: Node
    low: Node
    high: Node


@dataclass(frozen=True, slots=True)
class In:
    """`value in (test, test)`."""

    value: Node
    tests: Tests


@dataclass(frozen=True, slots=True)
class InstanceOf:
    """`value instance of type`."""

    value: Node
    type: Type


@dataclass(frozen=True, slots=True)
class If:
    """`if test then yes else no`."""

    test: Node
    yes: Node
    no: Node


@dataclass(frozen=True, slots=True)
class For:
    """`for name in source, … return body`; `kind` is for, some or every (with `satisfies body`)."""

    kind: str
    bindings: tuple[tuple[str, Node], ...]
    body: Node


@dataclass(frozen=True, slots=True)
class Interval:
    """`[low..high]`; `test` is the comparison of a unary test such as `< 10`; `walk` is `1..3` of a for."""

    low: Node | None
    high: Node | None
    low_in: bool
    high_in: bool
    test: str = ""


@dataclass(frozen=True, slots=True)
class ListOf:
    """`[item, item]`."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class ContextOf:
    """`{name: value}`."""

    entries: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class Definition:
    """`function(params) body`; without a body it is external, which this house does not call."""

    params: tuple[tuple[str, Type], ...]
    body: Node | None


@dataclass(frozen=True, slots=True)
class Test:
    """One positive unary test; `asks` when it speaks of `?` and so answers by itself."""

    of: Node
    asks: bool


@dataclass(frozen=True, slots=True)
class Tests:
    """Unary tests: any of them, or none of them when negated; no tests at all is `-`."""

    tests: tuple[Test, ...]
    negated: bool = False


Node = (
    Literal | Name | Path | Filter | Call | Chain | Negate | Between | In | InstanceOf | If | For | Interval | ListOf
    | ContextOf | Definition
)  # fmt: skip


def mentioned(node: Node | Tests) -> set[str]:
    """Every name a tree mentions, bound ones included."""
    return {one.name for one in _parts(node) if isinstance(one, Name)}


def members(node: Node | Tests) -> set[tuple[str, str]]:
    """Every `name.entry` a tree asks for, as pairs."""
    paths = [one for one in _parts(node) if isinstance(one, Path)]
    return {(path.of.name, path.name) for path in paths if isinstance(path.of, Name)}


def compared(node: Node | Tests) -> set[tuple[str, str]]:
    """Every `name = "text"`, `name != "text"` and `name in ("text", …)` of a tree, as pairs."""
    found: set[tuple[str, str]] = set()
    for one in _parts(node):
        if isinstance(one, Chain) and isinstance(one.first, Name):
            pairs = [(one.first, other) for operator, other in one.rest if operator in ("=", "!=")]
        elif isinstance(one, In) and isinstance(one.value, Name):
            tests = [test.of for test in one.tests.tests]
            pairs = [
                (one.value, other) for test in tests for other in (test.items if isinstance(test, ListOf) else (test,))
            ]
        else:
            continue
        found |= {
            (name.name, other.value)
            for name, other in pairs
            if isinstance(other, Literal) and isinstance(other.value, str)
        }
    return found


def _parts(node: Node | Tests) -> Iterator[Any]:
    stack: list[Any] = [node]
    while stack:
        one = stack.pop()
        if isinstance(one, tuple):
            stack.extend(one)
        elif hasattr(one, "__dataclass_fields__"):
            yield one
            stack.extend(getattr(one, field) for field in one.__dataclass_fields__)
