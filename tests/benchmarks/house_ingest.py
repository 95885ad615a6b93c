"""Ingest per slice: one C-STORE association into the house (hash, store, index, commit) and into DCMTK's storescp."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from house_record import Record, record
from pydicom import dcmread
from pydicom.data import get_testdata_file

from engine import SystemClock, connect
from integrations.compression import FakeCompressor
from integrations.dicom import FakeScu, Listener, ListenerSettings, Received
from integrations.hl7 import FakeClient
from integrations.pdf import FakePdf
from integrations.rendering import FakeRenderer
from integrations.sms import FakeSms
from integrations.storage import FileStore
from migrations.run import upgrade
from tasks import catalogue
from tasks.demo import alliance as invented
from tasks.demo.outside import free_port
from tasks.people import alliance

SLICES = 120


def ingest() -> list[Record]:
    """Milliseconds a slice of 512 x 512 sixteen-bit pixels; DCMTK writes a file and answers."""
    with tempfile.TemporaryDirectory() as home:
        sent = _slices(Path(home) / "sent")
        ours = _house(Path(home), sent)
        peer = "DCMTK storescp" if shutil.which("storescp") else None
        theirs = _storescp(Path(home) / "peer", sent) if peer else None
        return [record(f"ingest per slice, {SLICES} of 512 kB", "ms", ours, peer=peer, peer_value=theirs)]


def _slices(folder: Path) -> Path:
    folder.mkdir()
    ds = dcmread(str(get_testdata_file("CT_small.dcm")))
    ds.PatientID, ds.StudyInstanceUID, ds.SeriesInstanceUID = "QH1", "2.25.71", "2.25.72"
    ds.Rows = ds.Columns = 512
    noise = np.random.default_rng(20261124)
    for number in range(SLICES):
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"2.25.73{number:04d}"
        ds.InstanceNumber = number + 1
        ds.PixelData = noise.integers(0, 4096, (512, 512), dtype=np.int16).tobytes()
        ds.save_as(folder / f"{number:04d}.dcm")
    return folder


def _house(home: Path, sent: Path) -> float:
    url = f"sqlite:///{home / 'lianyi.db'}"
    upgrade(url)
    db = connect(url)
    services = catalogue.build(
        db, SystemClock(), blobs=FileStore(home / "blobs"), compressor=FakeCompressor(), renderer=FakeRenderer(), sms=FakeSms(),
        pdf=FakePdf(), dicom=FakeScu(), hl7=FakeClient(), pepper=b"x" * 32,
    )  # fmt: skip
    document = invented.describe(datetime.now(UTC), his_port=1, pacs_port=2)
    for row in document["accounts"]:
        row["password"] = None
    alliance.load(services.people, db, document, actor="bench")

    def accept(received: Received) -> int:
        return services.imaging.ingest(received.file, received.calling, "bench")

    listener = Listener(ListenerSettings(port=free_port()), accept, draft=services.imaging.draft)
    listener.start()
    try:
        return _send(sent, listener.port)
    finally:
        listener.stop()
        db.close()


def _storescp(folder: Path, sent: Path) -> float:
    folder.mkdir()
    port = free_port()
    process = subprocess.Popen(["storescp", "-od", str(folder), str(port)], stdout=subprocess.DEVNULL)
    try:
        while subprocess.run(["echoscu", "127.0.0.1", str(port)], check=False, capture_output=True).returncode:
            time.sleep(0.05)
        return _send(sent, port)
    finally:
        process.terminate()
        process.wait(10)


def _send(folder: Path, port: int) -> float:
    began = time.perf_counter()
    command = ["storescu", "-aet", "QH_CT", "-aec", "LIANYI", "127.0.0.1", str(port), "+sd", str(folder)]
    subprocess.run(command, check=True, timeout=300, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - began) * 1000 / SLICES
