"""What is wrong with an object."""

from __future__ import annotations

from integrations import IntegrationError


class DicomRefused(IntegrationError):
    """The object is not usable DICOM."""

    code = "dicom_refused"
    advice = "Send the object again from the modality; if it is refused again, export it there as plain DICOM Part 10."
