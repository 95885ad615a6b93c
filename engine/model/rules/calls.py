"""What leaves the process: operations, decisions, other processes, and the errors that come back."""

from __future__ import annotations

from collections.abc import Iterator

from engine import dmn, feel
from engine.feel.kinds import kind_of_value
from engine.model.finding import Finding, Rule, choice
from engine.model.rules.sources import literal
from engine.model.types import Node, Process, Service
from engine.model.view import Around, View
from engine.operations import Signature, Type

NO_OPERATION = Rule("no_operation", "The service task names no operation.", "Choose one in the properties panel.")
UNKNOWN = Rule("unknown_operation", "There is no operation {id!r}.", "There are: {known}.")
MISSING = Rule("missing_parameter", "{id} needs the parameter {name}.", "Give it a {wanted}, in FEEL.")
EXTRA = Rule("unknown_parameter", "{id} has no parameter {name!r}.", "It takes: {known}.")
TWICE = Rule("parameter_twice", "The parameter {name} is given twice.", "Keep one.")
TYPE = Rule("parameter_type", "{name} is a {wanted}, the value is a {given}.", "Write a value of that type.")
WORD = Rule("unknown_word", "{id} takes no {name} {value!r}.", "It takes: {known}.")
NO_RESULT = Rule("no_result_variable", "{id} has a result that goes nowhere.", "Name a resultVariable.", "warning")
VOID_RESULT = Rule("result_variable_unused", "{id} has no result for {name}.", "Remove the resultVariable.")
BAD_VARIABLE = Rule("bad_variable", "{name!r} is not a variable's name.", "Use letters, digits and _, a letter first.")
ERROR_CODE = Rule("undeclared_error", "Nothing in {host} raises the error {code}.", "It can raise: {known}.")
NO_DECISION = Rule("no_decision", "The business rule task names no decision.", "Write its calledDecisionId.")
UNKNOWN_DECISION = Rule(
    "unknown_decision", "There is no decision {id!r} in {id}.dmn.", "Add the file, or take one of the bundle: {known}."
)
NO_CALL = Rule("no_called_process", "The call activity calls nothing.", "Choose a process.")
UNKNOWN_CALL = Rule(
    "unknown_process", "There is no process {id!r} in the bundle.", "Add its file, or call one of the bundle: {known}."
)
NO_IO = Rule(
    "called_without_io",
    "The called process {id} declares no data.",
    "Give it an ioSpecification; nothing else crosses.",
)
RECURSION = Rule("recursive_call", "{id} calls itself by way of {way}.", "Draw a loop instead.")
TABLE = Rule("decision_table", "{text} (rows {rows})", "Correct the table; every declared input must meet a rule.")


def check(view: View) -> Iterator[Finding]:
    """Findings over the calls of one process."""
    for node in view.process.nodes:
        if node.kind == "serviceTask":
            yield from _service(view, node)
        elif node.kind == "businessRuleTask":
            yield from _decision(view, node)
        elif node.kind == "callActivity":
            yield from _call(view, node)
        elif node.kind == "boundaryEvent":
            yield from _errors(view, node)
    way = _back(view.around, view.process)
    if way:
        yield RECURSION.at(view.file, view.process, id=view.process.id, way=" → ".join(way))


def tables(around: Around) -> Iterator[Finding]:
    """Holes, overlaps and dead rows of the bundle's decision tables."""
    for stem, file in around.decisions.items():
        for decision in file.decisions.values():
            try:
                found = dmn.check(decision)
            except (dmn.DmnError, feel.FeelError) as error:
                yield TABLE.at(f"{stem}.dmn", decision, text=str(error), rows="-")
                continue
            for one in found:
                rows = ", ".join(map(str, one.rows)) or "-"
                rule = Rule(
                    f"table_{one.kind}", TABLE.message, TABLE.advice, "warning" if one.kind == "unchecked" else "error"
                )
                yield rule.at(f"{stem}.dmn", decision, text=one.text, rows=rows)


def _service(view: View, node: Node) -> Iterator[Finding]:
    service = node.service
    if service is None or not service.operation:
        yield NO_OPERATION.at(view.file, node)
        return
    signature = view.around.signatures.get(service.operation)
    if service.result and not service.result.isidentifier():
        yield BAD_VARIABLE.at(view.file, node, line=service.line, name=service.result)
    if signature is None:
        yield UNKNOWN.at(
            view.file,
            node,
            line=service.line,
            id=service.operation,
            known=choice(service.operation, view.around.signatures),
        )
        return
    if signature.result and not service.result:
        yield NO_RESULT.at(view.file, node, line=service.line, id=signature.id)
    if service.result and not signature.result:
        yield VOID_RESULT.at(view.file, node, line=service.line, id=signature.id, name=service.result)
    yield from _parameters(view, node, service, signature)


