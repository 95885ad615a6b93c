"""Reads what the index keeps from a Part-10 object, and refuses what is hostile. Keywords as in PS3.6."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from integrations import IntegrationError

UID = re.compile(r"[0-9.]{1,64}")
DEFLATED = "1.2.840.10008.1.2.1.99"
PIXELS_LIMIT = 512 * 1024 * 1024
"""Bytes of decoded pixel data one object may announce."""


class DicomRefused(IntegrationError):
    """The object is not usable DICOM."""

    code = "dicom_refused"
    advice = "Send the object again from the modality; if it is refused again, export it there as plain DICOM Part 10."


@dataclass(frozen=True)
class Header:
    """Index attributes of one object. Names are as sent, decoded; dates YYYYMMDD; absent values are empty or None."""

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
    study_date: str = ""
    study_time: str = ""
    study_description: str = ""
    series_description: str = ""
    modality: str = ""
    body_part: str = ""
    laterality: str = ""
    institution: str = ""
    station: str = ""
    series_number: int | None = None
    instance_number: int | None = None
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
    notes: tuple[str, ...] = field(default=())

    @property
    def has_pixels(self) -> bool:
        """True for image objects."""
        return bool(self.rows and self.columns)


def read(part10: bytes) -> Header:
    """The header of an object; DicomRefused when it is not DICOM, deflated, nested without end, or announces the impossible."""
    from pydicom import dcmread
    from pydicom.errors import InvalidDicomError

    if len(part10) < 132 or part10[128:132] != b"DICM":
        raise DicomRefused("There is no DICM mark after the preamble.")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            syntax = _syntax(part10)
            if syntax == DEFLATED:
                raise DicomRefused("Deflated transfer syntax is not accepted.")
            ds = dcmread(io.BytesIO(part10), stop_before_pixels=True)
            return _header(ds, syntax, {str(w.message).split("'")[0][:80] for w in said})
        except RecursionError:
            raise DicomRefused("Sequences are nested without end.") from None
        except (
            InvalidDicomError,
            EOFError,
            OSError,
            LookupError,
            ValueError,
            TypeError,
            AttributeError,
            NotImplementedError,
        ) as problem:
            raise DicomRefused(f"The data set cannot be read ({type(problem).__name__}).") from None


def _syntax(part10: bytes) -> str:
    from pydicom.filereader import _read_file_meta_info

    stream = io.BytesIO(part10)
    stream.seek(132)
    meta = _read_file_meta_info(stream)
    return str(getattr(meta, "TransferSyntaxUID", ""))


def _header(ds: Any, syntax: str, notes: set[str]) -> Header:
    uids = {
        word: str(getattr(ds, word, "") or "")
        for word in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID")
    }
    for word, value in uids.items():
        if not UID.fullmatch(value):
            raise DicomRefused(f"{word} is missing or is no UID.")
    if not UID.fullmatch(syntax):
        raise DicomRefused("The transfer syntax is missing.")
    number = _reader(ds)
    rows, columns = number("Rows", int), number("Columns", int)
    frames, samples = number("NumberOfFrames", int) or 1, number("SamplesPerPixel", int) or 1
    bits = number("BitsAllocated", int)
    if rows and columns and rows * columns * frames * samples * ((bits or 8) + 7) // 8 > PIXELS_LIMIT:
        raise DicomRefused("The object announces more pixels than are accepted.")
    return Header(
        study_uid=uids["StudyInstanceUID"], series_uid=uids["SeriesInstanceUID"], sop_uid=uids["SOPInstanceUID"],
        sop_class=uids["SOPClassUID"], transfer_syntax=syntax,
        patient_id=_text(ds, "PatientID"), issuer=_text(ds, "IssuerOfPatientID"), patient_name=_text(ds, "PatientName", 200),
        sex=_text(ds, "PatientSex"), birth_date=_text(ds, "PatientBirthDate"), age=_text(ds, "PatientAge"),
        accession=_text(ds, "AccessionNumber"), study_date=_text(ds, "StudyDate"), study_time=_text(ds, "StudyTime"),
        study_description=_text(ds, "StudyDescription"), series_description=_text(ds, "SeriesDescription"),
        modality=_text(ds, "Modality"), body_part=_text(ds, "BodyPartExamined"),
        laterality=_text(ds, "Laterality") or _text(ds, "ImageLaterality"), institution=_text(ds, "InstitutionName"),
        station=_text(ds, "StationName"), series_number=number("SeriesNumber", int), instance_number=number("InstanceNumber", int),
        rows=rows, columns=columns, frames=frames, bits_allocated=bits, bits_stored=number("BitsStored", int),
        pixel_representation=number("PixelRepresentation", int) or 0, samples=samples, photometric=_text(ds, "PhotometricInterpretation"),
        window=_window(ds), slice_thickness=number("SliceThickness", float), pixel_spacing=_pair(_floats(ds, "PixelSpacing")),
        position=_floats(ds, "ImagePositionPatient"), orientation=_floats(ds, "ImageOrientationPatient"),
        lossy=_text(ds, "LossyImageCompression") == "01", burned_in=_text(ds, "BurnedInAnnotation"), notes=tuple(sorted(notes)),
    )  # fmt: skip


def _text(ds: Any, word: str, limit: int = 64) -> str:
    value = getattr(ds, word, None)
    if value is None:
        return ""
    return str(value).replace("\x00", "").strip()[:limit]


def _reader(ds: Any) -> Callable[..., Any]:
    def number(word: str, kind: Callable[[Any], Any]) -> Any:
        value = getattr(ds, word, None)
        return None if value in (None, "") else kind(value)

    return number


def _floats(ds: Any, word: str) -> tuple[float, ...]:
    value = getattr(ds, word, None)
    if value in (None, ""):
        return ()
    return tuple(float(v) for v in (value if hasattr(value, "__iter__") else [value]))


def _pair(values: tuple[float, ...]) -> tuple[float, float] | None:
    return (values[0], values[1]) if len(values) >= 2 else None


def _window(ds: Any) -> tuple[float, float] | None:
    centre, width = _floats(ds, "WindowCenter"), _floats(ds, "WindowWidth")
    return (centre[0], width[0]) if centre and width else None
