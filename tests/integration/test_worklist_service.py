"""The worklist: who sees what, who takes it, drafts, handing in, separation of duties."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from engine.clock import TestClock
from engine.db import Database
from engine.errors import NotFound, Refused, Stale
from engine.history import record, verify
from engine.ids import uuid7
from engine.model import Bundle
from engine.tables import definition, instance, wait
from tasks.cases.service import Cases, NewCase
from tasks.people.service import Actor, People
from tasks.worklist.errors import (
    AlreadyClaimed,
    DraftTooLarge,
    FormInvalid,
    NeedsReauth,
    NotClaimed,
    NothingToDo,
    Separated,
    TaskDone,
)
from tasks.worklist.service import EVERY, Submission, Submitting, Worklist

FORM = {
    "id": "report", "version": 3, "title": {"zh": "报告", "en": "Report"},
    "sections": [{"id": "s", "title": {"zh": "一", "en": "One"}, "fields": [
        {"name": "findings", "type": "textarea", "label": {"zh": "所见", "en": "Findings"}, "required": True},
        {"name": "certainty", "type": "choice", "label": {"zh": "把握", "en": "Certainty"}, "process": True,
         "choices": [{"value": "likely", "label": {"zh": "考虑", "en": "Likely"}}]},
    ]}],
    "rules": [],
}  # fmt: skip
MARKER = "张三丰左肺磨玻璃结节"


@dataclass
class Tx:
    """A command of the test engine: completing a task removes its wait."""

    session: Session
    now: datetime
    tenant: UUID
    instance_id: UUID
    actor: str
    repeated: bool = False
    answer: Any = None
    completed: dict[str, Any] = field(default_factory=dict)

    def complete(self, task_id: UUID, data: Mapping[str, Any]) -> None:
        self.completed[str(task_id)] = dict(data)
        self.session.execute(delete(wait).where(wait.c.task_id == task_id))

    def note(
        self,
        kind: str,
        data: Any,
        *,
        task_id: UUID | None = None,
        on_behalf: str | None = None,
        node: str | None = None,
    ) -> None:
        record(
            self.session, tenant=self.tenant, kind=kind, actor=self.actor, at=self.now, instance_id=self.instance_id,
            task_id=task_id, data=data, on_behalf=on_behalf, node=node,
        )  # fmt: skip

    def reply(self, value: Any) -> None:
        self.answer = value


class FakeEngine:
    """Begins commands like the engine: locked instance, answered keys."""

    def __init__(self, db: Database, clock: TestClock) -> None:
        self.db, self.clock, self.answers, self.completed = db, clock, {}, {}

    @contextmanager
    def begin(self, instance_id: UUID, key: str, *, actor: str) -> Iterator[Tx]:
        with self.db.transaction() as session:
            row = session.execute(select(instance).where(instance.c.id == instance_id).with_for_update()).one()
            known = (instance_id, key) in self.answers
            tx = Tx(
                session, self.clock.now(), row.tenant, instance_id, actor, known, self.answers.get((instance_id, key))
            )
            yield tx
            if not known:
                self.answers[instance_id, key] = tx.answer
                self.completed |= tx.completed


class World:
    def __init__(self, db: Database, clock: TestClock) -> None:
        self.db, self.clock = db, clock
        self.people = People(db, clock, PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
        self.cases = Cases(db, clock, self.people)
        self.engine = FakeEngine(db, clock)
        self.worklist = Worklist(db, clock, self.engine, self.cases)
        self.h = {
            code: self.people.create_hospital(code, code, code, "hub" if code == "SF" else "primary")
            for code in ("SF", "QH", "YL")
        }
        self.a = {}
        for name, code, roles in (
            ("he", "QH", ["applicant"]), ("feng", "YL", ["applicant"]), ("wu", "SF", ["coordinator"]),
            ("lin", "SF", ["expert", "reviewer"]), ("zhou", "SF", ["expert"]), ("sun", "SF", ["reviewer"]),
            ("chen", "SF", ["preqc"]), ("dong", "SF", ["preqc"]),
        ):  # fmt: skip
            self.a[name] = self.people.create_account(name, name, self.h[code], roles)
        self.definition = uuid7()
        content = Bundle(
            "p", {f"{f}.form.json": json.dumps(FORM | {"id": f}).encode() for f in ("report", "review", "pre_qc")}
        )
        with db.transaction() as session:
            session.execute(insert(definition).values(
                id=self.definition, process="p", version=1, hash=content.hash, status="released",
                content=content.to_bytes(), created_by="x", created_at=clock.now(),
            ))  # fmt: skip

    def who(self, name: str) -> Actor:
        with self.db.read() as session:
            return self.people.actor(session, self.a[name])

    def case(self, urgency: str = "R") -> UUID:
        new = NewCase(
            "RC", self.a["he"], self.h["QH"], patient_name="王示例", to_hospital=self.h["SF"], urgency=urgency
        )
        with self.db.transaction() as session:
            case_id = self.cases.open(session, new).id
            session.execute(insert(instance).values(
                id=case_id, tenant=self.h["QH"], definition_id=self.definition, process="p", business_key=str(case_id),
                status="running", rev=1, state=b"", started_at=self.clock.now(), updated_at=self.clock.now(),
            ))  # fmt: skip
        return case_id

    def task(self, case_id: UUID, form: str = "report", *, role: str | None = "expert", person: str | None = None,
             due: int | None = None, reauth: bool = False) -> UUID:  # fmt: skip
        task_id = uuid7()
        with self.db.transaction() as session:
            session.execute(insert(wait).values(
                id=uuid7(), tenant=self.h["QH"], instance_id=case_id, business_key=str(case_id), task_id=task_id,
                kind="user", process="p", node=form, name="任务", name_en="Task", form=form, role=role, scope=self.h["SF"],
                person=self.a[person] if person else None, reauth=reauth, created_at=self.clock.now(),
                due=self.clock.now() + timedelta(minutes=due) if due is not None else None,
            ))  # fmt: skip
        return task_id

    def seen(self, name: str, tab: Any = "all") -> list[UUID]:
        with self.db.read() as session:
            return [r.task_id for r in self.worklist.inbox(session, self.who(name), tab)]

    def counts(self, name: str) -> dict[str, int]:
        with self.db.read() as session:
            return dict(self.worklist.counts(session, self.who(name)))


@pytest.fixture
def world(db: Database, clock: TestClock) -> World:
    return World(db, clock)


def test_inbox_by_role_and_person_sorted_by_due_with_case_facts(world: World, db: Database) -> None:
    case = world.case()
    late, soon, none = (world.task(case, due=d) for d in (60, 5, None))
    mine = world.task(case, person="zhou", due=30)
    assert world.seen("lin") == [soon, late, none]
    assert world.seen("zhou") == [soon, mine, late, none]
    assert world.seen("feng") == world.seen("he") == world.seen("chen") == []
    with db.read() as session:
        row = world.worklist.inbox(session, world.who("zhou"))[0]
        assert row.case is not None
        assert row.case.patient_name == "王示例"
        assert row.case.ref.startswith("RC261124-QH-")


def test_pages_follow_each_other_without_gap_or_repeat(world: World, db: Database) -> None:
    case = world.case()
    tasks = [world.task(case, due=d) for d in (5, 5, None, None, 7, 5, 1)]
    seen: list[UUID] = []
    after = None
    with db.read() as session:
        actor = world.who("lin")
        while page := world.worklist.inbox(session, actor, after=after, limit=2):
            seen += [r.task_id for r in page]
            after = page[-1].cursor
    assert seen == world.seen("lin")
    assert sorted(seen) == sorted(tasks)


def test_tabs_and_counts(world: World, clock: TestClock) -> None:
    case = world.case()
    first, second = world.task(case), world.task(case)
    personal = world.task(case, person="lin")
    world.worklist.claim(world.who("lin"), first)
    assert world.seen("zhou") == [second]
    assert world.seen("zhou", "team") == world.seen("lin", "claimed") == [first]
    assert world.counts("zhou") == {"all": 1, "claimed": 0, "team": 1, "substitute": 0, "done": 0}
    world.people.substitute(world.a["lin"], world.a["zhou"], clock.now(), clock.now() + timedelta(hours=1))
    assert world.seen("zhou", "substitute") == [personal]
    world.worklist.claim(world.who("zhou"), personal)
    assert world.counts("zhou") == {"all": 2, "claimed": 1, "team": 1, "substitute": 1, "done": 0}
    assert world.counts("lin") == {"all": 2, "claimed": 1, "team": 1, "substitute": 0, "done": 0}


def test_one_of_many_gets_the_task(world: World, db: Database) -> None:
    task = world.task(world.case(), "pre_qc", role="preqc")
    got: list[str] = []

    def take(name: str) -> None:
        try:
            world.worklist.claim(world.who(name), task)
            got.append(name)
        except AlreadyClaimed:
            pass

    threads = [threading.Thread(target=take, args=(n,)) for n in ("chen", "dong") * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(got)) == 1
    with db.read() as session:
        kinds = session.execute(sa.text("select kind from history where kind like 'task.%'")).scalars().all()
        assert kinds == ["task.claimed"]
        assert verify(session) == []


def test_claim_refuses_strangers_and_unclaim_others(world: World) -> None:
    task = world.task(world.case())
    with pytest.raises(NotFound):
        world.worklist.claim(world.who("he"), task)
    with pytest.raises(NotFound):
        world.worklist.claim(world.who("lin"), uuid7())
    world.worklist.claim(world.who("lin"), task)
    with pytest.raises(NotClaimed):
        world.worklist.unclaim(world.who("zhou"), task)
    world.worklist.unclaim(world.who("lin"), task)
    world.worklist.claim(world.who("zhou"), task)


def test_next_is_by_urgency_then_due(world: World) -> None:
    routine, urgent, emergency = (world.case(u) for u in "RUE")
    tasks = [
        world.task(case, "pre_qc", role="preqc", due=due)
        for case, due in ((emergency, 30), (urgent, 20), (urgent, 40), (routine, 1), (routine, None))
    ]
    world.task(routine)
    actor = world.who("chen")
    assert [world.worklist.claim_next(actor, "pre_qc") for _ in tasks] == tasks
    with pytest.raises(NothingToDo):
        world.worklist.claim_next(actor)


def test_drafts_have_an_etag(world: World, db: Database) -> None:
    task, actor = world.task(world.case()), world.who("lin")
    assert world.worklist.save_draft(actor, task, {"findings": MARKER}, 0) == 1
    with pytest.raises(Stale):
        world.worklist.save_draft(actor, task, {}, 0)
    assert world.worklist.save_draft(actor, task, {"findings": "二"}, 1) == 2
    with db.read() as session:
        opened = world.worklist.open_task(session, actor, task)
        assert (opened.draft, opened.etag, opened.free, opened.mine) == ({"findings": "二"}, 2, True, False)
        assert opened.form.pin.startswith("report@3#")
        assert world.worklist.open_task(session, world.who("zhou"), task).draft == {}
        with pytest.raises(NotFound):
            world.worklist.open_task(session, world.who("he"), task)
    with pytest.raises(DraftTooLarge):
        world.worklist.save_draft(actor, task, {"findings": "x" * 600_000}, 2)
    world.worklist.delete_draft(actor, task)
    assert world.worklist.save_draft(actor, task, {}, 0) == 1


def test_submit_stores_completes_and_keeps_text_out_of_the_engine(world: World, db: Database) -> None:
    case = world.case()
    task, actor = world.task(case), world.who("lin")
    data = {"findings": MARKER, "certainty": "likely", "unknown": MARKER}
    with pytest.raises(NotClaimed):
        world.worklist.submit(actor, task, data, "k1")
    world.worklist.claim(actor, task)
    with pytest.raises(AlreadyClaimed):
        world.worklist.submit(world.who("zhou"), task, data, "k1")
    with pytest.raises(FormInvalid) as told:
        world.worklist.submit(actor, task, {"certainty": "no"}, "k1")
    assert set(told.value.errors) == {"findings", "certainty"}
    world.worklist.save_draft(actor, task, data, 0)
    done = world.worklist.submit(actor, task, data, "k2")
    assert world.engine.completed == {str(task): {"certainty": "likely"}}
    again = world.worklist.submit(actor, task, data, "k2")
    assert (again.submission_id, again.repeated) == (done.submission_id, True)
    with pytest.raises(TaskDone):
        world.worklist.submit(actor, task, data, "k3")
    with db.read() as session:
        stored = session.get_one(Submission, done.submission_id)
        assert stored.data == {"findings": MARKER, "certainty": "likely"}
        assert stored.form_pin.startswith("report@3#")
        assert stored.tenant == world.h["QH"]
        for table in ("draft", "claim", "wait"):
            assert session.execute(sa.text(f"select count(*) from {table}")).scalar_one() == 0
        assert MARKER not in str(session.execute(sa.text("select * from history")).all())
        assert [r.submission_id for r in world.worklist.done(session, actor)] == [done.submission_id]
        assert world.cases.people_of(session, case, "author") == [world.a["lin"]]
        assert [s.id for s in world.worklist.submissions(session, case, "report")] == [done.submission_id]
    assert world.counts("lin")["done"] == 1


def test_a_hook_may_refuse_add_and_write_and_all_goes_back_together(world: World, db: Database) -> None:
    case = world.case()
    task, actor = world.task(case), world.who("lin")
    refuse = True

    def hook(step: Submitting) -> None:
        assert step.case is not None
        step.case.body_part = "head"
        step.process["round"] = 1
        if refuse:
            raise Refused("no agreement")

    world.worklist.before_submit("report", hook)
    with pytest.raises(Refused):
        world.worklist.submit(actor, task, {"findings": "一"}, "k", take=True)
    assert world.seen("zhou") == [task]
    with db.read() as session:
        assert world.cases.get(session, case).body_part is None
    refuse = False
    world.worklist.submit(actor, task, {"findings": "一"}, "k", take=True)
    assert world.engine.completed == {str(task): {"certainty": None, "round": 1}}
    with db.read() as session:
        assert world.cases.get(session, case).body_part == "head"


def test_a_hook_for_every_form_is_told_in_the_readers_language(world: World) -> None:
    task = world.task(world.case())

    def refuse(_: Submitting) -> None:
        raise FormInvalid({"findings": ["请填写"]})

    world.worklist.before_submit(EVERY, refuse)
    with pytest.raises(FormInvalid) as told:
        world.worklist.submit(
            world.who("lin"),
            task,
            {"findings": "一"},
            "k",
            take=True,
            translate=lambda text, **_: {"请填写": "Fill this in"}.get(text, text),
        )
    assert told.value.errors == {"findings": ["Fill this in"]}


def test_an_author_never_reviews_his_own_report(world: World) -> None:
    case = world.case()
    world.worklist.submit(world.who("lin"), world.task(case), {"findings": "一"}, "k", take=True)
    review = world.task(case, "review", role="reviewer")
    assert world.seen("lin") == []
    assert world.seen("sun") == [review]
    with pytest.raises(Separated):
        world.worklist.claim(world.who("lin"), review)
    with pytest.raises(Separated):
        world.worklist.submit(world.who("lin"), review, {"findings": "一"}, "k2", take=True)
    with pytest.raises(NothingToDo):
        world.worklist.claim_next(world.who("lin"))
    world.worklist.submit(world.who("sun"), review, {"findings": "一"}, "k3", take=True)


def test_signing_needs_a_fresh_password(world: World, clock: TestClock) -> None:
    password = "three words together"
    world.people.set_password(world.a["lin"], password)
    token, actor = world.people.logins.open("lin", password)
    task = world.task(world.case(), reauth=True)
    world.worklist.claim(actor, task)
    clock.advance(timedelta(minutes=6))
    for stale in (world.who("lin"), world.people.logins.check(token)):
        with pytest.raises(NeedsReauth):
            world.worklist.submit(stale, task, {"findings": "一"}, "k")
    world.worklist.submit(world.people.logins.reauthenticate(token, password), task, {"findings": "一"}, "k")


def test_substitute_hands_in_on_behalf(world: World, db: Database, clock: TestClock) -> None:
    task = world.task(world.case(), person="lin")
    world.people.substitute(world.a["lin"], world.a["zhou"], clock.now(), clock.now() + timedelta(hours=1))
    done = world.worklist.submit(world.who("zhou"), task, {"findings": "一"}, "k", take=True)
    with db.read() as session:
        assert session.get_one(Submission, done.submission_id).on_behalf == world.a["lin"]
        behalf = session.execute(sa.text("select on_behalf from history where kind = 'task.submitted'")).scalar_one()
        assert behalf == str(world.a["lin"])


def test_coordinator_reassigns_within_the_pool(world: World) -> None:
    task = world.task(world.case())
    world.worklist.claim(world.who("lin"), task)
    with pytest.raises(NotFound):
        world.worklist.reassign(world.who("sun"), task, world.who("zhou"))
    with pytest.raises(NotFound):
        world.worklist.reassign(world.who("wu"), task, world.who("chen"))
    world.worklist.reassign(world.who("wu"), task, world.who("zhou"))
    assert world.seen("zhou", "claimed") == [task]
