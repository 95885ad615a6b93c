"""What the worker does by the clock, beside the jobs of cases."""

from __future__ import annotations

import io
import threading
import time
from pathlib import Path

import pydicom
import pytest
from pydicom.data import get_testdata_file

from webui import bootstrap, serve
from webui.config import Config


def test_the_worker_tries_the_pixels_of_what_arrived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the real decoder: one object as it should be, one whose pixels are none."""
    config = Config(tmp_path, f"sqlite:///{tmp_path}/l.db", "http://127.0.0.1", "k" * 40)
    list(bootstrap.migrate(config))
    house = bootstrap.build(config)
    imaging, home = (
        house.services.imaging,
        house.services.people.create_hospital("QH", "青禾", "Q", "primary", ae_title="A"),
    )
    good, study = Path(str(get_testdata_file("JPEG2000.dcm"))).read_bytes(), ""
    ds = pydicom.dcmread(io.BytesIO(good))
    study = str(ds.StudyInstanceUID)
    bad = good.replace(b"\xff\x4f\xff\x51", b"\0\0\0\0").replace(
        ds.SOPInstanceUID.encode(), ds.SOPInstanceUID.encode()[:-1] + b"9"
    )
    assert [imaging.ingest(raw, "A", "test") for raw in (good, bad)] == [0, 0]
    stop = threading.Event()
    monkeypatch.setattr(serve, "say_ready", lambda *_: None)
    worker = threading.Thread(target=serve._worker, args=(config, serve.Listen(), stop))
    worker.start()
    found: list[bool | None] = []
    try:
        late = time.monotonic() + 60
        while (not found or None in found) and time.monotonic() < late:
            time.sleep(0.2)
            with house.db.read() as session:
                found = [i.decodes for i in imaging.instances(session, home, study)]
    finally:
        stop.set()
        worker.join(30)
    with house.db.read() as session:
        aside = imaging.quarantined(session, home)
    house.close()
    assert sorted(map(bool, found)) == [False, True]
    assert None not in found
    assert [q.reason for q in aside] == ["undecodable"]
