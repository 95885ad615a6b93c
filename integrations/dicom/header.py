"""Reads what the index keeps from a Part-10 object, and refuses what is hostile. Keywords as in PS3.6."""

from __future__ import annotations

import io
import mmap
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

from integrations.dicom.errors import DicomRefused
from integrations.dicom.fields import UID, Fields
from integrations.dicom.scan import Layout, layout
from integrations.foreign import malformed, quiet

OBJECT_LIMIT = 512 * 1024 * 1024
"""Bytes an object may have."""
PIXELS_LIMIT = 512 * 1024 * 1024
"""Bytes of decoded pixel data one object may announce."""


@dataclass(frozen=True)
class Header:
    """Index attributes of one object: the keys of QIDO-RS (PS3.18 10.6.1.2) and what pictures and stacks need.

    Names are as sent, decoded; dates YYYYMMDD; lengths in mm; absent or unreadable values are empty or None. `pixel_offset`
    and `pixel_length` locate native pixel data in the Part-10 bytes; None for fragments or no pixels. `notes` says in words
    without patient data what was wrong with the object.
    """

    study_uid: str
    series_uid: str
    sop_uid: str
    sop_class: str
    transfer_syntax: str
    patient_id: str = ""
    issuer: str = ""
    patient_name: str = ""
    sex: str = ""
    birth_date: str = ""
    age: str = ""
    accession: str = ""
    study_id: str = ""
    study_date: str = ""
    study_time: str = ""
    timezone: str = ""
    study_description: str = ""
    referring_physician: str = ""
    series_description: str = ""
    series_date: str = ""
    series_time: str = ""
    performed_date: str = ""
    performed_time: str = ""
    scheduled_step_id: str = ""
    requested_procedure_id: str = ""
    modality: str = ""
    body_part: str = ""
    laterality: str = ""
    institution: str = ""
    station: str = ""
    manufacturer: str = ""
    character_set: str = ""
    series_number: int | None = None
    instance_number: int | None = None
    frame_of_reference_uid: str = ""
    rows: int | None = None
    columns: int | None = None
    frames: int = 1
    bits_allocated: int | None = None
    bits_stored: int | None = None
    pixel_representation: int = 0
    samples: int = 1
    photometric: str = ""
    window: tuple[float, float] | None = None
    slice_thickness: float | None = None
    pixel_spacing: tuple[float, float] | None = None
    position: tuple[float, ...] = ()
    orientation: tuple[float, ...] = ()
    lossy: bool = False
    burned_in: str = ""
    contrast_agent: str = ""
    acquisition: int | None = None
    acquisition_images: int | None = None
    series_instances: int | None = None
    study_instances: int | None = None
    pixel_offset: int | None = None
    pixel_length: int | None = None
    notes: tuple[str, ...] = ()

    @property
    def has_pixels(self) -> bool:
        """True for image objects."""
        return bool(self.rows and self.columns)

    @property
    def name_groups(self) -> tuple[str, str, str]:
        """The alphabetic, ideographic and phonetic form of the patient's name (PS3.5 6.2.1)."""
        groups = [*self.patient_name.split("="), "", "", ""]
        return groups[0], groups[1], groups[2]


TEXTS = {
    "patient_id": "PatientID", "issuer": "IssuerOfPatientID", "sex": "PatientSex", "birth_date": "PatientBirthDate",
    "age": "PatientAge", "accession": "AccessionNumber", "study_id": "StudyID", "study_date": "StudyDate",
    "study_time": "StudyTime", "timezone": "TimezoneOffsetFromUTC", "study_description": "StudyDescription",
    "series_description": "SeriesDescription", "series_date": "SeriesDate", "series_time": "SeriesTime",
    "performed_date": "PerformedProcedureStepStartDate", "performed_time": "PerformedProcedureStepStartTime",
    "modality": "Modality", "body_part": "BodyPartExamined", "institution": "InstitutionName", "station": "StationName",
    "manufacturer": "Manufacturer", "character_set": "SpecificCharacterSet", "photometric": "PhotometricInterpretation",
    "burned_in": "BurnedInAnnotation", "contrast_agent": "ContrastBolusAgent",
}  # fmt: skip


def read(part10: bytes | BinaryIO) -> Header:
    """The header of an object, bytes or file; DicomRefused when it is not DICOM, deflated, a bomb, without identity, or announces
    the impossible. Of a file only what stands before the pixels is read into memory."""
    from pydicom import dcmread

    with _view(part10) as view:
        if len(view) > OBJECT_LIMIT:
            raise DicomRefused("The object has more bytes than are accepted.")
        found = layout(view)
    source = io.BytesIO(part10) if isinstance(part10, bytes) else part10
    source.seek(0)
    with quiet() as said:
        try:
            ds = dcmread(source, stop_before_pixels=True)
            return _header(ds, found, said)
        except malformed() as problem:
            raise DicomRefused(f"The data set cannot be read ({type(problem).__name__}).") from None


@contextmanager
def _view(part10: bytes | BinaryIO) -> Iterator[bytes | mmap.mmap]:
    if isinstance(part10, bytes):
        yield part10
        return
    try:
        view = mmap.mmap(part10.fileno(), 0, access=mmap.ACCESS_READ)
    except io.UnsupportedOperation:  # a file in memory
        part10.seek(0)
        yield part10.read()
        return
    except ValueError:
        raise DicomRefused("The file is empty.") from None
    with view:
        yield view


