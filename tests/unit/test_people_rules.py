"""Who may do what: every role, every object, every action, own hospital and foreign."""

from __future__ import annotations

from uuid import UUID

import pytest

from engine.ids import uuid7
from tasks.people.actor import Actor, Appointment
from tasks.people.rules import GRANTS, RELATIONS, ROLES, SEPARATE, Facts, OpenTask, grants, may, member, opens

PRIMARY, HUB, OTHER = uuid7(), uuid7(), uuid7()
ME, COLLEAGUE = uuid7(), uuid7()
PARTIES = frozenset({(PRIMARY, "from"), (HUB, "to")})
EVERY = sorted(
    {(r, k, w.partition("@")[0]) for r, kinds in GRANTS.items() for k, ws in kinds.items() for w in ws.split()}
)


def _actor(role: str, hospital: UUID | None, account: UUID = ME) -> Actor:
    return Actor(account, "", hospital or HUB, (Appointment(role, hospital),))


def _case(kind: str, **people: UUID) -> Facts:
    return Facts(kind, PRIMARY, PARTIES, {part: frozenset({who}) for part, who in people.items()})


def test_table_names_only_known_roles_and_relations() -> None:
    assert set(GRANTS) == set(ROLES)
    for role, kinds in GRANTS.items():
        for kind, words in kinds.items():
            for word in words.split():
                action, at, relation = word.partition("@")
                assert action, (role, kind, word)
                assert at, (role, kind, word)
                assert relation in RELATIONS, (role, kind, word)


@pytest.mark.parametrize(("role", "kind", "action"), EVERY)
def test_nothing_is_open_to_a_foreign_hospital(role: str, kind: str, action: str) -> None:
    foreign = _actor(role, OTHER)
    expected = "any" in grants(role, kind, action)
    assert may(foreign, action, _case(kind, applicant=COLLEAGUE)) is expected


@pytest.mark.parametrize(("role", "kind", "action"), EVERY)
def test_every_grant_is_reachable(role: str, kind: str, action: str) -> None:
    hospital = PRIMARY if grants(role, kind, action) & {"from", "home", "party"} else HUB
    obj = Facts(
        kind, hospital, PARTIES, {"applicant": frozenset({ME}), "owner": frozenset({ME})}, glass=frozenset({ME})
    )
    barred = (kind, action) == ("application", "sign")
    if barred:
        obj = Facts(kind, hospital, PARTIES)
    assert may(_actor(role, hospital), action, obj)


@pytest.mark.parametrize("kind", ["application", "name", "images", "report", "qc", "patient"])
@pytest.mark.parametrize("role", ["platform_admin", "node_admin", "publisher", "teacher", "learner"])
def test_administrators_see_nothing_clinical(role: str, kind: str) -> None:
    for action in ("read", "update", "create", "sign"):
        assert not may(_actor(role, None), action, _case(kind, applicant=ME, owner=ME, expert=ME))


def test_coordinator_sees_no_name_no_images_no_text() -> None:
    me = _actor("coordinator", HUB)
    assert may(me, "list", _case("case"))
    for kind in ("application", "name", "images", "report"):
        assert not may(me, "read", _case(kind))
    assert may(me, "status", _case("report"))


@pytest.mark.parametrize(("kind", "action", "part"), [(k, a, p) for (k, a), parts in SEPARATE.items() for p in parts])
def test_separation_of_duties_beats_every_grant(kind: str, action: str, part: str) -> None:
    me = Actor(ME, "", HUB, tuple(Appointment(role, None) for role in ROLES))
    assert may(me, action, _case(kind, reader=ME))
    assert not may(me, action, _case(kind, **{part: ME}))


def test_expert_gets_in_by_an_open_task_and_out_when_it_is_gone() -> None:
    me = _actor("expert", HUB)
    offered = Facts("images", PRIMARY, PARTIES, open_tasks=frozenset({OpenTask("expert", HUB, ME)}))
    assert may(me, "read", offered)
    assert not may(me, "read", _case("images"))
    assert not may(_actor("expert", HUB, COLLEAGUE), "read", offered)


def test_scorer_sees_sampled_cases_only() -> None:
    sampled = Facts("report", PRIMARY, PARTIES, open_tasks=frozenset({OpenTask("scorer", HUB)}))
    assert may(_actor("scorer", HUB), "read", sampled)
    assert not may(_actor("scorer", HUB), "read", _case("report"))
    assert not may(_actor("scorer", OTHER), "read", sampled)


def test_relation_of_the_invited_side_ends_but_the_applying_hospital_treats_on() -> None:
    over = Facts(
        "report", PRIMARY, PARTIES, {"expert": frozenset({ME}), "applicant": frozenset({COLLEAGUE})}, over=True
    )
    assert not may(_actor("expert", HUB), "read", over)
    assert may(_actor("applicant", PRIMARY, COLLEAGUE), "read", over)
    assert not may(_actor("preqc", HUB), "read", over.of("application"))


@pytest.mark.parametrize(
    ("role", "kind", "action"), [("approver", "application", "read"), ("coordinator", "case", "list")]
)
def test_of_two_parties_only_the_applying_one_keeps_the_relation(role: str, kind: str, action: str) -> None:
    now, over = Facts(kind, PRIMARY, PARTIES), Facts(kind, PRIMARY, PARTIES, over=True)
    for hospital in (PRIMARY, HUB):
        assert may(_actor(role, hospital), action, now)
    assert may(_actor(role, PRIMARY), action, over)
    assert not may(_actor(role, HUB), action, over)


def test_auditors_find_the_case_after_its_relations_ended() -> None:
    over = Facts("history", PRIMARY, PARTIES, over=True)
    assert may(_actor("auditor", HUB), "read", over)
    assert not may(_actor("auditor", OTHER), "read", over)


def test_to_read_a_report_is_not_to_take_it_away() -> None:
    report = _case("report", author=COLLEAGUE, applicant=ME)
    assert may(_actor("applicant", PRIMARY), "download", report)
    for role in ("reviewer", "scorer"):
        took_part = _case("report", **{role: ME})
        assert may(_actor(role, HUB), "read", took_part)
        assert not may(_actor(role, HUB), "download", took_part)


def test_auditor_reads_clinical_text_only_through_the_glass() -> None:
    me = _actor("auditor", HUB)
    shut, opened = _case("application"), Facts("application", PRIMARY, PARTIES, glass=frozenset({ME}))
    assert not may(me, "read", shut)
    assert may(me, "read", opened)
    assert may(me, "read", shut.of("history"))


def test_membership_by_person_role_and_substitution() -> None:
    me = Actor(ME, "", HUB, (Appointment("expert", HUB),), stands_in_for=frozenset({COLLEAGUE}))
    assert member(me, OpenTask("expert", HUB))
    assert member(me, OpenTask("expert", None))
    assert not member(me, OpenTask("expert", OTHER))
    assert not member(me, OpenTask(None))
    assert member(me, OpenTask("reviewer", HUB, ME))
    assert member(me, OpenTask("expert", HUB, COLLEAGUE))
    assert not member(me, OpenTask("expert", HUB, uuid7()))


def test_navigation_shows_what_a_role_opens() -> None:
    assert opens(_actor("auditor", HUB), "history", "verify")
    assert not opens(_actor("applicant", PRIMARY), "model")
