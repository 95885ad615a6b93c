"""Everything the platform can do, in one place: the services, what models may call, and the models that ship."""

from __future__ import annotations

import importlib
import importlib.resources
import importlib.util
import pkgutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from zoneinfo import ZoneInfo

import forms
import tasks
from engine import Bundle, Clock, Database, Engine, Operation, Signature, Takers
from engine.model import Finding, choice, lint_files
from forms import FormDef, FormError, Problem
from integrations.compression import Compressor
from integrations.dicom import Sender
from integrations.hl7 import Hl7Sender
from integrations.pdf import Pdf
from integrations.rendering import Renderer
from integrations.sms import Sms
from integrations.storage import BlobStore
from tasks.applications import hl7 as hl7_messages
from tasks.applications.prefill import WORDS
from tasks.applications.service import Applications
from tasks.cases.service import Cases
from tasks.files.service import Files
from tasks.imaging import centre as imaging_centre
from tasks.imaging.service import Decode, Imaging
from tasks.messages.service import Messages
from tasks.notify import centre as notify_centre
from tasks.notify.service import Notify
from tasks.patients.service import Patients
from tasks.people.service import ROLES, People
from tasks.quality.service import Quality
from tasks.reports.service import Reports
from tasks.session.service import Rooms
from tasks.triage.service import Triage
from tasks.worklist.service import Worklist

TOP = "consultation"


@dataclass(frozen=True)
class Services:
    """One of each; a folder's service has the folder's name."""

    db: Database
    clock: Clock
    engine: Engine
    people: People
    cases: Cases
    files: Files
    worklist: Worklist
    patients: Patients
    imaging: Imaging
    applications: Applications
    quality: Quality
    triage: Triage
    session: Rooms
    reports: Reports
    messages: Messages
    notify: Notify


@cache
def _modules() -> dict[str, ModuleType]:
    """The operations module of every folder that has one, by folder."""
    found = {}
    for folder in pkgutil.iter_modules(tasks.__path__):
        if folder.ispkg and importlib.util.find_spec(f"tasks.{folder.name}.operations") is not None:
            found[folder.name] = importlib.import_module(f"tasks.{folder.name}.operations")
    return found


def _signatures() -> dict[str, Signature]:
    listed: Sequence[Signature] = [s for module in _modules().values() for s in module.SIGNATURES]
    by_id = {signature.id: signature for signature in listed}
    if len(by_id) != len(listed):
        raise ValueError("two folders offer the same operation")
    return by_id


SIGNATURES = _signatures()
"""Every operation a model may call, by id."""


CONTEXTS = {"case": SIGNATURES["applications.snapshot"].result}
"""What is in the variables every case carries; the first snapshot fills what is not known when it starts."""


def findings(files: Mapping[str, bytes]) -> list[dict[str, str | int]]:
    """What lint says of files named together, as the platform judges them."""
    found = lint_files(files, SIGNATURES, roles=frozenset(ROLES), contexts=CONTEXTS)
    return [*found, *(one.as_dict() for one in form_findings(files))]


def form_findings(files: Mapping[str, bytes]) -> list[Finding]:
    """What is wrong with the form definitions among these files; the engine only knows that they are there."""
    found = []
    for name, content in sorted(files.items()):
        if not name.endswith(".form.json"):
            continue
        try:
            form = forms.load(content)
        except FormError as problem:
            found.append(Finding(name, 1, "", "bad_form", "error", problem.detail, "docs/models.md shows a form."))
            continue
        for one in (*forms.lint(form), *_unfilled(form)):
            line = _line(content, one.field)
            found.append(Finding(name, line, one.field, one.rule, "error", one.message, one.advice))
    return found


def _unfilled(form: FormDef) -> Iterator[Problem]:
    for field in form.fields:
        if field.default_from is not None and field.default_from not in WORDS:
            message = f"{field.name} is to be filled from {field.default_from!r}, which the platform does not know."
            known = choice(field.default_from, WORDS)
            yield Problem("unknown_default_from", field.name, message, f"There are: {known}.")


def _line(content: bytes, field: str) -> int:
    """The line on which a form definition names a field."""
    before, _, _ = content.partition(f'"{field}"'.encode())
    return before.count(b"\n") + 1


def build(
    db: Database,
    clock: Clock,
    *,
    blobs: BlobStore,
    compressor: Compressor,
    renderer: Renderer,
    sms: Sms,
    pdf: Pdf,
    dicom: Sender,
    hl7: Hl7Sender,
    pepper: bytes,
    decode: Decode | None = None,
    zone: str = "Asia/Shanghai",
) -> Services:
    """The services on one database, with the outside world as given. `pepper` keys the hash of ID card numbers."""
    people = People(db, clock)
    engine = Engine(
        db,
        SIGNATURES,
        clock,
        takers=Takers(frozenset(ROLES), people.reachable),
        contexts=CONTEXTS,
        check=lambda bundle: form_findings(bundle.files),
        zone=ZoneInfo(zone),
    )
    cases = Cases(db, clock, people)
    patients = Patients(db, clock, people, pepper)
    files = Files(db, clock, cases, blobs)
    worklist = Worklist(db, clock, engine, cases)
    imaging = Imaging(db, clock, people, cases, patients, blobs, compressor, renderer, decode, engine)
    applications = Applications(db, clock, engine, people, cases, patients, imaging, files, worklist)
    messages = Messages(db, clock, people)
    files.named_by(imaging.names)
    messages.found_by(notify_centre.one)
    messages.found_by(imaging_centre.one)
    hl7_messages.connect(messages, applications)
    return Services(
        db=db,
        clock=clock,
        engine=engine,
        people=people,
        cases=cases,
        files=files,
        worklist=worklist,
        patients=patients,
        imaging=imaging,
        applications=applications,
        quality=Quality(clock, cases, imaging, patients, worklist),
        triage=Triage(cases, patients, worklist),
        session=Rooms(db, clock, engine, cases, worklist),
        reports=Reports(
            db, clock, engine, people, cases, files, worklist, patients, imaging, messages, blobs, pdf, dicom, hl7, zone
        ),
        messages=messages,
        notify=Notify(db, clock, sms, people, cases, zone=zone),
    )


def bind(services: Services) -> dict[str, Operation]:
    """Every operation bound to the service of its folder, by id: what a worker carries out."""
    bound: list[Operation] = []
    for folder, module in _modules().items():
        bound.extend(module.operations(getattr(services, folder)))
    return {operation.signature.id: operation for operation in bound}


def bundle() -> Bundle:
    """The consultation with everything it calls, as it ships."""
    available = {
        entry.name: entry.read_bytes()
        for package in ("bpmn", "forms")
        for entry in importlib.resources.files(package).iterdir()
        if entry.name.endswith((".bpmn", ".dmn", ".form.json"))
    }
    return Bundle.closure(TOP, available)
