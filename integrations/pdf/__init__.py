"""Documents for print and archive: one port, typst, one fake."""

from integrations.pdf.fake import FakePdf
from integrations.pdf.port import Document, FontsMissing, NotTypeset, Pdf, Signature
from integrations.pdf.typeset import TypstPdf

__all__ = ["Document", "FakePdf", "FontsMissing", "NotTypeset", "Pdf", "Signature", "TypstPdf"]
