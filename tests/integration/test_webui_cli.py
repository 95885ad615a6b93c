"""The command line: a fresh installation gets its first administrator, models are linted, tables decided, errors told with advice."""

from __future__ import annotations

import io
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tasks import catalogue
from webui.cli import main
from webui.serve import own_address

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LIANYI_DATA", str(tmp_path))
    assert main(["migrate"]) == 0
    return tmp_path


def test_first_day(installed: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("a long enough password\n"))
    assert main(["user", "add", "admin", "--role", "platform_admin", "--password-stdin"]) == 0
    assert main(["user", "list"]) == 0
    assert main(["audit", "verify"]) == 0
    assert main(["migrate"]) == 0
    told = capsys.readouterr().out
    assert "admin" in told
    assert "history unchanged" in told
    assert "entries, last" in told
    typed = iter(["a long enough password", "another long password"])
    monkeypatch.setattr("getpass.getpass", lambda _prompt: next(typed))
    assert main(["user", "password", "admin"]) == 1
    assert "differ" in capsys.readouterr().err
    assert "consultation version 1" in told
    assert (installed / "secret").stat().st_mode & 0o077 == 0


def test_shipped_models_are_accepted(capsys: pytest.CaptureFixture[str]) -> None:
    files = [
        str(p)
        for d, e in (("bpmn", "*.bpmn"), ("bpmn", "*.dmn"), ("forms", "*.form.json"))
        for p in sorted((ROOT / d).glob(e))
    ]
    assert main(["lint", "--json", *files]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_a_bad_model_is_refused_with_line_and_advice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.bpmn"
    bad.write_text("<!DOCTYPE x><x/>")
    assert main(["lint", "--json", str(bad)]) == 1
    finding = json.loads(capsys.readouterr().out)[0]
    assert {"file", "line", "rule", "message", "advice"} <= set(finding)


def test_a_broken_form_is_refused_by_lint_and_release(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "apply.form.json"
    bad.write_text(
        ROOT.joinpath("forms", "apply.form.json").read_text().replace('"type": "textarea"', '"type": "string"', 1)
    )
    assert main(["lint", "--json", str(bad)]) == 1
    (finding,) = (f for f in json.loads(capsys.readouterr().out) if f["rule"] == "bad_form")
    assert "string" in finding["message"]
    broken = catalogue.bundle()
    files = {**broken.files, bad.name: bad.read_bytes()}
    assert [f.file for f in catalogue.form_findings(files)] == [bad.name]
    assert catalogue.form_findings(broken.files) == []


def test_free_text_for_the_process_is_refused_with_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    form = ROOT.joinpath("forms", "approve.form.json").read_text()
    bad = tmp_path / "approve.form.json"
    bad.write_text(form.replace('"type": "textarea"', '"type": "textarea", "process": true', 1))
    assert main(["lint", "--json", str(bad)]) == 1
    (finding,) = json.loads(capsys.readouterr().out)
    assert (finding["rule"], finding["severity"]) == ("free_text_to_process", "error")
    assert f'"name": "{finding["element"]}"' in bad.read_text().splitlines()[finding["line"] - 1]


def test_a_value_from_where_nothing_comes_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "apply.form.json"
    bad.write_text(ROOT.joinpath("forms", "apply.form.json").read_text().replace('"study.modality"', '"study.modalty"'))
    assert main(["lint", "--json", str(bad)]) == 1
    (finding,) = json.loads(capsys.readouterr().out)
    assert (finding["rule"], finding["element"]) == ("unknown_default_from", "modality")
    assert finding["advice"].startswith("There are: study.modality, ")


@pytest.mark.parametrize(
    ("wrong", "rule", "advice"),
    [("case.urgnecy", "unknown_entry", "urgency, "), ("cse.urgency", "unknown_name", "There are: case")],
)
def test_a_misspelt_variable_of_the_case_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], wrong: str, rule: str, advice: str
) -> None:
    """In the process every case begins in, too."""
    files = []
    for path in [*ROOT.glob("bpmn/*.bpmn"), *ROOT.glob("bpmn/*.dmn"), *ROOT.glob("forms/*.json")]:
        text = path.read_text()
        if path.name == "consultation.bpmn":
            assert text.count('value="case.applicant"') == 1
            text = text.replace('value="case.applicant"', f'value="{wrong}"')
        files.append(tmp_path / path.name)
        files[-1].write_text(text)
    assert main(["lint", "--json", *map(str, files)]) == 1
    (finding,) = json.loads(capsys.readouterr().out)
    assert (finding["file"], finding["element"], finding["rule"]) == ("consultation.bpmn", "apply", rule)
    assert advice in finding["advice"]


