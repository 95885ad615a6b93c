"""`lianyi demo`: a fresh installation in a folder, every process of it, and a consultation walked through from outside."""

from __future__ import annotations

import fcntl
import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from tasks.demo import alliance, images, others
from tasks.demo.browser import Browser, PageError
from tasks.demo.outside import Gateway, Received, free_port, his, pacs
from tasks.demo.walk import Proof, Walk
from webui import bootstrap, serve
from webui.config import Config

ADMIN = "founder"


def run(folder: Path, *, stop: bool, proofs: Path | None, environment: Mapping[str, str]) -> int:
    """Set up, serve and walk; the exit code is 0 only if every proof holds. Without `stop` it serves until Ctrl-C."""
    folder = folder.absolute()
    if not _alone(folder):
        print(f"A demo runs in {folder} already: end it with Ctrl-C, or give this one --folder of its own.", flush=True)
        return 1
    shutil.rmtree(folder, ignore_errors=True)
    listen = serve.Listen(web=_port(8080), dicom=_port(11112), mllp=_port(2575))
    gateway = Gateway(free_port())
    own = {
        "LIANYI_DATA": str(folder), "LIANYI_PUBLIC_URL": f"http://127.0.0.1:{listen.web}", "LIANYI_LOG": "warning",
        "LIANYI_SMS_URL": f"twilio://{gateway.sid}:{gateway.token}@127.0.0.1:{gateway.port}?from=%2B15550100&scheme=http",
    }  # fmt: skip
    own |= {name: environment[name] for name in ("LIANYI_DATABASE_URL",) if name in environment}
    config = Config.from_environ(own)
    print(f"[4/4] demo in {folder} (about 20 s)", flush=True)
    for line in bootstrap.migrate(config):
        print(f"      {line}", flush=True)
    bootstrap.first_administrator(config, ADMIN, alliance.PASSWORD)
    kept = {k: v for k, v in environment.items() if not k.startswith("LIANYI_")}
    supervisor = serve.supervise(config, listen, kept | own, lambda text: print(f"      {text}", flush=True))
    supervisor.patience = 90.0
    received, result = Received(), _Result()
    his_port, pacs_port = free_port(), free_port()

    def walk() -> None:
        walked = _walk(config, listen, gateway, received, his_port, pacs_port)
        result.proofs = walked.proofs
        if proofs is not None:
            _write(proofs, result.proofs)
        if stop:
            supervisor.stop.set()
        else:
            if all(p.ok for p in walked.proofs):
                others.leave_open(walked)
            _welcome(config.public_url)

    with ExitStack() as outside:
        outside.enter_context(gateway.serve())
        outside.enter_context(his(received, his_port))
        outside.enter_context(pacs(received, pacs_port, "QH_PACS"))
        supervisor.run(walk)
    failed = [p for p in result.proofs if not p.ok]
    print(f"{len(result.proofs) - len(failed)} of {len(result.proofs)} proofs hold", flush=True)
    return int(bool(failed) or not result.proofs)


class _Result:
    """What the walk found, handed from its thread to the main one."""

    def __init__(self) -> None:
        self.proofs: list[Proof] = []


_LOCKS: list[IO[bytes]] = []
"""Open as long as this process lives, so that another demo starting in the same second takes other ports."""


def _alone(folder: Path) -> bool:
    """Take the folder for as long as this process lives; False when another demo has it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = (folder.parent / f".{folder.name}.lock").open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        return False
    _LOCKS.append(lock)
    return True


def _port(wanted: int) -> int:
    """The usual port, or a free one when somebody has it."""
    try:
        lock = (Path(tempfile.gettempdir()) / f"lianyi-demo-{wanted}.lock").open("ab")
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return free_port()
    _LOCKS.append(lock)
    return wanted if serve.free("127.0.0.1", wanted) else free_port()


def _walk(
    config: Config, listen: serve.Listen, gateway: Gateway, received: Received, his_port: int, pacs_port: int
) -> Walk:
    now = datetime.now(UTC)
    stamp = now.strftime("%Y%m%d%H%M%S")
    say: Callable[[str], None] = lambda text: print(text, flush=True)  # noqa: E731 - one line, handed on

    def study() -> list[bytes]:
        return images.objects(images.Subject(stamp, now, "QH20461", "王示例", "QH-CT-0031"))

    walk = Walk(config.public_url, {"mllp": listen.mllp, "dicom": listen.dicom}, received, gateway, study, say)
    try:
        _set_up(config.public_url, alliance.describe(now, his_port=his_port, pacs_port=pacs_port))
        walk.run()
    except (PageError, TimeoutError, OSError, LookupError, ValueError) as problem:
        walk.prove("walk", False, f"{type(problem).__name__}: {problem}")
    return walk


def _set_up(base: str, document: dict[str, Any]) -> None:
    """The administrator sends the description of the alliance."""
    browser = Browser(base)
    browser.open("/login")
    browser.submit({"login_name": ADMIN, "password": alliance.PASSWORD})
    token = str(browser.page.tree.xpath("//body/@data-csrf")[0])
    answer = browser.http.post(
        f"{base}/api/v1/alliance", json=document, headers={"X-CSRFToken": token, "Referer": base}, timeout=120
    )
    if answer.status_code != 200:
        raise PageError(f"the alliance was refused: {answer.status_code} {answer.text[:300]}")


def _write(path: Path, proofs: list[Proof]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [{"name": p.name, "ok": p.ok, "detail": p.detail} for p in proofs]
    path.write_text(json.dumps({"proofs": rows}, ensure_ascii=False, indent=1) + "\n")


def _welcome(base: str) -> None:
    lines = [f"\nServing {base} until Ctrl-C. Password of everybody: {alliance.PASSWORD}"]
    for login, name, hospital, _title, department, roles, _specialties in alliance.PEOPLE:
        lines.append(f"  {login:6} {name}  {hospital}  {department}  {', '.join(roles)}")
    lines.append("A second consultation by hand: docs/walk-through.md")
    print("\n".join(lines), flush=True)
