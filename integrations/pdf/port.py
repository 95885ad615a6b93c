"""What the document maker takes and gives."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from integrations import IntegrationError


class FontsMissing(IntegrationError):
    """The Chinese fonts for documents are not installed."""

    code = "pdf_fonts"
    advice = "Run `make build` once; a packaged installation brings them along."


class NotTypeset(IntegrationError):
    """The document could not be typeset."""

    code = "pdf_not_typeset"
    advice = "Report the case number to the platform's maintainers."


@dataclass(frozen=True)
class Signature:
    """Who answered for what, and when (text as it is to be printed)."""

    role: str
    name: str
    when: str


@dataclass(frozen=True)
class Document:
    """A report to be printed. All texts are plain; `created` is aware and makes the bytes reproducible."""

    title: str
    issuer: str
    ref: str
    facts: tuple[tuple[str, str], ...]
    sections: tuple[tuple[str, str], ...]
    signatures: tuple[Signature, ...]
    footer: str
    created: datetime
    lang: str = "zh"


class Pdf(Protocol):
    """Makes PDF files."""

    def report(self, document: Document) -> bytes:
        """The document as PDF; the same document gives the same bytes."""
