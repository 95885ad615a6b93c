"""Images brought by hand, as the server takes them: what is wrong with one file is told of that file, the others are kept."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from pydicom.data import get_testdata_file

from integrations.dicom import Subject, restamp

World = Any
Open = Callable[..., str]
JSON = {"Accept": "application/json"}


def _slice(world: World, n: int) -> bytes:
    raw = Path(str(get_testdata_file("CT_small.dcm"))).read_bytes()
    subject = Subject("QH20461", "王示例", "M", "19590312", "2.25.70", "A2")
    return restamp(raw, subject, series_uid="2.25.80", sop_uid=f"2.25.9{n}", when=world.clock.now(), label="T")


def _zip(*members: tuple[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, body in members:
            archive.writestr(name, body)
    return made.getvalue()


@pytest.fixture
def send(world: World, open_page: Open, client: FlaskClient) -> Callable[..., Any]:
    """Send files for a case that is being applied for."""
    world.open()
    open_page("he", "/inbox")

    def sent(*files: tuple[bytes, str], headers: Any = JSON) -> Any:
        data = {"files": [(io.BytesIO(body), name) for body, name in files]}
        return client.post(f"/uploads/{world.case}", data=data, content_type="multipart/form-data", headers=headers)

    return sent


def test_a_broken_zip_is_told_and_the_other_files_are_kept(world: World, send: Callable[..., Any]) -> None:
    broken = _zip(("a.dcm", _slice(world, 1)))[:-40]
    answer = send((_slice(world, 2), "IM2.dcm"), (broken, "disc.zip"), (b"", "IM3.dcm"), (b"text", "readme.txt"))
    assert (answer.status_code, answer.json["kept"]) == (200, 1)
    told = {one["name"]: (one["file"], one["why"]) for one in answer.json["refused"]}
    assert told["disc.zip"] == (1, "ZIP 已损坏，打不开；请重新打包，或直接选择里面的文件")
    assert told["IM3.dcm"] == (2, "空文件，没有内容")
    assert told["readme.txt"][0] == 3
    assert send((broken, "disc.zip")).status_code == 422


def test_a_damaged_member_does_not_keep_the_others_out(world: World, send: Callable[..., Any]) -> None:
    first, second = _slice(world, 4), _slice(world, 5)
    body = bytearray(_zip(("a.dcm", first), ("b.dcm", second)))
    at = bytes(body).index(first) + len(first) - 20
    body[at : at + 8] = b"\0" * 4 + b"\xff" * 4
    answer = send((bytes(body), "disc.zip"))
    assert (answer.status_code, answer.json["kept"]) == (200, 1)
    assert answer.json["refused"] == [{"file": 0, "name": "a.dcm", "why": "ZIP 里的这个文件已损坏，其余的已收下"}]


def test_without_scripts_the_page_says_what_was_wrong(world: World, send: Callable[..., Any], open_page: Open) -> None:
    answer = send((b"PK\x03\x04rest", "disc.zip"), headers={})
    assert answer.status_code == 303
    assert "disc.zip：ZIP 已损坏" in open_page("he", "/inbox")


def test_an_empty_attachment_is_told_as_empty(world: World, open_page: Open, client: FlaskClient) -> None:
    world.open()
    open_page("he", "/inbox")
    with world.services.db.read() as session:
        (row,) = world.services.worklist.of_case(session, world.actor("he"), world.case)
    typed = {
        "consent": "true",
        "consent_method": "paper",
        "consent_file": (io.BytesIO(b""), "scan.pdf", "application/pdf"),
    }
    client.post(f"/tasks/{row.task_id}", data=typed, content_type="multipart/form-data")
    assert "scan.pdf：文件是空的。" in open_page("he", f"/tasks/{row.task_id}")
    good = typed | {"consent_file": (io.BytesIO(b"%PDF-1.4"), "同意书.pdf", "application/pdf")}
    client.post(f"/tasks/{row.task_id}", data=good, content_type="multipart/form-data")
    assert "已有 同意书.pdf" in open_page("he", f"/tasks/{row.task_id}"), "a kept file is named"
