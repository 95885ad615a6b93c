"""Which variables a process can have, and what can be in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine import dmn, feel
from engine.model.finding import Finding, Placed, Rule, choice
from engine.model.rules.sources import Text, literal, texts
from engine.model.script import assignments
from engine.model.types import Data, Node, Process
from engine.model.view import Around, View

NAME = Rule(
    "unknown_name",
    "{what} asks for {name}, which nothing here sets; it would be null.",
    "Correct the name, or declare it as data input. There are: {known}.",
)
ENTRY = Rule(
    "unknown_entry",
    "{what} asks for {name}.{entry}, which nothing sets; it would be null.",
    "Correct the name. In {name} there are: {known}.",
)
INPUT = Rule(
    "unset_input",
    "{id} takes {name}, which nothing here sets; it would be null.",
    "Set {name} before the call, or take it out of the called process's data. There are: {known}.",
)
OUTPUT = Rule(
    "unset_output",
    "The process gives back {name}, which nothing in it sets; it would be null.",
    "Correct the name, or set it in the process. There are: {known}.",
)

VALUE = Rule(
    "unknown_value",
    "{what} compares {name} with {value!r}, which it never is.",
    "Correct the value. {name} can be: {known}.",
)

Shape = frozenset[str] | None
"""What can be in a variable: the names in a context, None where that is not known."""


def check(view: View) -> Iterator[Finding]:
    """Findings over names that nobody sets: in expressions, in decisions, and where data crosses into a called process."""
    known = variables(view)
    for text in texts(view):
        yield from _text(view, known, text)
    if known is None:
        return
    for name in view.process.outputs:
        if name.name not in known:
            yield OUTPUT.at(view.file, name, name=name.name, known=choice(name.name, known))
    for node in view.process.nodes:
        if node.kind == "businessRuleTask":
            yield from _decision(view, known, node)
        called = view.around.processes.get(node.called)
        for one in called.inputs if called else ():
            if one.name not in known:
                yield INPUT.at(view.file, node, id=node.called, name=one.name, known=choice(one.name, known))


def _text(view: View, known: frozenset[str] | None, text: Text) -> Iterator[Finding]:
    try:
        names, entries = feel.compile(text.source).names, feel.members(text.source)
        compared = feel.compared(text.source)
    except feel.FeelError:
        return
    for name in sorted(names - text.local - known if known is not None else ()):
        can = choice(name, (known or frozenset()) | text.local)
        yield NAME.at(view.file, text.place, text.line, what=text.what, name=name, known=can)
    for name, value in sorted(compared):
        possible = values(view, name)
        if possible is not None and value not in possible and name not in text.local:
            can = choice(value, possible)
            yield VALUE.at(view.file, text.place, text.line, what=text.what, name=name, value=value, known=can)
    yield from _entries(view, text.place, text.line, text.what, (one for one in entries if one[0] not in text.local))


def _entries(
    view: View, place: Placed, line: int, what: str, entries: Iterable[tuple[str, str]], file: str = ""
) -> Iterator[Finding]:
    for name, entry in sorted(entries):
        inside = shape(view, name)
        if inside is not None and entry not in inside:
            yield ENTRY.at(
                file or view.file, place, line, what=what, name=name, entry=entry, known=choice(entry, inside)
            )


def _decision(view: View, known: frozenset[str], node: Node) -> Iterator[Finding]:
    """A decision sees the variables of whoever asks for it, and what its own file defines."""
    file = view.around.decisions.get(node.decision)
    if file is None:
        return
    own = {one.variable for one in file.decisions.values()} | {one.name for one in file.knowledge.values()}
    own |= {one.name for one in file.services.values()} | {*file.imports}
    for name in sorted({*file.inputs} - known):
        yield NAME.at(view.file, node, what=f"The decision {node.decision}", name=name, known=choice(name, known))
    for decision in file.decisions.values():
        names, entries = _asked(decision)
        for name in sorted(names - own - known - {*file.inputs}):
            yield NAME.at(f"{node.decision}.dmn", decision, what="The table", name=name, known=choice(name, known))
        inside = {pair for pair in entries if pair[0] not in own}
        yield from _entries(view, decision, decision.line, "The table", inside, f"{node.decision}.dmn")


def _asked(decision: dmn.Decision) -> tuple[set[str], set[tuple[str, str]]]:
    """What the input columns of a table ask for; one that is no FEEL is judged elsewhere."""
    names: set[str] = set()
    entries: set[tuple[str, str]] = set()
    for column in decision.table.inputs if decision.table else ():
        try:
            names |= feel.compile(column.expression).certain
            entries |= feel.members(column.expression)
        except feel.FeelError:
            continue
    return names, entries


def variables(view: View) -> frozenset[str] | None:
    """Variables the process can have; None where a part that sets some is missing. What it does not take it does not get."""
    known = {data.name for data in view.process.inputs}
    for node in view.process.nodes:
        added = _sets(view, node)
        if added is None:
            return None
        known |= added
    known |= {named.variable for named in view.model.named.values()}
    return frozenset(known - {""})


def _sets(view: View, node: Node) -> set[str] | None:
    found = {node.variable, *(target.split(".")[0] for target, source in assignments(node.script) if source)}
    if node.kind == "userTask":
        fields = view.around.forms.get(node.properties.get("form", ""))
        if fields is None:
            return None
        found |= fields.keys()
    if node.service:
        found.add(node.service.result)
    if node.kind == "businessRuleTask":
        decision = _decided(view.around, node)
        if decision is None:
            return None
        found.add(decision.variable or decision.id)
    if node.kind == "callActivity":
        called = view.around.processes.get(node.called)
        if called is None:
            return None
        found |= {data.name for data in called.outputs}
    if node.loop:
        found |= {node.loop.item_in, node.loop.item_out, node.loop.data_out}
    return found


def _decided(around: Around, node: Node) -> dmn.Decision | None:
    file = around.decisions.get(node.decision)
    return file.decisions.get(node.decision) if file else None


def shape(view: View, name: str) -> Shape:
    """What can be in a variable, whoever sets it: the house, an operation, a decision, a called process, a script."""
    inside = _shape(view, name, frozenset())
    return None if inside is None else inside | view.around.entries.get(name, frozenset())


def _shape(view: View, name: str, seen: frozenset[str]) -> Shape:
    found: list[Shape] = []
    if any(data.name == name for data in view.process.inputs):
        given = view.around.contexts.get(name)
        found.append(None if given is None else frozenset(given))
    if any(named.variable == name for named in view.model.named.values()):
        found.append(None)
    for node in view.process.nodes:
        found += _given(view, node, name, seen | {view.process.id})
    parts = [one for one in found if one is not None]
    return frozenset().union(*parts) if parts and len(parts) == len(found) else None


def _given(view: View, node: Node, name: str, seen: frozenset[str]) -> Iterator[Shape]:
    """What one node can put into a variable; nothing when it does not set it."""
    if node.service and node.service.result == name:
        signature = view.around.signatures.get(node.service.operation)
        yield frozenset(signature.result) if signature else None
    elif node.kind == "businessRuleTask":
        decision = _decided(view.around, node)
        if decision is None or (decision.variable or decision.id) == name:
            yield _columns(decision)
    elif node.kind == "callActivity":
        called = view.around.processes.get(node.called)
        if called is None or any(data.name == name for data in called.outputs):
            yield _called(view.around, called, name, seen)
    elif name in (_sets(view, node) or ()):
        whole = node.kind != "scriptTask" or any(target == name for target, _ in assignments(node.script))
        yield None if whole else frozenset()


def _columns(decision: dmn.Decision | None) -> Shape:
    """The outputs of a table that gives one row with several of them."""
    table = decision.table if decision else None
    one_row = table is not None and table.policy in ("UNIQUE", "FIRST", "ANY", "PRIORITY")
    return frozenset(one.name for one in table.outputs) if table and one_row and len(table.outputs) > 1 else None


def _called(around: Around, called: Process | None, name: str, seen: frozenset[str]) -> Shape:
    if called is None or called.id in seen:
        return None
    return _shape(_view(around, called), name, seen)


def values(view: View, name: str) -> frozenset[str] | None:
    """Everything a variable can be that only choices of forms and texts in scripts fill; None of any other."""
    return _possible(view, name, frozenset())


def _possible(view: View, name: str, seen: frozenset[str]) -> frozenset[str] | None:
    outside = (*view.process.inputs, *(Data("", named.variable, 0) for named in view.model.named.values()))
    if view.process.id in seen or any(data.name == name for data in outside):
        return None
    found: set[str] = set()
    for node in view.process.nodes:
        for one in _filled(view, node, name, seen | {view.process.id}):
            if one is None:
                return None
            found |= one
    return frozenset(found) or None


def _filled(view: View, node: Node, name: str, seen: frozenset[str]) -> Iterator[frozenset[str] | None]:
    if node.kind == "userTask":
        fields = view.around.forms.get(node.properties.get("form", ""))
        if fields is None or name in fields:
            yield fields[name].values if fields else None
    elif node.kind == "scriptTask":
        for target, source in assignments(node.script):
            if target.partition(".")[0] == name:
                value = literal(source)
                yield frozenset([value]) if isinstance(value, str) and target == name else None
    elif node.kind == "callActivity":
        called = view.around.processes.get(node.called)
        if called is None:
            yield None
        elif any(data.name == name for data in called.outputs):
            yield _possible(_view(view.around, called), name, seen)
    elif name in (_sets(view, node) or ()) or _sets(view, node) is None:
        yield None


def _view(around: Around, process: Process) -> View:
    views = (View(around, model, one) for model in around.bundle.models.values() for one in model.processes)
    return next(view for view in views if view.process is process)
