"""Files, ids and drawings: that a bundle is what its names say."""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine import dmn
from engine.model.errors import ModelUnreadable
from engine.model.finding import Finding, Rule
from engine.model.parse import parse
from engine.model.types import Data, Flow, Model, Node, Process
from engine.model.view import Around
from engine.model.xml import BPMN

UNREADABLE = Rule("unreadable", "The file cannot be read: {why}", ModelUnreadable.advice)
STRANGER = Rule(
    "unknown_file", "{name} is neither model, table nor form.", "Name only .bpmn, .dmn and .form.json files."
)
NO_PROCESS = Rule("no_process", "The file holds {count} processes; one is needed.", "Keep one process in a file.")
FILE_NAME = Rule(
    "file_name", "The process is called {id}, its file {stem}.bpmn.", "Give the file the name of the process."
)
NOT_EXECUTABLE = Rule("not_executable", "The process is not executable.", 'Set isExecutable="true".')
NO_ID = Rule("no_id", "A {what} has no id.", "Give it an id of its own.")
BAD_ID = Rule("bad_id", "The id {id!r} is not a plain name.", "Use letters, digits, _ and -, a letter first.")
RESERVED = Rule(
    "reserved_id",
    "The id {id} belongs to the engine.",
    "Choose another; Start, End, Root and names ending in .EndJoin, .BoundaryEventSplit, .BoundaryEventJoin, .split or .flow are taken.",
)
DUPLICATE = Rule("duplicate_id", "The id {id} occurs twice.", "Give every element of a file its own id.")
SHARED = Rule(
    "duplicate_scope",
    "The id {id} is a process or sub-process in {other} too.",
    "Give processes and sub-processes ids of their own over all files.",
)
POOLS = Rule("pools", "The file draws {count} pools.", "Draw one process a file; let them talk by messages.")
NAMESPACE = Rule(
    "wrong_namespace",
    "{tag} of namespace {namespace!r} would be ignored.",
    "Remove what another tool wrote, or write it with BPMN 2.0 and spiffworkflow extensions.",
)
ELEMENT = Rule("unsupported_element", "{tag} is not executed.", "Remove it; docs/models.md lists what is.")
NO_DIAGRAM = Rule(
    "no_diagram", "The file has no diagram.", "Draw it in the editor; people follow cases on the picture."
)
NO_SHAPE = Rule("no_shape", "{id} is not drawn, or drawn without extent.", "Draw it in the editor.")
LOST_SHAPE = Rule("lost_shape", "The diagram draws {id}, which does not exist.", "Remove the drawing.")

_ID = re.compile(r"[A-Za-z_][\w.\-]*\Z")


def check(around: Around) -> Iterator[Finding]:
    """Findings over the files of a bundle."""
    scopes: dict[str, str] = {}
    for name in sorted(around.bundle.files):
        if name.endswith(".bpmn"):
            try:
                model = parse(name, around.bundle.files[name])
            except ModelUnreadable as error:
                yield UNREADABLE.at(name, line=error.line, why=error.detail)
                continue
            yield from _file(model, scopes)
        elif name.endswith(".form.json") and name.removesuffix(".form.json") not in around.forms:
            yield UNREADABLE.at(name, why="it is no form definition.")
        elif name.endswith(".dmn"):
            try:
                dmn.load(around.bundle.files[name])
            except dmn.DmnError as error:
                yield UNREADABLE.at(name, why=error.detail)
        elif not name.endswith(".form.json"):
            yield STRANGER.at(name, name=name)


def _file(model: Model, scopes: dict[str, str]) -> Iterator[Finding]:
    if len(model.processes) != 1:
        yield NO_PROCESS.at(model.file, count=len(model.processes))
    if model.pools > 1:
        yield POOLS.at(model.file, count=model.pools)
    seen: set[str] = set()
    for id, line in model.ids:
        if id in seen:
            yield DUPLICATE.at(model.file, Data(id, id, line), id=id)
        seen.add(id)
    for odd in [*model.strange, *(odd for process in model.processes for odd in process.strange)]:
        rule = ELEMENT if odd.namespace == BPMN else NAMESPACE
        yield rule.at(model.file, odd, tag=odd.tag, namespace=odd.namespace)
    for process in model.processes:
        if process.id != model.file.removesuffix(".bpmn"):
            yield FILE_NAME.at(model.file, process, id=process.id, stem=model.file.removesuffix(".bpmn"))
        if not process.executable:
            yield NOT_EXECUTABLE.at(model.file, process)
        holders: list[Process | Node] = [process, *(node for node in process.nodes if node.is_scope)]
        for holder in holders:
            other = scopes.setdefault(holder.id, model.file)
            if other != model.file or (holder is not process and holder.id == process.id):
                yield SHARED.at(model.file, holder, id=holder.id, other=other)
        named: list[Process | Node | Flow] = [process, *process.nodes, *process.flows]
        for placed in named:
            yield from _id(model.file, placed.id, placed.line)
    yield from _drawing(model)


def _id(file: str, id: str, line: int) -> Iterator[Finding]:
    place = Data(id, id, line)
    if not id:
        yield NO_ID.at(file, place, what="process, node or flow")
    elif id in ("Start", "End", "Root") or id.endswith(
        (".EndJoin", ".BoundaryEventSplit", ".BoundaryEventJoin", ".split", ".flow")
    ):
        yield RESERVED.at(file, place, id=id)
    elif not _ID.match(id) or len(id) > 80:
        yield BAD_ID.at(file, place, id=id[:80])


def _drawing(model: Model) -> Iterator[Finding]:
    if not model.diagrams:
        yield NO_DIAGRAM.at(model.file)
        return
    drawn = {shape.element for shape in model.shapes if shape.waypoints >= 2}
    drawn |= {shape.element for shape in model.shapes if shape.bounds and shape.bounds[2] > 0 and shape.bounds[3] > 0}
    for process in model.processes:
        visible: list[Node | Flow] = [*process.nodes, *process.flows]
        for placed in visible:
            if placed.id and placed.id not in drawn:
                yield NO_SHAPE.at(model.file, placed, id=placed.id)
    known = {id for id, _ in model.ids}
    for shape in model.shapes:
        if shape.element not in known:
            yield LOST_SHAPE.at(model.file, Data(shape.element, "", shape.line), id=shape.element)
