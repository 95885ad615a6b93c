"""What can go wrong with a file."""

from __future__ import annotations

from engine.errors import LianyiError


class FileTooLarge(LianyiError):
    """The file is too large."""

    code = "file_too_large"
    status = 413
    advice = "Send at most 50 MB a file; images go by DICOM."


class FileRefused(LianyiError):
    """This kind of file is not taken here."""

    code = "file_refused"
    status = 422
    advice = "Take a PDF, a PNG or a JPEG; the content has to be what the name says."


class FileEmpty(FileRefused):
    """The file is empty."""

    code = "file_empty"
    advice = "Look at it on your computer; it may not have been saved or copied whole."
