"""What the interface takes and gives, field by field."""

from __future__ import annotations

import ipaddress
from datetime import datetime
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

CODE = validate.Regexp(r"[A-Z0-9]{1,8}\Z")


def _instant(text: str) -> None:
    try:
        zone = datetime.fromisoformat(text).tzinfo
    except ValueError:
        zone = None
    if zone is None:
        raise ValidationError("Not an ISO 8601 instant with a zone.")


def _network(text: str) -> None:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValidationError("Not an address or network such as 10.1.2.3 or 10.1.2.0/24.") from None


def _moment(**more: Any) -> fields.String:
    return fields.String(required=True, validate=_instant, metadata={"format": "date-time"}, **more)


def _text(most: int, **more: Any) -> fields.String:
    return fields.String(validate=validate.Length(1, most), **more)


class HospitalSchema(Schema):
    """A hospital; `ae_title` is how its modalities call themselves."""

    code = fields.String(required=True, validate=CODE)
    name = _text(80, required=True)
    name_en = _text(120, required=True)
    kind = fields.String(required=True, validate=validate.OneOf(["hub", "primary"]))
    ae_title = fields.String(allow_none=True, validate=validate.Length(1, 16))


class AccountSchema(Schema):
    """A person with his roles at his hospital; `phone` in E.164."""

    login = _text(64, required=True)
    name = _text(80, required=True)
    hospital = fields.String(required=True, validate=CODE)
    roles = fields.List(fields.String(), required=True)
    title = fields.String(allow_none=True)
    department = fields.String(allow_none=True)
    specialties = fields.List(fields.String())
    phone = fields.String(allow_none=True)
    license_no = fields.String(allow_none=True)
    password = fields.String(allow_none=True, load_only=True)


class AgreementSchema(Schema):
    """What one hospital may ask of another, and for how long; scopes are kinds of cases."""

    source = fields.String(required=True, data_key="from", attribute="from", validate=CODE)
    target = fields.String(required=True, data_key="to", attribute="to", validate=CODE)
    scopes = fields.List(fields.String(), required=True)
    valid_from = _moment()
    valid_to = _moment()


class ShiftSchema(Schema):
    """A row of the rota."""

    login = fields.String(required=True)
    kind = fields.String(validate=validate.OneOf(["duty", "oncall", "absent"]))
    starts = _moment()
    ends = _moment()


class EndpointSchema(Schema):
    """The line to a hospital's system: `application` is MSH-5 of an HL7 line, `ae_title` that of a DICOM one.

    With `tls` results go by TLS only; `authority` is the PEM text of the certificate of who made the peer's, without it the
    peer's certificate must be one this machine trusts. `host` must be a name or address the peer's certificate holds.
    `peers` of an HL7 line are the addresses and networks that may send HL7, without them those of `host`.
    """

    hospital = fields.String(required=True, validate=CODE)
    kind = fields.String(required=True, validate=validate.OneOf(["hl7", "dicom"]))
    name = _text(80, required=True)
    host = _text(120, required=True)
    port = fields.Integer(required=True, validate=validate.Range(1, 65535))
    application = fields.String()
    ae_title = fields.String(validate=validate.Length(1, 16))
    tls = fields.Boolean(truthy={True}, falsy={False})
    authority = _text(100_000)
    peers = fields.List(fields.String(validate=_network), validate=validate.Length(max=20))


class AllianceSchema(Schema):
    """A whole alliance."""

    hospitals = fields.List(fields.Nested(HospitalSchema))
    accounts = fields.List(fields.Nested(AccountSchema))
    agreements = fields.List(fields.Nested(AgreementSchema))
    shifts = fields.List(fields.Nested(ShiftSchema))
    endpoints = fields.List(fields.Nested(EndpointSchema))


class LoadedSchema(Schema):
    """How many of each there are now."""

    hospitals = fields.Integer()
    accounts = fields.Integer()


class EntrySchema(Schema):
    """One entry of a case's history; `result` is what an operation handed back to the model."""

    id = fields.String()
    at = fields.DateTime(format="iso")
    kind = fields.String()
    actor = fields.String()
    process = fields.String()
    node = fields.String()
    operation = fields.String(allow_none=True)
    result = fields.Raw(allow_none=True)
    data = fields.Dict()


class HistorySchema(Schema):
    """The history of a case, oldest first."""

    entries = fields.List(fields.Nested(EntrySchema))
