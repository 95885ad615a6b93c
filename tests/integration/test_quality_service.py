"""Quality control on the real engine and both databases: what was ordered, what is passed over, what is shown, who scores."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from engine import uuid7
from engine.tables import history
from integrations.hl7 import parse
from tasks.applications.service import OrderNews
from tasks.patients.service import Arrival
from tasks.quality import sampling
from tasks.quality.errors import Blocked, MayNotOverride
from tasks.quality.models import QualityCheck, ReportScore
from tasks.worklist.errors import Separated
from tasks.worklist.service import FormInvalid

World = Any


def _order(world: World, **news: str) -> None:
    with world.services.db.transaction() as session:
        known = world.services.patients.registration(session, world.registration)
        arrival = Arrival(known.tenant, known.system, known.mrn, known.name, known.sex, known.birth_date)
        world.services.applications.receive_order(session, arrival, OrderNews(**news), actor="hl7")


def _rows(world: World, rule: str) -> list[QualityCheck]:
    with world.services.db.read() as session:
        return [c for c in world.services.quality.checks(session, world.case) if c.rule == rule]


def _events(world: World, kind: str) -> list[Any]:
    with world.services.db.read() as session:
        query = select(history.c.data, history.c.actor).where(
            history.c.instance_id == world.case, history.c.kind == kind
        )
        return [(json.loads(data) if isinstance(data, str) else data, actor) for data, actor in session.execute(query)]


# -- orders -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("news", "severity", "here"), [
    ({"placer": "P1", "modality": "CT", "accession": "A1"}, "pass", "A1"), ({"placer": "P1", "modality": "CT", "accession": "A2"}, "warn", "A2"),
    ({"placer": "P1", "modality": "CT", "filler": "A1"}, "pass", "A1 / P1"), ({"placer": "P1", "modality": "", "filler": "F1"}, "warn", "F1 / P1"),
])  # fmt: skip
def test_images_are_compared_with_what_was_ordered(
    world: World, news: dict[str, str], severity: str, here: str
) -> None:
    _order(world, **news)
    world.walk(2)
    (row,) = _rows(world, "Q09")
    assert (row.severity, row.row["here"], row.row["there"]) == (severity, here, "A1")


@pytest.mark.parametrize(
    "news",
    [None, {"placer": "P1", "modality": "MR", "accession": "A2"}, {"placer": "P1", "status": "CA", "modality": "CT"}],
)
def test_without_an_order_of_this_kind_nothing_is_expected(world: World, news: dict[str, str] | None) -> None:
    if news is not None:
        _order(world, **news)
    world.walk(2)
    assert _rows(world, "Q09") == []


def test_the_result_goes_home_under_the_numbers_of_the_order(world: World) -> None:
    _order(world, placer="P1", filler="F1", modality="CT", accession="A1")
    _order(world, placer="P2", filler="F2", modality="CT", accession="A2")
    world.walk(12)
    sent = parse(world.hl7.sent[0])
    assert [sent[f] for f in ("ORC-2", "ORC-3", "OBR-2", "OBR-3", "OBR-18")] == ["P1", "F1", "P1", "F1", "A1"]
    with world.services.db.read() as session:
        assert sent["OBR-20"] == world.services.cases.get(session, world.case).ref


def test_without_an_order_the_result_claims_no_placer(world: World) -> None:
    world.walk(12)
    sent = parse(world.hl7.sent[0])
    with world.services.db.read() as session:
        ref = world.services.cases.get(session, world.case).ref
    assert [sent[f] for f in ("ORC-2", "ORC-3", "OBR-2", "OBR-18", "OBR-20")] == ["", ref, "", "A1", ref]


# -- passing ----------------------------------------------------------------------------------------------------------
BLOCKED = {"modality": "MR"}
"""An application whose images are of another kind: Q10 blocks, and may be passed over."""
PASS = {"decision": "pass", "accept_warnings": "true"}


def test_a_block_is_passed_over_only_with_a_reason(world: World) -> None:
    world.walk(2, **BLOCKED)
    for reason in ({}, {"override_reason": "  短 "}):
        with pytest.raises(FormInvalid) as caught:
            world.submit("chen", "pre_qc", PASS | reason)
        assert list(caught.value.errors) == ["override_reason"]
    world.submit("chen", "pre_qc", PASS | {"override_reason": "已与申请医院电话核对，改读 CT。"})
    assert world.waiting() == ["triage"]
    with world.services.db.read() as session:
        passed = world.services.quality.passed(session, world.case)
    assert passed is not None
    assert (passed.account_id, passed.overridden) == (world.accounts["chen"], ("Q10",))
    assert passed.reason.startswith("已与申请医院")
    ((told, who),) = _events(world, "preqc.overridden")
    assert (told["overridden"], who) == (["Q10"], str(world.accounts["chen"]))
    assert "电话" not in str(told)


def test_warnings_are_accepted_explicitly(world: World) -> None:
    _order(world, placer="P1", modality="CT", accession="A2")
    world.walk(2)
    with pytest.raises(FormInvalid) as caught:
        world.submit("chen", "pre_qc", {"decision": "pass"})
    assert list(caught.value.errors) == ["accept_warnings"]
    world.submit("chen", "pre_qc", PASS)
    ((told, _),) = _events(world, "preqc.accepted")
    assert "Q09" in told["accepted"]


def test_a_supplement_needs_neither(world: World) -> None:
    world.walk(2, **BLOCKED)
    world.submit("chen", "pre_qc", {"decision": "supplement", "reason": "请改正检查类型"})
    assert world.waiting() == ["supplement"]


def test_firm_blocks_are_passed_over_by_nobody(world: World) -> None:
    world.walk(2)
    with world.services.db.transaction() as session:
        case = world.services.cases.get(session, world.case)
        row = {
            "label_zh": "像素可读",
            "label_en": "Pixels",
            "here": "0",
            "there": "1",
            "source": "index",
            "overridable": False,
        }
        session.add(
            QualityCheck(
                id=uuid7(), tenant=case.tenant, case_id=case.id, round=1, place=99, rule="Q15", severity="block", row=row,
                created_at=world.clock.now(),
            )
        )  # fmt: skip
    with pytest.raises(Blocked):
        world.submit("chen", "pre_qc", PASS | {"override_reason": "影像无法解码也先放行"})


def test_passing_over_needs_the_role(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.walk(2, **BLOCKED)
    may = world.services.cases.allowed
    monkeypatch.setattr(
        world.services.cases,
        "allowed",
        lambda s, a, c, kind, action: action != "override" and may(s, a, c, kind, action),
    )
    with pytest.raises(MayNotOverride):
        world.submit("chen", "pre_qc", PASS | {"override_reason": "已与申请医院电话核对"})


# -- scoring ----------------------------------------------------------------------------------------------------------
LOW = dict.fromkeys(("logic", "standard", "completeness", "reasoning", "accuracy"), "10") | {
    "decision": "return",
    "comment": "请补充大小",
}
HIGH = dict.fromkeys(("logic", "standard", "completeness", "reasoning", "accuracy"), "18") | {"decision": "pass"}


def test_a_low_score_quotes_the_report_or_names_an_image(world: World) -> None:
    world.walk(11)
    one_low = HIGH | {"logic": "12"}
    for shown, field in [
        ({}, "citation"),
        ({"citation": "这句话报告里没有"}, "citation"),
        ({"cited_image": "99"}, "cited_image"),
    ]:
        with pytest.raises(FormInvalid) as caught:
            world.submit("zheng", "score", one_low | shown)
        assert list(caught.value.errors) == [field]
    with world.services.db.read() as session:
        assert world.services.imaging.key_views_of(session, world.case)
    world.submit("zheng", "score", one_low | {"cited_image": "1"})
    assert world.status() == ("completed", "published")


def test_a_quotation_may_leave_out_signs_and_spaces(world: World) -> None:
    world.walk(11)
    world.submit("zheng", "score", LOW | {"citation": "“左侧颞枕叶，低密度”"})
    assert world.waiting() == ["report"]


def test_a_round_is_scored_once(world: World) -> None:
    world.walk(12)
    with world.services.db.read() as session:
        (kept,) = world.services.quality.scores(session, world.case)
    assert (kept.round, kept.place, kept.total, kept.grade) == (1, 1, 90, "A")
    with pytest.raises(Exception, match=r"(?i)unique"), world.services.db.transaction() as session:  # noqa: PT012
        double = {c.name: getattr(kept, c.name) for c in ReportScore.__table__.columns} | {"id": uuid7()}
        session.add(ReportScore(**double))
        session.flush()


# -- the blind second score -------------------------------------------------------------------------------------------
@pytest.fixture
def twice(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A report that was drawn for a second score, with the first one given."""
    monkeypatch.setattr(sampling, "SECOND", 100)
    world.walk(12)
    return world


