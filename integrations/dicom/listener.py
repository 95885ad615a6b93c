"""The DICOM listener: Verification and Storage as SCP, every storage class known or not, every transfer syntax but deflated."""

from __future__ import annotations

import logging
import ssl
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from integrations.dicom import network, spool
from integrations.dicom.errors import DicomRefused
from integrations.dicom.port import CANNOT_UNDERSTAND, OUT_OF_RESOURCES, Accept, Received
from integrations.dicom.scan import DEFLATED

_log = logging.getLogger(__name__)
NOBODY = "\0"
"""An AE title nobody can have (PS3.5 6.2)."""


@dataclass(frozen=True)
class ListenerSettings:
    """Where the listener listens and what it bears. `shared`: several processes listen on one port (SO_REUSEPORT)."""

    host: str = "127.0.0.1"
    port: int = 11112
    ae_title: str = "LIANYI"
    associations: int = 50
    idle_seconds: float = 60.0
    drain_seconds: float = 10.0
    shared: bool = False


class Listener:
    """Takes objects from known peers and hands them on as files, which `draft` makes; they are closed after `accept`.

    `known()` gives the AE titles that may associate now, None for any. `accept(received)` commits and returns the status;
    DicomRefused becomes 0xC000 (do not repeat), anything else 0xA700 (repeat later), and the peer keeps its copy. `tls` makes
    every connection a TLS one (PS3.15 B.12); it decides whether peers must show a certificate.
    """

    def __init__(
        self,
        settings: ListenerSettings,
        accept: Accept,
        known: Callable[[], list[str] | None] = lambda: None,
        tls: ssl.SSLContext | None = None,
        draft: spool.Draft = tempfile.TemporaryFile,
    ) -> None:
        self.settings = settings
        self._accept, self._known, self._tls, self._draft = accept, known, tls, draft
        self._server: Any = None
        self._busy = 0
        self._turn = threading.Condition()

    @property
    def port(self) -> int:
        """The port it really listens on."""
        return int(self._server.socket.getsockname()[1]) if self._server else self.settings.port

    def start(self) -> None:
        """Begin to listen in threads of this process."""
        from pynetdicom import _config, evt
        from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

        network.install()
        _config.UNRESTRICTED_STORAGE_SERVICE = True  # private and future classes, each in the syntax its sender prefers
        _config.LOG_HANDLER_LEVEL = "none"
        ours = self.settings
        ae = _entity(ours.ae_title, self._known)
        ae.maximum_associations = ours.associations
        ae.maximum_pdu_size = 128 * 1024
        ae.network_timeout = ours.idle_seconds
        ae.acse_timeout = ae.dimse_timeout = min(30.0, ours.idle_seconds)
        ae.add_supported_context(Verification)
        self._server = ae.make_server(
            (ours.host, ours.port),
            ssl_context=self._tls,
            evt_handlers=[
                (evt.EVT_REQUESTED, self._requested),
                (evt.EVT_CONN_CLOSE, spool.cut),
                (evt.EVT_C_ECHO, _echo),
                (evt.EVT_C_STORE, self._store),
            ],
            server_class=network.server_class(ours.associations, ours.idle_seconds, ours.shared),
        )
        ae._servers.append(self._server)  # its shutdown expects to be listed
        threading.Thread(target=self._server.serve_forever, name="dicom-listener", daemon=True).start()

    def stop(self) -> None:
        """Close the door, let what is being committed be answered, then end the associations."""
        server, self._server = self._server, None
        if server is None:
            return
        server.shutdown()
        with self._turn:
            self._turn.wait_for(lambda: not self._busy, self.settings.drain_seconds)
        _end(server.active_associations)

    def _requested(self, event: Any) -> None:
        network.without_deflated(event)
        spool.begin(self._draft)(event)

    def _store(self, event: Any) -> int:
        with self._turn:
            self._busy += 1
        spooled: spool.Spool = event.request.DataSet
        try:
            received = _received(event, spooled)
            return CANNOT_UNDERSTAND if received is None else self._accept(received)
        except DicomRefused:
            return CANNOT_UNDERSTAND
        except Exception as problem:  # the edge of the process: whatever happened, the peer must keep its copy
            _log.error("an object was not kept: %s", type(problem).__name__)
            return OUT_OF_RESOURCES
        finally:
            spooled.end()
            network.start_afresh(event)
            with self._turn:
                self._busy -= 1
                self._turn.notify_all()


def _echo(event: Any) -> int:
    network.start_afresh(event)
    return 0x0000


def _received(event: Any, spooled: spool.Spool) -> Received | None:
    """The object as a file; None when the request makes no sense."""
    request, assoc = event.request, event.assoc
    syntax = str(event.context.transfer_syntax)
    file = spooled.whole()
    if file is None or syntax in DEFLATED:
        return None
    return Received(
        file=file, calling=str(assoc.requestor.ae_title).strip(),
        called=str(assoc.requestor.primitive.called_ae_title).strip(), address=str(assoc.requestor.address),
        sop_class=str(request.AffectedSOPClassUID), sop_uid=str(request.AffectedSOPInstanceUID), transfer_syntax=syntax,
    )  # fmt: skip


def _end(associations: list[Any]) -> None:
    """Abort associations side by side; who has not reacted after a second loses the connection."""
    threads = [threading.Thread(target=assoc.abort, daemon=True) for assoc in associations]
    for thread in threads:
        thread.start()
    late = time.monotonic() + 1.0
    for assoc, thread in zip(associations, threads, strict=True):
        thread.join(max(0.0, late - time.monotonic()))
        if thread.is_alive():
            assoc.dul.socket._shutdown_socket()
    for thread in threads:
        thread.join(1.0)


def _entity(title: str, known: Callable[[], list[str] | None]) -> Any:
    """An application entity that asks anew at each association who may call it."""
    from pynetdicom import AE

    class Guarded(AE):
        @property
        def require_calling_aet(self) -> list[str]:
            try:
                titles = known()
            except Exception as problem:  # the edge of the process: who cannot be looked up is not let in
                _log.error("the known peers cannot be read: %s", type(problem).__name__)
                return [NOBODY]
            return [] if titles is None else titles or [NOBODY]

        @require_calling_aet.setter
        def require_calling_aet(self, _titles: list[str]) -> None:
            raise AttributeError("the allow list is asked for at each association")

    return Guarded(ae_title=title)
