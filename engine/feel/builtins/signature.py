"""How a built-in states its parameters: `@builtin("substring(string: text, start position: number, length: number?)")`.

A kind is what a parameter takes: `any` also null, every other kind refuses null; `?` marks a parameter that may be missing
or null, `...` the last one that may repeat. A list of one gives its element where one value is wanted, and one value makes
a list of one where a list is wanted (DMN 1.5, 10.3.2.9.4). Whatever does not fit gives null, never an exception.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from types import ModuleType
from typing import Any, TypeVar

from engine.feel.runtime import Run
from engine.feel.temporal import Months
from engine.feel.values import Function, Range

Impl = Callable[..., Any]
Made = TypeVar("Made", bound=Impl)
KINDS: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "number": (Decimal,),
    "boolean": (bool,),
    "list": (list,),
    "context": (dict,),
    "function": (Function,),
    "range": (Range,),
    "date": (date,),
    "instant": (datetime,),
    "time": (time,),
    "duration": (timedelta, Months),
    "days": (timedelta,),
    "point": (Decimal, str, date, time, timedelta, Months),
    "any": (object,),
}
PART = re.compile(r"([^:]+): (\w+)(\?|\.\.\.)?")
BROKEN = (TypeError, ValueError, ArithmeticError, LookupError)


@dataclass(frozen=True)
class Param:
    """One parameter."""

    name: str
    kind: str
    optional: bool
    repeats: bool

    def takes(self, value: Any) -> tuple[bool, Any]:
        """Does it take the value, and as what?"""
        if value is None:
            return self.optional or self.kind == "any", None
        wanted = KINDS[self.kind]
        if isinstance(value, wanted) and not (self.kind == "point" and isinstance(value, bool)):
            return True, value
        if self.kind == "list":
            return True, [value]
        if isinstance(value, list) and len(value) == 1 and isinstance(value[0], wanted):
            return True, value[0]
        return False, None


@dataclass(frozen=True)
class Signature:
    """One way to call a built-in."""

    name: str
    params: tuple[Param, ...]
    run: Impl

    def by_place(self, values: tuple[Any, ...]) -> list[Any] | None:
        """The arguments as the implementation takes them; None when they do not fit."""
        params = list(self.params)
        while params and params[-1].repeats and len(params) < len(values):
            params.append(params[-1])
        if len(values) > len(params):
            return None
        given: list[Any] = []
        for place, param in enumerate(params):
            if place >= len(values):
                if param.optional:
                    break
                return None
            fits, value = param.takes(values[place])
            if not fits:
                return None
            given.append(value)
        return given

    def by_name(self, values: dict[str, Any]) -> list[Any] | None:
        """The same for arguments by name; a missing one counts as null."""
        if not set(values) <= {param.name for param in self.params}:
            return None
        return self.by_place(tuple(values.get(param.name) for param in self.params))


def builtin(declaration: str) -> Callable[[Made], Made]:
    """Declare a signature of a built-in; one implementation may have several."""

    def keep(run: Made) -> Made:
        name, _, rest = declaration.rstrip(")").partition("(")
        params = tuple(_param(part) for part in rest.split(", ") if part)
        run.__dict__.setdefault("signatures", []).append(Signature(name, params, run))
        return run

    return keep


def _param(text: str) -> Param:
    match = PART.fullmatch(text)
    if match is None or match.group(2) not in KINDS:
        raise ValueError(text)
    name, kind, mark = match.groups()
    return Param(name, kind, mark == "?", mark == "...")


def functions(*modules: ModuleType) -> dict[str, Function]:
    """Every built-in the modules declare."""
    found: dict[str, list[Signature]] = {}
    for module in modules:
        for value in vars(module).values():
            for signature in getattr(value, "signatures", ()):
                found.setdefault(signature.name, []).append(signature)
    return {name: _function(signatures) for name, signatures in found.items()}


def _function(signatures: list[Signature]) -> Function:
    def call(run: Run, *values: Any) -> Any:
        for signature in signatures:
            given = signature.by_place(values)
            if given is not None:
                return _guarded(run, signature.run, given)
        return None

    def named(run: Run, values: dict[str, Any]) -> Any:
        for signature in signatures:
            given = signature.by_name(values)
            if given is not None:
                return _guarded(run, signature.run, given)
        return None

    return Function(tuple(param.name for param in signatures[0].params), call, named)


def _guarded(run: Run, implementation: Impl, given: list[Any]) -> Any:
    try:
        return implementation(run, *given)
    except BROKEN:
        return None
