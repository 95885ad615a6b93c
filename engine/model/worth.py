"""What kind of value a variable of a process holds, whoever sets it; None where that is not known before it runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine import feel
from engine.dmn.model import Table
from engine.feel.kinds import OF_TYPE, Kind, kind_of
from engine.model.script import assignments
from engine.model.types import Node, Process
from engine.model.view import Around, View

Path = tuple[str, ...]
Seen = Mapping[tuple[str, Path], Kind]


def kind(view: View, source: str) -> Kind:
    """The kind of value an expression of this process gives."""
    return _source(view, source, {})


def _source(view: View, source: str, seen: Seen) -> Kind:
    try:
        return kind_of(source, lambda path: _variable(view, path, seen))
    except feel.FeelError:
        return None


def _variable(view: View, path: Path, seen: Seen) -> Kind:
    """The one kind all that set it give. What is made of the variable itself (`tries = tries + 1`) is tried with the others'."""
    here = view.process.id, path
    if here in seen:
        return seen[here]
    found = {*_given(view, path, {**seen, here: None})}
    kinds = found - {None}
    if len(kinds) != 1:
        return None
    guess = kinds.pop()
    return guess if found == {guess} or {*_given(view, path, {**seen, here: guess})} == {guess} else None


def _given(view: View, path: Path, seen: Seen) -> Iterator[Kind]:
    name = path[0]
    if any(data.name == name for data in view.process.inputs):
        yield from _taken(view, path, seen)
    if any(named.variable == name for named in view.model.named.values()):
        yield None
    for node in view.process.nodes:
        yield from _node(view, node, path, seen)


def _taken(view: View, path: Path, seen: Seen) -> Iterator[Kind]:
    """What the house gives every case, or what those who call the process hand over."""
    context = view.around.contexts.get(path[0])
    if context is not None:
        yield "context" if len(path) == 1 else _entry(context.get(path[1]), path)
        return
    callers = [caller for caller in _views(view.around) if _calls(caller, view.process)]
    for caller in callers:
        yield _variable(caller, path, seen)
    if not callers:
        yield None


def _entry(kind: str | None, path: Path) -> Kind:
    return None if len(path) > 2 or kind == "any" else kind


def _node(view: View, node: Node, path: Path, seen: Seen) -> Iterator[Kind]:
    name, around = path[0], view.around
    if node.variable == name or (node.loop and name in (node.loop.item_in, node.loop.item_out)):
        yield None
    if node.loop and node.loop.data_out == name:
        yield "list" if len(path) == 1 else None
    if node.kind == "userTask":
        fields = around.forms.get(node.properties.get("form", ""))
        if fields is None or name in fields:
            yield fields[name].kind if fields and len(path) == 1 else None
    elif node.service and node.service.result == name:
        signature = around.signatures.get(node.service.operation)
        yield "context" if len(path) == 1 else _entry(signature.result.get(path[1]) if signature else None, path)
    elif node.kind == "businessRuleTask":
        yield from _decided(around, node, path)
    elif node.kind == "callActivity":
        yield from _called(around, node, path, seen)
    for target, source in assignments(node.script) if node.kind == "scriptTask" else ():
        yield from _assigned(view, tuple(target.split(".")), source, path, seen)


def _assigned(view: View, target: Path, source: str, path: Path, seen: Seen) -> Iterator[Kind]:
    if target == path:
        yield _source(view, source, seen)
    elif target[: len(path)] == path:
        yield "context"
    elif path[: len(target)] == target:
        yield None


def _decided(around: Around, node: Node, path: Path) -> Iterator[Kind]:
    file = around.decisions.get(node.decision)
    decision = file.decisions.get(node.decision) if file else None
    if decision is None:
        yield None
    elif (decision.variable or decision.id) == path[0]:
        yield _of_table(decision.table, path[1:]) if decision.table else None


def _of_table(table: Table, rest: Path) -> Kind:
    if table.policy not in ("UNIQUE", "FIRST", "ANY", "PRIORITY"):
        return None
    if len(table.outputs) > 1 and not rest:
        return "context"
    column = next((one for one in table.outputs if len(table.outputs) == 1 or (one.name,) == rest), None)
    return OF_TYPE.get(column.type) if column and len(rest) == (len(table.outputs) > 1) else None


def _called(around: Around, node: Node, path: Path, seen: Seen) -> Iterator[Kind]:
    called = around.processes.get(node.called)
    if called is None:
        yield None
    elif any(data.name == path[0] for data in called.outputs):
        inner = next(view for view in _views(around) if view.process is called)
        yield _variable(inner, path, seen)


def _calls(view: View, process: Process) -> bool:
    return any(node.called == process.id for node in view.process.nodes)


def _views(around: Around) -> Iterator[View]:
    for model in around.bundle.models.values():
        for process in model.processes:
            yield View(around, model, process)
