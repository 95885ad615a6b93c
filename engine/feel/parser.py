"""A Pratt parser that compiles FEEL straight to closures (DMN 1.5, section 10.3.1.2).

Names may hold spaces and signs; which ones do is known from the scope: built-ins, declared names, and names bound by the
expression itself. The longest known name wins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from engine.feel import runtime
from engine.feel.errors import FeelError
from engine.feel.lexer import Token, tokens
from engine.feel.runtime import Env

Code = Callable[[Env], Any]
KEYWORDS = frozenset(
    [
        "if",
        "then",
        "else",
        "for",
        "in",
        "return",
        "some",
        "every",
        "satisfies",
        "and",
        "or",
        "between",
        "instance",
        "of",
        "function",
        "true",
        "false",
        "null",
        "not",
    ]
)
BINARY: dict[str, tuple[int, Callable[..., Any]]] = {
    "+": (50, runtime.add), "-": (50, runtime.subtract), "*": (60, runtime.multiply), "/": (60, runtime.divide),
    "**": (70, runtime.power),
}  # fmt: skip
COMPARE: dict[str, Callable[[Any, Any], bool | None]] = {
    "=": runtime.equal,
    "!=": lambda a, b: None if (e := runtime.equal(a, b)) is None else not e,
    "<": runtime.less,
    "<=": runtime.less_equal,
    ">": lambda a, b: runtime.less(b, a),
    ">=": lambda a, b: runtime.less_equal(b, a),
}
NEST_LIMIT = 60


class Cursor:
    """The tokens with a position in them, and the names that are known there."""

    def __init__(self, source: str, known: Iterable[str]) -> None:
        self.tokens = tokens(source)
        self.at = 0
        self.depth = 0
        self.free: set[str] = set()
        self.bound: list[set[str]] = []
        self.wide: set[tuple[str, ...]] = {words for name in known if len(words := split(name)) > 1}

    @property
    def here(self) -> Token:
        """The token at the position."""
        return self.tokens[self.at]

    def ahead(self, count: int = 1) -> Token:
        """A later token."""
        return self.tokens[min(self.at + count, len(self.tokens) - 1)]

    def next(self) -> Token:
        """Take one token."""
        token = self.here
        self.at += 1
        return token

    def sees(self, *texts: str) -> bool:
        """Is the token one of these symbols or keywords?"""
        return self.here.kind in ("symbol", "name") and self.here.text in texts

    def take(self, text: str) -> bool:
        """Take the token if it is this one."""
        if self.sees(text):
            self.at += 1
            return True
        return False

    def need(self, text: str) -> Token:
        """Take this token or fail."""
        if not self.sees(text):
            shown = self.here.text or "the end"
            raise FeelError(f"expected {text!r} but found {shown!r}", self.here.at)
        return self.next()

    def name(self) -> str:
        """A name, the longest known one that starts here."""
        if self.here.kind != "name":
            raise FeelError(f"expected a name but found {self.here.text or 'the end'!r}", self.here.at)
        best = 1
        for words in self.wide:
            if len(words) > best and all(self.ahead(i).text == w for i, w in enumerate(words)):
                best = len(words)
        taken = tuple(self.next().text for _ in range(best))
        return join(taken)

    def bind(self, names: Iterable[str]) -> None:
        """Names the expression itself binds from here on."""
        self.bound.append(set(names))

    def is_bound(self, name: str) -> bool:
        """Was the name bound by the expression?"""
        return any(name in names for names in self.bound)


def split(name: str) -> tuple[str, ...]:
    """A name as the tokens it is written with."""
    return tuple(t.text for t in tokens(name)[:-1])


def join(words: Iterable[str]) -> str:
    """Tokens as the one spelling of a name: single spaces, none around signs."""
    text = ""
    for word in words:
        tight = not text or not (word[0].isalnum() or word[0] == "_") or not (text[-1].isalnum() or text[-1] == "_")
        text += word if tight else " " + word
    return text


def expression(c: Cursor, power: int = 0) -> Code:
    """An expression whose operators bind stronger than `power`."""
    c.depth += 1
    if c.depth > NEST_LIMIT:
        raise FeelError("the expression is nested too deeply", c.here.at)
    try:
        left = prefix(c)
        while (more := infix(c, left, power)) is not None:
            left = more
        return left
    finally:
        c.depth -= 1


def prefix(c: Cursor) -> Code:
    """What an expression may start with."""
    from engine.feel import syntax

    return syntax.prefix(c)


def infix(c: Cursor, left: Code, power: int) -> Code | None:
    """The operator that follows, if it binds stronger than `power`."""
    from engine.feel import syntax

    token = c.here
    if token.kind == "symbol":
        if token.text in BINARY and BINARY[token.text][0] > power:
            return _binary(c, left)
        if token.text in COMPARE and power < 40:
            return _compare(c, left)
        if token.text in ("[", ".", "("):
            return syntax.postfix(c, left)
    elif token.kind == "name" and token.text in ("and", "or", "between", "in", "instance"):
        return syntax.word_operator(c, left, power)
    return None


def _binary(c: Cursor, left: Code) -> Code:
    symbol = c.next().text
    strength, apply = BINARY[symbol]
    right = expression(c, strength)
    return lambda env: apply(env, left(env), right(env))


def _compare(c: Cursor, left: Code) -> Code:
    apply = COMPARE[c.next().text]
    right = expression(c, 40)
    return lambda env: apply(left(env), right(env))
