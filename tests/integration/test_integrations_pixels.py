"""Compression is bit-exact or says so; pictures show what is in the slices; a hostile codestream only costs a child process."""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.pixels import pixel_array  # type: ignore[attr-defined]
from pydicom.uid import ExplicitVRLittleEndian

from integrations.compression import (
    JPEG2000_LOSSLESS,
    Compressor,
    Decoder,
    FakeCompressor,
    GlymurCompressor,
    Undecodable,
    lossless,
    openjpeg,
)
from integrations.rendering import FakeRenderer, NotDrawable, Renderer, WindowedRenderer

DATA = Path(os.environ.get("LIANYI_TEST_DATA", str(Path(__file__).parents[3] / "shared" / "data"))) / "dicom"


def _sample(name: str) -> bytes:
    return Path(str(get_testdata_file(name))).read_bytes()


def _written(ds: Dataset) -> bytes:
    out = io.BytesIO()
    ds.save_as(out, enforce_file_format=True)
    return out.getvalue()


def _image(pixels: NDArray[Any], **values: object) -> bytes:
    """An object with these pixels: (rows, columns), (frames, rows, columns) or (frames, rows, columns, 3)."""
    ds = pydicom.dcmread(io.BytesIO(_sample("CT_small.dcm")))
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    for word in ("PixelPaddingValue", "RescaleSlope", "RescaleIntercept", "WindowCenter", "WindowWidth"):
        if word in ds:
            delattr(ds, word)
    colour = pixels.ndim == 4
    shape = pixels.shape[1:3] if pixels.ndim > 2 else pixels.shape
    ds.Rows, ds.Columns = shape
    if pixels.ndim > 2:
        ds.NumberOfFrames = len(pixels)
    ds.SamplesPerPixel, ds.PhotometricInterpretation = (3, "RGB") if colour else (1, "MONOCHROME2")
    if colour:
        ds.PlanarConfiguration = 0
    bits = pixels.dtype.itemsize * 8
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = bits, bits, bits - 1
    ds.PixelRepresentation = int(pixels.dtype.kind == "i")
    ds.PixelData = pixels.tobytes() + b"\0" * (pixels.nbytes % 2)
    ds["PixelData"].VR = "OW" if bits > 8 else "OB"
    for word, value in values.items():
        setattr(ds, word, value)
    if "PixelPaddingValue" in ds:
        ds["PixelPaddingValue"].VR = "SS"
    return _written(ds)


def _smooth(rows: int = 96, columns: int = 128) -> NDArray[np.float64]:
    y, x = np.mgrid[:rows, :columns]
    return np.asarray(1000 * np.exp(-((x - columns / 2) ** 2 + (y - rows / 3) ** 2) / 900) + x)


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    made = Decoder(seconds=20)
    yield made
    made.close()


@pytest.fixture(scope="module")
def compressor(decoder: Decoder) -> GlymurCompressor:
    return GlymurCompressor(decoder)


@pytest.fixture(scope="module")
def drawer(decoder: Decoder) -> WindowedRenderer:
    return WindowedRenderer(decoder.decode)


# -- compression ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "name", ["CT_small.dcm", "MR_small.dcm", "examples_rgb_color.dcm", "MR_small_implicit.dcm", "examples_overlay.dcm"]
)
def test_native_objects_become_jpeg_2000_and_stay_the_same(compressor: GlymurCompressor, name: str) -> None:
    raw = _sample(name)
    made = compressor.encode(raw)
    assert made.verified
    assert made.policy == "jpeg2000-lossless LRCP, 4 layers"
    ds = pydicom.dcmread(io.BytesIO(made.part10))
    before = pydicom.dcmread(io.BytesIO(raw))
    assert str(ds.file_meta.TransferSyntaxUID) == JPEG2000_LOSSLESS
    assert ds.SOPInstanceUID == before.SOPInstanceUID
    assert np.array_equal(ds.pixel_array, before.pixel_array)
    assert (made.bytes_in, made.bytes_out) == (len(raw), len(made.part10))
    assert made.bytes_out < made.bytes_in


