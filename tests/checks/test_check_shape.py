"""The shape of the code: small files, small functions, no unfinished work, nothing of anybody's machine."""

from __future__ import annotations

import ast
import re
import statistics
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("bpmn", "engine", "forms", "integrations", "tasks", "webui", "migrations")
LEAKS = re.compile(r"(/wo[r]k/|/fa[r]m/|\bsub-?agen[t]\b|\bissue #?\d|TO[D]O|FIX[M]E|before-[s]top)")


def _tracked() -> list[Path]:
    command = ["git", "ls-files", "-co", "--exclude-standard"]
    out = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / line for line in out.splitlines() if (ROOT / line).is_file()]


def _source() -> list[Path]:
    return [p for p in _tracked() if p.suffix == ".py" and p.relative_to(ROOT).parts[0] in ROOMS]


def test_files_stay_small() -> None:
    sizes = {p.relative_to(ROOT): len(p.read_text().splitlines()) for p in _source()}
    assert not {p: n for p, n in sizes.items() if n > 600}
    assert statistics.median(sizes.values()) <= 120


def test_functions_stay_small() -> None:
    lengths: list[tuple[int, str]] = []
    for path in _source():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                lengths.append((lines, f"{path.relative_to(ROOT)}:{node.name}"))
    lengths.sort()
    assert lengths[-1][0] <= 100, lengths[-5:]
    assert lengths[int(len(lengths) * 0.95)][0] <= 40, lengths[-20:]


def _is_broad(node: ast.ExceptHandler) -> bool:
    return node.type is None or (isinstance(node.type, ast.Name) and node.type.id in {"Exception", "BaseException"})


def test_broad_excepts_are_rare() -> None:
    nodes = [n for p in _source() for n in ast.walk(ast.parse(p.read_text())) if isinstance(n, ast.ExceptHandler)]
    broad = sum(map(_is_broad, nodes))
    assert broad <= max(3, len(nodes) * 0.08), f"{broad} of {len(nodes)}"


def test_public_functions_explain_themselves() -> None:
    bare: list[str] = []
    for path in _source():
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                bare += [] if ast.get_docstring(node) else [f"{path.relative_to(ROOT)}:{node.name}"]
    assert not bare


def test_nothing_of_a_machine_and_nothing_unfinished() -> None:
    found = []
    for path in _tracked():
        if path.suffix in {".lock", ".png", ".jpg", ".dcm"} or path.name == "package-lock.json":
            continue
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {m.group()}" for m in LEAKS.finditer(text)]
    assert not found
