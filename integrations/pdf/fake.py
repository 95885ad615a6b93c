"""A document maker for tests: the smallest thing that starts like a PDF, with the document's texts in it."""

from __future__ import annotations

from integrations.pdf.port import Document


class FakePdf:
    """Puts the texts behind a PDF mark."""

    def report(self, document: Document) -> bytes:
        """The texts."""
        return b"%PDF-fake\n" + repr(document).encode()
