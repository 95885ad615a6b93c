"""What rendering takes and gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from integrations import IntegrationError


class NotDrawable(IntegrationError):
    """No picture can be made of this object."""

    code = "not_drawable"
    advice = "Look at it in the sending hospital's system, and ask there for an export as plain DICOM."


@dataclass(frozen=True)
class KeyImage:
    """A chosen picture of a stack: its place in the list given, the PNG, why it was chosen, and its frame."""

    index: int
    png: bytes
    reason: str
    frame: int = 0


class Renderer(Protocol):
    """Draws pictures of DICOM objects for looking over, not for diagnosis."""

    def picture(
        self, part10: bytes, frame: int = 0, size: int = 512, window: tuple[float, float] | None = None
    ) -> bytes:
        """One frame as PNG, the longer side at most `size` pixels; `window` is centre and width in the modality's units, or
        else the header's, or else what the content needs. NotDrawable; what `decode` raises."""

    def thumbnail(self, part10: bytes, size: int = 128) -> bytes:
        """A small PNG of the middle frame."""

    def key_images(self, objects: list[bytes], count: int = 4) -> list[KeyImage]:
        """Pictures that stand for a stack, in its geometric order; none for objects that cannot be decoded."""
