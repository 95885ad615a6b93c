"""Settings from the environment, and the side bar of roles."""

from __future__ import annotations

from pathlib import Path

import pytest

from webui.config import BadSetting, Config
from webui.navigation import ITEMS, items, landing

PATHS = {item.path for item in ITEMS.values()}


def test_defaults_make_a_secret_once(tmp_path: Path) -> None:
    first = Config.from_environ({"LIANYI_DATA": str(tmp_path / "d"), "LIANYI_TEST_DATA": "x", "PATH": "/bin"})
    again = Config.from_environ({"LIANYI_DATA": str(tmp_path / "d")})
    assert first == again
    assert len(first.secret_key) >= 32
    assert (tmp_path / "d" / "secret").stat().st_mode & 0o777 == 0o600
    assert not first.secure


def test_a_file_holds_a_value(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("s" * 40 + "\n")
    environ = {"LIANYI_DATA": str(tmp_path), "LIANYI_SECRET_KEY_FILE": str(tmp_path / "key")}
    assert Config.from_environ(environ).secret_key == "s" * 40


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LIANYI_COLOUR", "red"), ("LIANYI_TIMEZONE", "Mars/Base"), ("LIANYI_LANGUAGE", "fr"), ("LIANYI_LOG", "loud"),
        ("LIANYI_PUBLIC_URL", "ftp://x"), ("LIANYI_SECRET_KEY", "short"), ("LIANYI_SMS_URL_FILE", "/nowhere/at/all"),
        ("LIANYI_HL7_PEERS", "some"),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_named(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(BadSetting, match=name.removesuffix("_FILE")):
        Config.from_environ({"LIANYI_DATA": str(tmp_path), name: value})


def test_roles_open_what_exists_in_order() -> None:
    assert [i.name for i in items({"applicant"}, PATHS)] == ["inbox", "applications", "cases", "images", "rooms"]
    assert landing(items({"coordinator"}, PATHS)) == "/monitor"
    both = items({"coordinator", "expert"}, PATHS)
    assert [i.name for i in both][:2] == ["inbox", "cases"]
    assert landing(both) == "/inbox"
    assert items({"auditor"}, {"/inbox"}) == []
    assert landing([]) == "/"
