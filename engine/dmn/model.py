"""A decision file as values: decisions, tables, the other boxed expressions, and what requires what. Texts are FEEL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Input:
    """A column of conditions. `values` is the text of the declared input values, empty when none are declared."""

    expression: str
    label: str = ""
    values: str = ""
    type: str = ""


@dataclass(frozen=True)
class Output:
    """A column of results."""

    name: str
    label: str = ""
    values: str = ""
    default: str = ""
    type: str = ""


@dataclass(frozen=True)
class Rule:
    """A row, cell by cell."""

    id: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    line: int = 0
    note: str = ""


@dataclass(frozen=True)
class Table:
    """A decision table; `policy` is the hit policy in words, `aggregation` one of the COLLECT operators or empty."""

    policy: str
    aggregation: str
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class Literal:
    """A literal expression."""

    text: str
    type: str = ""
    line: int = 0


@dataclass(frozen=True)
class Entry:
    """An entry of a context, a binding of an invocation, or a parameter; the result of a context has no name."""

    name: str
    type: str = ""
    box: Box | None = None


@dataclass(frozen=True)
class Context:
    """Named entries; the last one without a name is the result."""

    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Invocation:
    """A function called with named arguments."""

    function: Box
    bindings: tuple[Entry, ...]


@dataclass(frozen=True)
class Definition:
    """A function; `foreign` when its body is Java or PMML, which this house does not call."""

    params: tuple[Entry, ...]
    body: Box | None
    foreign: bool = False


@dataclass(frozen=True)
class Items:
    """A list."""

    items: tuple[Box, ...]


@dataclass(frozen=True)
class Relation:
    """A list of contexts with the same names."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Box, ...], ...]


@dataclass(frozen=True)
class Conditional:
    """if, then, else."""

    test: Box
    yes: Box
    no: Box


@dataclass(frozen=True)
class Filter:
    """The elements that match."""

    source: Box
    match: Box


@dataclass(frozen=True)
class Iterator:
    """`kind` is for, some or every."""

    kind: str
    variable: str
    source: Box
    body: Box


Box = Table | Literal | Context | Invocation | Definition | Items | Relation | Conditional | Filter | Iterator


@dataclass(frozen=True)
class Requirement:
    """What an element may use: `kind` is input, decision or knowledge; `namespace` is empty within the file."""

    kind: str
    id: str
    namespace: str = ""


@dataclass(frozen=True)
class Decision:
    """One decision and its logic, if it has any."""

    id: str
    name: str
    variable: str
    line: int
    box: Box | None = None
    type: str = ""
    needs: tuple[Requirement, ...] = ()

    @property
    def table(self) -> Table | None:
        """Its logic when that is a table."""
        return self.box if isinstance(self.box, Table) else None


@dataclass(frozen=True)
class InputData:
    """What a caller gives."""

    id: str
    name: str
    type: str = ""


@dataclass(frozen=True)
class Knowledge:
    """A business knowledge model: a function that decisions may call."""

    id: str
    name: str
    line: int
    function: Definition
    type: str = ""
    needs: tuple[Requirement, ...] = ()


@dataclass(frozen=True)
class Service:
    """A decision service: some decisions offered as one function of the input data and decisions it names."""

    id: str
    name: str
    outputs: tuple[Requirement, ...]
    inputs: tuple[Requirement, ...]
    type: str = ""


@dataclass(frozen=True)
class Item:
    """A declared type; `values` are unary tests that narrow it."""

    name: str
    type: str = ""
    values: str = ""
    collection: bool = False
    components: tuple[Item, ...] = ()
    params: tuple[Entry, ...] | None = None
    result: str = ""


@dataclass(frozen=True)
class File:
    """One file: its elements by id, in file order; `imports` are namespaces by the name they go by."""

    decisions: Mapping[str, Decision] = field(default_factory=dict)
    data: Mapping[str, InputData] = field(default_factory=dict)
    knowledge: Mapping[str, Knowledge] = field(default_factory=dict)
    services: Mapping[str, Service] = field(default_factory=dict)
    items: tuple[Item, ...] = ()
    imports: Mapping[str, str] = field(default_factory=dict)
    namespace: str = ""

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of what a caller gives."""
        return tuple(one.name for one in self.data.values())
