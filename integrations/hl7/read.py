"""What we take from messages: patients from ADT, orders from ORM and OMI. Pure; nothing is re-serialised."""

from __future__ import annotations

import re
from dataclasses import dataclass

from integrations.hl7.er7 import Message

ID_CARD_TYPES = ("NI", "NNCHN", "ID", "SFZ")


@dataclass(frozen=True)
class PatientData:
    """A patient as a hospital's system knows it. Dates YYYYMMDD or empty, sex as HL7 table 0001."""

    mrn: str
    assigner: str
    name: str
    sex: str
    birth_date: str
    phone: str = ""
    id_card: str = ""
    ward: str = ""
    event: str = ""


@dataclass(frozen=True)
class OrderData:
    """An order for an examination: placer ORC-2, filler ORC-3, accession OBR-18 as IHE SWF has it, and what is wanted."""

    placer: str
    code: str
    description: str
    modality: str = ""
    urgency: str = "R"
    diagnosis: str = ""
    requested_by: str = ""
    control: str = "NW"
    filler: str = ""
    accession: str = ""


def patient(message: Message) -> PatientData | None:
    """The patient of PID; None when there is no identifier."""
    ids = _identifiers(message)
    medical = next((i for i in ids if i[2] in ("MR", "PI", "PT", "")), ids[0] if ids else None)
    if medical is None:
        return None
    card = next((i[0] for i in ids if i[2] in ID_CARD_TYPES), "") or message["PID-19"]
    name = (
        "".join(p for p in (message["PID-5.1"], message["PID-5.2"]) if p)
        if not message["PID-5.2"].isascii()
        else message["PID-5.1"]
    )
    if message["PID-5.2"] and message["PID-5.2"].isascii():
        name = f"{message['PID-5.1']} {message['PID-5.2']}"
    return PatientData(
        mrn=medical[0], assigner=medical[1] or message["MSH-3.1"], name=name.strip(),
        sex=message["PID-8"].upper()[:1], birth_date=re.sub(r"\D", "", message["PID-7.1"])[:8],
        phone=message["PID-13.12"] or message["PID-13.1"], id_card=card, ward=message["PV1-3.1"], event=message["MSH-9.2"],
    )  # fmt: skip


def _identifiers(message: Message) -> list[tuple[str, str, str]]:
    segments = message.segments("PID")
    if not segments:
        return []
    raw = segments[0][3] if len(segments[0]) > 3 else ""
    count = raw.count(message.delimiters.repetition) + 1
    found = [
        (message[f"PID-3[{i}].1"], message[f"PID-3[{i}].4.1"], message[f"PID-3[{i}].5"].upper())
        for i in range(1, count + 1)
    ]
    return [i for i in found if i[0]]


def order(message: Message) -> OrderData | None:
    """The order of ORC and OBR; None when there is no placer number."""
    placer = message["ORC-2.1"] or message["OBR-2.1"]
    if not placer:
        return None
    priority = (message["ORC-7.6"] or message["OBR-5"] or message["OBR-27.6"] or "R").upper()
    return OrderData(
        placer=placer, code=message["OBR-4.1"], description=message["OBR-4.2"], modality=message["OBR-24"],
        urgency={"S": "E", "STAT": "E", "A": "U", "ASAP": "U"}.get(priority, "R"),
        diagnosis=message["DG1-3.2"] or message["DG1-4"] or message["OBR-31.2"],
        requested_by=message["ORC-12.2"] or message["OBR-16.2"] or message["OBR-16.1"], control=message["ORC-1"] or "NW",
        filler=message["ORC-3.1"] or message["OBR-3.1"], accession=message["OBR-18"],
    )  # fmt: skip
