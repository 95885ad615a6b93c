"""Importing a room costs nothing until it is used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("pydicom", "pynetdicom", "glymur", "PIL", "gdcm", "openjpeg")


@pytest.mark.parametrize("room", ["storage", "dicom", "compression", "rendering"])
def test_rooms_import_nothing_heavy(room: str) -> None:
    code = f"import sys, integrations.{room}; print([n for n in {HEAVY!r} if n in sys.modules])"
    here = Path(__file__).parents[2]
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=here)
    assert said.stdout.strip() == "[]"
