"""What rendering takes and gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class KeyImage:
    """A chosen picture of a stack: its place in the list given, the PNG, and why it was chosen."""

    index: int
    png: bytes
    reason: str


class Renderer(Protocol):
    """Draws pictures of DICOM objects for looking over, not for diagnosis."""

    def picture(self, part10: bytes, frame: int = 0, size: int = 512) -> bytes:
        """One frame as PNG, the longer side at most `size` pixels, windowed by the header or by its content."""

    def key_images(self, objects: list[bytes], count: int = 4) -> list[KeyImage]:
        """Pictures that stand for a stack, in its geometric order."""
