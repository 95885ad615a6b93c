"""Compression is bit-exact or says so; pictures show what is in the slices; a hostile codestream only costs a child process."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.data import get_testdata_file

from integrations.compression import (
    JPEG2000_LOSSLESS,
    Compressor,
    Decoder,
    FakeCompressor,
    GlymurCompressor,
    Undecodable,
)
from integrations.rendering import FakeRenderer, Renderer, WindowedRenderer


def _sample(name: str) -> bytes:
    return Path(str(get_testdata_file(name))).read_bytes()


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    made = Decoder(seconds=20)
    yield made
    made.close()


@pytest.fixture(scope="module")
def compressor(decoder: Decoder) -> GlymurCompressor:
    return GlymurCompressor(decoder)


@pytest.mark.parametrize(
    "name",
    ["CT_small.dcm", "MR_small.dcm", "examples_rgb_color.dcm", "MR_small_implicit.dcm"],
)
def test_native_objects_become_jpeg_2000_and_stay_the_same(compressor: GlymurCompressor, name: str) -> None:
    raw = _sample(name)
    made = compressor.encode(raw)
    assert (made.policy, made.verified) == ("jpeg2000-lossless", True)
    ds = pydicom.dcmread(io.BytesIO(made.part10))
    before = pydicom.dcmread(io.BytesIO(raw))
    assert str(ds.file_meta.TransferSyntaxUID) == JPEG2000_LOSSLESS
    assert ds.SOPInstanceUID == before.SOPInstanceUID
    assert np.array_equal(ds.pixel_array, before.pixel_array)
    assert made.bytes_in == len(raw)


@pytest.mark.parametrize(("name", "word"), [
    ("examples_palette.dcm", "palette"), ("JPEG2000.dcm", "already"), ("rtplan.dcm", "no pixel"), ("liver_1frame.dcm", "samples of"),
    ("SC_rgb_rle.dcm", "already"), ("MR_small_bigendian.dcm", "big-endian"),
])  # fmt: skip
def test_what_gains_nothing_is_kept_with_the_reason(compressor: GlymurCompressor, name: str, word: str) -> None:
    raw = _sample(name)
    made = compressor.encode(raw)
    assert made.part10 == raw
    assert word in made.policy


def test_a_damaged_codestream_ends_in_an_error_not_in_the_process(decoder: Decoder) -> None:
    raw = bytearray(_sample("JPEG2000.dcm"))
    raw[-4000:-2000] = b"\xff" * 2000
    ds = pydicom.dcmread(io.BytesIO(_sample("JPEG2000.dcm")))
    broken = ds.PixelData[:200] + b"\xff\xd9" + b"\0" * 100
    ds.PixelData = broken + b"\0" * (len(broken) % 2)
    out = io.BytesIO()
    ds.save_as(out)
    with pytest.raises(Undecodable):
        decoder.decode(out.getvalue())
    assert decoder.decode(_sample("CT_small.dcm")).shape == (1, 128, 128)


def test_a_child_that_needs_too_much_memory_is_refused() -> None:
    small = Decoder(memory=1024**3, seconds=20)
    ds = pydicom.dcmread(io.BytesIO(_sample("CT_small.dcm")))
    ds.Rows = ds.Columns = 30000
    out = io.BytesIO()
    ds.save_as(out)
    with pytest.raises(Undecodable):
        small.decode(out.getvalue())
    small.close()


@pytest.fixture(params=["windowed", "fake"])
def renderer(request: pytest.FixtureRequest, decoder: Decoder) -> Renderer:
    return WindowedRenderer(decoder.decode) if request.param == "windowed" else FakeRenderer()


def test_pictures_are_png_within_the_size(renderer: Renderer) -> None:
    picture = Image.open(io.BytesIO(renderer.picture(_sample("CT_small.dcm"), size=64)))
    assert max(picture.size) <= 64
    assert renderer.key_images([_sample("CT_small.dcm")] * 3, 2)[0].reason


@pytest.mark.parametrize(
    "name",
    [
        "CT_small.dcm",
        "MR_small.dcm",
        "JPEG2000.dcm",
        "examples_rgb_color.dcm",
        "SC_rgb_jpeg_dcmtk.dcm",
        "examples_ybr_color.dcm",
    ],
)
def test_a_picture_is_neither_black_nor_white(decoder: Decoder, name: str) -> None:
    grey = np.asarray(
        Image.open(io.BytesIO(WindowedRenderer(decoder.decode).picture(_sample(name)))).convert("L"), dtype=float
    )
    assert grey.std() > 3


def test_key_images_follow_geometry_and_content(decoder: Decoder) -> None:
    def slice_at(z: float, busy: bool) -> bytes:
        ds = pydicom.dcmread(io.BytesIO(_sample("CT_small.dcm")))
        ds.ImagePositionPatient = [0, 0, z]
        if not busy:
            ds.PixelData = b"\0" * len(ds.PixelData)
        out = io.BytesIO()
        ds.save_as(out)
        return out.getvalue()

    stack = [slice_at(30, False), slice_at(0, True), slice_at(20, True), slice_at(10, False)]
    chosen = WindowedRenderer(decoder.decode).key_images(stack, 2)
    assert [c.index for c in chosen] == [1, 2]


def test_fake_keeps_the_contract() -> None:
    fake: Compressor = FakeCompressor()
    made = fake.encode(_sample("CT_small.dcm"))
    assert made.verified
    assert made.bytes_in == made.bytes_out
