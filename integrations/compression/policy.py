"""What is compressed, and how: pure rules on the attributes that describe pixels."""

from __future__ import annotations

from dataclasses import dataclass

NATIVE = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1")
BIG_ENDIAN = "1.2.840.10008.1.2.2"
LOSSY = {f"1.2.840.10008.1.2.4.{n}" for n in (50, 51, 53, 55, 81, 91, 93, 112, 203)}
DECODED = frozenset(
    (
        *NATIVE,
        BIG_ENDIAN,
        "1.2.840.10008.1.2.5",
        *(f"1.2.840.10008.1.2.4.{n}" for n in (50, 51, 57, 70, 80, 81, 90, 91, 201, 202, 203)),
    )
)
"""Transfer syntaxes whose pixels can be decoded here; others are kept as they came and are not shown."""
SMALLEST = 16
"""Rows or columns below which nothing is gained."""
LARGE = 1024
"""Rows or columns from which a picture is looked at in parts."""


@dataclass(frozen=True)
class Pixels:
    """How an object stores its pixels; names as in PS3.3 C.7.6.3."""

    syntax: str
    rows: int
    columns: int
    samples: int
    bits_allocated: int
    photometric: str
    integer: bool = True


@dataclass(frozen=True)
class Recipe:
    """Parameters of a JPEG 2000 codestream: progression order, compression ratios of the quality layers (the last one
    lossless), number of resolutions, precincts of so many pixels each way or none."""

    progression: str
    layers: tuple[int, ...]
    resolutions: int
    precinct: int = 0

    @property
    def name(self) -> str:
        """For the record."""
        parts = f" in precincts of {self.precinct}" if self.precinct else ""
        return f"jpeg2000-lossless {self.progression}, {len(self.layers)} layers{parts}"


def keep_reason(pixels: Pixels | None) -> str:
    """Why an object is kept as it is; empty when it is to be compressed."""
    if pixels is None:
        return "no pixel data"
    reasons = (
        (pixels.syntax == BIG_ENDIAN, "retired big-endian syntax"),
        (pixels.syntax in LOSSY, "already compressed, perhaps with loss"),
        (pixels.syntax not in NATIVE, "already compressed"),
        (not pixels.integer, "floating-point samples"),
        (pixels.photometric == "PALETTE COLOR", "palette colour"),
        (pixels.bits_allocated not in (8, 16), "samples of other than 8 or 16 bits"),
        (pixels.samples not in (1, 3), "samples per pixel"),
        (pixels.samples == 3 and pixels.photometric != "RGB", "colour in other than RGB"),
        (min(pixels.rows, pixels.columns) < SMALLEST, "too small"),
    )
    return next((reason for applies, reason in reasons if applies), "")


def recipe(rows: int, columns: int) -> Recipe:
    """The codestream for a frame. Quality layers first, so that a prefix is already a picture at full size; a large picture by
    resolution and in precincts, so that a window of it can be read alone."""
    small, large = min(rows, columns), max(rows, columns)
    wanted = max(5, (max(1, large // 64) - 1).bit_length())  # halvings until the smallest picture has about 64 pixels
    halvings = max(0, min(wanted, small.bit_length() - 4))
    layers = (60, 25, 10, 1) if small >= 64 else (1,)
    if small >= 64 and large > LARGE:
        return Recipe("RPCL", layers, halvings + 1, precinct=128)
    return Recipe("LRCP", layers, halvings + 1)
