"""Regular expressions of XPath (F&O 3.1, 5.6) on Python's engine, held to work that is bounded.

A repeat within a repeat, and patterns whose worst case on the text at hand is too much, are refused.
"""

from __future__ import annotations

import re
import unicodedata
import warnings
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from engine.feel.errors import FeelError
from engine.feel.runtime import Run

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import re._parser as sre  # type: ignore[import-not-found]

LONGEST = 200
STEPS = 10_000_000
"""Steps the engine may take over one text in the worst case, about a third of a second."""
STEPS_A_FUEL = 1000
ESCAPES = frozenset("nrtsSdDwW\\|.?*+(){}-[]^$")
NAMES = {
    "i": r"A-Z_a-z:\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u02FF\u0370-\u037D\u037F-\u1FFF\u2070-\u218F\u3001-\uD7FF",
    "c": r"A-Z_a-z:\-.0-9\u00B7\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u037D\u037F-\u1FFF\u203F\u2040\u2070-\u218F\u3001-\uD7FF",
}
BLOCKS = {
    "BasicLatin": (0, 0x7F), "Latin-1Supplement": (0x80, 0xFF), "LatinExtended-A": (0x100, 0x17F), "Greek": (0x370, 0x3FF),
    "Cyrillic": (0x400, 0x4FF), "CJKUnifiedIdeographs": (0x4E00, 0x9FFF), "Hiragana": (0x3040, 0x309F),
    "Katakana": (0x30A0, 0x30FF), "CJKSymbolsandPunctuation": (0x3000, 0x303F),
}  # fmt: skip


