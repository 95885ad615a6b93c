"""The SQL filter and the rule agree on every case, for every actor, object and action."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from engine.db import Database
from engine.ids import uuid7
from engine.tables import wait
from tasks.cases.models import BreakGlass, CaseParty, CasePerson, ClinicalCase
from tasks.cases.visibility import facts_of, visible_cases
from tasks.people.actor import Actor, Appointment
from tasks.people.rules import GRANTS, ROLES, SEPARATE, may

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
HOSPITALS = [UUID(int=i) for i in (101, 102, 103)]
ACCOUNTS = [UUID(int=i) for i in (201, 202, 203)]
CASE_KINDS = ("case", "application", "name", "images", "report", "session", "qc", "history", "file", "preqc")
ASKED = sorted(
    {
        (k, w.partition("@")[0])
        for kinds in GRANTS.values()
        for k, ws in kinds.items()
        if k in CASE_KINDS
        for w in ws.split()
    }
    - set(SEPARATE)  # separation has no SQL
)

hospital, account = st.sampled_from(HOSPITALS), st.sampled_from(ACCOUNTS)
role = st.sampled_from(ROLES)
actors = st.builds(
    Actor,
    account_id=account,
    name=st.just(""),
    hospital_id=hospital,
    assignments=st.lists(st.builds(Appointment, role, st.none() | hospital), max_size=3).map(tuple),
    stands_in_for=st.frozensets(account, max_size=1),
)
cases = st.fixed_dictionaries(
    {
        "applicant": account,
        "tenant": hospital,
        "parties": st.sets(st.tuples(hospital, st.sampled_from(["from", "to"])), max_size=3),
        "people": st.sets(st.tuples(account, st.sampled_from(["author", "expert", "reviewer", "owner"])), max_size=2),
        "tasks": st.lists(st.tuples(st.none() | role, st.none() | hospital, st.none() | account), max_size=2),
        "closed": st.sampled_from([None, NOW - timedelta(days=29), NOW - timedelta(days=30), NOW - timedelta(days=31)]),
        "glass": st.lists(st.tuples(account, st.sampled_from([NOW, NOW + timedelta(minutes=1)])), max_size=1),
    }
)


def _insert(session: Session, number: int, drawn: dict) -> ClinicalCase:  # type: ignore[type-arg]
    case = ClinicalCase(
        id=uuid7(), tenant=drawn["tenant"], ref=f"R{number}", kind="RC", state="draft", instance_id=uuid7(),
        applicant=drawn["applicant"], from_hospital=drawn["tenant"], urgency="R", sla={}, created_at=NOW, updated_at=NOW,
        closed_at=drawn["closed"], consent=False, round=0, version=0, paused_ms=0,
    )  # fmt: skip
    session.add(case)
    session.flush()
    session.add_all(CaseParty(case_id=case.id, hospital_id=h, part=p) for h, p in drawn["parties"])
    session.add_all(CasePerson(case_id=case.id, account_id=a, part=p, since=NOW) for a, p in drawn["people"])
    for task_role, scope, person in drawn["tasks"]:
        session.execute(
            insert(wait).values(
                id=uuid7(),
                tenant=case.tenant,
                instance_id=case.instance_id,
                business_key=str(case.id),
                task_id=uuid7(),
                kind="user",
                process="p",
                node="n",
                role=task_role,
                scope=scope,
                person=person,
                reauth=False,
                created_at=NOW,
            )
        )
    session.add_all(
        BreakGlass(
            id=uuid7(), tenant=case.tenant, case_id=case.id, account_id=a, reason="r", words="w", opened_at=NOW,
            ends_at=until, review_by=NOW,
        )
        for a, until in drawn["glass"]
    )  # fmt: skip
    session.flush()
    return case


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(actors=st.lists(actors, min_size=1, max_size=3), drawn=st.lists(cases, min_size=1, max_size=4))
def test_filter_and_rule_agree(db: Database, actors: list[Actor], drawn: list[dict]) -> None:  # type: ignore[type-arg]
    with db.read() as session:
        rows = [_insert(session, i, d) for i, d in enumerate(drawn)]
        for kind in CASE_KINDS:
            known = facts_of(session, rows, NOW, kind)
            for actor in actors:
                for _, action in (a for a in ASKED if a[0] == kind):
                    seen = set(
                        session.scalars(
                            select(ClinicalCase.id).where(visible_cases(actor, NOW, kind=kind, action=action))
                        )
                    )
                    allowed = {row.id for row in rows if may(actor, action, known[row.id])}
                    assert seen == allowed, (kind, action, actor, drawn)
