"""Messages are stored before they are answered, repeated ones get the first answer, and replies touch one offer only."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy.orm import Session

from engine import Database, NotDone, NotFound, Permanent, TestClock, Unknown
from engine.operations import Call
from integrations import Outcome, OutcomeClass
from integrations.hl7 import Message, parse
from integrations.sms import FakeSms, Reply, SmsBusy, SmsRefused, SmsUnknown, Status
from tasks.cases.service import Cases, NewCase
from tasks.messages.centre import Asked
from tasks.messages.errors import LineOpen, NoEndpoint
from tasks.messages.service import Messages
from tasks.notify import centre, templates
from tasks.notify.service import Notify, Offer
from tasks.people.service import Actor, Appointment, People

ADMIN = Actor(uuid4(), "", uuid4(), (Appointment("platform_admin", None),))


def _adt(control: str, code: str = "QH", name: str = "王示例", kind: str = "ADT^A04") -> bytes:
    return f"MSH|^~\\&|QH_HIS|{code}|L|SF|1||{kind}|{control}|P|2.5.1||||||UNICODE UTF-8\rPID|1||X1||{name}\r".encode()


@pytest.fixture
def people(db: Database, clock: TestClock) -> People:
    return People(db, clock)


@pytest.fixture
def hospital(people: People) -> UUID:
    return people.create_hospital("QH", "青禾县人民医院", "Qinghe", "primary")


@pytest.fixture
def messages(db: Database, clock: TestClock, people: People, hospital: UUID) -> Messages:
    return Messages(db, clock, people)


def test_a_message_is_stored_answered_and_done_once(messages: Messages, db: Database) -> None:
    done: list[str] = []
    messages.on("ADT", lambda _s, _t, m: done.append(m["PID-5"]))
    answer = messages.receive_hl7(_adt("1"), "127.0.0.1")
    assert parse(answer)["MSA-1"] == "AA"
    assert messages.receive_hl7(_adt("1"), "127.0.0.1") == answer
    assert messages.process_pending() == 1
    assert messages.process_pending() == 0
    assert done == ["王示例"]
    with db.read() as session:
        assert [r.state for r in messages.listed(session, ADMIN)] == ["done"]


@pytest.mark.parametrize(("raw", "code", "state"), [
    (b"garbage", "AR", "failed"), (_adt(""), "AR", "failed"), (_adt("5", "ZZ"), "AR", "failed"), (_adt("6", kind="SIU^S12"), "AR", "ignored"),
])  # fmt: skip
def test_what_we_do_not_take_is_refused_and_kept(
    messages: Messages, db: Database, raw: bytes, code: str, state: str
) -> None:
    messages.on("ADT", lambda *_: None)
    assert parse(messages.receive_hl7(raw, "p"))["MSA-1"] == code
    with db.read() as session:
        assert [r.state for r in messages.listed(session, ADMIN)] == [state]


def test_a_recycled_number_is_quarantined(messages: Messages, db: Database) -> None:
    messages.on("ADT", lambda *_: None)
    messages.receive_hl7(_adt("7"), "p")
    assert parse(messages.receive_hl7(_adt("7", name="李样本"), "p"))["MSA-1"] == "AE"
    with db.read() as session:
        assert {r.state for r in messages.listed(session, ADMIN)} == {"pending", "quarantined"}


def test_a_handler_that_fails_is_tried_again_then_given_up_and_can_be_repeated(
    messages: Messages, db: Database
) -> None:
    fail = [True]

    def handler(_session: Session, _tenant: UUID, _message: Message) -> None:
        if fail[0]:
            raise NoEndpoint("x")

    messages.on("ADT", handler)
    messages.receive_hl7(_adt("8"), "p")
    for _ in range(6):
        messages.process_pending()
    with db.read() as session:
        row = messages.listed(session, ADMIN, Asked(state="trouble"))[0]
    assert row.state == "failed"
    assert "王示例" not in str(row.problem)
    fail[0] = False
    messages.repeat(ADMIN, row.id)
    assert messages.process_pending() == 1


def test_a_message_that_breaks_its_handler_holds_up_nobody(messages: Messages, db: Database) -> None:
    done: list[str] = []

    def handler(_session: Session, _tenant: UUID, message: Message) -> None:
        if message.control_id == "bad":
            raise ZeroDivisionError("王示例")
        done.append(message.control_id)

    messages.on("ADT", handler)
    messages.receive_hl7(_adt("bad"), "p")
    messages.receive_hl7(_adt("good"), "p")
    for _ in range(6):
        messages.process_pending()
    assert done == ["good"]
    with db.read() as session:
        (row,) = messages.listed(session, ADMIN, Asked(state="trouble"))
    assert (row.control, row.problem) == ("bad", "error: ZeroDivisionError")


def test_what_no_text_column_holds_is_left_out(messages: Messages, db: Database) -> None:
    seen: list[str] = []
    messages.on("ADT", lambda _s, _t, m: seen.append(m["PID-5"]))
    raw = _adt("9\\X00\\", name="王\\X00\\示\x00例")
    assert parse(messages.receive_hl7(raw, "p"))["MSA-1"] == "AA"
    messages.process_pending()
    assert seen == ["王示例"]
    with db.read() as session:
        assert [r.control for r in messages.listed(session, ADMIN)] == ["9"]


def test_messages_are_for_their_hospital_and_its_cases(
    messages: Messages, people: People, db: Database, clock: TestClock, hospital: UUID
) -> None:
    hub = people.create_hospital("SF", "示范中心医院", "Hub", "hub")
    other = people.create_hospital("YL", "杨柳县医院", "Yangliu", "primary")
    coordinators = {h: Actor(uuid4(), "", h, (Appointment("coordinator", h),)) for h in (hospital, hub, other)}
    doctor = people.create_account("he", "何演示", hospital, ["applicant"], phone="+8613900000002")
    cases = Cases(db, clock, people)
    with db.transaction() as session:
        case = cases.open(session, NewCase(kind="RC", from_hospital=hospital, to_hospital=hub, applicant=doctor)).id
    messages.on("ADT", lambda *_: None)
    messages.receive_hl7(_adt("1"), "p")
    messages.set_endpoint(hospital, "hl7", name="HIS", host="127.0.0.1", port=1, application="QH_HIS")
    line = messages.line(hospital, "hl7")
    out = messages.begin(line, "ORU^R01", case, "K1", b"x")
    loose = messages.begin(line, "ACK", None, "K2", b"x")
    notify = Notify(db, clock, FakeSms(), people, cases)
    notify.send_sms(_call(case, doctor, clock))
    with db.read() as session:
        seen = {h: {r.control for r in messages.listed(session, who)} for h, who in coordinators.items()}
        texts = {h: len(centre.rows(session, who, Asked())) for h, who in coordinators.items()}
        assert seen == {hospital: {"1", "K1", "K2"}, hub: {"K1"}, other: set()}
        assert texts == {hospital: 1, hub: 1, other: 0}
        assert messages.detail(session, coordinators[hub], out)[0].id == out
        for who, hidden in ((coordinators[hub], loose), (coordinators[other], out)):
            with pytest.raises(NotFound):
                messages.detail(session, who, hidden)
        (arrived,) = (r.id for r in messages.listed(session, ADMIN) if r.way == "in")
    with pytest.raises(NotFound):
        messages.repeat(coordinators[hub], arrived)
    messages.repeat(coordinators[hospital], arrived)


def test_a_line_that_keeps_failing_rests(messages: Messages, hospital: UUID, clock: TestClock, db: Database) -> None:
    with pytest.raises(NoEndpoint):
        messages.line(hospital, "hl7")
    messages.set_endpoint(hospital, "hl7", name="HIS", host="127.0.0.1", port=1, application="QH_HIS")
    line = messages.line(hospital, "hl7")
    out = messages.begin(line, "ORU^R01", None, "K1", b"x")
    assert messages.begin(line, "ORU^R01", None, "K1", b"x") == out
    for _ in range(3):
        messages.attempt(out, Outcome(OutcomeClass.TRANSIENT, "timeout"))
    with pytest.raises(LineOpen):
        messages.line(hospital, "hl7")
    clock.advance(timedelta(seconds=11))
    messages.attempt(out, Outcome(OutcomeClass.OK, "AA"))
    assert messages.line(hospital, "hl7") == line
    with db.read() as session:
        found = messages.detail(session, ADMIN, out)
        assert [d.code for d in found[1]] == ["timeout"] * 3 + ["AA"]


@pytest.fixture
def world(db: Database, clock: TestClock, people: People, hospital: UUID) -> tuple[Cases, UUID, UUID]:
    cases = Cases(db, clock, people)
    expert = people.create_account("lin", "林示范", hospital, ["expert"], phone="+8613900000001")
    with db.transaction() as session:
        case = cases.open(session, NewCase(kind="RC", from_hospital=hospital, applicant=expert))
        return cases, case.id, expert


def _call(case: UUID, expert: UUID, clock: TestClock) -> Call:
    return Call(
        uuid4(),
        1,
        uuid4(),
        str(case),
        {"to": str(expert), "template": "offer", "case": str(case), "due": None},
        clock.now(),
    )


def test_sms_carries_the_number_and_nothing_else(
    db: Database, clock: TestClock, people: People, world: tuple[Cases, UUID, UUID]
) -> None:
    cases, case, expert = world
    sms = FakeSms()
    notify = Notify(db, clock, sms, people, cases)
    assert notify.send_sms(_call(case, expert, clock))["message"]
    assert "RC" in sms.sent[0][1]
    assert notify.status(Status("F1", "delivered"))
    assert notify.status(Status("F1", "sent"))
    assert not notify.status(Status("F9", "sent"))
    with db.read() as session:
        assert [m.state for m in centre.rows(session, ADMIN, Asked())] == ["delivered"]


@pytest.mark.parametrize(("problem", "raised", "state"), [
    (SmsRefused(), Permanent, "refused"), (SmsUnknown(), Unknown, "unknown"), (SmsBusy(), NotDone, "failed"),
])  # fmt: skip
def test_a_lost_answer_is_never_repeated(
    db: Database,
    clock: TestClock,
    people: People,
    world: tuple[Cases, UUID, UUID],
    problem: SmsRefused,
    raised: type[Exception],
    state: str,
) -> None:
    cases, case, expert = world
    notify = Notify(db, clock, FakeSms(problem), people, cases)
    with pytest.raises(raised):
        notify.send_sms(_call(case, expert, clock))
    with db.read() as session:
        assert [m.state for m in centre.rows(session, ADMIN, Asked())] == [state]


def test_what_was_surely_not_sent_is_sent_with_the_same_row(
    db: Database, clock: TestClock, people: People, world: tuple[Cases, UUID, UUID]
) -> None:
    cases, case, expert = world
    sms = FakeSms(SmsBusy())
    notify = Notify(db, clock, sms, people, cases)
    call = _call(case, expert, clock)
    with pytest.raises(NotDone):
        notify.send_sms(call)
    sms.problem = None
    notify.send_sms(call)
    with db.read() as session:
        assert [m.state for m in centre.rows(session, ADMIN, Asked())] == ["queued"]
    assert len(sms.sent) == 1


@pytest.mark.parametrize(("phone", "text", "open_offers", "effect"), [
    ("+8613900000001", "1", 1, "accepted"), ("+8613900000001", " 2。", 1, "declined"), ("+8613900000001", "1", 0, "late"),
    ("+8613900000001", "1", 2, "ambiguous"), ("+8613900000001", "好的", 1, "not_understood"), ("+8600", "1", 1, "unknown_sender"),
])  # fmt: skip
def test_a_reply_touches_the_one_open_offer(
    db: Database,
    clock: TestClock,
    people: People,
    world: tuple[Cases, UUID, UUID],
    phone: str,
    text: str,
    open_offers: int,
    effect: str,
) -> None:
    cases, case, _expert = world
    sms, answered = FakeSms(), []
    notify = Notify(db, clock, sms, people, cases)
    notify.answer_offers(
        lambda _s, _a: [Offer(uuid4(), case, "RC1")] * open_offers,
        lambda _a, offer, accepted, key: answered.append((offer.ref, accepted, key)),
    )
    reply = Reply("SM1", phone, text)
    assert notify.reply(reply) == effect
    assert notify.reply(reply) == effect
    assert len(answered) == (effect in ("accepted", "declined"))
    assert len(sms.sent) == (effect != "unknown_sender")


def test_templates_are_short_and_name_nobody(clock: TestClock) -> None:
    for name in templates.SMS:
        for lang, most in templates.LONGEST.items():
            text = templates.sms(name, ref="RC261124-QH-0007", urgency="U", due=clock.now(), lang=lang)
            assert len(text) <= most
            assert "王" not in text
