"""What a compiled expression runs on: the chain of scopes, the clock, and the fuel that bounds its work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from engine.feel.errors import FeelError
from engine.feel.values import DEEPEST, Function, Range

FUEL = 100_000
"""Steps one evaluation may take: iterations, calls and values built or compared, by size."""
TEXT_LIMIT = 100_000
"""Characters of one text."""
STACK = 350
"""Closures within each other, over all function calls that are open."""


class Run:
    """One evaluation: the instant that `now()` tells, and what is left of fuel and stack."""

    __slots__ = ("fuel", "now", "stack")

    def __init__(self, now: datetime, fuel: int = FUEL) -> None:
        self.now = now
        self.fuel = fuel
        self.stack = STACK

    def burn(self, amount: int = 1) -> None:
        """Pay for work; FeelError when the expression costs too much."""
        self.fuel -= amount
        if self.fuel < 0:
            raise FeelError("the expression does too much work; simplify it or move the work into an operation")

    def weigh(self, *values: Any) -> None:
        """Pay for every part of a value before something walks all of it; FeelError when it is nested too deeply."""
        stack = [(value, 0) for value in values]
        while stack:
            value, depth = stack.pop()
            if isinstance(value, str):
                self.burn(1 + len(value) // 64)
                continue
            self.burn()
            if not isinstance(value, list | dict | Range):
                continue
            if depth > DEEPEST:
                raise FeelError("a value is nested too deeply")
            if len(stack) > FUEL:
                self.burn(len(stack))
            parts = (
                (value.low, value.high)
                if isinstance(value, Range)
                else value.values()
                if isinstance(value, dict)
                else value
            )
            stack.extend((one, depth + 1) for one in parts)

    def text(self, value: str) -> str:
        """A text that was made, paid for; FeelError when it is too long."""
        if len(value) > TEXT_LIMIT:
            raise FeelError(f"a text may not grow beyond {TEXT_LIMIT} characters")
        self.burn(len(value) // 64)
        return value

    def enter(self, closures: int) -> None:
        """A function body of so many nested closures begins."""
        self.stack -= closures
        if self.stack < 0:
            raise FeelError("functions call each other too deeply")

    def leave(self, closures: int) -> None:
        """It ends."""
        self.stack += closures


class Frame:
    """Names with values, and the frame around them."""

    __slots__ = ("names", "run", "up")

    def __init__(self, names: Mapping[str, Any], up: Frame | None, run: Run) -> None:
        self.names = names
        self.up = up
        self.run = run

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a name, innermost frame first."""
        frame: Frame | None = self
        while frame is not None:
            if name in frame.names:
                return frame.names[name]
            frame = frame.up
        return default

    def inner(self, names: Mapping[str, Any]) -> Frame:
        """A frame within this one."""
        return Frame(names, self, self.run)


Code = Callable[[Frame], Any]
Check = Callable[[Frame, Any], bool | None]


def call(run: Run, function: Any, *values: Any) -> Any:
    """Call a function value by position; null when it is none or takes another number of arguments."""
    if not isinstance(function, Function):
        return None
    run.burn()
    return function.call(run, *values)
