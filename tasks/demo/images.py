"""The demo study: the phantom stack and pydicom's own small CT and MR images, all stamped with the demo patient and labelled."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

SPACE = UUID("5f0c8a52-0e1e-4b5f-9d0c-7c2f6a3f51d1")
CT = "1.2.840.10008.5.1.4.1.1.2"


def uid(*parts: str) -> str:
    """A UID that follows from words (PS3.5 annex B.2)."""
    return f"2.25.{uuid5(SPACE, '/'.join(parts)).int}"


@dataclass(frozen=True)
class Subject:
    """Whose images they are and what they show; `stamp` makes the UIDs of this run, `when` is the time of the study."""

    stamp: str
    when: datetime
    patient_id: str
    name: str
    accession: str
    sex: str = "M"
    birth: date = date(1959, 3, 12)
    institution: str = "青禾县人民医院"
    seed: int = 7


def objects(subject: Subject) -> list[bytes]:
    """All objects of the study as Part-10 bytes."""
    return [*phantom(subject), *_samples(subject)]


def _identify(ds: Any, subject: Subject, series: str, number: int) -> None:
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.PatientID, ds.PatientName, ds.PatientSex = subject.patient_id, subject.name, subject.sex
    ds.PatientBirthDate = subject.birth.strftime("%Y%m%d")
    ds.StudyInstanceUID, ds.SeriesInstanceUID = uid(subject.stamp, "study"), uid(subject.stamp, series)
    ds.SOPInstanceUID = uid(subject.stamp, series, str(number))
    ds.AccessionNumber, ds.InstanceNumber = subject.accession, number
    ds.StudyDate, ds.StudyTime = subject.when.strftime("%Y%m%d"), subject.when.strftime("%H%M%S")
    ds.StudyDescription, ds.BodyPartExamined, ds.InstitutionName = "头颅CT平扫 DEMO", "HEAD", subject.institution
    ds.ReferringPhysicianName, ds.StudyID = "", "DEMO"


def phantom(subject: Subject, slices: range | None = None) -> Iterator[bytes]:
    """The slices of the phantom stack from the base of the skull upwards, all of them unless some are named (from 1)."""
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    from tasks.demo.phantom import SIZE, SLICES, slice_at

    for number in slices or range(1, SLICES + 1):
        meta = FileMetaDataset()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
        _identify(ds, subject, "phantom", number)
        ds.SOPClassUID, ds.Modality, ds.SeriesNumber = CT, "CT", 1
        ds.SeriesDescription, ds.ImageType = "PHANTOM 5 mm", ["DERIVED", "SECONDARY", "AXIAL"]
        ds.Rows = ds.Columns = SIZE
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation, ds.SamplesPerPixel = 16, 16, 15, 1, 1
        ds.PhotometricInterpretation, ds.RescaleSlope, ds.RescaleIntercept = "MONOCHROME2", 1, 0
        ds.PixelSpacing, ds.SliceThickness = [0.9, 0.9], 5
        ds.ImageOrientationPatient, ds.ImagePositionPatient = [1, 0, 0, 0, 1, 0], [-115, -115, 5 * number]
        ds.WindowCenter, ds.WindowWidth = 35, 90
        ds.PixelData = slice_at(number - 1, subject.seed).astype("<i2").tobytes()
        yield _bytes(ds)


def _samples(subject: Subject) -> Iterator[bytes]:
    from pydicom import dcmread
    from pydicom.data import get_testdata_file

    for number, file in enumerate(("CT_small.dcm", "MR_small.dcm"), 1):
        path = get_testdata_file(file, download=False)
        ds = dcmread(io.BytesIO(Path(str(path)).read_bytes()))
        for word in ("PatientAge", "OtherPatientIDs", "PatientAddress", "PatientBirthName", "AdditionalPatientHistory"):
            if word in ds:
                delattr(ds, word)
        _identify(ds, subject, file, number)
        ds.SeriesDescription, ds.SeriesNumber = f"SAMPLE {file}", 1 + number
        yield _bytes(ds)


def _bytes(ds: Any) -> bytes:
    ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    out = io.BytesIO()
    ds.save_as(out, enforce_file_format=True)
    return out.getvalue()
