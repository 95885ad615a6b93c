"""What messages of the hospitals' systems do: ADT registers a patient, ORM and OMI an order."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from engine.errors import Refused
from integrations.hl7 import Message, PatientData, order, patient
from tasks.applications.service import Applications, OrderNews
from tasks.messages.service import Messages
from tasks.patients.service import Arrival

ACTOR = "mllp"
SEXES = frozenset("MFOU")


def connect(messages: Messages, applications: Applications) -> None:
    """Register the handlers."""

    def adt(session: Session, tenant: UUID, message: Message) -> None:
        applications.receive_patient(session, _arrival(tenant, patient(message)), actor=ACTOR)

    def orm(session: Session, tenant: UUID, message: Message) -> None:
        arrival, said = _arrival(tenant, patient(message)), order(message)
        if said is None:
            raise Refused("the order has no placer number")
        news = OrderNews(
            placer=said.placer,
            status=said.control,
            code=said.code,
            description=said.description,
            modality=said.modality,
            urgency=said.urgency,
            diagnosis=said.diagnosis,
            requested_by=said.requested_by,
            filler=said.filler,
            accession=said.accession,
        )
        applications.receive_order(session, arrival, news, actor=ACTOR)

    messages.on("ADT", adt)
    messages.on("ORM", orm)
    messages.on("OMI", orm)


def _arrival(tenant: UUID, said: PatientData | None) -> Arrival:
    if said is None:
        raise Refused("the message names no patient")
    return Arrival(
        tenant=tenant,
        system=said.assigner[:64],
        mrn=said.mrn[:64],
        name=said.name[:80],
        sex=said.sex if said.sex in SEXES else "U",
        birth_date=_day(said.birth_date),
        id_card=said.id_card or None,
        phone=said.phone[:30] or None,
        source="hl7",
    )


def _day(word: str) -> date | None:
    try:
        return datetime.strptime(word, "%Y%m%d").date()  # noqa: DTZ007 - a birth date has no zone
    except ValueError:
        return None
