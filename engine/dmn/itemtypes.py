"""The types a file declares (DMN 1.5, 7.3.3) as FEEL types, with those of the files it imports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from engine.dmn.model import File, Item
from engine.feel import types
from engine.feel.types import ANY, BASIC, Type

DEEPEST = 20
Narrow = Callable[[str, Type], Callable[[Any], bool] | None]
"""Makes the test of a value from the text of declared values."""


class Types:
    """Every type name a file may use."""

    def __init__(self, file: File, imported: Mapping[str, Mapping[str, Type]], narrow: Narrow) -> None:
        self._items = {item.name: item for item in file.items}
        self._narrow = narrow
        self.known: dict[str, Type] = {
            f"{prefix}.{name}": kind for prefix, one in imported.items() for name, kind in one.items()
        }
        self.own: dict[str, Type] = {}
        for name in self._items:
            self.own[name] = self.find(name)
        self.known.update(self.own)

    def find(self, name: str, depth: int = 0) -> Type:
        """The type of a name; an unknown one takes anything."""
        if not name:
            return ANY
        if name in self.own:
            return self.own[name]
        if name in self._items and depth < DEEPEST:
            return self._made(self._items[name], depth + 1)
        return self.known.get(name) or BASIC.get(name, ANY)

    def _made(self, item: Item, depth: int) -> Type:
        if item.params is not None:
            params = tuple(self.find(one.type, depth) for one in item.params)
            return Type("function", params=params, result=self.find(item.result, depth))
        if item.components:
            kind = Type("context", fields=tuple((one.name, self._made(one, depth)) for one in item.components))
        else:
            kind = self.find(item.type, depth)
        allowed = self._narrow(item.values, kind) if item.values else None
        if allowed is not None:
            kind = _narrowed(kind, allowed)
        return types.list_of(kind) if item.collection else kind


def _narrowed(kind: Type, allowed: Callable[[Any], bool]) -> Type:
    outer = kind.allowed
    both = allowed if outer is None else lambda value: outer(value) and allowed(value)
    return Type(kind.name, kind.item, kind.fields, kind.params, kind.result, both)
