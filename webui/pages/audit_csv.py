"""Entries of the record as a table for a spreadsheet, in which no cell is a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask_babel import gettext

from tasks.cases.ledger import Line
from webui import audit_words
from webui.i18n import language, local

MOST = 10_000
"""Rows of one export; a longer stretch is taken out by days."""
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def safe(cell: str) -> str:
    """A cell as text: what a spreadsheet would take for a formula gets an apostrophe before it (OWASP, CSV injection)."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def table(lines: Sequence[Line], places: Mapping[UUID, Any]) -> bytes:
    """UTF-8 with the mark by which spreadsheets know it; times in the zone people read."""
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(
        [
            gettext("时间"), gettext("人员"), gettext("医院"), gettext("看了什么、做了什么"), gettext("查看依据"), gettext("会诊编号"), gettext("来源"),
            gettext("序号"), gettext("校验值"),
        ]
    )  # fmt: skip
    for line in lines:
        place = places.get(line.hospital) if line.hospital else None
        named = (place.name_en if language() == "en" else place.name) if place else ""
        cells = (
            f"{local(line.at):%Y-%m-%d %H:%M:%S}", audit_words.who(line), named, audit_words.what(line), audit_words.why(line), line.ref,
            audit_words.source(line), str(line.seq), line.hash,
        )  # fmt: skip
        rows.writerow([safe(cell) for cell in cells])
    return b"\xef\xbb\xbf" + out.getvalue().encode()
