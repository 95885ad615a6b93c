"""Images brought by hand in Chromium: each header is looked at first, and told while the rest still goes up."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from tasks.demo import images

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
Login = Callable[..., Any]


def _folder(tmp_path: Path, stamp: str) -> Path:
    """Twelve slices of the patient, one of somebody else's, one cut off in its header, and a text."""
    now, folder = datetime.now(UTC), tmp_path / "disc"
    folder.mkdir()
    mine = images.Subject(stamp, now, "QH20461", "王示例", "UP-1")
    other = images.Subject(stamp + "x", now, "QH99999", "别人", "UP-2", sex="F", birth=date(1980, 1, 1))
    for n, body in enumerate(images.phantom(mine, range(1, 13))):
        (folder / f"IM{n:03}.dcm").write_bytes(body)
    (folder / "other.dcm").write_bytes(next(images.phantom(other, range(1, 2))))
    (folder / "broken.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"\xff" * 40)
    (folder / "readme.txt").write_text("no image")
    return folder


def _application(page: Any, base: str) -> str:
    page.goto(f"{base}/applications/new?q=QH20461")
    page.locator("form#open button.solid").click()
    page.wait_for_url(re.compile(r"/tasks/"))
    return str(page.locator("[data-case]").first.get_attribute("data-case"))


def _slowly(page: Any) -> list[str]:
    """Hold every upload back until it is let go; what was told by then is what a slow line shows."""
    held: list[Any] = []
    page.route(re.compile(r"/uploads/[0-9a-f-]{36}$"), lambda route: held.append(route))
    return held


def test_another_patients_image_is_told_before_the_upload_ends(
    demo: Any, login: Login, axe: Any, tmp_path: Path
) -> None:
    page = login("he")
    _application(page, demo.base)
    held = _slowly(page)
    folder = _folder(tmp_path, f"up{datetime.now(UTC):%H%M%S%f}")
    page.locator("[data-upload] input[data-folder]").set_input_files(folder)
    stranger = page.locator("[data-trouble] li.stranger")
    stranger.wait_for()
    assert "other.dcm" in stranger.inner_text()
    assert "QH99999" in stranger.inner_text()
    assert "QH20461" in stranger.inner_text()
    page.locator("[data-trouble] li.foreign").nth(1).wait_for()
    told = page.locator("[data-trouble] li.foreign").all_inner_texts()
    assert {name for name in ("broken.dcm", "readme.txt") if any(name in line for line in told)} == {
        "broken.dcm",
        "readme.txt",
    }
    row = page.locator("[data-series] li")
    assert row.locator(".up-count").inner_text() == "0 / 12"
    assert page.locator("[data-upload]").get_attribute("aria-busy") == "true", "the upload has not ended"
    assert axe(page) == []
    assert page.locator("[data-status]").inner_text() == "已核对 15，已上传 0 / 15"
    while page.locator("[data-upload][aria-busy]").count():
        if held:
            sent = held.pop(0)
            assert b"QH99999" not in (sent.request.post_data_buffer or b""), (
                "what is somebody else's never leaves the browser"
            )
            sent.continue_()
        page.wait_for_timeout(50)
    assert row.locator(".up-count").inner_text() == "12 / 12"
    assert "3 个没有上传" in page.locator("[data-status]").inner_text()
    study = page.locator("form#task [data-field=studies] input:checked")
    page.locator("form#task [data-field=studies]", has_text="12 幅").wait_for()
    assert study.count() >= 1
    page.locator("[data-checks] [data-rule=Q01]").first.wait_for()


def test_a_zip_is_opened_in_the_browser(demo: Any, login: Login, tmp_path: Path) -> None:
    page = login("he")
    _application(page, demo.base)
    folder = _folder(tmp_path, f"zip{datetime.now(UTC):%H%M%S%f}")
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, f"disc/{path.name}")
    page.locator("[data-upload] input[data-files]").set_input_files(
        {"name": "disc.zip", "mimeType": "application/zip", "buffer": body.getvalue()}
    )
    page.locator("[data-status]", has_text="3 个没有上传").wait_for()
    assert page.locator("[data-series] .up-count").inner_text() == "12 / 12"
    assert page.locator("[data-trouble] li.stranger").count() == 1


def test_without_scripts_the_server_says_what_it_took(demo: Any, login: Login, tmp_path: Path) -> None:
    page = login("he", "en", java_script_enabled=False)
    _application(page, demo.base)
    folder = _folder(tmp_path, f"plain{datetime.now(UTC):%H%M%S%f}")
    page.locator("input#up-files").set_input_files(sorted(folder.iterdir()))
    page.locator("noscript button, button[form=upload]:not([type=button])").first.click()
    told = page.locator(".toast").all_inner_texts()
    assert any("12 files taken" in line for line in told), told
    assert any("other.dcm" in line for line in told)


def test_what_is_not_taken_is_told_at_the_control_and_what_broke_off_goes_on(demo: Any, login: Login) -> None:
    page = login("he")
    _application(page, demo.base)
    stamp = f"bad{datetime.now(UTC):%H%M%S%f}"
    subject = images.Subject(stamp, datetime.now(UTC), "QH20461", "王示例", "UP-3")
    slices = list(images.phantom(subject, range(1, 5)))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.dcm", slices[0])
    chosen = {"IM1.dcm": slices[1], "disc.zip": packed.getvalue()[:-30], "IM2.dcm": b""}
    files = page.locator("[data-upload] input[data-files]")
    files.set_input_files([{"name": n, "mimeType": "application/dicom", "buffer": b} for n, b in chosen.items()])
    page.locator("[data-status]", has_text="已上传 1 个文件，2 个没有上传").wait_for()
    told = page.locator("[data-trouble] li").all_inner_texts()
    assert any("ZIP 已损坏" in line and "disc.zip" in line for line in told)
    assert any("空文件" in line and "IM2.dcm" in line for line in told)
    assert page.locator("[data-series] .up-count").all_inner_texts() == ["1 / 1"], "a refused ZIP is no series"
    broken: list[Any] = []

    def break_once(route: Any) -> None:
        broken.append(route)
        _ = route.abort() if len(broken) == 1 else route.continue_()

    page.route(re.compile(r"/uploads/[0-9a-f-]{36}$"), break_once)
    page.expected.append("ERR_FAILED")
    files.set_input_files(
        [{"name": f"IM{n}.dcm", "mimeType": "application/dicom", "buffer": slices[n]} for n in (2, 3)]
    )
    page.locator("[data-again]", has_text="继续上传其余 2 个").click()
    page.locator("[data-status]", has_text="已上传 2 个文件").wait_for()
    assert page.locator("[data-again]").count() == 0
