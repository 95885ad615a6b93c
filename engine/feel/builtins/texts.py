"""Built-ins over texts (DMN 1.5, 10.3.4.3)."""

from __future__ import annotations

import re
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any

from engine.feel import patterns, temporal
from engine.feel.builtins.signature import builtin
from engine.feel.runtime import Run
from engine.feel.temporal import Months
from engine.feel.values import Function, Range

PLAIN_KEY = re.compile(r"[^\W\d][\w ]*")


@builtin("string(from: any)")
def string(run: Run, value: Any) -> str | None:
    """The text of any value; null stays null."""
    if value is None:
        return None
    if isinstance(value, str):
        return value
    run.weigh(value)
    return run.text(show(value))


def show(value: Any) -> str:
    """The FEEL text of a value as it stands inside lists and contexts."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, Decimal):
        shown = format(value, "f")
        return (shown.rstrip("0").rstrip(".") if "." in shown else shown).replace("-0", "0" if not value else "-0", 1)
    if isinstance(value, timedelta | Months):
        return temporal.duration_text(value)
    if isinstance(value, date | time):
        return temporal.text(value)
    if isinstance(value, list):
        return "[" + ", ".join(map(show, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(k)}: {show(v)}" for k, v in value.items()) + "}"
    if isinstance(value, Range):
        return _range(value)
    return f"function({', '.join(value.params)})" if isinstance(value, Function) else str(value)


def _key(key: str) -> str:
    return key if PLAIN_KEY.fullmatch(key) else show(key)


def _range(value: Range) -> str:
    if value.test not in ("", ".."):
        return f"{value.test} {show(value.low if value.low is not None else value.high)}"
    return f"{'[' if value.low_in else '('}{show(value.low)}..{show(value.high)}{']' if value.high_in else ')'}"


@builtin("string length(string: text)")
def string_length(_: Run, text: str) -> Decimal:
    """How many characters."""
    return Decimal(len(text))


@builtin("substring(string: text, start position: number, length: number?)")
def substring(_: Run, text: str, start: Decimal, length: Decimal | None = None) -> str | None:
    """A part from the 1-based position, counted from the end when negative."""
    if not int(start) or (length is not None and int(length) < 1):
        return None
    first = int(start) - 1 if start > 0 else max(0, len(text) + int(start))
    return text[first:] if length is None else text[first : first + int(length)]


@builtin("upper case(string: text)")
def upper_case(_: Run, text: str) -> str:
    """In capitals."""
    return text.upper()


@builtin("lower case(string: text)")
def lower_case(_: Run, text: str) -> str:
    """Without capitals."""
    return text.lower()


@builtin("substring before(string: text, match: text)")
def substring_before(_: Run, text: str, match: str) -> str:
    """What stands before the first match; empty when there is none."""
    return text.split(match, 1)[0] if match and match in text else ""


@builtin("substring after(string: text, match: text)")
def substring_after(_: Run, text: str, match: str) -> str:
    """What stands behind the first match; empty when there is none."""
    if not match:
        return text
    return text.split(match, 1)[1] if match in text else ""


@builtin("contains(string: text, match: text)")
def contains(_: Run, text: str, match: str) -> bool:
    """Does the text hold the other?"""
    return match in text


@builtin("starts with(string: text, match: text)")
def starts_with(_: Run, text: str, match: str) -> bool:
    """Does the text begin with the other?"""
    return text.startswith(match)


@builtin("ends with(string: text, match: text)")
def ends_with(_: Run, text: str, match: str) -> bool:
    """Does the text end with the other?"""
    return text.endswith(match)


@builtin("matches(input: text, pattern: text, flags: text?)")
def matches(run: Run, text: str, pattern: str, flags: str | None = None) -> bool:
    """Does the regular expression match somewhere?"""
    return patterns.prepare(run, pattern, flags or "", text).search(text) is not None


@builtin("replace(input: text, pattern: text, replacement: text, flags: text?)")
def replace(run: Run, text: str, pattern: str, replacement: str, flags: str | None = None) -> str:
    """Every match of the regular expression replaced; `$1` is its first group."""
    found = patterns.prepare(run, pattern, flags or "", text)
    return run.text(found.sub(patterns.replacement(replacement, found.groups, len(text)), text))


@builtin("split(string: text, delimiter: text)")
def split(run: Run, text: str, delimiter: str) -> list[str]:
    """The pieces between the matches of the regular expression."""
    found = patterns.prepare(run, delimiter, "", text)
    run.burn(len(text))
    pieces, at = [], 0
    for match in found.finditer(text):
        pieces.append(text[at : match.start()])
        at = match.end()
    return [*pieces, text[at:]]


@builtin("string join(list: list, delimiter: text?)")
def string_join(run: Run, items: list[Any], delimiter: str | None = None) -> str | None:
    """The texts of a list in one, nulls left out."""
    kept = [one for one in items if one is not None]
    if not all(isinstance(one, str) for one in kept):
        return None
    run.burn(len(items) + (sum(map(len, kept)) + len(delimiter or "") * len(kept)) // 64)
    return run.text((delimiter or "").join(kept))
