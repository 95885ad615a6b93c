"""The tokens of a source with a position in them, and the names that are known there.

Names may hold spaces and signs; which ones do is known from the scope: built-ins, declared names, and names the expression
itself binds. The longest known name wins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache

from engine.feel.errors import FeelError
from engine.feel.lexer import Token, tokens
from engine.feel.nodes import Node
from engine.feel.types import Type

KEYWORDS = frozenset(
    ["if", "then", "else", "for", "in", "return", "some", "every", "satisfies", "and", "or", "between", "true", "false", "null"]
)  # fmt: skip
OPERATORS = frozenset(["and", "or", "between", "in", "instance", "then", "else", "return", "satisfies", "of"])
"""Words that end a name of several words whose parts nobody declared."""
SIGNS = frozenset("./-'+*")
"""Signs a name may hold."""
NEST_LIMIT = 50


class Cursor:
    """Where the parser stands. `free` are the names nobody bound, `certain` those of them that no list element could own."""

    def __init__(
        self,
        source: str,
        known: Iterable[str],
        functions: Iterable[str],
        types: Mapping[str, Type],
        expression: Callable[[Cursor, int], Node],
    ) -> None:
        self.tokens = tokens(source)
        self.at = 0
        self.depth = 0
        self.types = types
        self.functions = frozenset(functions)
        self.free: set[str] = set()
        self.certain: set[str] = set()
        self._parse = expression
        self._filters = 0
        self._bound: list[str] = []
        self._known: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        self.bracket_ends = False
        """Is a `[` here perhaps the end of an interval?"""
        for name in (*known, *_phrases(self.functions)):
            self.learn(name)

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
        if token.kind != "end":
            self.at += 1
        return token

    def sees(self, *texts: str) -> bool:
        """Is the token one of these symbols or keywords?"""
        return self.here.text in texts and self.here.kind in ("symbol", "name")

    def take(self, text: str) -> bool:
        """Take the token if it is this one."""
        if self.sees(text):
            self.at += 1
            return True
        return False

    def need(self, text: str) -> Token:
        """Take this token or fail."""
        if not self.sees(text):
            raise FeelError(f"expected {text!r} but found {self.found()}", self.here.at)
        return self.next()

    def found(self) -> str:
        """What stands here, for a message."""
        return repr(self.here.text) if self.here.kind != "end" else "the end"

    def expression(self, power: int = 0) -> Node:
        """An expression whose operators bind stronger than `power`."""
        self.depth += 1
        if self.depth > NEST_LIMIT:
            raise FeelError("the expression is nested too deeply", self.here.at)
        node = self._parse(self, power)
        self.depth -= 1
        return node

    # -- names ------------------------------------------------------------------------------------------------------
    def learn(self, name: str) -> None:
        """Know a name; only names of several tokens need it."""
        words = split(name)
        if len(words) > 1:
            same = self._known.setdefault(words[0], [])
            if (words, name) not in same:
                same.append((words, name))
                same.sort(key=lambda one: -len(one[0]))

    def known(self) -> str | None:
        """The longest name of several tokens that starts here, taken."""
        for words, name in self._known.get(self.here.text, ()):
            if all(self.ahead(i).text == word and self.ahead(i).kind != "string" for i, word in enumerate(words)):
                self.at += len(words)
                return name
        return None

    def variable(self) -> str:
        """A name where a value may stand."""
        token = self.here
        if token.kind != "name":
            raise FeelError(f"expected a name but found {self.found()}", token.at)
        name = self.known()
        if name is not None:
            return name
        if token.text in KEYWORDS:
            raise FeelError(f"unexpected {token.text!r}", token.at)
        return self.next().text

    def member(self) -> str:
        """A name behind a dot; words that follow each other are one name."""
        if self.here.kind != "name":
            raise FeelError(f"expected a name but found {self.found()}", self.here.at)
        name = self.known()
        if name is not None:
            return name
        words = [self.next().text]
        while self.here.kind == "name" and self.here.text not in OPERATORS:
            words.append(self.next().text)
        return " ".join(words)

    def new(self, *ends: str) -> str:
        """A name being introduced, up to one of the ends, which stays."""
        start, words = self.here.at, []
        if self.here.kind != "name":
            raise FeelError(f"expected a name but found {self.found()}", start)
        while not self.sees(*ends):
            token = self.next()
            if token.kind not in ("name", "number") and token.text not in SIGNS:
                raise FeelError(f"expected {ends[0]!r} but found {token.text or 'the end'!r}", token.at)
            words.append(token.text)
        name = join(words)
        self.learn(name)
        return name

    def mention(self, name: str) -> None:
        """Note that the expression uses a name."""
        if name not in self._bound:
            self.free.add(name)
            if not self._filters:
                self.certain.add(name)

    @contextmanager
    def binding(self, *names: str) -> Iterator[None]:
        """Names the expression itself binds, for a while."""
        before = len(self._bound)
        self._bound.extend(names)
        yield
        del self._bound[before:]

    def bind(self, name: str) -> None:
        """One more name, until the innermost `binding` ends."""
        self._bound.append(name)

    @contextmanager
    def filtering(self) -> Iterator[None]:
        """Names in here may be entries of list elements."""
        self._filters += 1
        with self.binding("item"), self.closed():
            yield
        self._filters -= 1

    @contextmanager
    def closed(self) -> Iterator[None]:
        """Inside brackets, where a `[` is a filter again."""
        outer, self.bracket_ends = self.bracket_ends, False
        yield
        self.bracket_ends = outer

    def attempt(self, parse: Callable[[], Node | None]) -> Node | None:
        """What `parse` makes; when it fails or makes nothing, the position is as before and the answer None."""
        before = (self.at, self.depth, self._filters, self.bracket_ends, len(self._bound))
        free, certain = set(self.free), set(self.certain)
        try:
            found = parse()
        except FeelError:
            found = None
        if found is None:
            self.at, self.depth, self._filters, self.bracket_ends, bound = before
            del self._bound[bound:]
            self.free, self.certain = free, certain
        return found


@lru_cache(maxsize=16)
def _phrases(names: frozenset[str]) -> tuple[str, ...]:
    """Those of several tokens; the built-ins are the same for every source."""
    return tuple(sorted(name for name in names if len(split(name)) > 1))


@lru_cache(maxsize=4096)
def split(name: str) -> tuple[str, ...]:
    """A name as the tokens it is written with; a name no source could spell is one token."""
    try:
        return tuple(token.text for token in tokens(name)[:-1])
    except FeelError:
        return (name,)


def join(words: Iterable[str]) -> str:
    """Tokens as the one spelling of a name: single spaces, none around signs."""
    text = ""
    for word in words:
        text += word if not text or word in SIGNS or text[-1] in SIGNS else " " + word
    return text