def test_the_second_scorer_is_a_fourth_person(twice: World) -> None:
    assert twice.waiting() == ["score"]
    with twice.services.db.read() as session:
        assert twice.services.quality.scores(session, twice.case) == []
        for login in ("lin", "sun", "zheng"):
            rows = twice.services.worklist.inbox(session, twice.actor(login))
            assert not [r for r in rows if r.case and r.case.id == twice.case]
        rows = twice.services.worklist.inbox(session, twice.actor("bai"))
    task = next(r.task_id for r in rows if r.case and r.case.id == twice.case)
    with pytest.raises(Separated):
        twice.services.worklist.claim(twice.actor("zheng"), task)
    twice.submit("bai", "score", HIGH)
    assert twice.status() == ("completed", "published")
    with twice.services.db.read() as session:
        kept = [(s.round, s.place, s.scorer) for s in twice.services.quality.scores(session, twice.case)]
    assert kept == [(1, 1, twice.accounts["zheng"]), (1, 2, twice.accounts["bai"])]


@pytest.mark.parametrize(
    "other",
    [
        LOW | {"citation": "左侧颞枕叶低密度"},
        HIGH | dict.fromkeys(("logic", "standard", "reasoning"), "14") | {"accuracy": "14"},
    ],
)
def test_two_scorers_who_lie_apart_leave_it_to_a_third(twice: World, other: dict[str, str]) -> None:
    twice.submit("bai", "score", other)
    assert twice.waiting() == ["arbitrate"]
    twice.submit("wang", "arbitrate", {"decision": "return", "reason": "两位评分相差过大，请重写。"})
    assert twice.waiting() == ["report"]
    for step in twice.steps()[8:12]:
        twice.submit(*step)
    assert twice.status() == ("completed", "published")  # the second round has no second score


