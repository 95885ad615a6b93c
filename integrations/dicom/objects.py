"""Objects we make ourselves: the encapsulated PDF of a report, and re-stamped copies for demonstrations."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import datetime
from typing import Any

ENCAPSULATED_PDF = "1.2.840.10008.5.1.4.1.1.104.1"
IMPLEMENTATION = "2.25.326419415965923730482984394351786901560"
"""What names our software in file meta information (PS3.7 annex D.3.3.2), derived from a UUID (PS3.5 annex B.2)."""
FORMER = ("OtherPatientIDs", "OtherPatientIDsSequence", "OtherPatientNames", "PatientAge", "PatientAddress", "PatientBirthName",
          "PatientMotherBirthName", "PatientTelephoneNumbers", "PatientComments", "AdditionalPatientHistory", "EthnicGroup",
          "Occupation", "MedicalRecordLocator", "MilitaryRank", "InstitutionName", "InstitutionAddress", "OperatorsName",
          "PerformingPhysicianName", "PhysiciansOfRecord", "RequestingPhysician", "RequestAttributesSequence",
          "ReferencedStudySequence", "ReferencedPatientSequence", "StudyDescription")  # fmt: skip
"""What a re-stamped object must not keep of the person and place it came from."""


@dataclass(frozen=True)
class Subject:
    """Whom and what an object is about. Dates YYYYMMDD, name as PN in Unicode; no study date: the object's own time."""

    patient_id: str
    patient_name: str
    sex: str
    birth_date: str
    study_uid: str
    accession: str = ""
    issuer: str = ""
    study_date: str = ""
    study_time: str = ""


def _stamp(ds: Any, subject: Subject, when: datetime) -> None:
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.PatientID, ds.PatientName = subject.patient_id, subject.patient_name
    ds.PatientSex, ds.PatientBirthDate = subject.sex, subject.birth_date
    if subject.issuer:
        ds.IssuerOfPatientID = subject.issuer
    ds.StudyInstanceUID, ds.AccessionNumber = subject.study_uid, subject.accession
    ds.StudyDate = subject.study_date or when.strftime("%Y%m%d")
    ds.StudyTime = subject.study_time if subject.study_date else when.strftime("%H%M%S")


def encapsulate_pdf(
    pdf: bytes, subject: Subject, *, series_uid: str, sop_uid: str, title: str, when: datetime
) -> bytes:
    """The Encapsulated PDF object of a document (PS3.3 A.45.1), explicit little endian; the same input gives the same bytes."""
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import UID, ExplicitVRLittleEndian

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = UID(ENCAPSULATED_PDF), UID(sop_uid)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID(IMPLEMENTATION)
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
    """A copy of an object that belongs to another patient and study, marked by `label` in SeriesDescription.

    For public sample images in demonstrations; it is no de-identification of a real patient's images (PS3.15 annex E).
    """
    from pydicom import dcmread
    from pydicom.uid import UID

    ds = dcmread(io.BytesIO(part10))
    _stamp(ds, subject, when)
    ds.SeriesInstanceUID, ds.SOPInstanceUID = series_uid, sop_uid
    ds.file_meta.MediaStorageSOPInstanceUID = UID(sop_uid)
    ds.SeriesDescription = label
    ds.remove_private_tags()
    for word in FORMER if subject.issuer else (*FORMER, "IssuerOfPatientID"):
        if word in ds:
            delattr(ds, word)
    ds.ReferringPhysicianName, ds.StudyID = "", ""
    ds.preamble = b"\0" * 128
    return write(ds)


def write(ds: Any) -> bytes:
    """A data set with file meta information as Part-10 bytes."""
    out = io.BytesIO()
    ds.save_as(out, enforce_file_format=True)
    return out.getvalue()
