"""Images brought by hand: files, a folder or a ZIP. Headers are looked at first, file by file; only the patient's own are kept."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, jsonify, redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from engine.errors import NotFound
from webui.context import actor, services
from webui.guards import wants_json
from webui.i18n import counted, language

blueprint = Blueprint("uploads", __name__, url_prefix="/uploads")
MEMBER_LIMIT = 64 * 1024 * 1024
MEMBERS = 2000
HEAD = 64 * 1024
"""Bytes of a file within which its header is looked for."""
CANNOT_UNDERSTAND, OUT_OF_RESOURCES = 0xC000, 0xA700


@dataclass(frozen=True)
class Look:
    """What the header of one file says: `verdict` is ok, warn, stranger or foreign (no DICOM object)."""

    verdict: str
    why: str
    header: Any = None
    here: str = ""
    there: str = ""

    def json(self, name: str) -> dict[str, Any]:
        """For the page that uploads."""
        told: dict[str, Any] = {
            "name": name[-120:], "verdict": self.verdict, "why": self.why, "here": self.here, "there": self.there,
        }  # fmt: skip
        if self.header is not None:
            h = self.header
            told |= {
                "series": h.series_uid, "number": h.series_number, "modality": h.modality, "study": h.study_description,
                "description": h.series_description, "date": h.study_date,
            }  # fmt: skip
        return told


def _look(session: Any, case: Any, head: bytes) -> Look:
    house = services()
    if head[:4] == b"PK\x03\x04":
        return Look("ok", "")  # a ZIP the browser could not open: its members are looked at when it has come
    header = house.imaging.look(head)
    if header is None:
        return Look("foreign", gettext("不是 DICOM 文件，不上传"))
    english = language() == "en"
    wrong = [c for c in house.quality.whose(session, case, header) if c.severity != "pass"]
    blocks = [c for c in wrong if c.severity == "block"]
    if blocks:
        first = blocks[0]
        label = first.label_en if english else first.label_zh
        return Look("stranger", gettext("%(what)s不一致，不上传", what=label), header, first.here, first.there)
    if wrong:
        label = wrong[0].label_en if english else wrong[0].label_zh
        return Look("warn", gettext("%(what)s请核对", what=label), header, wrong[0].here, wrong[0].there)
    return Look("ok", "", header)


@blueprint.post("/<uuid:case_id>/headers")
def headers(case_id: UUID) -> ResponseReturnValue:
    """Look at the first bytes of files before they are sent: whose they are, what they show. Nothing is kept."""
    house, who = services(), actor()
    with house.db.read() as session:
        case = house.cases.require(session, who, case_id, "images", "create")
        files = request.files.getlist("heads")
        looks = [_look(session, case, f.stream.read(HEAD)).json(f.filename or "?") for f in files]
    return jsonify(files=looks)


@blueprint.post("/<uuid:case_id>")
def images(case_id: UUID) -> ResponseReturnValue:
    """Take DICOM files for a case of one's own; the answer names what was kept and what was refused."""
    house, who = services(), actor()
    with house.db.read() as session:
        case = house.cases.require(session, who, case_id, "images", "create")
        hospital = house.people.hospital(session, case.from_hospital)
    if hospital.ae_title is None:
        raise NotFound("The hospital has no AE title to file images under.")
    kept, refused = 0, []
    for piece in _pieces():
        why = piece.why or _taken(case, piece.body, hospital.ae_title, who.id)
        kept += not why
        if why:
            refused.append({"file": piece.place, "name": piece.name[-80:], "why": why})
    if wants_json() or request.headers.get("X-Requested-With"):
        return jsonify(kept=kept, refused=refused), 200 if kept or not refused else 422
    flash(counted("收下 %(n)s 个文件", n=kept))
    for one in refused[:5]:
        flash(gettext("%(name)s：%(why)s", name=one["name"], why=one["why"]))
    return redirect(request.referrer or f"/cases/{case_id}", 303)


def _taken(case: Any, body: bytes, title: str, who: str) -> str:
    """Keep one object of the case's patient; empty when it is kept, else why not."""
    with services().db.read() as session:
        look = _look(session, case, body[:HEAD])
    if look.verdict in ("stranger", "foreign"):
        return look.why
    status = services().imaging.ingest(body, title, f"upload:{who}")
    words = {
        0: "", CANNOT_UNDERSTAND: gettext("不是可用的 DICOM 文件"), OUT_OF_RESOURCES: gettext("服务器存储空间不够，没有收下"),
    }  # fmt: skip
    return str(words.get(status, gettext("服务器没有收下（%(status)s）", status=f"0x{status:04X}")))


@dataclass(frozen=True)
class Piece:
    """One object that was sent, alone or in a ZIP: in which of the files, and why it cannot be looked at if it cannot."""

    place: int
    name: str
    body: bytes = b""
    why: str = ""


def _pieces() -> Iterator[Piece]:
    for place, file in enumerate(request.files.getlist("files")):
        name = file.filename or "?"
        if not file.filename:
            continue
        body = file.read()
        if not body:
            yield Piece(place, name, why=str(gettext("空文件，没有内容")))
        elif name.lower().endswith(".zip") or body[:4] == b"PK\x03\x04":
            yield from _unzipped(place, name, body)
        else:
            yield Piece(place, name, body)


def _unzipped(place: int, name: str, body: bytes) -> Iterator[Piece]:
    """What is in a ZIP; one that cannot be opened, and a member that cannot, is told and the others are taken."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(body))
    except (zipfile.BadZipFile, ValueError, OSError):
        yield Piece(place, name, why=str(gettext("ZIP 已损坏，打不开；请重新打包，或直接选择里面的文件")))
        return
    with archive:
        members = [m for m in archive.infolist() if not m.is_dir()]
        if len(members) > MEMBERS or any(m.file_size > MEMBER_LIMIT for m in members):
            words = gettext(
                "ZIP 里的文件太多或太大（至多 %(n)s 个，每个 %(mb)s MB）；请分几次上传",
                n=MEMBERS,
                mb=MEMBER_LIMIT >> 20,
            )
            yield Piece(place, name, why=str(words))
            return
        for member in members:
            try:
                yield Piece(place, member.filename, archive.read(member))
            except RuntimeError:
                yield Piece(place, name, why=str(gettext("ZIP 有密码，打不开；请去掉密码再上传")))
                return
            except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError):
                yield Piece(place, member.filename, why=str(gettext("ZIP 里的这个文件已损坏，其余的已收下")))