def test_decide(capsys: pytest.CaptureFixture[str]) -> None:
    case = {"case": {"kind": "RC", "modality": "CT", "part": "head", "tag": "none", "urgency": "R"}}
    assert main(["decide", str(ROOT / "bpmn" / "sla.dmn"), json.dumps(case)]) == 0
    assert json.loads(capsys.readouterr().out)["accept"] == 1440
    assert main(["decide", str(ROOT / "bpmn" / "sla.dmn"), "not json"]) == 2


def test_wrong_settings_are_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("LIANYI_DATABSE_URL", "x")
    assert main(["config"]) == 1
    assert "LIANYI_DATABSE_URL" in capsys.readouterr().err


def test_nothing_listens_wider_than_this_machine_without_tls(
    installed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", "web", "--host", "0.0.0.0"]) == 1
    assert "certs" in capsys.readouterr().err


def test_certificates_are_told_of_and_not_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LIANYI_DATA", str(tmp_path))
    assert main(["certs", "hub.example", "10.0.0.1"]) == 0
    told = capsys.readouterr().out
    folder = tmp_path / "certs"
    assert all(str(folder / name) in told for name in ("server.pem", "server.key", "ca.pem"))
    assert all(word in told for word in ("hub.example, 10.0.0.1", "397 days", "(new)", "next:", "--client-ca"))
    before = (folder / "server.pem").read_bytes()
    assert main(["certs", "pacs.example"]) == 1
    said = capsys.readouterr().err
    assert str(folder / "server.pem") in said
    assert "--name" in said
    assert "--force" in said
    assert (folder / "server.pem").read_bytes() == before
    assert main(["certs", "pacs.example", "--name", "qh-pacs", "--out", str(tmp_path / "usb")]) == 0
    assert "the same as before" in capsys.readouterr().out
    assert sorted(p.name for p in (tmp_path / "usb").iterdir()) == ["qh-pacs.key", "qh-pacs.pem"]
    assert main(["certs", "hub.example", "--force"]) == 0
    assert (folder / "server.pem").read_bytes() != before


def test_web_is_ready_on_another_address_too(installed: Path) -> None:
    """It asked 127.0.0.1 whatever it listened on, and never became ready."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.2", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "webui.cli", "serve", "web", "--host", "127.0.0.2", "--web-port", str(port)]
    with subprocess.Popen(command, cwd=ROOT, env=os.environ | {"LIANYI_LOG": "warning"}) as process:
        try:
            late = time.monotonic() + 60
            while not (installed / "run" / "web.ready").exists() and time.monotonic() < late:
                assert process.poll() is None
                time.sleep(0.1)
            assert (installed / "run" / "web.ready").exists()
        finally:
            process.terminate()


@pytest.mark.parametrize(
    ("host", "asked"),
    [
        ("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("10.1.2.3", "10.1.2.3"), ("::", "[::1]"), ("::1", "[::1]"),
        ("hub.example", "hub.example"),
    ],
)  # fmt: skip
def test_where_a_machine_reaches_itself(host: str, asked: str) -> None:
    assert own_address(host) == asked