def _parameters(view: View, node: Node, service: Service, signature: Signature) -> Iterator[Finding]:
    given: set[str] = set()
    for one in service.parameters:
        if one.name not in signature.params:
            yield EXTRA.at(
                view.file, node, line=one.line, id=signature.id, name=one.name, known=choice(one.name, signature.params)
            )
            continue
        if one.name in given:
            yield TWICE.at(view.file, node, line=one.line, name=one.name)
        given.add(one.name)
        value = literal(one.value)
        kind = kind_of_value(value)
        wanted = signature.params[one.name]
        if kind is not None and wanted not in (Type.ANY, kind):
            yield TYPE.at(view.file, node, line=one.line, name=one.name, wanted=wanted, given=kind)
        words = signature.words.get(one.name)
        if words is not None and isinstance(value, str) and value not in words:
            known = choice(value, words)
            yield WORD.at(view.file, node, line=one.line, id=signature.id, name=one.name, value=value, known=known)
    for name in signature.params:
        if name not in given and name not in signature.optional:
            yield MISSING.at(
                view.file, node, line=service.line, id=signature.id, name=name, wanted=signature.params[name]
            )


def _decision(view: View, node: Node) -> Iterator[Finding]:
    if not node.decision:
        yield NO_DECISION.at(view.file, node)
        return
    file = view.around.decisions.get(node.decision)
    if file is None or node.decision not in file.decisions:
        yield UNKNOWN_DECISION.at(view.file, node, id=node.decision, known=choice(node.decision, view.around.decisions))


def _call(view: View, node: Node) -> Iterator[Finding]:
    if not node.called:
        yield NO_CALL.at(view.file, node)
        return
    called = view.around.processes.get(node.called)
    if called is None:
        others = set(view.around.processes) - {view.process.id}
        yield UNKNOWN_CALL.at(view.file, node, id=node.called, known=choice(node.called, others))
    elif not called.declares_data:
        yield NO_IO.at(view.file, node, id=node.called)


def _errors(view: View, node: Node) -> Iterator[Finding]:
    host = view.nodes.get(node.attached_to)
    if host is None:
        return
    for event in node.events:
        named = view.model.named.get(event.ref)
        if event.kind == "error" and named is not None and named.code:
            raised = raised_by(view, host)
            if raised is not None and named.code not in raised:
                yield ERROR_CODE.at(view.file, node, host=host.id, code=named.code, known=choice(named.code, raised))


def raised_by(view: View, host: Node) -> set[str] | None:
    """The error codes that can come out of a step; None when a part of it is not known."""
    found: set[str] = set()
    waiting = [(view, host)]
    seen: set[str] = set()
    while waiting:
        at, node = waiting.pop()
        if node.is_scope:
            waiting += [(at, one) for one in at.scopes.get(node.id, []) if one.id not in seen]
            seen.add(node.id)
        elif node.called and node.called not in seen:
            seen.add(node.called)
            inner = _view(view.around, node.called)
            if inner is None:
                return None
            waiting += [(inner, one) for one in inner.process.nodes if not one.is_scope]
        elif node.service:
            signature = view.around.signatures.get(node.service.operation)
            if signature is None:
                return None
            found |= signature.errors
        if node.kind == "endEvent":
            found |= {at.model.named[e.ref].code for e in node.events if e.kind == "error" and e.ref in at.model.named}
    return found


def _view(around: Around, id: str) -> View | None:
    for model in around.bundle.models.values():
        for process in model.processes:
            if process.id == id:
                return View(around, model, process)
    return None


def _back(around: Around, process: Process) -> list[str]:
    """The shortest way of calls from a process to itself, empty when there is none."""
    ways: list[list[str]] = [[process.id]]
    seen: set[str] = set()
    for way in ways:
        inner = around.processes.get(way[-1])
        for called in [node.called for node in inner.nodes if node.called] if inner else []:
            if called == process.id:
                return [*way, called]
            if called not in seen:
                seen.add(called)
                ways.append([*way, called])
    return []
