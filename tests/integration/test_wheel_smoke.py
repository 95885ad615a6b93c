"""The wheel, in a fresh environment with the locked packages and away from the repository, is the whole product."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCAL = ROOT / ".venv/uv/bin/uv"
UV = str(LOCAL) if LOCAL.exists() else shutil.which("uv")
BUILT = (ROOT / "webui/static/dist/.vite/manifest.json").exists() and any(ROOT.glob("integrations/pdf/fonts/*.ttf"))
WANTED = (
    "bpmn/*.bpmn",
    "bpmn/*.dmn",
    "forms/*.form.json",
    "migrations/**/*.py",
    "webui/templates/**/*.html",
    "webui/static/**/*.svg",
)
"""What the source tree has of these, the wheel has too."""
FIRST_PAGE = """
import re
from webui.app import create_app
from webui.bootstrap import build
from webui.config import Config
config = Config.from_environ()
house = build(config)
client = create_app(house.services, config, house.clock).test_client()
page = client.get("/login").text
found = re.findall(r'(?:src|href)="(/static/[^"#]+)', page)
assert found, page
for address in found:
    assert client.get(address).status_code == 200, address
house.close()
print(len(found), "assets")
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        (UV is None or not BUILT) and not os.environ.get("LIANYI_REQUIRE_ALL"),
        reason="needs uv and the built front end (make build)",
    ),
]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=120)
    return next(folder.glob("*.whl"))


def test_nothing_is_left_behind_and_nothing_foreign_is_taken(wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    wanted = {p.relative_to(ROOT).as_posix() for pattern in WANTED for p in ROOT.glob(pattern)}
    wanted |= {p.relative_to(ROOT).as_posix() for p in (ROOT / "webui/static/dist").rglob("*") if p.is_file()}
    assert {p.rpartition("/")[0] for p in wanted} >= {"bpmn", "forms", "migrations/versions", "webui/templates"}
    assert not wanted - held
    assert any(name.startswith("integrations/pdf/fonts/") and name.endswith(".ttf") for name in held)
    assert any(name.startswith("webui/translations/en/") for name in held)
    assert not [name for name in held if "node_modules" in name or name.startswith(("tests/", "webui/frontend/"))]


def test_it_works_from_an_empty_folder(wheel: Path, tmp_path: Path) -> None:
    assert UV is not None
    venv, empty = tmp_path / "venv", tmp_path / "empty"
    empty.mkdir()
    python = str(venv / "bin/python")
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("LIANYI_", "PYTHON", "VIRTUAL_ENV"))}
    clean["LIANYI_DATA"] = str(empty / "var")

    def run(*command: str) -> str:
        done = subprocess.run(command, cwd=empty, env=clean, capture_output=True, text=True, timeout=240, check=False)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    run(UV, "venv", "--quiet", "--python", sys.executable, str(venv))
    run(UV, "pip", "install", "--quiet", "--python", python, "--require-hashes", "-r", str(ROOT / "requirements.lock"))
    run(UV, "pip", "install", "--quiet", "--python", python, "--no-deps", str(wheel))
    lianyi = str(venv / "bin/lianyi")
    assert "serve" in run(lianyi, "--help")
    site = Path(run(python, "-c", "import bpmn; print(list(bpmn.__path__)[0])").strip()).parent
    assert venv in site.parents
    models = [*site.glob("bpmn/*.bpmn"), *site.glob("bpmn/*.dmn"), *site.glob("forms/*.form.json")]
    assert run(lianyi, "lint", "--json", *map(str, models)).strip() == "[]"
    assert "model consultation version 1" in run(lianyi, "migrate")
    assert "assets" in run(python, "-c", FIRST_PAGE)
