"""Regular expressions that cannot run away: a repeat within a repeat is refused, and so are back references and long patterns."""

from __future__ import annotations

import re
import warnings
from functools import lru_cache
from typing import Any

from engine.feel.errors import FeelError

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import re._parser as sre  # type: ignore[import-not-found]

LONGEST = 200


@lru_cache(maxsize=256)
def compile_pattern(pattern: str, flags: str) -> re.Pattern[str]:
    """A compiled pattern with XPath flags s, m, i, x; FeelError when it is wrong or could take for ever."""
    if len(pattern) > LONGEST:
        raise FeelError(f"a pattern may have {LONGEST} characters")
    value = 0
    for flag in flags:
        value |= {"s": re.DOTALL, "m": re.MULTILINE, "i": re.IGNORECASE, "x": re.VERBOSE}.get(flag, 0)
    try:
        tree = sre.parse(pattern, value)
    except (re.error, RecursionError, OverflowError) as problem:
        raise FeelError(f"the pattern is wrong: {problem}") from None
    if _runaway(tree, False):
        raise FeelError("the pattern repeats a repetition or refers back; write it without")
    return re.compile(pattern, value)


def _runaway(tree: Any, repeated: bool) -> bool:
    for op, argument in tree:
        name = str(op)
        if name == "GROUPREF":
            return True
        if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            _, most, inner = argument
            many = most is sre.MAXREPEAT or most > 10
            if (repeated and many) or _runaway(inner, repeated or many):
                return True
        elif (
            (name == "SUBPATTERN" and _runaway(argument[-1], repeated))
            or (name == "BRANCH" and any(_runaway(branch, repeated) for branch in argument[1]))
            or (name in ("ASSERT", "ASSERT_NOT") and _runaway(argument[1], repeated))
        ):
            return True
    return False
