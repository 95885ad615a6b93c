"""What goes into a handler and what comes back has to be what its signature says: models are linted against that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from engine.operations import Permanent, Signature, Type
from engine.values import Json


class ResultMismatch(Permanent):
    """The handler's result is not what its signature declares; repeating cannot help, the code has to be mended."""

    code = "result_mismatch"


def accept(signature: Signature, result: Mapping[str, Json]) -> Mapping[str, Json]:
    """The result, if it has every declared name with a value of its type and no other. ResultMismatch names what is wrong,
    never a value."""
    if not isinstance(result, Mapping):
        raise ResultMismatch(f"{signature.id}: a result is a mapping of names")
    wrong = [f"{name} is not declared" for name in result if name not in signature.result]
    for name, kind in signature.result.items():
        if name not in result:
            wrong.append(f"{name} is missing")
        elif not _IS[kind](result[name]):
            wrong.append(f"{name} is no {kind.value}")
    if wrong:
        raise ResultMismatch(f"{signature.id}: {'; '.join(sorted(wrong))}")
    return result


def unfit(signature: Signature, args: Mapping[str, Json]) -> list[str]:
    """What is wrong with the arguments of a call, in words and without their values; empty when they fit."""
    wrong = [f"{name} is no parameter" for name in args if name not in signature.params]
    for name, kind in signature.params.items():
        value = args.get(name)
        if value is None:
            if name not in signature.optional and kind is not Type.ANY:
                wrong.append(f"{name} is {'null' if name in args else 'missing'}")
        elif not _IS[kind](value):
            wrong.append(f"{name} is no {kind.value}")
        elif name in signature.words and value not in signature.words[name]:
            wrong.append(f"{name} is none of {', '.join(sorted(signature.words[name]))}")
    return sorted(wrong)


def _tagged(*tags: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, Mapping) and value.get("@") in tags


def _number(value: Any) -> bool:
    return (isinstance(value, int | float) and not isinstance(value, bool)) or _tagged("dec")(value)


_IS: Final[Mapping[Type, Callable[[Any], bool]]] = {
    Type.TEXT: lambda v: isinstance(v, str),
    Type.NUMBER: _number,
    Type.BOOLEAN: lambda v: isinstance(v, bool),
    Type.DATETIME: _tagged("dt"),
    Type.DURATION: _tagged("dur", "ym"),
    Type.LIST: lambda v: isinstance(v, list | tuple),
    Type.CONTEXT: lambda v: isinstance(v, Mapping) and "@" not in v,
    Type.ANY: lambda _v: True,
}
"""How a value of each type looks in JSON (`engine.values`); nothing but `any` may be null."""
