"""Images brought by hand: files, a folder or a ZIP; every file is looked at and told about."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from uuid import UUID

from flask import Blueprint, jsonify, redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from engine.errors import NotFound, Refused
from webui.context import actor, services
from webui.guards import wants_json

blueprint = Blueprint("uploads", __name__, url_prefix="/uploads")
MEMBER_LIMIT = 64 * 1024 * 1024
MEMBERS = 2000


@blueprint.post("/<uuid:case_id>")
def images(case_id: UUID) -> ResponseReturnValue:
    """Take DICOM files for a case of one's own; the answer names what was kept and what was refused."""
    house, who = services(), actor()
    with house.db.read() as session:
        case = house.cases.require(session, who, case_id, "file", "create")
        hospital = house.people.hospital(session, case.from_hospital)
    if hospital.ae_title is None:
        raise NotFound("The hospital has no AE title to file images under.")
    kept, refused = 0, []
    for name, body in _files():
        status = house.imaging.ingest(body, hospital.ae_title, f"upload:{who.id}")
        kept += status == 0
        if status:
            refused.append(
                {"name": name[-80:], "why": gettext("不是可用的 DICOM 文件") if status == 0xC000 else f"0x{status:04X}"}
            )
    if wants_json() or request.headers.get("X-Requested-With"):
        return jsonify(kept=kept, refused=refused), 200 if kept or not refused else 422
    return redirect(request.referrer or f"/cases/{case_id}", 303)


def _files() -> Iterator[tuple[str, bytes]]:
    for file in request.files.getlist("files"):
        body = file.read()
        name = file.filename or "?"
        if name.lower().endswith(".zip") or body[:4] == b"PK\x03\x04":
            yield from _unzipped(body)
        elif body:
            yield name, body


def _unzipped(body: bytes) -> Iterator[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            members = [m for m in archive.infolist() if not m.is_dir()]
            if len(members) > MEMBERS or any(m.file_size > MEMBER_LIMIT for m in members):
                raise Refused("The ZIP holds too many or too large files; send them in parts.")
            for member in members:
                yield member.filename, archive.read(member)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError):
        raise Refused("The ZIP cannot be opened; send it without a password.") from None
