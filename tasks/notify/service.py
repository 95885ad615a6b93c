"""Tells people, and takes their short answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine import Call, Clock, Database, NotDone, Permanent, Unknown, uuid7
from engine.feel import from_json
from engine.history import record
from engine.values import Json
from integrations.sms import Reply, Sms, SmsBusy, SmsRefused, SmsUnknown, Status, later, reply_of, status_of
from tasks.cases.service import Cases, ClinicalCase
from tasks.notify import templates
from tasks.notify.models import Notice, SmsMessage, SmsReply
from tasks.people.actor import Actor
from tasks.people.service import People

PLATFORM = UUID(int=0)
REMIND_AGAIN = timedelta(minutes=15)


@dataclass(frozen=True)
class Offer:
    """An open offer somebody may answer by a short message."""

    task_id: UUID
    case_id: UUID
    ref: str


OpenOffers = Callable[[Session, Actor], list[Offer]]
Answer = Callable[[Actor, Offer, bool, str], None]
"""Carries an answer to the one open offer: who, which, accepted, idempotency key."""


class Notify:
    """Short messages and notices."""

    def __init__(
        self, db: Database, clock: Clock, sms: Sms, people: People, cases: Cases, *, zone: str = "Asia/Shanghai"
    ) -> None:
        self.db, self.clock, self.sms, self.zone = db, clock, sms, zone
        self._people, self._cases = people, cases
        self._offers: OpenOffers = lambda _session, _actor: []
        self._answer: Answer = lambda _actor, _offer, _accepted, _key: None
        cases.on_glass(self._glass_broken)

    def _glass_broken(self, session: Session, case: ClinicalCase, actor: Actor) -> None:
        """Coordinators and auditors of both hospitals are told that somebody looked past his permission."""
        places = {p for p in (case.from_hospital, case.to_hospital) if p is not None}
        told = {
            a.id for role in ("coordinator", "auditor") for p in places for a in self._people.holders(session, role, p)
        }
        for account in sorted(told - {actor.account_id}):
            session.add(
                Notice(
                    id=uuid7(), tenant=case.tenant, account_id=account, case_id=case.id, template="glass", key=str(uuid7()),
                    created_at=self.clock.now(),
                )
            )  # fmt: skip

    def answer_offers(self, offers: OpenOffers, answer: Answer) -> None:
        """Connect replies to the offers they answer."""
        self._offers, self._answer = offers, answer

    # -- operations ---------------------------------------------------------------------------------------------------
    def send_sms(self, call: Call) -> Mapping[str, Json]:
        """`notify.sms`, effect ONCE: the row first, then the provider; a lost answer is for a person to resolve.

        What the provider surely did not take is tried again with the same row."""
        due = from_json(call.args.get("due"))
        row_id = self._note(call, due if isinstance(due, datetime) else None)
        with self.db.read() as session:
            row = session.get_one(SmsMessage, row_id)
        return self._hand_over(row)

    def _note(self, call: Call, due: datetime | None) -> UUID:
        with self.db.transaction() as session:
            account = self._people.account(session, UUID(str(call.args["to"])))
            case = self._cases.get(session, UUID(str(call.args["case"])))
            if not account.phone:
                raise Permanent("the person has no phone number")
            text = templates.sms(
                str(call.args["template"]), ref=case.ref, urgency=case.urgency or "R", due=due, zone=self.zone
            )
            return self._row(
                session,
                case.tenant,
                case.id,
                account.id,
                account.phone,
                str(call.args["template"]),
                text,
                str(call.job_id),
            )

    def _row(
        self,
        session: Session,
        tenant: UUID,
        case_id: UUID | None,
        account_id: UUID,
        phone: str,
        template: str,
        text: str,
        key: str,
    ) -> UUID:
        now = self.clock.now()
        again = session.scalars(select(SmsMessage).where(SmsMessage.key == key).with_for_update()).one_or_none()
        if again is not None:  # the engine asks once more: not taken before, or a person said that it never arrived
            again.phone, again.state, again.changed_at = phone, "sending", now
            return again.id
        row = SmsMessage(
            id=uuid7(), tenant=tenant, case_id=case_id, account_id=account_id, phone=phone, template=template, text=text,
            provider=self.sms.name, key=key, state="sending", created_at=now, changed_at=now,
        )  # fmt: skip
        session.add(row)
        session.flush()
        return row.id

    def _hand_over(self, row: SmsMessage) -> Mapping[str, Json]:
        try:
            sent = self.sms.send(row.phone, row.text, row.key)
        except SmsRefused as problem:
            self._settle(row.id, "refused", None)
            raise Permanent(problem.code) from problem
        except SmsBusy as problem:
            self._settle(row.id, "failed", None)
            raise NotDone(problem.code) from problem
        except SmsUnknown as problem:
            self._settle(row.id, "unknown", None)
            raise Unknown(problem.code) from problem
        self._settle(row.id, sent.status, sent.provider_id)
        return {"message": str(row.id)}

    def _settle(self, row_id: UUID, state: str, provider_id: str | None) -> None:
        with self.db.transaction() as session:
            row = session.get_one(SmsMessage, row_id, with_for_update=True)
            row.provider_id = provider_id or row.provider_id
            row.state = later(row.state, state) if row.state not in ("sending",) else state
            row.changed_at = self.clock.now()

    def put_notice(self, call: Call) -> Mapping[str, Json]:
        """`notify.inbox`, effect LOCAL: a notice in the person's list."""
        case = self._cases.get(call.session, UUID(str(call.args["case"])))
        call.session.add(
            Notice(
                id=uuid7(), tenant=case.tenant, account_id=UUID(str(call.args["to"])), case_id=case.id,
                template=str(call.args["template"]), key=str(call.job_id), created_at=call.now,
            )
        )  # fmt: skip
        return {}

    def remind(self, actor: Actor, case_id: UUID, task_id: UUID, people: Sequence[UUID]) -> int:
        """Put a notice of a task that waits into the lists of these people, for a coordinator; how many got one. Within a quarter of
        an hour the same person is not reminded of the same task again. NotFound."""
        now, told = self.clock.now(), 0
        with self.db.transaction() as session:
            case = self._cases.require(session, actor, case_id, "case", "reassign")
            for account in dict.fromkeys(people):
                key = f"remind:{task_id.hex}:{account.hex}"
                newest = select(Notice).where(Notice.account_id == account, Notice.key.startswith(key))
                last = session.scalar(newest.order_by(Notice.created_at.desc()).limit(1))
                if last is not None and now - last.created_at < REMIND_AGAIN:
                    continue
                told += 1
                session.add(
                    Notice(
                        id=uuid7(), tenant=case.tenant, account_id=account, case_id=case.id, template="remind",
                        key=f"{key}:{uuid7().hex[-7:]}", created_at=now,
                    )
                )  # fmt: skip
            if told:
                record(
                    session, tenant=case.tenant, kind="task.reminded", actor=actor.id, at=now, instance_id=case.instance_id, task_id=task_id,
                    data={"people": told},
                )  # fmt: skip
        return told

    # -- from the provider --------------------------------------------------------------------------------------------
    def status(self, report: Status) -> bool:
        """Take a delivery report; states only go forward. False when we know no such message."""
        with self.db.transaction() as session:
            row = session.scalars(select(SmsMessage).where(SmsMessage.provider_id == report.provider_id)).one_or_none()
            if row is None:
                return False
            row.state, row.changed_at = later(row.state, report.status), self.clock.now()
            return True

    def status_form(self, form: Mapping[str, str]) -> bool:
        """A delivery report as the provider posts it."""
        return self.status(status_of(form))

    def reply_form(self, form: Mapping[str, str]) -> str:
        """A reply as the provider posts it."""
        return self.reply(reply_of(form))

    def reply(self, reply: Reply) -> str:
        """Take an answer: it completes the one open offer of that person. A late, unclear or ambiguous one changes nothing.

        Returns what it did; every reply but a repeated one is answered by a short message.
        """
        with self.db.read() as session:
            known = session.scalars(select(SmsReply).where(SmsReply.provider_id == reply.provider_id)).one_or_none()
            if known is not None:
                return known.effect
            accounts = self._people.by_phone(session, reply.phone)
            actor = self._people.actor(session, accounts[0].id) if len(accounts) == 1 else None
            offers = self._offers(session, actor) if actor is not None else []
        meant = templates.meaning(reply.text)
        effect = self._effect(actor, offers, meant)
        if effect in ("accepted", "declined") and actor is not None:
            self._answer(actor, offers[0], bool(meant), f"sms:{reply.provider_id}")
        self._keep_reply(reply, effect, actor)
        if actor is not None:
            self._confirm(actor, reply, effect, offers[0] if offers else None)
        return effect

    def _effect(self, actor: Actor | None, offers: list[Offer], meant: bool | None) -> str:
        if actor is None:
            return "unknown_sender"
        if not offers:
            return "late"
        if meant is None:
            return "not_understood"
        if len(offers) > 1:
            return "ambiguous"
        return "accepted" if meant else "declined"

    def _keep_reply(self, reply: Reply, effect: str, actor: Actor | None) -> None:
        row = SmsReply(
            id=uuid7(), tenant=actor.hospital_id if actor else PLATFORM, provider_id=reply.provider_id, phone=reply.phone[:30],
            text=reply.text[:200], effect=effect, received_at=self.clock.now(),
        )  # fmt: skip
        try:
            with self.db.transaction() as session:
                session.add(row)
        except IntegrityError:  # the provider called back twice at once
            return

    def _confirm(self, actor: Actor, reply: Reply, effect: str, offer: Offer | None) -> None:
        words = {
            "accepted": "reply_accepted",
            "declined": "reply_declined",
            "late": "reply_late",
            "ambiguous": "reply_ambiguous",
        }
        template = words.get(effect, "reply_unclear")
        text = templates.sms(template, ref=offer.ref if offer else "")
        with self.db.transaction() as session:
            row_id = self._row(
                session, actor.hospital_id, offer.case_id if offer else None, actor.account_id, reply.phone, template, text,
                f"reply:{reply.provider_id}",
            )  # fmt: skip
        with self.db.read() as session:
            row = session.get_one(SmsMessage, row_id)
        try:
            self._hand_over(row)
        except (NotDone, Permanent, Unknown):  # the answer itself is kept; the courtesy may fail
            return

    # -- pages --------------------------------------------------------------------------------------------------------
    def notices(self, session: Session, actor: Actor, limit: int = 50) -> list[Notice]:
        """Newest notices of a person."""
        query = select(Notice).where(Notice.account_id == actor.account_id).order_by(Notice.created_at.desc())
        return list(session.scalars(query.limit(limit)))

    def read_notices(self, actor: Actor) -> None:
        """Mark a person's notices as read."""
        with self.db.transaction() as session:
            unread = (Notice.account_id == actor.account_id) & Notice.read_at.is_(None)
            session.execute(update(Notice).where(unread).values(read_at=self.clock.now()))