def test_after_the_last_round_nothing_is_returned(world: World) -> None:
    world.walk(11)
    for _ in range(2):
        world.submit("zheng", "score", world.low)
        for step in world.steps()[8:11]:
            world.submit(*step)
    world.submit("zheng", "score", world.low)
    with pytest.raises(FormInvalid):
        world.submit("wang", "arbitrate", {"decision": "return", "reason": "再改一次"})
    world.submit("wang", "arbitrate", {"decision": "cancel", "reason": "无法采用"})
    assert world.status() == ("completed", "rejected")


def test_every_consultation_of_the_first_year_is_scored(world: World) -> None:
    world.walk(11)
    with world.services.db.read() as session:
        case = world.services.cases.get(session, world.case)
        reading = world.services.quality._reading(session, case)
    assert sampling.share(reading)[0] == 100
    assert reading.first_year


def test_the_draw_is_stable_and_keeps_its_share() -> None:
    ids = [uuid4() for _ in range(4000)]
    drawn = [sampling.drawn(i, "second", 10) for i in ids]
    assert drawn == [sampling.drawn(UUID(str(i)), "second", 10) for i in ids]
    assert 0.08 < sum(drawn) / len(ids) < 0.12
    assert all(sampling.drawn(i, "score", 100) for i in ids)
    assert not any(sampling.drawn(i, "score", 0) for i in ids)
    both = sum(d and sampling.drawn(i, "score", 10) for i, d in zip(ids, drawn, strict=True))
    assert both < 0.02 * len(ids)


# -- consent that follows an emergency --------------------------------------------------------------------------------
EMERGENCY = {"urgency": "E", "urgency_reason": "时间窗内", "consent": "false"}


@pytest.fixture
def emergency(world: World) -> World:
    """An emergency without written consent, approved."""
    world.walk(2, **EMERGENCY)
    return world


def _consent_file(world: World, login: str) -> str:
    upload = world.services.files.upload
    return str(upload(world.actor(login), world.case, "consent", "consent.pdf", "application/pdf", b"%PDF-1.4\n").id)


def _consent(world: World, login: str) -> dict[str, Any]:
    return {"obtained": "true", "method": "paper", "consent_file": [_consent_file(world, login)]}