def peek(head: bytes) -> Header:
    """What the first bytes of an object tell, whatever was cut off; DicomRefused when they do not begin a DICOM object.

    Nothing of it is trusted: the object is read again whole when it is kept. UIDs that lie beyond the cut are empty.
    """
    from pydicom import dcmread

    if head[128:132] != b"DICM":
        raise DicomRefused("The file is no DICOM object.")
    with quiet():
        try:
            ds = dcmread(io.BytesIO(head), stop_before_pixels=True)
        except malformed() as problem:
            raise DicomRefused(f"The data set cannot be read ({type(problem).__name__}).") from None
    fields = Fields(ds)
    values: dict[str, Any] = {name: fields.text(word) for name, word in TEXTS.items()}
    if not ds:
        raise DicomRefused("The file holds no data set.")
    return Header(
        **values, study_uid=fields.uid("StudyInstanceUID"), series_uid=fields.uid("SeriesInstanceUID"),
        sop_uid=fields.uid("SOPInstanceUID"), sop_class=fields.uid("SOPClassUID"), transfer_syntax="",
        patient_name=fields.text("PatientName", 200), series_number=fields.whole("SeriesNumber"),
        instance_number=fields.whole("InstanceNumber"),
        laterality=fields.text("Laterality") or fields.text("ImageLaterality"),
    )  # fmt: skip


def _header(ds: Any, found: Layout, said: list[warnings.WarningMessage]) -> Header:
    if not UID.fullmatch(found.syntax):
        raise DicomRefused("The transfer syntax is no UID.")
    fields = Fields(ds)
    request = fields.first("RequestAttributesSequence")
    values: dict[str, Any] = {name: fields.text(word) for name, word in TEXTS.items()}
    values |= _sizes(fields) | {
        "study_uid": fields.must_be_uid("StudyInstanceUID"), "series_uid": fields.must_be_uid("SeriesInstanceUID"),
        "sop_uid": fields.must_be_uid("SOPInstanceUID"), "sop_class": fields.must_be_uid("SOPClassUID"),
        "transfer_syntax": found.syntax, "patient_name": fields.text("PatientName", 200),
        "referring_physician": fields.text("ReferringPhysicianName", 200),
        "scheduled_step_id": request.text("ScheduledProcedureStepID"),
        "requested_procedure_id": request.text("RequestedProcedureID"),
        "laterality": fields.text("Laterality") or fields.text("ImageLaterality"),
        "series_number": fields.whole("SeriesNumber"), "instance_number": fields.whole("InstanceNumber"),
        "frame_of_reference_uid": fields.uid("FrameOfReferenceUID"),
        "pixel_representation": fields.whole("PixelRepresentation") or 0, "window": _window(fields),
        "slice_thickness": fields.real("SliceThickness"), "pixel_spacing": fields.reals("PixelSpacing", 2) or None,
        "position": fields.reals("ImagePositionPatient", 3), "orientation": fields.reals("ImageOrientationPatient", 6),
        "acquisition": fields.whole("AcquisitionNumber"), "acquisition_images": fields.whole("ImagesInAcquisition"),
        "series_instances": fields.whole("NumberOfSeriesRelatedInstances"),
        "study_instances": fields.whole("NumberOfStudyRelatedInstances"),
        "lossy": fields.text("LossyImageCompression") == "01",
    }  # fmt: skip
    _pixels(values, found, fields.notes)
    _identity(ds, values, fields.notes)
    fields.notes |= {str(w.message).split("'")[0][:80].strip() for w in said}
    return Header(**values, notes=tuple(sorted(fields.notes)))


def _sizes(fields: Fields) -> dict[str, int | None]:
    sizes = {
        "rows": fields.must_be_size("Rows", 65535), "columns": fields.must_be_size("Columns", 65535),
        "frames": fields.must_be_size("NumberOfFrames", 1 << 31) or 1,
        "samples": fields.must_be_size("SamplesPerPixel", 255) or 1,
        "bits_allocated": fields.must_be_size("BitsAllocated", 64), "bits_stored": fields.must_be_size("BitsStored", 64),
    }  # fmt: skip
    area = (sizes["rows"] or 0) * (sizes["columns"] or 0) * (sizes["frames"] or 1) * (sizes["samples"] or 1)
    if area * (sizes["bits_allocated"] or 8) > PIXELS_LIMIT * 8:
        raise DicomRefused("The object announces more pixels than are accepted.")
    return sizes


def _pixels(values: dict[str, Any], found: Layout, notes: set[str]) -> None:
    if found.cut:
        notes.add("the object ends too early")
    if found.offset < 0 or found.length is None:
        return
    values["pixel_offset"], values["pixel_length"] = found.offset, found.length
    subsampled = values["photometric"] == "YBR_FULL_422"
    bits = values["bits_allocated"] or 8
    area = (
        (values["rows"] or 0) * (values["columns"] or 0) * values["frames"] * (2 if subsampled else values["samples"])
    )
    if found.length < (area * bits + 7) // 8:
        notes.add("the pixel data is shorter than announced")


def _identity(ds: Any, values: dict[str, Any], notes: set[str]) -> None:
    meta = Fields(getattr(ds, "file_meta", None))
    if meta.text("MediaStorageSOPInstanceUID", 100) not in ("", values["sop_uid"]):
        notes.add("the SOP Instance UID differs between file meta information and data set")
    if not values["character_set"] and not (values["patient_name"] + values["patient_id"]).isascii():
        notes.add("the patient is not written in ASCII, though no character set is declared")


def _window(fields: Fields) -> tuple[float, float] | None:
    centre, width = fields.reals("WindowCenter"), fields.reals("WindowWidth")
    return (centre[0], width[0]) if centre and width else None
