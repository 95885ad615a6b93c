"""The outside parties of the demo: a hospital's HIS and PACS, and an SMS gateway. Real sockets, none of the product's code."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import requests

START, END = b"\x0b", b"\x1c\r"
T = TypeVar("T")
TOLD, PAUSE = 20, 0.25
"""How often, and seconds apart, the gateway reports the state of a message that is not known yet."""


def free_port() -> int:
    """A TCP port that is free on the loopback address now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(what: str, look: Callable[[], T | None], seconds: float = 60.0) -> T:
    """Call `look` until it returns something; TimeoutError names what was awaited."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = look()
        if found:
            return found
        time.sleep(0.15)
    raise TimeoutError(f"{what} did not come within {seconds:.0f} s")


def send_hl7(port: int, message: str) -> bytes:
    """Send one message by MLLP and return the answer without its frame."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        line.sendall(START + message.encode("utf-8") + END)
        heard = b""
        while not heard.endswith(END):
            part = line.recv(65536)
            if not part:
                raise ConnectionError("the listener closed before it answered")
            heard += part
    return heard[len(START) : -len(END)]


@dataclass
class Received:
    """What the applying hospital got back."""

    messages: list[bytes] = field(default_factory=list)
    objects: list[Any] = field(default_factory=list)


def _his_handler(received: Received) -> type[socketserver.BaseRequestHandler]:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            """Read frames until the peer closes, answer each with AA."""
            heard = b""
            while part := self.request.recv(65536):
                heard += part
                while END in heard:
                    frame, heard = heard.split(END, 1)
                    body = frame[frame.index(START) + 1 :]
                    received.messages.append(body)
                    self.request.sendall(START + _acknowledge(body) + END)

    return Handler


def _acknowledge(body: bytes) -> bytes:
    head = body.split(b"\r", 1)[0].split(b"|")
    control, version = head[9], head[11]
    lines = [
        b"|".join(
            [b"MSH", b"^~\\&", head[4], head[5], head[2], head[3], head[6], b"", b"ACK", b"A" + control, b"P", version]
        ),
        b"MSA|AA|" + control,
    ]
    return b"\r".join(lines) + b"\r"


@contextmanager
def his(received: Received, port: int) -> Iterator[None]:
    """The applying hospital's HL7 listener."""

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

    with Server(("127.0.0.1", port), _his_handler(received)) as server:
        threading.Thread(target=server.serve_forever, name="his", daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()


@contextmanager
def pacs(received: Received, port: int, title: str) -> Iterator[None]:
    """The applying hospital's DICOM archive: takes whatever is stored and keeps the data sets."""
    from pynetdicom import AE, AllStoragePresentationContexts, evt
    from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

    def keep(event: Any) -> int:
        ds = event.dataset
        ds.file_meta = event.file_meta
        received.objects.append(ds)
        return 0x0000

    ae = AE(ae_title=title)
    ae.supported_contexts = AllStoragePresentationContexts
    ae.add_supported_context(Verification)
    server: Any = ae.start_server(("127.0.0.1", port), block=False, evt_handlers=[(evt.EVT_C_STORE, keep)])
    try:
        yield
    finally:
        server.shutdown()


def store(port: int, called: str, calling: str, part10: list[bytes]) -> list[int]:
    """Send objects by C-STORE as the hospital's modality would; the status of each."""
    from io import BytesIO

    from pydicom import dcmread
    from pynetdicom import AE

    sets = [dcmread(BytesIO(raw)) for raw in part10]
    ae = AE(ae_title=calling)
    for sop_class, syntax in sorted({(str(ds.SOPClassUID), str(ds.file_meta.TransferSyntaxUID)) for ds in sets}):
        ae.add_requested_context(sop_class, syntax)
    assoc = ae.associate("127.0.0.1", port, ae_title=called)
    if not assoc.is_established:
        raise ConnectionError("the DICOM listener refused the association")
    try:
        return [int(assoc.send_c_store(ds).Status) for ds in sets]
    finally:
        assoc.release()


@dataclass
class Gateway:
    """An SMS gateway that speaks Twilio's interface: takes messages, reports delivery, passes on replies, all signed."""

    port: int
    sid: str = "AC00000000000000000000000000000000"
    token: str = "demo-token"
    sent: list[dict[str, str]] = field(default_factory=list)

    def sign(self, url: str, form: dict[str, str]) -> str:
        """The X-Twilio-Signature of a callback: HMAC-SHA1 over the URL and the sorted form, Base64."""
        text = url + "".join(k + form[k] for k in sorted(form))
        return base64.b64encode(hmac.new(self.token.encode(), text.encode(), hashlib.sha1).digest()).decode()

    def call_back(self, url: str, form: dict[str, str], verify: bool | str = True) -> int:
        """POST a signed callback; the status the product answered."""
        headers = {"X-Twilio-Signature": self.sign(url, form)}
        return requests.post(url, data=form, headers=headers, timeout=20, verify=verify).status_code

    def report(self, url: str, sid: str) -> None:
        """Report a message as sent and then as delivered, in a thread of its own; a number that is not known yet is told again."""

        def tell() -> None:
            for status in ("sent", "delivered"):
                for _ in range(TOLD):
                    time.sleep(PAUSE)
                    try:
                        if self.call_back(url, {"MessageSid": sid, "MessageStatus": status}) == 204:
                            break
                    except requests.RequestException:
                        return

        threading.Thread(target=tell, name="sms-report", daemon=True).start()

    @contextmanager
    def serve(self) -> Iterator[None]:
        """Listen for `POST /2010-04-01/Accounts/{sid}/Messages.json`."""
        server = ThreadingHTTPServer(("127.0.0.1", self.port), _gateway_handler(self))
        threading.Thread(target=server.serve_forever, name="sms", daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()


def _gateway_handler(gateway: Gateway) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Accept a message."""
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            form = dict(parse_qsl(body))
            form["sid"] = f"SM{len(gateway.sent):032x}"
            gateway.sent.append(form)
            answer = json.dumps(
                {"sid": form["sid"], "status": "queued", "to": form.get("To"), "from": form.get("From")}
            )
            self.send_response(201)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer.encode())
            if form.get("StatusCallback"):
                gateway.report(form["StatusCallback"], form["sid"])

        def log_message(self, *_: Any) -> None:
            """Keep quiet: the walk prints what matters."""

    return Handler
