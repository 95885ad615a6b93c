"""Accounts, appointments, agreements, rota and logins on both databases."""

from __future__ import annotations

import logging
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from engine.clock import TestClock
from engine.db import Database
from engine.errors import NotFound, Refused
from engine.history import verify
from tasks.demo import alliance as demo
from tasks.people import alliance, directory
from tasks.people.errors import (
    BadCredentials,
    LoginEnded,
    LoginLocked,
    NameTaken,
    TooManyLogins,
    UnknownRole,
    WeakPassword,
)  # fmt: skip
from tasks.people.logins import PER_ADDRESS, PER_NAME, WINDOW
from tasks.people.service import People, fresh

PASSWORD = "three words together"


@pytest.fixture
def people(db: Database, clock: TestClock) -> People:
    return People(db, clock, PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))


@pytest.fixture
def hub(people: People) -> UUID:
    return people.create_hospital("SF", "示范中心医院", "Demo Central Hospital", "hub")


def test_login_check_idle_lock_unlock_and_end(people: People, hub: UUID, db: Database, clock: TestClock) -> None:
    account = people.create_account("lin", "林示范", hub, ["expert", "platform_admin"], password=PASSWORD)
    token, actor = people.logins.open("lin", PASSWORD, address="127.0.0.1")
    assert actor.account_id == account
    assert actor.roles == {"expert", "platform_admin"}
    assert actor.places("expert") == {hub}
    assert actor.places("platform_admin") == {None}
    with db.read() as session:
        assert token not in str(session.execute(sa.text("select * from login")).all())
    for _ in range(3):
        clock.advance(timedelta(minutes=14))
        people.logins.check(token)
    clock.advance(timedelta(minutes=16))
    with pytest.raises(LoginLocked):
        people.logins.check(token)
    with pytest.raises(BadCredentials):
        people.logins.unlock(token, "wrong")
    assert people.logins.unlock(token, PASSWORD).account_id == account
    people.logins.lock(token)
    with pytest.raises(LoginLocked):
        people.logins.check(token)
    people.logins.unlock(token, PASSWORD)
    clock.advance(timedelta(hours=12))
    with pytest.raises(LoginEnded):
        people.logins.check(token)
    with pytest.raises(LoginEnded):
        people.logins.unlock(token, PASSWORD)


def test_a_wrong_password_and_an_unknown_name_look_alike(people: People, hub: UUID) -> None:
    people.create_account("lin", "林示范", hub, [], password=PASSWORD)
    people.create_account("mute", "无密码", hub, [])
    for name, password in (("lin", "wrong"), ("nobody", PASSWORD), ("mute", PASSWORD), ("mute", "")):
        with pytest.raises(BadCredentials) as told:
            people.logins.open(name, password)
        assert str(told.value) == "Name or password is wrong."


def test_reauthentication_is_fresh_for_five_minutes(people: People, hub: UUID, clock: TestClock) -> None:
    people.create_account("lin", "林示范", hub, ["expert"], password=PASSWORD)
    token, actor = people.logins.open("lin", PASSWORD)
    assert fresh(actor, clock.now())
    clock.advance(timedelta(minutes=6))
    assert not fresh(people.logins.check(token), clock.now())
    with pytest.raises(BadCredentials):
        people.logins.reauthenticate(token, "wrong")
    assert fresh(people.logins.reauthenticate(token, PASSWORD), clock.now())


def test_new_password_and_switching_off_end_logins(people: People, hub: UUID, db: Database) -> None:
    account = people.create_account("lin", "林示范", hub, ["expert"], password=PASSWORD)
    for change in (
        lambda: people.set_password(account, PASSWORD + "!"),
        lambda: people.set_active(account, False),
    ):
        token, _ = people.logins.open("lin", PASSWORD)
        change()
        with pytest.raises(LoginEnded):
            people.logins.check(token)
        people.set_active(account, True)
        people.set_password(account, PASSWORD)
    token, _ = people.logins.open("lin", PASSWORD)
    people.logins.end(token)
    people.logins.end(token)
    with pytest.raises(LoginEnded):
        people.logins.check(token)
    with db.read() as session:
        assert verify(session) == []


def test_refusals(people: People, hub: UUID, clock: TestClock) -> None:
    people.create_account("lin", "林示范", hub, ["expert"], password=PASSWORD)
    with pytest.raises(NameTaken):
        people.create_account("lin", "林示范", hub, [])
    with pytest.raises(NameTaken):
        people.create_hospital("SF", "二", "Two", "hub")
    with pytest.raises(UnknownRole):
        people.create_account("x", "某", hub, ["king"])
    with pytest.raises(WeakPassword):
        people.create_account("x", "某", hub, [], password="short")
    with pytest.raises(Refused):
        people.agree(hub, hub, ["RC"], clock.now(), clock.now() + timedelta(days=1))
    with pytest.raises(NotFound):
        people.set_password(hub, PASSWORD)


def test_roles_end_and_holders_follow(people: People, hub: UUID, db: Database, clock: TestClock) -> None:
    account = people.create_account("lin", "林示范", hub, ["expert"])
    other = people.create_hospital("QH", "青禾县人民医院", "Qinghe County Hospital", "primary")
    people.assign(account, "expert", hub)
    with db.read() as session:
        assert [a.id for a in people.holders(session, "expert", hub)] == [account]
        assert people.holders(session, "expert", other) == []
    people.withdraw_role(account, "expert", hub)
    with db.read() as session:
        assert people.holders(session, "expert", hub) == []
        assert people.actor(session, account).roles == frozenset()


