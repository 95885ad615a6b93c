"""Every package that ships with the product carries a licence we may use, read from the installed metadata."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ALLOWED = re.compile(
    r"apache|\bmit\b|bsd|\bisc\b|psf|python software foundation|mpl|mozilla|zlib|unlicense|public domain|hpnd|0bsd|cc0",
    re.IGNORECASE,
)
REFUSED = re.compile(r"\bA?GPL|affero|non-?commercial|GNU General Public", re.IGNORECASE)
LGPL_BY_IMPORT = {"spiffworkflow", "psycopg", "psycopg-binary"}


def _names() -> list[str]:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    return sorted({m.group(1) for line in lines if (m := re.match(r"([a-z0-9._-]+)==", line))})


def _licence(name: str) -> str | None:
    try:
        data = metadata(name)
    except PackageNotFoundError:
        return None
    classifiers = [c for c in data.get_all("Classifier") or [] if c.startswith("License ::")]
    return " ; ".join([data.get("License-Expression") or "", (data.get("License") or "")[:200], *classifiers])


def test_every_licence_is_on_the_list() -> None:
    wrong = {}
    for name in _names():
        licence = _licence(name)
        if licence is None:
            continue
        if name in LGPL_BY_IMPORT:
            good = "LGPL" in licence or "Lesser" in licence
        else:
            good = bool(ALLOWED.search(licence)) and not REFUSED.search(licence)
        if not good:
            wrong[name] = licence
    assert not wrong
    assert len(_names()) > 40
