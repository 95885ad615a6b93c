"""Everybody does anything at any time: the whole life of a consultation as a state machine, with crashes of the worker.

People claim, hand in good and bad forms, answer twice, stop, keep silent; the worker dies at every named point. After each
step the house has to be in order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

import engine.db
import engine.jobs
from engine import Worker, uuid7
from engine import history as chain
from engine import incidents as incident_verbs
from engine.errors import LianyiError
from engine.tables import history, incident, instance, job, wait
from tasks import catalogue
from tasks.cases.service import STATES
from tasks.quality.models import ReportScore
from tasks.reports.models import ReportVersion
from tasks.session.models import Room
from tasks.triage.models import Hold
from tasks.worklist.models import Claim

World = Any
MARK = "马克标记甲乙丙"
STATE_LIMIT = 96 * 1024
"""Bytes of an instance's state, whatever was done to it."""
POINTS = ("claimed", "sent", "effected", "before_commit", "after_commit")
PEOPLE = ("he", "gao", "feng", "chen", "shen", "lin", "zhou", "qian", "wu", "sun", "zheng", "wang", "jin", "admin")
USUAL = {
    "apply": "he", "approve": "gao", "pre_qc": "chen", "identity": "chen", "supplement": "he", "triage": "shen", "dispatch": "wu",
    "schedule": "wu", "no_show": "wu", "review": "sun", "score": "zheng", "arbitrate": "wang",
}  # fmt: skip


class Crash(BaseException):
    """The worker's process is gone."""


@contextmanager
def _dying(point: str, after: int) -> Iterator[None]:
    """Die when this point is passed for the `after`-th time."""
    left = [after]

    def passed(name: str) -> None:
        if name == point:
            left[0] -= 1
            if left[0] == 0:
                raise Crash(point)

    with pytest.MonkeyPatch.context() as patch:
        for module in (engine.db, engine.jobs):
            patch.setattr(module, "crash_point", passed)
        yield


def _forms(world: World) -> dict[str, Callable[[Any], dict[str, Any]]]:
    """A good form of each kind; `draw(list)` takes one."""
    lin, zhou, qian = (str(world.accounts[n]) for n in ("lin", "zhou", "qian"))
    apply, report, score = (dict(world.steps()[n][2]) for n in (0, 8, 11))

    def started(draw: Any) -> dict[str, Any]:
        at = world.clock.now() + timedelta(minutes=draw([-30, 5, 90, 60 * 30]))
        return {"start_at": at.isoformat(), "minutes": draw(["10", "60"])}

    return {
        "apply": lambda draw: apply | {"urgency": draw(["R", "R", "U", "E"]), "urgency_reason": MARK},
        "approve": lambda draw: {"decision": draw(["approve"] * 5 + ["reject"]), "comment": MARK},
        "pre_qc": lambda draw: {"decision": draw(["pass"] * 4 + ["supplement", "reject"]), "accept_warnings": "true", "reason": MARK},
        "identity": lambda draw: {"same_person": draw(["yes", "no"]), "checked_against": ["id_card"], "note": MARK},
        "supplement": lambda _draw: {"answer": MARK},
        "triage": lambda draw: {"experts": draw([[lin], [lin, zhou], [zhou, lin, qian]]), "minutes": "30", "note": MARK},
        "offer_reply": lambda draw: draw([{"accepted": "true"}, {"accepted": "true"}, {"accepted": "false", "decline_reason": "time", "note": MARK}]),
        "dispatch": lambda draw: {"expert": draw([lin, zhou]), "reason": MARK},
        "schedule": started,
        "attend": lambda _draw: {"identity_checked": "true", "images_seen": "true"},
        "no_show": lambda draw: {"decision": draw(["wait", "reschedule"]), "who": ["expert"], "note": MARK},
        "hold": lambda draw: {"outcome": draw(["done", "done", "aborted"]), "points": MARK, "abort_reason": MARK},
        "report": lambda _draw: report,
        "review": lambda draw: {"verdict": draw(["approve"] * 3 + ["send_back"]), "radpeer": "1", "comment": MARK},
        "sign": lambda _draw: {"statement": "true"},
        "score": lambda draw: draw([score, score, dict(world.low)]),
        "arbitrate": lambda draw: {"decision": draw(["accept", "accept", "cancel"]), "reason": MARK},
    }  # fmt: skip