def prepare(run: Run, pattern: str, flags: str, text: str) -> re.Pattern[str]:
    """The compiled pattern, paid for by its worst case on the text. ValueError when it is wrong, FeelError when too costly."""
    compiled, repeats = _compile(pattern, flags)
    steps = (len(text) + 1) ** (repeats + 1)
    if steps > STEPS:
        raise FeelError("the pattern could take too long on this text; use fewer repetitions")
    run.burn(1 + len(text) // 64 + steps // STEPS_A_FUEL)
    return compiled


def replacement(text: str, groups: int, length: int) -> Callable[[re.Match[str]], str]:
    """`$1` and `$0` as a function of the match; ValueError for a stray `$` or `\\`."""
    parts: list[str | int] = []
    for piece in re.findall(r"\\[\\$]|\$\d+|[^\\$]+|.", text, re.DOTALL):
        if piece.startswith("$"):
            number = _group(piece[1:], groups)
            parts += [number[0], number[1]]
        elif piece in ("\\\\", "\\$"):
            parts.append(piece[1])
        elif piece == "\\":
            raise ValueError("a lone backslash")
        else:
            parts.append(piece)

    def fill(match: re.Match[str]) -> str:
        made = "".join(
            one if isinstance(one, str) else (match.group(one) or "") if one <= groups else "" for one in parts
        )
        if len(made) * (length + 1) > STEPS:
            raise FeelError("the replacement makes the text too long")
        return made

    return fill


def _group(digits: str, groups: int) -> tuple[int, str]:
    """As many digits as name a group; the rest is text."""
    if not digits:
        raise ValueError("a lone $")
    rest = ""
    while len(digits) > 1 and int(digits) > groups:
        digits, rest = digits[:-1], digits[-1] + rest
    return int(digits), rest


@lru_cache(maxsize=256)
def _compile(pattern: str, flags: str) -> tuple[re.Pattern[str], int]:
    if len(pattern) > LONGEST:
        raise FeelError(f"a pattern may have {LONGEST} characters")
    if set(flags) - set("smix"):
        raise ValueError(flags)
    value = (re.MULTILINE if "m" in flags else 0) | (re.IGNORECASE if "i" in flags else 0)
    source = _Translation(_squeeze(pattern) if "x" in flags else pattern, flags).run()
    try:
        tree = sre.parse(source, value)
        repeats = _repeats(tree, False)
        return re.compile(source, value), repeats
    except (re.error, RecursionError, OverflowError) as problem:
        raise ValueError(str(problem)) from None


def _squeeze(pattern: str) -> str:
    """The pattern without white space, but for that in classes (flag x)."""
    made, depth, at = "", 0, 0
    while at < len(pattern):
        sign = pattern[at]
        if sign == "\\" and at + 1 < len(pattern) and not pattern[at + 1].isspace():
            made += pattern[at : at + 2]
            at += 2
            continue
        depth += (sign == "[") - (sign == "]")
        made += "" if sign.isspace() and depth <= 0 else sign
        at += 1
    return made


class _Translation:
    """From XPath's syntax to Python's."""

    def __init__(self, pattern: str, flags: str) -> None:
        self.pattern = pattern
        self.flags = flags
        self.at = 0

    def run(self) -> str:
        """The whole pattern."""
        made = ""
        while self.at < len(self.pattern):
            sign = self.pattern[self.at]
            if sign == "\\":
                made += self.escape(False)
            elif sign == "[":
                made += self.klass()
            else:
                made += self.plain(sign)
        return made

    def plain(self, sign: str) -> str:
        """A sign outside of classes."""
        self.at += 1
        if sign == ".":
            return r"[\s\S]" if "s" in self.flags else r"[^\n\r]"
        if sign == "$" and "m" not in self.flags:
            return r"\Z"
        if (
            sign == "("
            and self.pattern[self.at : self.at + 1] == "?"
            and self.pattern[self.at + 1 : self.at + 2] != ":"
        ):
            raise ValueError("a group of a kind XPath does not know")
        if sign in "*+}" and self.pattern[self.at : self.at + 1] == "+":
            raise ValueError("a repeat of a kind XPath does not know")
        return sign

    def escape(self, inside: bool) -> str:
        """`\\d`, `\\p{L}`, `\\i`, `\\1` and escaped signs."""
        sign = self.pattern[self.at + 1 : self.at + 2]
        self.at += 2
        if sign and sign in ESCAPES:
            return "\\" + sign
        if sign in ("p", "P"):
            return self.category(sign == "P", inside)
        if sign.lower() in NAMES and sign:
            body = NAMES[sign.lower()]
            if inside:
                if sign.isupper():
                    raise ValueError("a complement inside a class")
                return body
            return f"[{'^' if sign.isupper() else ''}{body}]"
        if sign.isdigit() and sign != "0" and not inside:
            return f"(?:\\{sign})"
        raise ValueError(f"unknown escape {sign!r}")

    def category(self, negated: bool, inside: bool) -> str:
        """`\\p{Lu}`, `\\p{IsBasicLatin}`."""
        match = re.compile(r"\{([A-Za-z0-9\-]+)\}").match(self.pattern, self.at)
        if match is None:
            raise ValueError("a category needs braces")
        self.at = match.end()
        body = _characters(match.group(1))
        if inside:
            if negated:
                raise ValueError("a complement inside a class")
            return body
        return f"[{'^' if negated else ''}{body}]"

    def klass(self) -> str:
        """`[a-z]`, `[^a-z]`, `[a-z-[aeiou]]`."""
        self.at += 1
        negated = self.pattern[self.at : self.at + 1] == "^"
        self.at += negated
        body, without = "", ""
        while True:
            sign = self.pattern[self.at : self.at + 1]
            if not sign:
                raise ValueError("a class is not closed")
            if sign == "]" and body:
                self.at += 1
                break
            if sign == "-" and self.pattern[self.at + 1 : self.at + 2] == "[":
                self.at += 1
                without = self.klass()
                if self.pattern[self.at : self.at + 1] != "]":
                    raise ValueError("a subtraction ends a class")
                self.at += 1
                break
            if sign == "\\":
                body += self.escape(True)
            else:
                self.at += 1
                body += "\\" + sign if sign in "[]&~|" else sign
        found = f"[{'^' if negated else ''}{body}]"
        return f"(?:(?!{without}){found})" if without else found


@lru_cache(maxsize=64)
def _characters(name: str) -> str:
    if name.startswith("Is"):
        if name[2:] not in BLOCKS:
            raise ValueError(f"unknown block {name}")
        low, high = BLOCKS[name[2:]]
        return f"{re.escape(chr(low))}-{re.escape(chr(high))}"
    ranges: list[list[int]] = []
    for code in range(0x110000):
        if unicodedata.category(chr(code)).startswith(name):
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1][1] = code
            else:
                ranges.append([code, code])
    if not ranges or len(name) > 2:
        raise ValueError(f"unknown category {name}")
    return "".join(f"\\U{low:08X}-\\U{high:08X}" for low, high in ranges)


def _repeats(tree: Any, repeated: bool) -> int:
    """How many repeats of open number follow each other at the most; FeelError when one lies within another."""
    count = 0
    for op, argument in tree:
        name = str(op)
        if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            least, most, inner = argument
            varies = least != most
            if repeated and varies:
                raise FeelError("the pattern repeats a repetition; write it without")
            count += (1 if varies and most > 1 else 0) + _repeats(inner, repeated or most > 1)
        elif name == "SUBPATTERN":
            count += _repeats(argument[-1], repeated)
        elif name == "BRANCH":
            if repeated and not _told_apart(argument[1]):
                raise FeelError("the pattern repeats alternatives that begin alike; write it without")
            count += max((_repeats(branch, repeated) for branch in argument[1]), default=0)
        elif name in ("ASSERT", "ASSERT_NOT"):
            count += _repeats(argument[1], repeated)
        elif name == "GROUPREF":
            if repeated:
                raise FeelError("the pattern repeats a reference back; write it without")
            count += 1
    return count


def _told_apart(branches: list[Any]) -> bool:
    """Does every alternative begin with a sign of its own?"""
    first = [str(chr(branch[0][1])).casefold() for branch in branches if branch and str(branch[0][0]) == "LITERAL"]
    return len(first) == len(branches) == len(set(first))