def test_duty_leaves_out_the_absent_and_the_other_specialties(
    people: People, hub: UUID, db: Database, clock: TestClock
) -> None:
    now = clock.now()
    ids = {}
    for name, specialties in (("lin", ["neuro"]), ("zhou", ["neuro", "general"]), ("qian", ["chest"])):
        ids[name] = people.create_account(name, name, hub, ["expert"], specialties=specialties)
        people.add_shift(ids[name], now, now + timedelta(hours=8))
    nurse = people.create_account("nurse", "n", hub, ["technician"])
    people.add_shift(nurse, now, now + timedelta(hours=8))
    people.add_shift(ids["zhou"], now, now + timedelta(hours=1), "absent")
    with db.read() as session:
        neuro = directory.on_duty(session, hub, now, role="expert", specialty="neuro")
        assert [a.id for a, _ in neuro] == [ids["lin"]]
        later = directory.on_duty(session, hub, now + timedelta(hours=2), role="expert", specialty="neuro")
        assert {a.id for a, _ in later} == {ids["lin"], ids["zhou"]}
        assert len(directory.on_duty(session, hub, now)) == 3
        assert directory.on_duty(session, hub, now + timedelta(hours=8)) == []


def test_substitution_lasts_from_start_to_end(people: People, hub: UUID, db: Database, clock: TestClock) -> None:
    lin, zhou = (people.create_account(n, n, hub, ["expert"]) for n in ("lin", "zhou"))
    people.substitute(lin, zhou, clock.now(), clock.now() + timedelta(hours=1))
    with db.read() as session:
        assert people.actor(session, zhou).stands_in_for == {lin}
    clock.advance(timedelta(hours=1))
    with db.read() as session:
        assert people.actor(session, zhou).stands_in_for == frozenset()


def test_the_demo_alliance_loads_twice_and_stays_one(
    people: People, db: Database, clock: TestClock, caplog: pytest.LogCaptureFixture
) -> None:
    document = demo.describe(clock.now(), his_port=1, pacs_port=2)
    with caplog.at_level(logging.DEBUG):
        first = alliance.load(people, db, document, actor="system")
        assert alliance.load(people, db, document, actor="system") == first
    assert not any(word in caplog.text for word in ("+86139", demo.PASSWORD, "argon2id"))
    with db.read() as session:
        assert len(people.list_accounts(session)) == len(document["accounts"])
        hub, primary = first.hospitals["SF"], first.hospitals["QH"]
        assert directory.agreement(session, primary, hub, "RC", clock.now()) is not None
        assert directory.agreement(session, primary, hub, "CD", clock.now()) is None
        assert directory.agreement(session, hub, primary, "RC", clock.now()) is None
        assert [h.code for h in directory.partners(session, primary, "RC", clock.now())] == ["SF"]
        assert session.execute(sa.text("select count(*) from shift")).scalar_one() == len(document["shifts"])
        assert people.by_phone(session, "+8613900000007")[0].login_name == "lin"


def test_asking_in_the_background_keeps_no_screen_open(people: People, hub: UUID, clock: TestClock) -> None:
    people.create_account("lin", "林示范", hub, [], password=PASSWORD)
    token, _ = people.logins.open("lin", PASSWORD)
    for _ in range(14):
        clock.advance(timedelta(minutes=1))
        people.logins.check(token, touch=False)
    clock.advance(timedelta(minutes=2))
    with pytest.raises(LoginLocked):
        people.logins.check(token, touch=False)


def test_wrong_passwords_are_counted_for_every_process(
    people: People, hub: UUID, db: Database, clock: TestClock
) -> None:
    people.create_account("lin", "林示范", hub, [], password=PASSWORD)
    people.create_account("sun", "孙审核", hub, [], password=PASSWORD)
    others = People(db, clock, PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))  # another web process
    for n in range(PER_NAME):
        with pytest.raises(BadCredentials):
            (people, others)[n % 2].logins.open("lin", "wrong", address="10.0.0.1")
    for house in (people, others):
        with pytest.raises(TooManyLogins):
            house.logins.open("lin", PASSWORD, address="10.0.0.2")
    people.logins.open("sun", PASSWORD, address="10.0.0.1")
    with db.read() as session:
        assert "lin" not in str(session.execute(sa.text("select * from login_failure")).all())
    clock.advance(WINDOW + timedelta(seconds=1))
    people.logins.open("lin", PASSWORD, address="10.0.0.1")


def test_an_address_that_tries_many_names_is_stopped(people: People, hub: UUID) -> None:
    people.create_account("lin", "林示范", hub, [], password=PASSWORD)
    for n in range(PER_ADDRESS):
        with pytest.raises(BadCredentials):
            people.logins.open(f"guess{n}", "wrong", address="10.0.0.1")
    with pytest.raises(TooManyLogins):
        people.logins.open("lin", PASSWORD, address="10.0.0.1")
    people.logins.open("lin", PASSWORD, address="10.0.0.2")


def test_a_locked_screen_cannot_be_guessed_open(people: People, hub: UUID) -> None:
    people.create_account("lin", "林示范", hub, [], password=PASSWORD)
    token, _ = people.logins.open("lin", PASSWORD)
    people.logins.lock(token)
    for _ in range(PER_NAME):
        with pytest.raises(BadCredentials):
            people.logins.unlock(token, "wrong")
    with pytest.raises(TooManyLogins):
        people.logins.unlock(token, PASSWORD)
