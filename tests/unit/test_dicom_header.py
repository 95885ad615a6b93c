"""The index reads what real devices send, notes what is odd, and refuses what is hostile before a parser builds it."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.data import get_testdata_file
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from integrations.dicom import DicomRefused, Subject, read, restamp
from integrations.dicom.scan import layout

DATA = Path(os.environ.get("LIANYI_TEST_DATA", str(Path(__file__).parents[3] / "shared" / "data"))) / "dicom"
WHEN = datetime(2026, 11, 24, 8, 42, tzinfo=UTC)
SUBJECT = Subject("P1", "Wang^Shili=王^示例", "M", "19590312", "2.25.1", "A1")


def _sample(name: str) -> bytes:
    return Path(str(get_testdata_file(name))).read_bytes()


CT = _sample("CT_small.dcm")
META_END = 132 + 12 + struct.unpack("<I", CT[140:144])[0]
OPEN_SEQUENCE = struct.pack("<HH", 0x0008, 0x1140) + b"SQ\0\0" + struct.pack("<I", 0xFFFFFFFF)
OPEN_ITEM = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
EMPTY_ITEM = struct.pack("<HHI", 0xFFFE, 0xE000, 0)
EMPTY_ELEMENT = struct.pack("<HH", 0x0009, 0x1001) + b"LO" + struct.pack("<H", 0)


def _written(ds: Dataset) -> bytes:
    out = io.BytesIO()
    ds.save_as(out)
    return out.getvalue()


def _ct(**values: bytes | None) -> bytes:
    """The sample with other bytes as the value of some elements, or without them."""
    ds = pydicom.dcmread(io.BytesIO(CT))
    for word, value in values.items():
        tag = pydicom.tag.Tag(word)
        if value is None:
            del ds[tag]
        else:
            ds[tag] = RawDataElement(tag, ds[tag].VR, len(value), value, 0, False, True)
    return _written(ds)


@pytest.mark.parametrize(("raw", "word"), [
    (b"", "DICM"), (b"#!/bin/sh\n" + b"\0" * 300, "DICM"), (CT[:134], "transfer syntax"), (CT[:META_END], "StudyInstanceUID"),
    (CT[:META_END] + (OPEN_SEQUENCE + OPEN_ITEM) * 20_000, "nested"), (CT[:META_END] + OPEN_SEQUENCE + EMPTY_ITEM * 600_000, "elements"),
    (CT[:META_END] + EMPTY_ELEMENT * 600_000, "elements"), (_sample("image_dfl.dcm"), "Deflated"), (_ct(Rows=b"\0\2\0\2"), "Rows"),
    (_ct(Rows=b"\x60\xea", Columns=b"\x60\xea"), "pixels"), (_ct(StudyInstanceUID=b"../../x\0"), "StudyInstanceUID"),
    (_ct(SOPInstanceUID=b"1." * 33), "SOPInstanceUID"), (_ct(SeriesInstanceUID=None), "SeriesInstanceUID"),
], ids=["empty", "script", "cut", "bare", "nested", "items", "elements", "deflated", "rows-twice", "huge", "path", "long-uid",
        "no-series"])  # fmt: skip
def test_hostile_objects_are_refused_with_advice(raw: bytes, word: str) -> None:
    with pytest.raises(DicomRefused) as caught:
        read(raw)
    assert word.lower() in caught.value.detail.lower()
    assert caught.value.advice
    assert caught.value.code == "dicom_refused"


BOMB = """
import resource, struct, sys
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
from integrations.dicom import DicomRefused, read
raw = open(sys.argv[1], "rb").read() + struct.pack("<HHI", 0xFFFE, 0xE000, 0) * 10_000_000
try:
    read(raw)
except DicomRefused:
    print("refused")
