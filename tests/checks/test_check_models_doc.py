"""docs/models.md says of roles, operations, the case and templates what the code says. `make docs` writes it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from engine import Signature
from engine.operations import Type
from forms.formdef import FIELD_KEYS, TYPES
from tasks import catalogue
from tasks.applications.prefill import SOURCES, WORDS
from tasks.notify import templates
from tasks.people.rules import ROLES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "models.md"
ABOUT_ROLES = {
    "applicant": "applies at a primary hospital",
    "technician": "sends and completes images",
    "approver": "agrees to applications, arbitrates about scores",
    "preqc": "checks applications and images before triage",
    "triage": "chooses experts",
    "expert": "reads, consults, writes and signs reports",
    "reviewer": "reviews reports before they are signed",
    "scorer": "scores finished cases",
    "coordinator": "schedules, dispatches by hand, settles incidents",
    "publisher": "releases models",
    "auditor": "reads the history",
    "node_admin": "runs a hospital's node",
    "platform_admin": "runs the platform",
    "teacher": "makes courses of cases",
    "learner": "takes courses",
}
ABOUT_CASE = {
    "id": "the case, and the business key of its messages",
    "ref": "the number people see",
    "kind": "`RC` consultation",
    "from": "the applying hospital",
    "to": "the invited hospital; null until it is chosen",
    "applicant": "the account that applies",
    "urgency": "`E` emergency, `U` expedited, `R` routine",
    "modality": "`CT`, `MR`, …",
    "part": "body part",
    "tag": "reason for a special way, `none` otherwise",
    "specialty": "what the expert should be",
    "consent": "whether the consent is there",
    "mode": "how the session is held, null when not asked",
    "version": "counts what was applied for anew",
    "hash": "of what was applied for",
}


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _named(what: dict[str, Type] | None, optional: frozenset[str] = frozenset()) -> str:
    words = [f"`{name}` {kind.value}{' (optional)' if name in optional else ''}" for name, kind in (what or {}).items()]
    return ", ".join(words) or "–"


def _operation(one: Signature) -> tuple[str, ...]:
    errors = ", ".join(f"`{code}`" for code in sorted(one.errors)) or "–"
    words = "".join(
        f" `{name}`: {', '.join(sorted(takes))}." for name, takes in one.words.items() if name != "template"
    )
    given, result = _named(dict(one.params), one.optional), _named(dict(one.result))
    return f"`{one.id}`", one.about + words, given, result, errors, one.effect.value


def blocks() -> dict[str, str]:
    """The written parts by the name of their marker."""
    case = catalogue.SIGNATURES["applications.snapshot"].result
    return {
        "roles": _table(("role", "who"), ((f"`{role}`", ABOUT_ROLES[role]) for role in ROLES)),
        "case": _table(("entry", "type", "meaning"), ((f"`{k}`", t.value, ABOUT_CASE[k]) for k, t in case.items())),
        "operations": _table(
            ("operation", "what it does", "parameters", "result", "errors", "effect"),
            map(_operation, sorted(catalogue.SIGNATURES.values(), key=lambda one: one.id)),
        ),
        "templates": _table(
            ("template", "`notify.sms`", "`notify.inbox`"),
            (
                (f"`{name}`", *(" · ".join(known[name]) if name in known else "–" for known in (templates.SMS, templates.NOTICES)))
                for name in sorted({*templates.SMS, *templates.NOTICES})
            ),
        ),
        "default_from": _table(
            ("`default_from`", "shown as"), ((f"`{word}`", SOURCES[word.partition(".")[0]]) for word in sorted(WORDS))
        ),
    }  # fmt: skip


def written(text: str) -> str:
    """The page with every part written anew."""
    for name, block in blocks().items():
        pattern = re.compile(f"(<!-- {name}: [^>]*-->\n).*?(<!-- /{name} -->)", re.S)
        assert pattern.search(text), name
        text = pattern.sub(lambda found, block=block: f"{found[1]}{block}\n{found[2]}", text)
    return text


def test_the_page_says_what_the_code_says() -> None:
    assert PAGE.read_text() == written(PAGE.read_text()), "run make docs"


def test_every_operation_says_what_it_does() -> None:
    assert [one.id for one in catalogue.SIGNATURES.values() if not one.about] == []


def test_every_type_and_attribute_of_a_field_is_told() -> None:
    told = set(re.findall(r"`(\w+)`", PAGE.read_text()))
    assert sorted((TYPES | FIELD_KEYS) - told) == []


def test_what_is_told_exists() -> None:
    text = PAGE.read_text()
    types, attributes = text.split("| type | what")[1].split("\n\n")[0], text.split("| attribute |")[1].split("\n\n")[0]
    first = [line.split("|")[1] for line in types.splitlines()[2:]]
    assert set(re.findall(r"`(\w+)`", " ".join(first))) == TYPES
    first = [line.split("|")[1] for line in attributes.splitlines()[2:]]
    assert set(re.findall(r"`(\w+)`", " ".join(first))) == FIELD_KEYS


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
