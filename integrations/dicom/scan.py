"""Walks the elements of a Part-10 object without building any of them (PS3.5 section 7), before a parser is trusted with it.

A parser makes objects of what it reads: a few hundred megabytes of empty sequence items, or of items within items, are enough
to take all memory. The walk counts first. It also finds where the pixel data lies. It is total: whatever the bytes are, it
returns or raises DicomRefused, in a time that grows with the number of elements.
"""

from __future__ import annotations

from dataclasses import dataclass
from mmap import mmap
from struct import Struct

from integrations.dicom.errors import DicomRefused

IMPLICIT, BIG_ENDIAN = "1.2.840.10008.1.2", "1.2.840.10008.1.2.2"
DEFLATED = ("1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.4.95", "1.2.840.10008.1.2.4.205")
"""Syntaxes whose data set is itself compressed: a small object may hold any amount of it."""

ELEMENTS, DEPTH = 500_000, 32
"""How many elements and fragments an object may have, and how deep its sequences may lie in each other."""

UNDEFINED = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
PIXELS = (0x7FE00008, 0x7FE00009, 0x7FE00010)
"""Float, Double Float and Pixel Data."""
SYNTAX = 0x00020010
LONG = {b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"}
"""Value representations with a length of four bytes."""


@dataclass(frozen=True)
class Layout:
    """What the walk found: byte offset and length of the pixel data's value, -1 and 0 without; length None: fragments.

    `cut`: the bytes end before the last element does.
    """

    syntax: str
    elements: int
    offset: int = -1
    length: int | None = 0
    cut: bool = False


class _Form:
    """How tags and lengths are written."""

    def __init__(self, implicit: bool, big: bool = False) -> None:
        mark = ">" if big else "<"
        self.implicit = implicit
        self.tag, self.short, self.long = Struct(mark + "HH"), Struct(mark + "H"), Struct(mark + "I")


def layout(part10: bytes | mmap) -> Layout:
    """Walk an object from its file meta information to its end; DicomRefused when it is none, deflated, or a bomb."""
    if len(part10) < 132 or part10[128:132] != b"DICM":
        raise DicomRefused("There is no DICM mark after the preamble.")
    return _Walk(part10).run()


class _Walk:
    def __init__(self, raw: bytes | mmap) -> None:
        self.raw, self.at, self.end = raw, 132, len(raw)
        self.form = _Form(implicit=False)
        self.outer: list[_Form] = []  # the form outside of each open sequence
        self.syntax, self.elements, self.meta = "", 0, True
        self.found: tuple[int, int] | None = None

    def run(self) -> Layout:
        while self.at + 8 <= self.end:
            tag = self._tag()
            if self.meta and tag >> 16 != 2:
                self._enter_data_set()
                tag = self._tag()
            self.elements += 1
            if self.elements > ELEMENTS:
                raise DicomRefused("There are more elements than are accepted.")
            if tag in (ITEM, ITEM_END):
                self.at += 8
            elif tag == SEQUENCE_END:
                self.at += 8
                self.form = self.outer.pop() if self.outer else self.form
            else:
                vr, head, length = self._head()
                if tag in PIXELS and not self.outer and self.found is None:
                    self.found = self.at + head, length
                self._pass(tag, vr, head, length)
        return self._layout()

    def _tag(self) -> int:
        group, element = self.form.tag.unpack_from(self.raw, self.at)
        return int(group << 16 | element)

    def _enter_data_set(self) -> None:
        self.meta = False
        self.form = _Form(self._checked() == IMPLICIT, self.syntax == BIG_ENDIAN)

    def _checked(self) -> str:
        if not self.syntax:
            raise DicomRefused("The transfer syntax is missing.")
        if self.syntax in DEFLATED:
            raise DicomRefused("Deflated transfer syntaxes are not accepted.")
        return self.syntax

    def _head(self) -> tuple[bytes, int, int]:
        """VR (empty where it is not written), bytes before the value, length of the value."""
        vr = bytes(self.raw[self.at + 4 : self.at + 6])
        if self.form.implicit or not (vr.isalpha() and vr.isupper()):
            return b"", 8, int(self.form.long.unpack_from(self.raw, self.at + 4)[0])
        if vr not in LONG:
            return vr, 8, int(self.form.short.unpack_from(self.raw, self.at + 6)[0])
        if self.at + 12 > self.end:
            return vr, 12, 0
        return vr, 12, int(self.form.long.unpack_from(self.raw, self.at + 8)[0])

    def _pass(self, tag: int, vr: bytes, head: int, length: int) -> None:
        start = self.at + head
        self.at = start
        if length != UNDEFINED:
            self.at += length
            if tag == SYNTAX:
                self.syntax = self.raw[start : min(self.at, start + 64)].decode("ascii", "replace").strip("\0 ")
        elif vr in (b"OB", b"OW") or tag in PIXELS:
            self._pass_fragments()
        else:
            if len(self.outer) >= DEPTH:
                raise DicomRefused("Sequences are nested deeper than is accepted.")
            self.outer.append(self.form)
            if vr == b"UN":  # PS3.5 6.2.2: such a sequence is written implicitly
                self.form = _Form(implicit=True)

    def _pass_fragments(self) -> None:
        while self.at + 8 <= self.end:
            tag, length = self._tag(), int(self.form.long.unpack_from(self.raw, self.at + 4)[0])
            self.at += 8
            self.elements += 1
            if tag != ITEM or length == UNDEFINED:
                return
            self.at += length

    def _layout(self) -> Layout:
        cut = self.at > self.end or bool(self.outer)
        if self.found is None:
            return Layout(self._checked(), self.elements, cut=cut or self.at < self.end)
        offset, length = self.found
        return Layout(self._checked(), self.elements, offset, None if length == UNDEFINED else length, cut)
