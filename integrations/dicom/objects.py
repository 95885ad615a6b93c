"""Objects we make ourselves: the encapsulated PDF of a report, and re-stamped copies for demonstrations."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import datetime
from typing import Any

ENCAPSULATED_PDF = "1.2.840.10008.5.1.4.1.1.104.1"


@dataclass(frozen=True)
class Subject:
    """Whom and what an object is about. Dates YYYYMMDD, name as PN in Unicode."""

    patient_id: str
    patient_name: str
    sex: str
    birth_date: str
    study_uid: str
    accession: str = ""
    issuer: str = ""


def _stamp(ds: Any, subject: Subject, when: datetime) -> None:
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.PatientID, ds.PatientName = subject.patient_id, subject.patient_name
    ds.PatientSex, ds.PatientBirthDate = subject.sex, subject.birth_date
    if subject.issuer:
        ds.IssuerOfPatientID = subject.issuer
    ds.StudyInstanceUID, ds.AccessionNumber = subject.study_uid, subject.accession
    ds.StudyDate, ds.StudyTime = when.strftime("%Y%m%d"), when.strftime("%H%M%S")


def encapsulate_pdf(
    pdf: bytes, subject: Subject, *, series_uid: str, sop_uid: str, title: str, when: datetime
) -> bytes:
    """The Encapsulated PDF object of a document (PS3.3 A.45.1), explicit little endian; the same input gives the same bytes."""
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import UID, ExplicitVRLittleEndian

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = UID(ENCAPSULATED_PDF), UID(sop_uid)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID("1.2.826.0.1.3680043.10.1459.1")
    ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    _stamp(ds, subject, when)
    ds.SOPClassUID, ds.SOPInstanceUID, ds.SeriesInstanceUID = UID(ENCAPSULATED_PDF), UID(sop_uid), UID(series_uid)
    ds.Modality, ds.ConversionType, ds.Manufacturer = "DOC", "WSD", "Lianyi"
    ds.ReferringPhysicianName, ds.StudyID, ds.SeriesNumber, ds.InstanceNumber = "", "", 9001, 1
    ds.ContentDate, ds.ContentTime = when.strftime("%Y%m%d"), when.strftime("%H%M%S")
    ds.AcquisitionDateTime = when.strftime("%Y%m%d%H%M%S")
    ds.BurnedInAnnotation, ds.VerificationFlag, ds.DocumentTitle = "YES", "VERIFIED", title
    ds.ConceptNameCodeSequence = []
    ds.MIMETypeOfEncapsulatedDocument = "application/pdf"
    ds.EncapsulatedDocumentLength = len(pdf)
    ds.EncapsulatedDocument = pdf + b"\0" * (len(pdf) % 2)
    return write(ds)


def restamp(part10: bytes, subject: Subject, *, series_uid: str, sop_uid: str, when: datetime, label: str) -> bytes:
    """A copy of an object that belongs to another patient and study, marked by `label` in SeriesDescription."""
    from pydicom import dcmread
    from pydicom.uid import UID

    ds = dcmread(io.BytesIO(part10))
    _stamp(ds, subject, when)
    ds.SeriesInstanceUID, ds.SOPInstanceUID = series_uid, sop_uid
    ds.file_meta.MediaStorageSOPInstanceUID = UID(sop_uid)
    ds.SeriesDescription = label
    for word in ("OtherPatientIDs", "PatientAge", "PatientAddress", "IssuerOfPatientID", "StudyID", "PatientBirthName"):
        if word in ds and not (word == "IssuerOfPatientID" and subject.issuer):
            delattr(ds, word)
    ds.preamble = b"\0" * 128
    return write(ds)


def write(ds: Any) -> bytes:
    """A data set with file meta information as Part-10 bytes."""
    out = io.BytesIO()
    ds.save_as(out, enforce_file_format=True)
    return out.getvalue()