rng = np.random.default_rng(7)
SHAPES: dict[str, tuple[NDArray[Any], dict[str, object]]] = {
    "signed": ((_smooth() - 600).astype(np.int16), {}),
    "signed-bytes": ((_smooth() / 10 - 60).astype(np.int8), {}),
    "bytes": ((_smooth() / 9).astype(np.uint8), {}),
    "twelve-bits": (_smooth().astype(np.uint16), {"BitsStored": 12, "HighBit": 11}),
    "padding-beyond-the-bits": (np.where(_smooth() > 900, -2000, _smooth()).astype(np.int16), {"BitsStored": 12, "HighBit": 11}),
    "frames": (np.stack([_smooth() + 50 * i for i in range(5)]).astype(np.uint16), {}),
    "noise": (rng.integers(0, 65536, (70, 70)).astype(np.uint16), {}),
    "colour": (rng.integers(0, 256, (1, 64, 64, 3)).astype(np.uint8), {}),
    "colour-frames": (rng.integers(0, 256, (3, 64, 80, 3)).astype(np.uint8), {}),
    "one-value": (np.full((64, 64), -3, np.int16), {}),
    "thin": (_smooth(17, 301).astype(np.uint16), {}),
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_of_pixels_stays_the_same(compressor: GlymurCompressor, name: str) -> None:
    pixels, values = SHAPES[name]
    raw = _image(pixels, **values)
    made = compressor.encode(raw)
    assert made.policy.startswith("jpeg2000-lossless")
    ds, before = pydicom.dcmread(io.BytesIO(made.part10)), pydicom.dcmread(io.BytesIO(raw))
    assert np.array_equal(ds.pixel_array, before.pixel_array)
    assert ds.pixel_array.dtype == before.pixel_array.dtype
    assert made.frames == (len(pixels) if pixels.ndim > 2 else 1)
    if pixels.ndim == 4:
        assert (ds.PhotometricInterpretation, ds.PlanarConfiguration) == ("YBR_RCT", 0)


def test_colour_by_planes_is_brought_together(compressor: GlymurCompressor) -> None:
    pixels = rng.integers(0, 256, (1, 64, 64, 3)).astype(np.uint8)
    by_planes = _image(pixels, PlanarConfiguration=1, PixelData=pixels[0].transpose(2, 0, 1).tobytes())
    ds = pydicom.dcmread(io.BytesIO(compressor.encode(by_planes).part10))
    assert np.array_equal(ds.pixel_array, pixels[0])


def test_a_second_library_decodes_the_same(compressor: GlymurCompressor) -> None:
    raw = _image((_smooth() - 600).astype(np.int16))
    made = compressor.encode(raw)
    for plugin in ("pylibjpeg", "gdcm", "pillow"):
        assert np.array_equal(
            pixel_array(io.BytesIO(made.part10), decoding_plugin=plugin), pixel_array(io.BytesIO(raw))
        ), plugin


def _markers(stream: bytes) -> set[int]:
    """Markers of the main header and of the first tile-part's (ISO 15444-1 annex A)."""
    at, seen = 2, set()
    while at + 4 <= len(stream):
        marker, length = struct.unpack_from(">HH", stream, at)
        if marker == 0xFF93:
            break
        seen.add(marker)
        at += 2 + length
    return seen


def test_codestreams_carry_what_partial_reading_needs(compressor: GlymurCompressor) -> None:
    large = _image(_smooth(300, 1100).astype(np.uint16), BitsStored=12, HighBit=11)
    made = compressor.encode(large)
    assert made.policy == "jpeg2000-lossless RPCL, 4 layers in precincts of 128"
    stream = next(generate_frames(pydicom.dcmread(io.BytesIO(made.part10)).PixelData, number_of_frames=1))
    assert {0xFF55, 0xFF58} <= _markers(stream), "TLM and PLT"
    cod = stream.index(b"\xff\x52")
    progression, layers = stream[cod + 5], struct.unpack_from(">H", stream, cod + 6)[0]
    assert (progression, layers) == (2, 4)
    assert stream[42] == 11, "Ssiz: twelve bits, unsigned"
    signed = openjpeg.encode((_smooth() - 600).astype(np.int16), 16, True, lossless.policy.recipe(96, 128))
    assert signed[42] == 0x80 | 15


def test_very_many_bytes_get_an_extended_offset_table(
    compressor: GlymurCompressor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lossless, "BASIC_TABLE_LIMIT", 10)
    pixels = np.stack([_smooth() + 50 * i for i in range(3)]).astype(np.uint16)
    ds = pydicom.dcmread(io.BytesIO(compressor.encode(_image(pixels)).part10))
    assert len(ds.ExtendedOffsetTable) == 3 * 8
    assert np.array_equal(ds.pixel_array, pixels)


@pytest.mark.parametrize(("name", "word"), [
    ("examples_palette.dcm", "palette"), ("JPEG2000.dcm", "already"), ("rtplan.dcm", "no pixel"), ("liver_1frame.dcm", "samples of"),
    ("SC_rgb_rle.dcm", "already"), ("MR_small_bigendian.dcm", "big-endian"), ("JPEG2000.dcm", "loss"),
])  # fmt: skip
def test_what_gains_nothing_is_kept_with_the_reason(compressor: GlymurCompressor, name: str, word: str) -> None:
    raw = _sample(name)
    made = compressor.encode(raw)
    assert made.part10 == raw
    assert word in made.policy
    assert len(made.pixels_sha256) == (0 if name == "rtplan.dcm" else 64)


def test_the_hash_is_of_the_pixels_not_of_their_coding(compressor: GlymurCompressor) -> None:
    hashes = {
        compressor.encode(_sample(n)).pixels_sha256
        for n in ("MR_small.dcm", "MR_small_implicit.dcm", "MR_small_RLE.dcm", "MR_small_jpeg_ls_lossless.dcm")
    }
    assert len(hashes) == 1


def test_missing_pixels_are_undecodable(compressor: GlymurCompressor) -> None:
    with pytest.raises(Undecodable):
        compressor.encode(_sample("MR_truncated.dcm"))


def test_shared_data_is_bit_exact(compressor: GlymurCompressor) -> None:
    found = [next(iter(sorted(DATA.glob(f"{folder}/*{end}"))), None) for folder, end in (
        ("ct-head-ge", ".dcm"), ("mr-t1-brain-7t", ".dcm"), ("mr-enhanced-siemens-xa", ".img"), ("misc-dcm4che", "ovly_p01.dcm"),
        ("mr-pd-brain-ge", "001.dcm"), ("mr-cine-op-sr-dcmjs", "cine-test.dcm"))]  # fmt: skip
    if not all(found):
        pytest.skip(f"no shared data in {DATA}")
    for path in found:
        made = compressor.encode(path.read_bytes()) if path else None
        assert made is not None
        assert (made.verified, made.policy) == (True, "jpeg2000-lossless LRCP, 4 layers"), path


@pytest.fixture(params=["glymur", "fake"])
def any_compressor(request: pytest.FixtureRequest, compressor: GlymurCompressor) -> Compressor:
    return compressor if request.param == "glymur" else FakeCompressor()


def test_compressor_contract(any_compressor: Compressor) -> None:
    raw = _sample("CT_small.dcm")
    made = any_compressor.encode(raw)
    assert made.verified
    assert (made.bytes_in, made.bytes_out, made.frames) == (len(raw), len(made.part10), 1)
    assert len(made.pixels_sha256) == 64
    assert made.policy
    assert any_compressor.encode(raw) == made


def test_a_glymurrc_in_the_working_directory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "glymurrc").write_text("[library]\nopenjp2: /tmp/evil.so\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RuntimeError, match="glymurrc"):
        openjpeg._import_glymur()


# -- decoding what strangers send -------------------------------------------------------------------------------------
def _with_stream(stream: bytes, **values: object) -> bytes:
    ds = pydicom.dcmread(io.BytesIO(_sample("MR_small_jp2klossless.dcm")))
    ds.PixelData = encapsulate([stream + b"\0" * (len(stream) % 2)])
    for word, value in values.items():
        setattr(ds, word, value)
    return _written(ds)


def _stream() -> bytes:
    ds = pydicom.dcmread(io.BytesIO(_sample("MR_small_jp2klossless.dcm")))
    return next(generate_frames(ds.PixelData, number_of_frames=1))


def _claiming(rows: int, columns: int) -> bytes:
    stream = _stream()
    return stream[:8] + struct.pack(">IIIIII", columns, rows, 0, 0, columns, rows) + stream[32:]


HOSTILE = {
    "cut": lambda: _with_stream(_stream()[:200]),
    "rubbish": lambda: _with_stream(b"\xff" * 400),
    "30000 squared": lambda: _with_stream(_claiming(30000, 30000)[:144], Rows=30000, Columns=30000),
    "other size": lambda: _with_stream(_claiming(30000, 30000)),
    "nothing": lambda: _with_stream(b"\0\0"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_codestream_ends_in_an_error_not_in_the_process(decoder: Decoder, name: str) -> None:
    with pytest.raises(Undecodable) as caught:
        decoder.decode(HOSTILE[name]())
    assert caught.value.advice
    with pytest.raises(Undecodable):
        decoder.check(HOSTILE[name]())
    assert decoder.decode(_sample("CT_small.dcm")).shape == (1, 128, 128)


def test_frames_come_alone_or_together(decoder: Decoder) -> None:
    pixels = np.stack([_smooth() + 50 * i for i in range(4)]).astype(np.uint16)
    raw = _image(pixels)
    assert np.array_equal(decoder.decode(raw), pixels)
    assert np.array_equal(decoder.decode(raw, 2), pixels[2:3])
    assert decoder.check(raw) == (4, 96, 128)
    assert decoder.decode(_sample("examples_ybr_color.dcm"), 3).shape == (1, 240, 320, 3)


def test_a_child_that_needs_too_much_memory_is_refused() -> None:
    small = Decoder(memory=1024**3, seconds=20, children=1)
    ds = pydicom.dcmread(io.BytesIO(_sample("CT_small.dcm")))
    ds.Rows = ds.Columns = 30000
    with pytest.raises(Undecodable):
        small.decode(_written(ds))
    small.close()


def test_a_child_that_is_late_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    hasty = Decoder(seconds=0.001, children=1)
    with pytest.raises(Undecodable):
        hasty.decode(_sample("examples_ybr_color.dcm"))
    hasty.close()


def test_a_child_that_dies_is_replaced() -> None:
    single = Decoder(children=1, seconds=20)
    raw = _sample("CT_small.dcm")
    assert single.check(raw) == (1, 128, 128)
    process = single._children[0]._process
    assert process is not None
    process.kill()
    process.wait()
    assert single.check(raw) == (1, 128, 128)
    single.close()
    assert single.check(raw) == (1, 128, 128)
    single.close()


def test_a_child_knows_no_secret_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIANYI_SECRET_KEY", "hush")
    single = Decoder(children=1, seconds=20)
    single.check(_sample("CT_small.dcm"))
    process = single._children[0]._process
    assert process is not None
    assert b"hush" not in Path(f"/proc/{process.pid}/environ").read_bytes()
    single.close()


# -- pictures ---------------------------------------------------------------------------------------------------------
def _seen(png: bytes) -> NDArray[Any]:
    return np.asarray(Image.open(io.BytesIO(png)), dtype=int)


@pytest.fixture(params=["windowed", "fake"])
def renderer(request: pytest.FixtureRequest, drawer: WindowedRenderer) -> Renderer:
    return drawer if request.param == "windowed" else FakeRenderer()


def test_renderer_contract(renderer: Renderer) -> None:
    raw = _sample("CT_small.dcm")
    assert max(Image.open(io.BytesIO(renderer.picture(raw, size=64))).size) <= 64
    assert max(Image.open(io.BytesIO(renderer.thumbnail(raw))).size) <= 128
    assert Image.open(io.BytesIO(renderer.picture(raw, 0, 64, window=(40.0, 400.0)))).format == "PNG"
    chosen = renderer.key_images([raw] * 3, 2)
    assert len(chosen) == 2
    assert all(c.reason and c.png for c in chosen)
    assert renderer.key_images([]) == []


@pytest.mark.parametrize("name", ["CT_small.dcm", "MR_small.dcm", "JPEG2000.dcm", "examples_rgb_color.dcm", "SC_rgb_jpeg_dcmtk.dcm",
                                  "examples_ybr_color.dcm", "examples_palette.dcm", "liver_1frame.dcm", "rtdose.dcm"])  # fmt: skip
def test_a_picture_is_neither_black_nor_white(drawer: WindowedRenderer, name: str) -> None:
    assert _seen(drawer.picture(_sample(name))).std() > 3


def test_colours_are_the_colours(drawer: WindowedRenderer) -> None:
    for name in (
        "SC_rgb_rle.dcm",
        "SC_rgb_jpeg_dcmtk.dcm",
        "SC_rgb_dcmtk_+eb+cr.dcm",
        "SC_ybr_full_422_uncompressed.dcm",
    ):
        seen = _seen(drawer.picture(_sample(name)))
        for row, colour in ((5, (255, 0, 0)), (25, (0, 255, 0)), (45, (0, 0, 255)), (95, (255, 255, 255))):
            assert np.abs(seen[row, 50] - colour).max() < 6, (name, row)
    palette = _seen(drawer.picture(_sample("examples_palette.dcm"), size=2000))
    assert palette.ndim == 3
    assert np.abs(palette[..., 0] - palette[..., 2]).max() > 60


RAMP = np.tile(np.arange(-100, 156, dtype=np.int16), (64, 1))


@pytest.mark.parametrize(("values", "left", "middle", "right"), [
    ({"WindowCenter": 28, "WindowWidth": 256}, 0, 128, 255), ({"WindowCenter": 28, "WindowWidth": 256, "PhotometricInterpretation": "MONOCHROME1"}, 255, 127, 0),
    ({"WindowCenter": 28, "WindowWidth": 2}, 0, 255, 255), ({"WindowCenter": ["28", "900"], "WindowWidth": ["256", "1"]}, 0, 128, 255),
    ({"RescaleSlope": 2, "RescaleIntercept": -1000, "WindowCenter": -944, "WindowWidth": 512}, 0, 128, 255), ({}, 0, 128, 255),
    ({"WindowCenter": 28, "WindowWidth": 256, "VOILUTFunction": "LINEAR_EXACT"}, 0, 128, 255),
    ({"WindowCenter": 28, "WindowWidth": 256, "VOILUTFunction": "SIGMOID"}, 30, 128, 224), ({"WindowCenter": 28, "WindowWidth": 0}, 0, 128, 255),
], ids=["window", "inverted", "narrow", "several", "rescaled", "content", "exact", "sigmoid", "senseless"])  # fmt: skip
def test_windows(drawer: WindowedRenderer, values: dict[str, object], left: int, middle: int, right: int) -> None:
    row = _seen(drawer.picture(_image(RAMP, PixelSpacing=[1, 1], **values)))[32]
    assert abs(row[0] - left) < 3
    assert abs(row[255] - right) < 3
    assert abs(row[128] - middle) < 4


def test_a_window_may_be_asked_for_and_padding_does_not_count(drawer: WindowedRenderer) -> None:
    raw = _image(RAMP, PixelSpacing=[1, 1], WindowCenter=5000, WindowWidth=10)
    assert _seen(drawer.picture(raw)).max() == 0
    assert _seen(drawer.picture(raw, window=(28.0, 256.0))).max() == 255
    padded = RAMP.copy()
    padded[:, :128] = -32000
    row = _seen(drawer.picture(_image(padded, PixelSpacing=[1, 1], PixelPaddingValue=-32000)))[32]
    assert row[140] < 40
    assert row[250] > 230


def test_pixels_that_are_not_square_are_drawn_so(drawer: WindowedRenderer) -> None:
    for spacing, size in (([2, 1], (64, 64)), ([1, 2], (64, 16))):
        assert (
            Image.open(io.BytesIO(drawer.picture(_image(RAMP[:32, :64], PixelSpacing=spacing), size=64))).size == size
        )
    wild = drawer.picture(_image(RAMP, PixelSpacing=[1000000, 0.001]), size=64)
    assert max(Image.open(io.BytesIO(wild)).size) <= 64


def test_frames_of_an_enhanced_object_have_their_own_window(drawer: WindowedRenderer) -> None:
    def group(centre: float) -> Dataset:
        voi, whole = Dataset(), Dataset()
        voi.WindowCenter, voi.WindowWidth = centre, 10
        whole.FrameVOILUTSequence = [voi]
        return whole

    pixels = np.stack([RAMP, RAMP])
    raw = _image(pixels, PerFrameFunctionalGroupsSequence=[group(-1000), group(1000)], PixelSpacing=[1, 1])
    assert _seen(drawer.picture(raw, 0)).min() == 255
    assert _seen(drawer.picture(raw, 1)).max() == 0
    assert _seen(drawer.picture(raw, 99)).max() == 0


def test_what_cannot_be_drawn_says_so(drawer: WindowedRenderer) -> None:
    ds = pydicom.dcmread(io.BytesIO(_sample("examples_palette.dcm")))
    del ds.RedPaletteColorLookupTableDescriptor
    with pytest.raises(NotDrawable) as caught:
        drawer.picture(_written(ds))
    assert caught.value.advice


def _slice(z: float, busy: bool) -> bytes:
    pixels = RAMP if busy else np.zeros_like(RAMP)
    return _image(
        pixels,
        ImagePositionPatient=[0, 0, z],
        ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
        WindowCenter=28,
        WindowWidth=256,
    )


def test_key_images_follow_geometry_and_content(drawer: WindowedRenderer) -> None:
    stack = [_slice(30, False), _slice(0, True), _slice(20, True), _slice(10, False)]
    assert [c.index for c in drawer.key_images(stack, 2)] == [1, 2]


def test_key_images_of_many_frames_choose_frames(drawer: WindowedRenderer) -> None:
    pixels = np.stack([RAMP if i in (2, 7) else np.zeros_like(RAMP) for i in range(10)])
    chosen = drawer.key_images([_image(pixels, WindowCenter=28, WindowWidth=256)], 2)
    assert [(c.index, c.frame) for c in chosen] == [(0, 2), (0, 7)]


def test_key_images_leave_out_what_cannot_be_decoded(drawer: WindowedRenderer) -> None:
    chosen = drawer.key_images([_slice(0, True), HOSTILE["cut"](), _slice(20, True)], 3)
    assert sorted(c.index for c in chosen) == [0, 2]
    assert drawer.key_images([HOSTILE["cut"]()], 3) == []


def test_key_images_of_a_real_head(drawer: WindowedRenderer) -> None:
    files = sorted(DATA.glob("ct-head-ge/*.dcm"))
    if not files:
        pytest.skip(f"no shared data in {DATA}")
    chosen = drawer.key_images([p.read_bytes() for p in files], 4)
    assert len(chosen) == 4
    assert len({c.png for c in chosen}) == 4
    assert all(_seen(c.png).std() > 20 for c in chosen)
