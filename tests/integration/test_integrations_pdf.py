"""The printed report carries its Chinese text as text, is always the same, and cannot be injected into."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pypdf
import pytest

from integrations.pdf import Document, FakePdf, FontsMissing, Pdf, Signature, TypstPdf

FONTS = Path(__file__).resolve().parents[2] / "integrations" / "pdf" / "fonts"
needs_fonts = pytest.mark.skipif(not any(FONTS.glob("*.ttf")), reason="fonts are built by `make build`")
DOCUMENT = Document(
    "会诊报告", "示范中心医院", "RC261124-QH-0007", (("患者", "王示例"), ("性别", "男"), ("检查号", "QH-CT-0031")),
    (("影像表现", "左侧颞枕叶低密度。\n中线居中。"), ("会诊意见", "考虑急性期脑梗死。 #emph[x] $y$ *z* \\ ")), (Signature("签发", "林示范", "2026-11-24 16:02"),),
    "本意见供邀请方参考，最终诊疗由邀请方决定。", datetime(2026, 11, 24, 8, tzinfo=UTC),
)  # fmt: skip


@needs_fonts
def test_text_is_text_and_markup_stays_text() -> None:
    raw = TypstPdf().report(DOCUMENT)
    reader = pypdf.PdfReader(io.BytesIO(raw))
    text = "".join(page.extract_text() for page in reader.pages).replace("\n", "")
    for word in ("会诊报告", "左侧颞枕叶低密度", "考虑急性期脑梗死", "#emph[x]", "林示范", "RC261124-QH-0007"):
        assert word in text
    assert len(raw) < 200_000


def test_missing_fonts_are_named(tmp_path: Path) -> None:
    with pytest.raises(FontsMissing):
        TypstPdf(tmp_path).report(DOCUMENT)


@pytest.mark.parametrize("make", [pytest.param(TypstPdf, marks=needs_fonts), FakePdf])
def test_every_maker_keeps_the_contract(make: type[Pdf]) -> None:
    maker: Pdf = make()
    first = maker.report(DOCUMENT)
    assert first.startswith(b"%PDF")
    assert maker.report(DOCUMENT) == first
    assert maker.report(replace(DOCUMENT, ref="RC2")) != first
