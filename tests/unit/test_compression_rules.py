"""What is compressed and how, and what a codestream may claim: rules on values."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.compression import openjpeg
from integrations.compression.guard import Mismatch, check_stream
from integrations.compression.policy import Pixels, keep_reason, recipe

CT = Pixels("1.2.840.10008.1.2.1", 512, 512, 1, 16, "MONOCHROME2")


def _changed(**values: object) -> Pixels:
    return Pixels(**{**CT.__dict__, **values})  # type: ignore[arg-type]


@pytest.mark.parametrize(("pixels", "word"), [
    (None, "no pixel"), (_changed(syntax="1.2.840.10008.1.2.2"), "big-endian"), (_changed(syntax="1.2.840.10008.1.2.4.91"), "loss"),
    (_changed(syntax="1.2.840.10008.1.2.4.80"), "already compressed"), (_changed(integer=False), "floating"),
    (_changed(photometric="PALETTE COLOR"), "palette"), (_changed(bits_allocated=1), "8 or 16"), (_changed(bits_allocated=32), "8 or 16"),
    (_changed(samples=4), "samples"), (_changed(samples=3, photometric="YBR_FULL"), "RGB"), (_changed(rows=3), "small"),
])  # fmt: skip
def test_what_is_kept_says_why(pixels: Pixels | None, word: str) -> None:
    assert word in keep_reason(pixels)


def test_what_is_compressed() -> None:
    for pixels in (CT, _changed(samples=3, photometric="RGB", bits_allocated=8), _changed(photometric="MONOCHROME1")):
        assert keep_reason(pixels) == ""


@pytest.mark.parametrize(("rows", "columns", "progression", "layers", "resolutions", "precinct"), [
    (512, 512, "LRCP", 4, 6, 0), (1024, 1024, "LRCP", 4, 6, 0), (1760, 1760, "RPCL", 4, 6, 128), (3000, 3000, "RPCL", 4, 7, 128),
    (64, 64, "LRCP", 4, 4, 0), (32, 900, "LRCP", 1, 3, 0), (16, 16, "LRCP", 1, 2, 0),
])  # fmt: skip
def test_recipes(rows: int, columns: int, progression: str, layers: int, resolutions: int, precinct: int) -> None:
    made = recipe(rows, columns)
    assert (made.progression, len(made.layers), made.resolutions, made.precinct) == (
        progression, layers, resolutions, precinct,
    )  # fmt: skip
    assert made.layers[-1] == 1
    assert progression in made.name


@settings(max_examples=60, deadline=None)
@given(st.integers(16, 70000), st.integers(16, 70000))
def test_every_size_has_a_recipe_the_library_knows(rows: int, columns: int) -> None:
    made = recipe(rows, columns)
    assert 1 <= made.resolutions <= 33
    assert min(rows, columns) >> (made.resolutions - 1) >= 4


def _stream(rows: int = 40, columns: int = 48) -> bytes:
    pixels = np.arange(rows * columns, dtype=np.uint16).reshape(rows, columns)
    return openjpeg.encode(pixels, 16, False, recipe(rows, columns))


STREAM = _stream()


def test_a_stream_of_our_own_fits_its_object() -> None:
    check_stream(STREAM, 40, 48, 1)


@pytest.mark.parametrize(("rows", "columns", "samples"), [(41, 48, 1), (40, 47, 1), (40, 48, 3)])
def test_a_stream_of_another_size_does_not(rows: int, columns: int, samples: int) -> None:
    with pytest.raises(Mismatch):
        check_stream(STREAM, rows, columns, samples)


def test_a_stream_of_a_million_tiles_does_not() -> None:
    large = _stream(160, 160)  # 25 600 tiles of one pixel
    one_pixel_tiles = large[:24] + struct.pack(">II", 1, 1) + large[32:]
    check_stream(large, 160, 160, 1)
    with pytest.raises(Mismatch):
        check_stream(one_pixel_tiles, 160, 160, 1)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 120), st.integers(0, 255)), max_size=6), st.integers(0, 200))
def test_mutants_fit_or_do_not(changes: list[tuple[int, int]], cut: int) -> None:
    raw = bytearray(STREAM)
    for at, value in changes:
        raw[at] = value
    for mutant in (bytes(raw), bytes(raw[:cut])):
        try:
            check_stream(mutant, 40, 48, 1)
        except Mismatch:
            continue
