"""The judge of models: what it lets pass, the engine executes as drawn; everything else it names and refuses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.model.bundle import Bundle, references
from engine.model.finding import Finding, Rule
from engine.model.rules import calls, events, files, kinds, names, people, structure, texts, types
from engine.model.view import Around, Contexts, View
from engine.operations import Signature

NO_TOP = Rule("no_top", "There is no process {top!r} in the bundle.", "Name the top process's file first.")

NO_CONTEXTS: Contexts = {}

_FAMILIES = (
    structure.check,
    kinds.check,
    events.check,
    calls.check,
    people.check,
    texts.check,
    names.check,
    types.check,
)


def lint(
    bundle: Bundle,
    signatures: Mapping[str, Signature],
    *,
    roles: frozenset[str] | None = None,
    contexts: Contexts = NO_CONTEXTS,
) -> list[Finding]:
    """All findings of a bundle, in order of file, line and element. Any bytes give findings, never an exception.

    `contexts` are the variables every case has from its start, with the names in them and what these hold: an entry nobody sets is refused."""
    return sorted(set(_findings(Around(bundle, signatures, roles, contexts))))


def _findings(around: Around) -> Iterator[Finding]:
    if f"{around.bundle.top}.bpmn" not in around.bundle.files:
        yield NO_TOP.at("", top=around.bundle.top)
    yield from files.check(around)
    yield from calls.tables(around)
    for model in around.bundle.models.values():
        for process in model.processes:
            view = View(around, model, process)
            for family in _FAMILIES:
                yield from family(view)


def lint_files(
    named: Mapping[str, bytes],
    signatures: Mapping[str, Signature],
    *,
    roles: frozenset[str] | None = None,
    contexts: Contexts = NO_CONTEXTS,
) -> list[dict[str, str | int]]:
    """Findings of files named together, as one bundle; empty when they are accepted."""
    called = {
        reference
        for name, content in named.items()
        if name.endswith(".bpmn")
        for reference in references(name, content)
    }
    models = [name for name in named if name.endswith(".bpmn")]
    tops = [name for name in models if name not in called] or models
    if not tops:
        # tables and forms alone are judged for themselves
        around = Around(Bundle("", named), signatures, roles, contexts)
        return [one.as_dict() for one in sorted({*files.check(around), *calls.tables(around)})]
    bundle = Bundle(tops[0].removesuffix(".bpmn"), named)
    return [one.as_dict() for one in lint(bundle, signatures, roles=roles, contexts=contexts)]
