"""PDF by typst. The document travels as data, so that no text in it can become markup; only the fonts we bring are used."""

from __future__ import annotations

from pathlib import Path

import orjson

from integrations.pdf.port import Document, FontsMissing, NotTypeset

HERE = Path(__file__).resolve().parent


class TypstPdf:
    """Compiles the report template with the fonts of a folder."""

    def __init__(self, fonts: Path = HERE / "fonts") -> None:
        self._fonts = fonts

    def report(self, document: Document) -> bytes:
        """The document as PDF with embedded, subset fonts."""
        import typst

        if not any(self._fonts.glob("*.ttf")):
            raise FontsMissing(f"Nothing in {self._fonts.name}/.")
        data = {
            "title": document.title, "issuer": document.issuer, "ref": document.ref, "footer": document.footer, "lang": document.lang,
            "facts": document.facts, "sections": document.sections,
            "signatures": [{"role": s.role, "name": s.name, "when": s.when} for s in document.signatures],
            "created": [document.created.year, document.created.month, document.created.day],
        }  # fmt: skip
        try:
            made = typst.compile(
                str(HERE / "report.typ"), root=str(HERE), font_paths=[str(self._fonts)], ignore_system_fonts=True,
                sys_inputs={"document": orjson.dumps(data).decode()}, format="pdf",
            )  # fmt: skip
        except RuntimeError as problem:
            raise NotTypeset(str(problem)[:120]) from problem
        return bytes(made)
