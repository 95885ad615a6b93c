"""Splits FEEL source into tokens (DMN 1.5, section 10.3.1.2). Names with spaces are joined by the parser, which knows the scope."""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.feel.errors import FeelError

TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*|/\*.*?\*/)
  | (?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)
  | (?P<string>"(?:[^"\\]|\\.)*")
  | (?P<name>[^\W\d][\w]*(?:'[^\W\d][\w]*)*|[?_])
  | (?P<symbol>\*\*|\.\.|->|<=|>=|!=|[-+*/=<>(){}\[\],.:@|])""",
    re.VERBOSE | re.DOTALL,
)
ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "'": "'", "\\": "\\"}


@dataclass(frozen=True, slots=True)
class Token:
    """One token: kind is number, string, name, symbol or end."""

    kind: str
    text: str
    at: int
    glued: bool = False
    """No space before it."""


def tokens(source: str) -> list[Token]:
    """All tokens of a source, the last of kind end. FeelError at the first character that starts none."""
    found: list[Token] = []
    at, glued = 0, False
    while at < len(source):
        match = TOKEN.match(source, at)
        if match is None:
            raise FeelError(f"unexpected character {source[at]!r}", at)
        kind = match.lastgroup or ""
        if kind == "space":
            glued = False
        else:
            text = match.group()
            found.append(Token(kind, unescape(text, at) if kind == "string" else text, at, glued))
            glued = True
        at = match.end()
    found.append(Token("end", "", at))
    return found


def unescape(quoted: str, at: int) -> str:
    """The value of a quoted string."""

    def one(match: re.Match[str]) -> str:
        body = match.group(1)
        if body[0] in "uU":
            return chr(int(body[1:], 16))
        if body in ESCAPES:
            return ESCAPES[body]
        raise FeelError(f"unknown escape \\{body}", at)

    return re.sub(r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{6}|.)", one, quoted[1:-1], flags=re.DOTALL)
