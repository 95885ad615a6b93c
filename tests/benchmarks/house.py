"""`make bench AREA=house`: step cost and state size, ingest, page times at ten thousand cases, and the whole demo.

Writes a JSON array of records to the file named, or to standard output. A second argument says how many cases.
The demo is `lianyi demo --exit` from an empty directory: databases, servers, one case with its images, every proof checked.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from house_ingest import ingest
from house_pages import pages
from house_record import Record, record
from house_steps import steps

ROOT = Path(__file__).resolve().parents[2]
CASES = 10_000


def walk() -> list[Record]:
    """Seconds from nothing to a published case whose proofs all hold."""
    with tempfile.TemporaryDirectory() as home:
        began = time.perf_counter()
        ran = [sys.executable, "-m", "webui.cli", "demo", "--exit", "--folder", home]
        subprocess.run(ran, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        return [record("demo, empty directory to proven", "s", time.perf_counter() - began)]


def main(target: Path | None, count: int) -> None:
    """Every part, one after the other."""
    found: list[Record] = []
    parts: list[Callable[[], list[Record]]] = [steps, ingest, walk, lambda: pages(count)]
    for number, part in enumerate(parts, 1):
        sys.stderr.write(f"{number} / {len(parts)}\n")
        found += part()
    text = json.dumps(found, indent=1)
    if target is None:
        sys.stdout.write(text + "\n")
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None, int(sys.argv[2]) if len(sys.argv) > 2 else CASES)
