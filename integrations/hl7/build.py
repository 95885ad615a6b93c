"""Messages we send: acknowledgements, and the report as ORU^R01, built and validated with hl7apy, then read back and compared."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from integrations import IntegrationError
from integrations.hl7.er7 import Delimiters, Message, escape, parse

VERSION = "2.5.1"
BREAK = "\ue000"
"""Stands for a line break while hl7apy holds the text: it would escape the escape sequence itself once more."""


class NotBuilt(IntegrationError):
    """The message could not be built as the standard wants it."""

    code = "hl7_not_built"
    advice = "Report the case number to the platform's maintainers; nothing was sent."


@dataclass(frozen=True)
class Line:
    """One observation: LOINC-like code, Chinese title, text."""

    code: str
    title: str
    text: str


@dataclass(frozen=True)
class Result:
    """A report as it goes back to the applying hospital. Times are aware.

    `placer` and `filler` are the order's own numbers (ORC-2, ORC-3), `accession`, of the images, goes to OBR-18 as IHE SWF has it, and
    `reference`, the number under which we keep the case, to OBR-20; an unknown order has neither of the first two.
    """

    control_id: str
    sending: tuple[str, str]
    receiving: tuple[str, str]
    created: datetime
    patient_id: str
    assigner: str
    patient_name: str
    birth_date: str
    sex: str
    placer: str
    filler: str
    service: tuple[str, str]
    observed: str
    status: str
    author: str
    lines: tuple[Line, ...]
    pdf: bytes = b""
    accession: str = ""
    reference: str = ""


def ack(message: Message | None, code: str, *, control_id: str, now: datetime, text: str = "") -> bytes:
    """An original-mode acknowledgement (HL7 v2.5.1, 2.9.2); `code` AA, AE or AR. `message` None when it could not be read."""
    d = Delimiters()

    def get(path: str) -> str:
        return escape(message[path], d) if message else ""

    trigger = get("MSH-9.2")
    kind = f"ACK^{trigger}^ACK" if trigger else "ACK"
    head = ["MSH", "^~\\&", get("MSH-5.1"), get("MSH-6.1"), get("MSH-3.1"), get("MSH-4.1"), f"{now:%Y%m%d%H%M%S}", "", kind,
            control_id, get("MSH-11.1") or "P", get("MSH-12.1") or VERSION, "", "", "", "", "CHN", "UNICODE UTF-8"]  # fmt: skip
    lines = [
        "|".join(head),
        f"MSA|{code}|{get('MSH-10')}" + (f"|{escape(text, d)[:80]}" if text and code != "AA" else ""),
    ]
    if code != "AA" and text:
        lines.append(f"ERR||||E||||{escape(text, d)[:250]}")
    return ("\r".join(lines) + "\r").encode()


def oru_r01(result: Result) -> bytes:
    """The report as ORU^R01, UTF-8. NotBuilt when hl7apy finds it invalid or the text does not read back the same."""
    from hl7apy import core

    make: Any = core.Message
    m = make("ORU_R01", version=VERSION)
    _head(m, result)
    patient = m.add_group("ORU_R01_PATIENT_RESULT")
    person = patient.add_group("ORU_R01_PATIENT")
    person.pid = "|".join([
        "PID", "1", "", f"{_t(result.patient_id)}^^^{_t(result.assigner)}^MR", "", f"{_t(result.patient_name)}^^^^^^L", "",
        _t(result.birth_date), _t(result.sex),
    ])  # fmt: skip
    order = patient.add_group("ORU_R01_ORDER_OBSERVATION")
    order.orc = f"ORC|RE|{_t(result.placer)}|{_t(result.filler)}"
    obr = [
        "OBR",
        "1",
        _t(result.placer),
        _t(result.filler),
        f"{_t(result.service[0])}^{_t(result.service[1])}",
        "",
        "",
        result.observed,
    ]
    obr += (
        [""] * 10
        + [_t(result.accession), "", _t(result.reference), ""]
        + [f"{result.created:%Y%m%d%H%M%S}", "", "", result.status]
    )
    obr += [""] * 6 + [_t(result.author)]
    order.obr = "|".join(obr)
    for number, line in enumerate(result.lines, 1):
        group = order.add_group("ORU_R01_OBSERVATION")
        group.obx = f"OBX|{number}|FT|{_t(line.code)}^{_t(line.title)}^LN||{_t(line.text)}||||||{result.status}"
    if result.pdf:
        document = base64.b64encode(result.pdf).decode()
        group = order.add_group("ORU_R01_OBSERVATION")
        group.obx = f"OBX|{len(result.lines) + 1}|ED|18748-4^Report^LN||^AP^^Base64^{document}||||||{result.status}"
    raw: bytes = (_validated(m) + "\r").encode()
    _compare(raw, result)
    return raw


def _head(m: Any, result: Result) -> None:
    m.msh.msh_3, m.msh.msh_4 = map(_t, result.sending)
    m.msh.msh_5, m.msh.msh_6 = map(_t, result.receiving)
    m.msh.msh_7 = f"{result.created:%Y%m%d%H%M%S}"
    m.msh.msh_9 = "ORU^R01^ORU_R01"
    m.msh.msh_10, m.msh.msh_11, m.msh.msh_12 = _t(result.control_id), "P", VERSION
    m.msh.msh_17, m.msh.msh_18 = "CHN", "UNICODE UTF-8"


def _t(text: str) -> str:
    """Text for hl7apy: delimiters escaped, line ends as BREAK."""
    return escape(_plain(text).replace("\n", BREAK))


def _plain(text: str) -> str:
    """What of a text can travel: line feeds and everything that is no control character."""
    text = text.replace(BREAK, "").replace("\r\n", "\n").replace("\r", "\n")
    return "".join(sign for sign in text if sign >= " " or sign == "\n")


def _validated(m: Any) -> str:
    from hl7apy.exceptions import HL7apyException

    try:
        m.validate()
        return str(m.to_er7()).replace(BREAK, "\\.br\\")
    except HL7apyException as problem:
        raise NotBuilt(type(problem).__name__) from problem


def _compare(raw: bytes, result: Result) -> None:
    message = parse(raw)
    got = [message.get("OBX-5", segment) for segment in message.segments("OBX")][: len(result.lines)]
    wanted = [_plain(line.text) for line in result.lines]
    names = {fields[0] for fields in message.fields}
    if got != wanted or message["PID-3.1"] != result.patient_id or names != {"MSH", "PID", "ORC", "OBR", "OBX"}:
        raise NotBuilt("The text does not read back the same.")
