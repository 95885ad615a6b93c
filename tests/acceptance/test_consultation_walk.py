"""The whole consultation in a fresh installation with its own processes and sockets: every proof of the walk holds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / "webui" / "static" / "dist" / ".vite" / "manifest.json"
FONTS = ROOT / "integrations" / "pdf" / "fonts"


@pytest.mark.timeout(300)
@pytest.mark.skipif(
    not (BUILT.exists() and any(FONTS.glob("*.ttf"))) and not os.environ.get("LIANYI_REQUIRE_ALL"),
    reason="the front end is not built; run `make build`",
)
def test_every_proof_of_the_walk_holds(tmp_path: Path) -> None:
    proofs = tmp_path / "proofs.json"
    command = [
        sys.executable,
        "-m",
        "webui.cli",
        "demo",
        "--exit",
        "--json",
        str(proofs),
        "--folder",
        str(tmp_path / "demo"),
    ]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("LIANYI_")}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=280, check=False)
    told = done.stdout[-3000:] + done.stderr[-3000:]
    assert done.returncode == 0, told
    rows = json.loads(proofs.read_text())["proofs"]
    assert all(row["ok"] for row in rows), told
    names = {row["name"] for row in rows}
    assert {
        "dicom.store",
        "hl7.adt",
        "compression",
        "rendering",
        "sms",
        "hl7.result",
        "dicom.result",
        "pdf",
        "audit",
    } <= names
    for name in ("compression", "rendering", "sms", "hl7.result", "dicom.result"):
        assert "history" in next(row["detail"] for row in rows if row["name"] == name)
    assert "王示例" not in done.stderr
