"""The processes of the product: each role runs alone, or all of them under one supervisor."""

from __future__ import annotations

import ipaddress
import multiprocessing
import os
import signal
import socket
import ssl
import threading
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine.errors import LianyiError
from webui import bootstrap, logs
from webui.config import Config
from webui.supervisor import Child, ParentWatch, Supervisor, child, say_ready

ROLES = ("web", "worker", "dicom", "mllp")
PORTS = {"web": 8080, "dicom": 11112, "mllp": 2575}
WORKER_THREADS = 4


class NotSafe(LianyiError):
    """The product does not listen beyond this machine without TLS."""

    code = "not_safe"
    advice = "Give --cert and --key, or make a certificate with `lianyi certs NAME`, or listen on 127.0.0.1."


class PortTaken(LianyiError):
    """Another program listens on this port already."""

    code = "port_taken"
    advice = "End that program, or choose another port with --web-port, --dicom-port or --mllp-port."


@dataclass(frozen=True)
class Listen:
    """Where the roles listen. `cert` and `key` are PEM files: with them every role speaks TLS only, and the worker shows the
    certificate to peers that ask. `client_ca` names the authority whose certificates DICOM and HL7 peers must show; browsers
    show none."""

    host: str = "127.0.0.1"
    web: int = PORTS["web"]
    dicom: int = PORTS["dicom"]
    mllp: int = PORTS["mllp"]
    cert: Path | None = None
    key: Path | None = None
    client_ca: Path | None = None

    def arguments(self) -> list[str]:
        """The same as command-line arguments."""
        found = [
            "--host",
            self.host,
            "--web-port",
            str(self.web),
            "--dicom-port",
            str(self.dicom),
            "--mllp-port",
            str(self.mllp),
        ]
        if self.cert and self.key:
            found += ["--cert", str(self.cert), "--key", str(self.key)]
        if self.client_ca:
            found += ["--client-ca", str(self.client_ca)]
        return found

    def tls(self) -> ssl.SSLContext | None:
        """What the DICOM and HL7 listeners speak; None: plain."""
        return bootstrap.listening(self.cert, self.key, self.client_ca) if self.cert and self.key else None


def check(listen: Listen) -> None:
    """Refuse to listen wider than loopback without TLS, and to ask for certificates without having one."""
    try:
        loopback = ipaddress.ip_address(listen.host).is_loopback
    except ValueError:
        loopback = listen.host == "localhost"
    if not loopback and not (listen.cert and listen.key):
        raise NotSafe(listen.host)
    if (listen.client_ca or listen.cert or listen.key) and not (listen.cert and listen.key):
        raise NotSafe("--cert and --key belong together, and --client-ca needs both.")


def free(host: str, port: int) -> bool:
    """Whether nothing listens there yet."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def run_folder(config: Config) -> Path:
    """Where processes say that they are ready."""
    return config.data / "run"


def supervise(
    config: Config,
    listen: Listen,
    environment: dict[str, str],
    say: Callable[[str], None],
    roles: tuple[str, ...] = ROLES,
) -> Supervisor:
    """A supervisor of the roles, ready to run."""
    check(listen)
    children: list[Child] = [child(role, run_folder(config), listen.arguments()) for role in roles]
    return Supervisor(children, environment, say)


def serve(role: str, config: Config, listen: Listen) -> int:
    """Run one role until SIGTERM; returns the exit code."""
    check(listen)
    wanted = {"web": listen.web, "dicom": listen.dicom, "mllp": listen.mllp}.get(role)
    if wanted is not None and not free(listen.host, wanted):
        raise PortTaken(f"{role}: {listen.host}:{wanted}")
    logs.configure(config.log)
    stop = threading.Event()
    if role == "web":
        return _web(config, listen)
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    ParentWatch(stop.set).start()
    {"worker": _worker, "dicom": _dicom, "mllp": _mllp}[role](config, listen, stop)
    return 0


def own_address(host: str) -> str:
    """Where this machine reaches what listens on `host`, as it stands in a URL; for every address, the loopback one."""
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return host
    if found.is_unspecified:
        found = ipaddress.ip_address("127.0.0.1" if found.version == 4 else "::1")
    return str(found) if found.version == 4 else f"[{found}]"


def _web(config: Config, listen: Listen) -> int:
    from granian import Granian
    from granian.constants import Interfaces

    def announce() -> None:
        url = f"{'https' if listen.cert else 'http'}://{own_address(listen.host)}:{listen.web}/healthz"
        context = _trusting() if listen.cert else None
        while True:
            try:
                with urllib.request.urlopen(url, timeout=2, context=context):  # noqa: S310 - our own address
                    say_ready(run_folder(config), "web")
                    return
            except OSError:
                time.sleep(0.1)

    # a fork would copy the locks these threads hold at that moment, and the child would wait for them for ever
    multiprocessing.set_start_method("spawn", force=True)
    threading.Thread(target=announce, name="announce", daemon=True).start()
    ParentWatch(lambda: os.kill(os.getpid(), signal.SIGTERM)).start()
    server = Granian(
        "webui.bootstrap:application", address=listen.host, port=listen.web, interface=Interfaces.WSGI, factory=True, workers=1,
        blocking_threads=12, log_enabled=config.log == "debug", log_access=False, ssl_cert=listen.cert, ssl_key=listen.key,
        respawn_failed_workers=True,
    )  # fmt: skip
    server.serve()
    return 0


def _trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # only asks our own process whether it is up
    return context


def _worker(config: Config, listen: Listen, stop: threading.Event) -> None:
    from apscheduler.schedulers.background import BackgroundScheduler

    house = bootstrap.build(config, cert=listen.cert, key=listen.key)
    workers = [house.worker(f"worker:{os.uname().nodename}-{os.getpid()}-{n}") for n in range(WORKER_THREADS)]
    threads = [threading.Thread(target=w.run_forever, args=(stop,), name=w.name) for w in workers]
    clock = BackgroundScheduler(timezone="UTC")
    settings = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    clock.add_job(house.services.messages.process_pending, "interval", seconds=1, **settings)
    clock.add_job(house.services.imaging.check_pixels, "interval", seconds=1, **settings)
    clock.add_job(house.keep_partitions, "interval", hours=12, next_run_time=house.clock.now(), **settings)
    clock.add_job(house.forget, "cron", hour=18, **settings)  # 02:00 in China
    clock.add_job(house.check_chains, "cron", hour=19, **settings)  # 03:00 in China
    for thread in threads:
        thread.start()
    clock.start()
    say_ready(run_folder(config), "worker")
    stop.wait()
    clock.shutdown(wait=True)
    for thread in threads:
        thread.join(timeout=9)
    house.close()


def _dicom(config: Config, listen: Listen, stop: threading.Event) -> None:
    house = bootstrap.build(config)
    listener = house.dicom_listener(listen.host, listen.dicom, listen.tls())
    listener.start()
    say_ready(run_folder(config), "dicom")
    stop.wait()
    listener.stop()
    house.close()


def _mllp(config: Config, listen: Listen, stop: threading.Event) -> None:
    house = bootstrap.build(config)
    listener = house.mllp_listener(listen.host, listen.mllp, listen.tls())
    listener.start()
    say_ready(run_folder(config), "mllp")
    stop.wait()
    listener.stop()
    house.close()
