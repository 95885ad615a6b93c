"""Orders of the hospitals' own systems: the newest word about each, and which of them an application is about."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from tasks.patients.models import Order

CANCELLED = frozenset({"CA", "DC", "OC", "CR"})
"""ORC-1 and ORC-5 words for an order that is no more (HL7 v2 table 0119)."""


@dataclass(frozen=True)
class OrderNews:
    """An order as a message tells it: its numbers (ORC-2, ORC-3, OBR-18), ORC-1 word, what is ordered, and why."""

    placer: str
    status: str = "NW"
    code: str = ""
    description: str = ""
    modality: str = ""
    urgency: str = ""
    diagnosis: str = ""
    complaint: str = ""
    question: str = ""
    requested_by: str = ""
    filler: str = ""
    accession: str = ""


def keep(
    session: Session, tenant: UUID, news: OrderNews, record_id: UUID, registration_id: UUID, at: datetime
) -> Order:
    """Store the newest word about an order. A cancellation changes the status alone."""
    order = session.get(Order, (tenant, news.placer[:64]), with_for_update=True)
    if order is None:
        order = Order(tenant=tenant, placer=news.placer[:64])
        session.add(order)
    elif news.status in CANCELLED:
        order.status, order.received_at = news.status, at
        return order
    order.record_id, order.registration_id, order.received_at = record_id, registration_id, at
    order.filler = news.filler[:64] or order.filler or ""  # a later message may leave out what an earlier one gave
    order.accession = news.accession[:64] or order.accession or ""
    order.status, order.code, order.description = news.status[:4], news.code[:64], news.description[:200]
    order.modality, order.urgency, order.requested_by = news.modality[:16], news.urgency[:4], news.requested_by[:80]
    order.diagnosis, order.complaint, order.question = news.diagnosis[:200], news.complaint[:500], news.question[:300]
    session.flush()
    return order


def newest(session: Session, record_id: UUID) -> Order | None:
    """The newest order of a patient record that still stands."""
    return newest_of(session, [record_id]).get(record_id)


def newest_of(session: Session, record_ids: Sequence[UUID]) -> dict[UUID, Order]:
    """The newest order that still stands of each of many patient records."""
    query = select(Order).where(Order.record_id.in_(record_ids), Order.status.not_in(CANCELLED))
    return {order.record_id: order for order in session.scalars(query.order_by(Order.received_at, Order.placer))}


def standing(session: Session, record_id: UUID, modality: str) -> list[Order]:
    """The orders of a patient record that stand and may be for this modality, newest first."""
    query = select(Order).where(
        Order.record_id == record_id, Order.status.not_in(CANCELLED), Order.modality.in_(("", modality))
    )
    return list(session.scalars(query.order_by(Order.received_at.desc(), Order.placer.desc())))


def about(orders: Sequence[Order], accessions: Collection[str]) -> Order | None:
    """The one order that images with these accession numbers belong to; None when there is none, or no telling which."""
    fits = [o for o in orders if o.numbers & set(accessions)] or list(orders)
    return fits[0] if len(fits) == 1 else None
