"""Built-ins over contexts (DMN 1.5, 10.3.4.10)."""

from __future__ import annotations

from typing import Any

from engine.feel.builtins.signature import builtin
from engine.feel.runtime import Run


@builtin("get value(m: context, key: text)")
def get_value(_: Run, m: dict[str, Any], key: str) -> Any:
    """The value of an entry."""
    return m.get(key)


@builtin("get entries(m: context)")
def get_entries(run: Run, m: dict[str, Any]) -> list[dict[str, Any]]:
    """The entries as a list of `{key, value}`."""
    run.burn(2 * len(m))
    return [{"key": key, "value": value} for key, value in m.items()]


@builtin("context(entries: list)")
def context(run: Run, entries: list[Any]) -> dict[str, Any] | None:
    """The context of a list of `{key, value}`; null when a key is missing or given twice."""
    run.burn(len(entries))
    made: dict[str, Any] = {}
    for entry in entries:
        key = entry["key"]
        if not isinstance(key, str) or key in made:
            return None
        made[key] = entry["value"]
    return made


@builtin("context put(context: context, key: text, value: any)")
def context_put(run: Run, m: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    """With one entry set."""
    run.burn(len(m))
    return {**m, key: value}


@builtin("context put(context: context, keys: list, value: any)")
def context_put_deep(run: Run, m: dict[str, Any], keys: list[Any], value: Any) -> dict[str, Any] | None:
    """With one entry set in contexts within contexts."""
    run.burn(len(m) + len(keys))
    if not keys or not all(isinstance(key, str) for key in keys):
        return None
    first, *rest = keys
    if rest:
        inner = m.get(first, {})
        if not isinstance(inner, dict):
            return None
        value = context_put_deep(run, inner, rest, value)
        if value is None:
            return None
    return {**m, first: value}


@builtin("context merge(contexts: list)")
def context_merge(run: Run, contexts: list[Any]) -> dict[str, Any] | None:
    """All entries of the contexts; the last one wins."""
    made: dict[str, Any] = {}
    for one in contexts:
        if not isinstance(one, dict):
            return None
        run.burn(1 + len(one))
        made.update(one)
    return made