def test_an_emergency_goes_on_and_its_consent_is_followed_up(emergency: World) -> None:
    assert emergency.waiting() == ["consent", "pre_qc"]
    (row,) = _rows(emergency, "Q25")
    assert row.severity == "warn"
    with emergency.services.db.read() as session:
        inbox = emergency.services.worklist.inbox(session, emergency.actor("he"))
        case = emergency.services.cases.get(session, emergency.case)
    (task,) = [r for r in inbox if r.form == "consent"]
    assert case.submitted_at is not None
    assert task.due == case.submitted_at + timedelta(hours=24)
    for step in emergency.steps()[2:4]:
        emergency.submit(*step)
    assert emergency.waiting() == ["consent", "offer_reply"]
    emergency.submit("he", "consent", _consent(emergency, "he"))
    assert emergency.waiting() == ["offer_reply"]
    with emergency.services.db.read() as session:
        assert emergency.services.cases.get(session, emergency.case).consent
    assert [who for _, who in _events(emergency, "consent.added")] == [str(emergency.accounts["he"])]
    for step in emergency.steps()[4:12]:
        emergency.submit(*step)
    assert emergency.status() == ("completed", "published")


def test_a_missing_consent_is_reminded_of_and_then_seen_to(emergency: World) -> None:
    sent = len(emergency.sms.sent)
    for _ in range(2):
        emergency.clock.advance(timedelta(hours=8, minutes=1))
        emergency.worker.run_until_idle()
    told = [text for _, text, _ in emergency.sms.sent[sent:] if "知情同意" in text]
    assert len(told) == 2
    assert not [t for t in told if "王示例" in t]
    emergency.clock.advance(timedelta(hours=8))
    emergency.worker.run_until_idle()
    assert len(_events(emergency, "consent.overdue")) == 1
    with emergency.services.db.read() as session:
        assert not [r for r in emergency.services.worklist.inbox(session, emergency.actor("he")) if r.form == "consent"]
    emergency.submit("gao", "consent", _consent(emergency, "gao"))
    assert emergency.waiting() == ["pre_qc"]


def test_a_case_that_is_stopped_takes_the_follow_up_with_it(emergency: World) -> None:
    emergency.services.applications.stop(emergency.actor("he"), emergency.case, "died", "stop")
    emergency.worker.run_until_idle()
    assert emergency.waiting() == []
    assert emergency.status() == ("completed", "died")


def test_a_report_does_not_wait_for_the_consent_and_the_consent_outlives_it(emergency: World) -> None:
    for step in emergency.steps()[2:12]:
        emergency.submit(*step)
    assert emergency.status() == ("running", "published")
    assert len(emergency.hl7.sent) == 1
    assert emergency.waiting() == ["consent"]
    emergency.submit("he", "consent", {"obtained": "false", "reason": "患者昏迷，家属未到，两名医师已记录。"})
    assert emergency.status() == ("completed", "published")
    assert len(_events(emergency, "consent.refused")) == 1


def test_consent_needs_its_file_or_a_reason(emergency: World) -> None:
    for data, field in [({"obtained": "true", "method": "paper"}, "consent_file"), ({"obtained": "false"}, "reason")]:
        with pytest.raises(FormInvalid) as caught:
            emergency.submit("he", "consent", data)
        assert field in caught.value.errors
    with pytest.raises(FormInvalid):
        emergency.submit("he", "consent", {"obtained": "true", "method": "paper", "consent_file": [str(uuid7())]})


def test_with_consent_nothing_is_followed_up(world: World) -> None:
    world.walk(2, urgency="E", urgency_reason="时间窗内")
    assert world.waiting() == ["pre_qc"]


def test_a_report_that_contradicts_itself_is_not_passed_by_its_reviewer(world: World) -> None:
    world.walk(8)
    against = {"findings": "左侧颞叶见一占位。", "impression": "右侧颞叶占位，考虑胶质瘤。"}
    world.submit("lin", "report", dict(world.steps()[8][2]) | against)
    with pytest.raises(FormInvalid) as told:
        world.submit("sun", "review", {"verdict": "approve", "radpeer": "1"})
    assert set(told.value.errors) == {"verdict"}
    assert world.waiting() == ["review"]