class Consultation(RuleBasedStateMachine):
    """One case in the hands of everybody."""

    new_world: Callable[[], World]

    @initialize(walked=st.sampled_from([0, 3, 6, 8, 10, 11]))
    def begin(self, walked: int) -> None:
        """The case has come so far in order before everybody does as he likes: else few would come to its end."""
        self.world = type(self).new_world()
        self.world.walk(walked)
        self.forms = _forms(self.world)
        self.handed_in: list[tuple[str, Any, dict[str, Any], str, Any]] = []
        self.workers = 0
        self._work()

    # -- what people do -----------------------------------------------------------------------------------------------
    @precondition(lambda self: bool(self._open()))
    @rule(data=st.data(), work=st.sampled_from([True, True, True, False]))
    def the_right_one_hands_in(self, data: st.DataObject, work: bool) -> None:
        draw = lambda options: data.draw(st.sampled_from(options))  # noqa: E731
        task = draw(self._open())
        login = next((n for n, i in self.world.accounts.items() if i == task.person), None) or USUAL[task.form]
        self._submit(login, task, self.forms[task.form](draw))
        if work:
            self._work()

    @precondition(lambda self: bool(self._open()))
    @rule(data=st.data(), login=st.sampled_from(PEOPLE))
    def anybody_hands_in(self, data: st.DataObject, login: str) -> None:
        draw = lambda options: data.draw(st.sampled_from(options))  # noqa: E731
        task = draw(self._open())
        self._submit(login, task, self.forms[task.form](draw))
        self._work()

    @precondition(lambda self: bool(self._open()))
    @rule(data=st.data(), login=st.sampled_from(PEOPLE), bad=st.sampled_from([{}, {"decision": "x", "experts": ["x"]}]))
    def somebody_hands_in_nonsense(self, data: st.DataObject, login: str, bad: dict[str, Any]) -> None:
        task = data.draw(st.sampled_from(self._open()))
        before = self._open()
        with pytest.raises(LianyiError):
            self.world.services.worklist.submit(self._actor(login), task.task_id, bad, str(uuid7()), take=True)
        assert self._open() == before

    @precondition(lambda self: bool(self._open()))
    @rule(data=st.data(), login=st.sampled_from(PEOPLE), back=st.booleans())
    def somebody_takes_or_puts_back(self, data: st.DataObject, login: str, back: bool) -> None:
        task, verbs = data.draw(st.sampled_from(self._open())), self.world.services.worklist
        self._try(lambda: (verbs.unclaim if back else verbs.claim)(self._actor(login), task.task_id))

    @precondition(lambda self: bool(self.handed_in))
    @rule(data=st.data())
    def somebody_sends_it_again(self, data: st.DataObject) -> None:
        login, task_id, form, key, receipt = data.draw(st.sampled_from(self.handed_in))
        again = self.world.services.worklist.submit(self._actor(login), task_id, form, key, take=True)
        assert (again.submission_id, again.repeated) == (receipt, True)

    @rule(
        login=st.sampled_from(PEOPLE),
        reason=st.sampled_from(["withdrawn", "died", "identity", "rejected"]),
        dice=st.integers(0, 3),
    )
    def somebody_stops_it(self, login: str, reason: str, dice: int) -> None:
        if dice == 0:  # not every story should end so
            stop = self.world.services.applications.stop
            self._try(lambda: stop(self._actor(login), self.world.case, reason, str(uuid7())))
            self._work()

    @rule(minutes=st.sampled_from([6, 11, 16, 61, 25 * 60, 4 * 24 * 60]))
    def time_goes_by(self, minutes: int) -> None:
        self.world.clock.advance(timedelta(minutes=minutes))
        self._work()

    @rule(point=st.sampled_from(POINTS), after=st.integers(1, 4))
    def the_worker_dies(self, point: str, after: int) -> None:
        try:
            with _dying(point, after):
                self.world.worker.run_until_idle()
        except Crash:
            self.workers += 1
            services = self.world.services
            self.world.worker = Worker(services.engine, catalogue.bind(services), name=f"w{self.workers}")
            self.world.clock.advance(timedelta(minutes=6))  # until its lease is over
        self._work()

    # -- order in the house -------------------------------------------------------------------------------------------
    @invariant()
    def it_waits_for_one_thing_or_is_over(self) -> None:
        with self.world.services.db.read() as session:
            status = session.execute(select(instance.c.status).where(instance.c.id == self.world.case)).scalar_one()
            waits = list(session.execute(select(wait).where(wait.c.instance_id == self.world.case)))
            jobs = list(session.scalars(select(job.c.id).where(job.c.state.not_in(("done", "cancelled")))))
            case = self.world.services.cases.get(session, self.world.case)
            held = list(session.scalars(select(Hold).where(Hold.state == "held")))
            rooms = list(session.scalars(select(Room).where(Room.state.in_(("booked", "open")))))
            claims = list(session.scalars(select(Claim)))
        people = [w for w in waits if w.kind == "user"]
        assert len(people) <= 1, [w.form for w in people]
        assert len(held) <= 1
        assert len(rooms) <= 1
        if status == "running":
            assert waits or jobs, case.state
            return
        assert not waits
        assert not jobs
        assert STATES[case.state].end, case.state
        assert not [*held, *rooms, *claims]

    @invariant()
    def nothing_was_done_twice(self) -> None:
        refs = [ref for _, _, ref in self.world.sms.sent]
        assert len(set(refs)) == len(refs)
        with self.world.services.db.read() as session:
            stories = list(
                session.execute(select(history.c.kind, history.c.task_id).where(history.c.kind == "task.submitted"))
            )
        assert len(set(stories)) == len(stories)

    @invariant()
    def three_people_made_the_report(self) -> None:
        with self.world.services.db.read() as session:
            authors = {v.author for v in session.scalars(select(ReportVersion))}
            reviewers = {v.reviewer for v in session.scalars(select(ReportVersion)) if v.reviewer}
            scorers = {s.scorer for s in session.scalars(select(ReportScore))}
        assert not authors & reviewers
        assert not scorers & (authors | reviewers)

    @invariant()
    def the_record_holds_and_names_nobody(self) -> None:
        with self.world.services.db.read() as session:
            assert chain.verify(session) == []
            state = session.execute(select(instance.c.state).where(instance.c.id == self.world.case)).scalar_one()
            texts = [str(r) for t in (history, job, wait, incident) for r in session.execute(select(t))]
        size = len(orjson.dumps(state, default=str))
        assert size < STATE_LIMIT, size
        told = [str(state), *texts, *(text for _, text, _ in self.world.sms.sent)]
        assert not [t for t in told if MARK in t or "王示例" in t]

    # -- inside -------------------------------------------------------------------------------------------------------
    def _open(self) -> list[Any]:
        if not hasattr(self, "world"):
            return []
        query = select(wait.c.task_id, wait.c.form, wait.c.person).where(wait.c.kind == "user").order_by(wait.c.task_id)
        with self.world.services.db.read() as session:
            return list(session.execute(query))

    def _actor(self, login: str) -> Any:
        return replace(self.world.actor(login), reauth_at=self.world.clock.now())

    def _try(self, act: Callable[[], Any]) -> None:
        with suppress(LianyiError):
            act()

    def _submit(self, login: str, task: Any, form: dict[str, Any]) -> None:
        key = str(uuid7())
        try:
            made = self.world.services.worklist.submit(self._actor(login), task.task_id, form, key, take=True)
        except LianyiError:
            return
        assert not made.repeated
        self.handed_in.append((login, task.task_id, form, key, made.submission_id))

    def _work(self) -> None:
        """Let the worker go until it has nothing left; what waits for a person, a person settles."""
        for _ in range(20):
            self.world.worker.run_until_idle()
            with self.world.services.db.read() as session:
                open_ones = list(session.execute(select(incident).where(incident.c.state == "open")))
            if not open_ones:
                return
            for one in open_ones:  # only a short message whose sender died may come here
                assert (one.kind, one.detail["operation"]) == ("unknown_outcome", "notify.sms"), (one.code, one.detail)
                incident_verbs.resolve(
                    self.world.services.engine,
                    one.id,
                    actor="op",
                    reason="asked by telephone",
                    result={"message": str(uuid7())},
                )
        raise AssertionError("incidents without end")


def _run(new_world: Callable[[], World], examples: int, steps: int) -> None:
    machine = type("Machine", (Consultation,), {"new_world": staticmethod(new_world)})
    budget = settings(
        max_examples=examples, stateful_step_count=steps, deadline=None, derandomize=examples < 50, print_blob=True,
        suppress_health_check=list(HealthCheck), phases=[Phase.generate, Phase.shrink] if examples >= 50 else [Phase.generate],
    )  # fmt: skip
    run_state_machine_as_test(machine, settings=budget)


@pytest.mark.timeout(300)
def test_whatever_people_do_the_house_is_in_order(new_world: Callable[[], World]) -> None:
    _run(new_world, examples=8, steps=25)


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_whatever_people_do_for_long(new_world: Callable[[], World]) -> None:
    _run(new_world, examples=100, steps=60)
