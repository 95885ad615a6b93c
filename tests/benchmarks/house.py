"""Step cost and state size of the engine, and the whole consultation walked: prints a JSON array of records to the file named, or to standard output.

A step is load, complete a user task, run to its next wait, dump: what one command does beside the database's own work.
The walk is `lianyi demo --exit` from an empty directory: databases, servers, one case with its images, every proof checked.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from engine import runner, state
from engine.spiff import Context
from engine.spiff_parser import read

ROOT = Path(__file__).parent.parent.parent
NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
AT = (2, 100, 240, 1200, 2000)


def loop() -> list[dict[str, object]]:
    """The median step of a loop around the iterations named, and the bytes stored there."""
    kept = json.loads((ROOT / "tests/histories/L1_loop.json").read_text())
    specs = read(kept["top"], {name: text.encode() for name, text in kept["files"].items()})
    run = runner.create(specs, {"case": {"n": 0}}, Context(NOW, "case-1"))
    run.to_quiescence()
    stored = state.dump(run.workflow)
    times: list[float] = []
    sizes: list[int] = []
    for _ in range(max(AT) + 25):
        began = time.perf_counter()
        lent = Context(NOW, "case-1")
        run = runner.resume(state.load(stored, specs, lent), lent)
        run.complete_user(runner.open_tasks(run.workflow)[0].id, {"again": True})
        stored = state.dump(run.workflow)
        times.append((time.perf_counter() - began) * 1000)
        sizes.append(len(stored))
    records: list[dict[str, object]] = []
    for at in AT:
        near = times[max(0, at - 20) : at + 20]
        records.append(_record(f"loop step at iteration {at}", "ms", round(statistics.median(near), 3)))
        records.append(_record(f"loop state at iteration {at}", "bytes", sizes[at]))
    return records


def walk() -> list[dict[str, object]]:
    """Seconds from nothing to a published case whose proofs all hold."""
    with tempfile.TemporaryDirectory() as home:
        began = time.perf_counter()
        ran = [sys.executable, "-m", "webui.cli", "demo", "--exit", "--folder", home]
        subprocess.run(ran, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        return [_record("demo, empty directory to proven", "s", round(time.perf_counter() - began, 1))]


def _record(name: str, unit: str, value: float) -> dict[str, object]:
    return {
        "area": "engine",
        "name": name,
        "unit": unit,
        "value": value,
        "peer": None,
        "peer_value": None,
        "ratio": None,
    }


if __name__ == "__main__":
    text = json.dumps(loop() + walk(), indent=1)
    if len(sys.argv) > 1:
        Path(sys.argv[1]).parent.mkdir(parents=True, exist_ok=True)
        Path(sys.argv[1]).write_text(text)
    else:
        sys.stdout.write(text + "\n")