"""


def test_a_bomb_of_items_is_refused_within_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "bomb.dcm"
    path.write_bytes(CT[:META_END] + OPEN_SEQUENCE)
    here = str(Path(__file__).parents[2])
    said = subprocess.run([sys.executable, "-c", BOMB, str(path)], capture_output=True, text=True, check=True, cwd=here)
    assert said.stdout.strip() == "refused"


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(128, 1500), st.integers(0, 255)), max_size=12), st.integers(0, len(CT)))
def test_mutants_are_read_or_refused(changes: list[tuple[int, int]], cut: int) -> None:
    raw = bytearray(CT)
    for at, value in changes:
        raw[at] = value
    for mutant in (bytes(raw), bytes(raw[:cut])):
        try:
            header = read(mutant)
        except DicomRefused:
            continue
        assert header.sop_uid


def test_a_real_header_is_read_whole() -> None:
    header = read(CT)
    assert (header.rows, header.columns, header.pixel_representation, header.modality) == (128, 128, 1, "CT")
    assert (header.bits_allocated, header.bits_stored, header.samples, header.frames) == (16, 16, 1, 1)
    assert header.pixel_spacing == (0.661468, 0.661468)
    assert len(header.position) == 3
    assert len(header.orientation) == 6
    assert header.notes == ()
    assert not header.lossy


@pytest.mark.parametrize(
    "name", ["CT_small.dcm", "MR_small.dcm", "MR_small_implicit.dcm", "MR_small_bigendian.dcm", "rtdose.dcm"]
)
def test_native_pixels_are_located(name: str) -> None:
    raw = _sample(name)
    header = read(raw)
    assert header.pixel_offset is not None
    assert header.pixel_length is not None
    found = raw[header.pixel_offset : header.pixel_offset + header.pixel_length]
    assert found == pydicom.dcmread(io.BytesIO(raw)).PixelData


def test_fragments_and_no_pixels_are_not_located() -> None:
    for name in ("JPEG2000.dcm", "rtplan.dcm"):
        header = read(_sample(name))
        assert (header.pixel_offset, header.pixel_length) == (None, None)


def test_a_chinese_patient_keeps_his_name() -> None:
    header = read(restamp(CT, SUBJECT, series_uid="2.25.2", sop_uid="2.25.3", when=WHEN, label="DEMO"))
    assert header.name_groups == ("Wang^Shili", "王^示例", "")
    assert (header.patient_id, header.study_uid, header.accession) == ("P1", "2.25.1", "A1")
    assert (header.study_date, header.character_set) == ("20261124", "ISO_IR 192")
    assert header.series_description == "DEMO"


def test_a_restamped_copy_forgets_whom_it_came_from() -> None:
    raw = _ct()
    ds = pydicom.dcmread(io.BytesIO(raw))
    ds.InstitutionName, ds.OtherPatientIDs, ds.OperatorsName = "SOMEWHERE", "OLD-ID", "SOMEBODY"
    copy = restamp(_written(ds), SUBJECT, series_uid="2.25.2", sop_uid="2.25.3", when=WHEN, label="DEMO")
    for word in (b"SOMEWHERE", b"OLD-ID", b"SOMEBODY"):
        assert word not in copy
    assert pydicom.dcmread(io.BytesIO(copy)).PixelData == ds.PixelData


def test_odd_values_are_noted_and_do_not_stop_the_rest() -> None:
    header = read(_ct(SliceThickness=b"thin", ImagePositionPatient=b"1\\2 ", InstanceNumber=b"x "))
    assert (header.slice_thickness, header.position, header.instance_number) == (None, (), None)
    assert {n.split()[0] for n in header.notes} >= {"SliceThickness", "ImagePositionPatient", "InstanceNumber"}
    assert header.rows == 128


def test_numbers_beyond_all_numbers_are_absent() -> None:
    header = read(_ct(SliceThickness=b"1e999 "))
    assert (header.slice_thickness, header.window) == (None, None)


def test_names_without_a_character_set_are_noted() -> None:
    ds = pydicom.dcmread(io.BytesIO(CT))
    ds.SpecificCharacterSet = "GB18030"
    ds.PatientName = "王小明"
    raw = _written(ds)
    declared = struct.pack("<HH", 0x0008, 0x0005) + b"CS" + struct.pack("<H", 8) + b"GB18030 "
    assert declared in raw
    assert any("character set" in note for note in read(raw.replace(declared, b"")).notes)
    assert read(raw).patient_name == "王小明"


def test_short_pixel_data_is_noted() -> None:
    assert any("shorter" in n for n in read(_ct(Rows=b"\0\1")).notes)
    assert any("ends too early" in n for n in read(CT[:-2000]).notes)


def test_sequences_of_sane_depth_are_walked() -> None:
    ds = pydicom.dcmread(io.BytesIO(CT))
    request = Dataset()
    request.ScheduledProcedureStepID, request.RequestedProcedureID = "S1", "R1"
    ds.RequestAttributesSequence = Sequence([request])
    ds["RequestAttributesSequence"].is_undefined_length = True
    header = read(_written(ds))
    assert (header.scheduled_step_id, header.requested_procedure_id) == ("S1", "R1")
    assert header.pixel_length == 128 * 128 * 2


def test_the_walk_agrees_with_the_parser_on_shared_data() -> None:
    files = sorted(p for p in DATA.glob("*/*") if p.is_file() and p.suffix not in (".md", ".origin"))
    if not files:
        pytest.skip(f"no shared data in {DATA}")
    read_ones = 0
    for path in files[::9]:
        raw = path.read_bytes()
        try:
            header = read(raw)
        except DicomRefused:
            continue
        ds = pydicom.dcmread(io.BytesIO(raw))
        found = layout(raw)
        assert (found.offset >= 0) == any(w in ds for w in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")), (
            path
        )
        if header.pixel_offset is not None and header.pixel_length is not None and "PixelData" in ds:
            assert raw[header.pixel_offset : header.pixel_offset + header.pixel_length] == ds.PixelData, path
        read_ones += 1
    assert read_ones > 20


def test_a_file_reads_like_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "ct.dcm"
    path.write_bytes(CT)
    with path.open("rb") as file:
        assert read(file) == read(io.BytesIO(CT)) == read(CT)
    path.write_bytes(b"")
    with path.open("rb") as file, pytest.raises(DicomRefused):
        read(file)


def test_of_a_file_the_pixels_are_not_read(tmp_path: Path) -> None:
    path, ds = tmp_path / "large.dcm", pydicom.dcmread(io.BytesIO(CT))
    ds.PixelData = bytes(64 << 20)
    ds.save_as(path)
    with path.open("rb") as file:
        tracemalloc.start()
        assert read(file).modality == "CT"
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert most < 4 << 20
