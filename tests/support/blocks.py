"""Random block-structured models, and an oracle that says what each must do: written from the standard, not from the engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

from hypothesis import strategies as st

ASK, COUNT, ROW, CHOICE, BOTH, SOME = "ask", "count", "row", "choice", "both", "some"
LOOP, INNER, MANY, GUARD = "loop", "inner", "many", "guard"


@dataclass(frozen=True)
class Block:
    """A piece of a model. `number` is the branch chosen, a bit for each of those chosen, the rounds of a loop, or how many instances; `odd` picks another way of
    drawing the same: a link between the parts of a row, flows without a gateway for both, one by one for many."""

    kind: str
    parts: tuple[Block, ...] = ()
    number: int = 0
    odd: bool = False


def _inner(parts: st.SearchStrategy[Block]) -> st.SearchStrategy[Block]:
    some = st.lists(parts, min_size=2, max_size=3).map(tuple)
    flag = st.booleans()
    return st.one_of(
        st.builds(lambda p, o: Block(ROW, p, odd=o), some, flag),
        st.builds(lambda p, n: Block(CHOICE, p, n % len(p)), some, st.integers(0, 2)),
        st.builds(lambda p, o: Block(BOTH, p, odd=o), some, flag),
        st.builds(lambda p, n: Block(SOME, p, n % 2 ** len(p)), some, st.integers(0, 7)),
        st.builds(lambda p, n: Block(LOOP, (p,), n), parts, st.integers(1, 3)),
        st.builds(lambda p: Block(INNER, (p,)), parts),
        st.builds(lambda a, b: Block(GUARD, (a, b)), parts, parts),
    )


LEAVES = st.one_of(
    st.just(Block(ASK)),
    st.just(Block(COUNT)),
    st.builds(lambda n, o: Block(MANY, (), n, o), st.integers(0, 3), st.booleans()),
)
BLOCKS: st.SearchStrategy[Block] = st.recursive(LEAVES, _inner, max_leaves=8)


def _fresh(block: Block) -> Block:
    """The same, every piece an object of its own: by these the drawing and the oracle name them."""
    return replace(block, parts=tuple(map(_fresh, block.parts)))


@dataclass
class Drawing:
    """The XML of a block, and the data its case starts with."""

    block: Block
    messages: list[str] = field(default_factory=list)
    data: dict[str, int] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    _next: int = 0

    def __post_init__(self) -> None:
        self.block = _fresh(self.block)

    def xml(self) -> str:
        """A whole definitions element with one process, `a`."""
        inside: list[str] = []
        start, end = self._node(inside, "startEvent"), self._node(inside, "endEvent")
        first, last = self._draw(self.block, inside)
        self._flow(inside, start, first)
        self._flow(inside, last, end)
        declared = "".join(f'<bpmn:message id="{m}" name="{m}"/>' for m in self.messages)
        return (
            '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="t">'
            f'{declared}<bpmn:process id="a" isExecutable="true">{"".join(inside)}</bpmn:process></bpmn:definitions>'
        )

    def _id(self, letter: str) -> str:
        self._next += 1
        return f"{letter}{self._next}"

    def _node(self, into: list[str], kind: str, inside: str = "", attributes: str = "", id: str = "") -> str:
        made = id or self._id("n")
        into.append(f'<bpmn:{kind} id="{made}"{attributes}>{inside}</bpmn:{kind}>')
        return made

    def _flow(self, into: list[str], source: str, target: str, condition: str = "") -> str:
        made = self._id("f")
        when = f"<bpmn:conditionExpression>{condition}</bpmn:conditionExpression>" if condition else ""
        into.append(
            f'<bpmn:sequenceFlow id="{made}" sourceRef="{source}" targetRef="{target}">{when}</bpmn:sequenceFlow>'
        )
        return made

    def _script(self, into: list[str], line: str) -> str:
        return self._node(into, "scriptTask", f"<bpmn:script>{line}</bpmn:script>")

    def _named(self, block: Block, letter: str) -> str:
        """The name by which the oracle knows this very block."""
        self.names[id(block)] = self._id(letter)
        return self.names[id(block)]

    def _draw(self, block: Block, into: list[str]) -> tuple[str, str]:
        """Draw a block into a scope: the ids of where it begins and where it ends."""
        drawn: tuple[str, str] = getattr(self, f"_{block.kind}")(block, into)
        return drawn

    def _ask(self, block: Block, into: list[str]) -> tuple[str, str]:
        made = self._node(into, "userTask", id=self._named(block, "u"))
        return made, made

    def _count(self, block: Block, into: list[str]) -> tuple[str, str]:
        name = self._named(block, "c")
        self.data[name] = 0
        made = self._script(into, f"{name} = {name} + 1")
        return made, made

    def _many(self, block: Block, into: list[str]) -> tuple[str, str]:
        order = f' isSequential="{str(block.odd).lower()}"'
        loop = f"<bpmn:multiInstanceLoopCharacteristics{order}><bpmn:loopCardinality>{block.number} + 0</bpmn:loopCardinality></bpmn:multiInstanceLoopCharacteristics>"
        made = self._node(into, "userTask", loop, id=self._named(block, "m"))
        return made, made

    def _row(self, block: Block, into: list[str]) -> tuple[str, str]:
        drawn = [self._draw(part, into) for part in block.parts]
        for (_, before), (after, _) in pairwise(drawn):
            if block.odd:
                link = f'<bpmn:linkEventDefinition name="{self._id("l")}"/>'
                self._flow(into, before, self._node(into, "intermediateThrowEvent", link))
                self._flow(into, self._node(into, "intermediateCatchEvent", link), after)
            else:
                self._flow(into, before, after)
        return drawn[0][0], drawn[-1][1]

    def _choice(self, block: Block, into: list[str]) -> tuple[str, str]:
        name = self._named(block, "x")
        self.data[name] = block.number
        split, join = self._id("g"), self._node(into, "exclusiveGateway")
        for place, part in enumerate(block.parts):
            first, last = self._draw(part, into)
            flow = self._flow(into, split, first, f"{name} = {place}" if place else "")
            if not place:
                self._node(into, "exclusiveGateway", attributes=f' default="{flow}"', id=split)
            self._flow(into, last, join)
        return split, join

    def _both(self, block: Block, into: list[str]) -> tuple[str, str]:
        split = self._script(into, "none = 0") if block.odd else self._node(into, "parallelGateway")
        join = self._node(into, "parallelGateway")
        for part in block.parts:
            first, last = self._draw(part, into)
            self._flow(into, split, first)
            self._flow(into, last, join)
        return split, join

    def _some(self, block: Block, into: list[str]) -> tuple[str, str]:
        """The branches whose bit is set; the first when none is."""
        name = self._named(block, "y")
        self.data[name] = block.number
        split, join = self._id("g"), self._node(into, "inclusiveGateway")
        default = self._id("g")
        for place, part in enumerate(block.parts):
            first, last = self._draw(part, into)
            bit = f"modulo(floor({name} / {2**place}), 2) = 1"
            self._flow(into, split, first, f"{name} = 0 or {bit}" if place == 0 else bit)
            self._flow(into, last, join)
        flow = self._flow(into, split, default)
        self._node(into, "inclusiveGateway", attributes=f' default="{flow}"', id=split)
        self._node(into, "endEvent", id=default)
        return split, join

    def _loop(self, block: Block, into: list[str]) -> tuple[str, str]:
        name = self._named(block, "r")
        begin, merge = self._script(into, f"{name} = 0"), self._node(into, "exclusiveGateway")
        step, split = self._script(into, f"{name} = {name} + 1"), self._id("g")
        first, last = self._draw(block.parts[0], into)
        for source, target in ((begin, merge), (merge, first), (last, step), (step, split)):
            self._flow(into, source, target)
        self._flow(into, split, merge, f"{name} &lt; {block.number}")
        out = self._node(into, "exclusiveGateway")
        self._node(into, "exclusiveGateway", attributes=f' default="{self._flow(into, split, out)}"', id=split)
        return begin, out

    def _inner(self, block: Block, into: list[str]) -> tuple[str, str]:
        made = self._scope(block.parts[0], into)
        return made, made

    def _scope(self, block: Block, into: list[str]) -> str:
        inside: list[str] = []
        start, end = self._node(inside, "startEvent"), self._node(inside, "endEvent")
        first, last = self._draw(block, inside)
        self._flow(inside, start, first)
        self._flow(inside, last, end)
        return self._node(into, "subProcess", "".join(inside))

    def _guard(self, block: Block, into: list[str]) -> tuple[str, str]:
        """A sub-process that a message ends; then another way is gone instead."""
        name = self._named(block, "k")
        self.messages.append(name)
        host, join = self._scope(block.parts[0], into), self._node(into, "exclusiveGateway")
        event = f'<bpmn:messageEventDefinition messageRef="{name}"/>'
        caught = self._node(into, "boundaryEvent", event, f' attachedToRef="{host}"')
        first, last = self._draw(block.parts[1], into)
        self._flow(into, host, join)
        self._flow(into, caught, first)
        self._flow(into, last, join)
        return host, join


class Oracle:
    """What a block does: what it waits for, and what has been counted."""

    def __init__(self, block: Block, names: dict[int, str]) -> None:
        self.counted: Counter[str] = Counter()
        self._top = _Life(block, names, self.counted)

    def waits(self) -> Counter[tuple[str, str]]:
        """Tasks and messages it waits for, each as often as it does."""
        return Counter(self._top.waits())

    def act(self, what: tuple[str, str]) -> None:
        """One task is completed, or a message comes."""
        assert self._top.act(what)

    @property
    def done(self) -> bool:
        """Has it ended?"""
        return self._top.done


class _Life:
    """A block that has begun."""

    def __init__(self, block: Block, names: dict[int, str], counted: Counter[str]) -> None:
        self.block, self.names, self.counted = block, names, counted
        self.name = names.get(id(block), "")
        self.left, self.place = block.number, 0
        self.parts: list[_Life] = []
        if block.kind == COUNT:
            counted[self.name] += 1
        if block.kind == BOTH:
            self.parts = [self._begun(part) for part in block.parts]
        elif block.kind == SOME:
            chosen = [part for place, part in enumerate(block.parts) if block.number >> place & 1]
            self.parts = [self._begun(part) for part in chosen or block.parts[:1]]
        elif block.kind == CHOICE:
            self.parts = [self._begun(block.parts[block.number])]
        elif block.parts:
            self.parts = [self._begun(block.parts[0])]
        self.waiting = block.kind == ASK
        self._on()

    def _begun(self, block: Block) -> _Life:
        return _Life(block, self.names, self.counted)

    @property
    def done(self) -> bool:
        """Has it ended?"""
        return (
            not self.waiting and not (self.block.kind == MANY and self.left) and all(part.done for part in self.parts)
        )

    def _on(self) -> None:
        """Go on as far as nothing waits."""
        while self.parts and self.parts[0].done:
            if self.block.kind == ROW and self.place + 1 < len(self.block.parts):
                self.place += 1
                self.parts = [self._begun(self.block.parts[self.place])]
            elif self.block.kind == LOOP and self.place + 1 < self.block.number:
                self.place += 1
                self.parts = [self._begun(self.block.parts[0])]
            else:
                return

    def waits(self) -> Iterator[tuple[str, str]]:
        """What it waits for."""
        if self.waiting:
            yield "task", self.name
        if self.block.kind == MANY:
            yield from [("task", self.name)] * (min(self.left, 1) if self.block.odd else self.left)
        if self.block.kind == GUARD and not self.place and not self.done:
            yield "message", self.name
        for part in self.parts:
            yield from part.waits()

    def act(self, what: tuple[str, str]) -> bool:
        """Let it happen here, if it is waited for here."""
        if self.waiting and what == ("task", self.name):
            self.waiting = False
            return True
        if self.block.kind == MANY and self.left and what == ("task", self.name):
            self.left -= 1
            return True
        if self.block.kind == GUARD and not self.place and not self.done and what == ("message", self.name):
            self.place = 1
            self.parts = [self._begun(self.block.parts[1])]
            return True
        acted = any(part.act(what) for part in self.parts)
        self._on()
        return acted
