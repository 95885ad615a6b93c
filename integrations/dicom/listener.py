"""The DICOM listener: Verification and Storage as SCP, every storage class, every transfer syntax but deflated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from integrations import IntegrationError
from integrations.dicom import network
from integrations.dicom.header import DEFLATED
from integrations.dicom.port import CANNOT_UNDERSTAND, OUT_OF_RESOURCES, Accept, Received


@dataclass(frozen=True)
class ListenerSettings:
    """Where the listener listens and what it bears."""

    host: str = "127.0.0.1"
    port: int = 11112
    ae_title: str = "LIANYI"
    associations: int = 50
    idle_seconds: float = 60.0


class Listener:
    """Takes objects from known peers and hands them on as bytes.

    `known()` gives the AE titles that may associate now, None for any. `accept(received)` commits and returns the status; what it
    raises becomes a failure status, and the peer keeps its copy.
    """

    def __init__(
        self,
        settings: ListenerSettings,
        accept: Accept,
        known: Callable[[], list[str] | None] = lambda: None,
    ) -> None:
        self.settings = settings
        self._accept = accept
        self._known = known
        self._server: Any = None

    @property
    def port(self) -> int:
        """The port it really listens on."""
        return int(self._server.socket.getsockname()[1]) if self._server else self.settings.port

    def start(self) -> None:
        """Begin to listen in threads of this process."""
        from pynetdicom import _config, evt
        from pynetdicom.presentation import AllStoragePresentationContexts
        from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

        network.install()
        _config.UNRESTRICTED_STORAGE_SERVICE = True
        _config.LOG_HANDLER_LEVEL = "none"
        ae = _entity(self.settings.ae_title, self._known)
        ae.maximum_associations = self.settings.associations
        ae.maximum_pdu_size = 128 * 1024
        ae.network_timeout = self.settings.idle_seconds
        ae.acse_timeout = ae.dimse_timeout = 30
        syntaxes = _syntaxes()
        for context in AllStoragePresentationContexts:
            ae.add_supported_context(str(context.abstract_syntax), syntaxes)
        ae.add_supported_context(Verification)
        handlers = [
            (evt.EVT_C_STORE, self._store),
            (evt.EVT_CONN_OPEN, network.no_delay),
        ]
        self._server = ae.start_server((self.settings.host, self.settings.port), block=False, evt_handlers=handlers)

    def stop(self) -> None:
        """Stop listening and close what is open."""
        if self._server is not None:
            self._server.shutdown()
            self._server = None

    def _store(self, event: Any) -> int:
        request, assoc = event.request, event.assoc
        syntax = str(event.context.transfer_syntax)
        if syntax == DEFLATED:
            return CANNOT_UNDERSTAND
        try:
            received = Received(
                part10=event.encoded_dataset(), calling=str(assoc.requestor.ae_title).strip(),
                called=str(assoc.acceptor.ae_title).strip(), address=str(assoc.requestor.address),
                sop_class=str(request.AffectedSOPClassUID), sop_uid=str(request.AffectedSOPInstanceUID), transfer_syntax=syntax,
            )  # fmt: skip
            return self._accept(received)
        except IntegrationError:
            return CANNOT_UNDERSTAND
        except Exception:  # the edge of the process: whatever happened, the peer must keep its copy
            return OUT_OF_RESOURCES


def _syntaxes() -> list[str]:
    from pydicom.uid import AllTransferSyntaxes

    extra = ["1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202", "1.2.840.10008.1.2.4.203", "1.2.840.10008.1.2.4.110",
             "1.2.840.10008.1.2.4.111", "1.2.840.10008.1.2.4.112"]  # fmt: skip
    return list(dict.fromkeys([*(str(s) for s in AllTransferSyntaxes if str(s) != DEFLATED), *extra]))


def _entity(title: str, known: Callable[[], list[str] | None]) -> Any:
    """An application entity that asks anew at each association who may call it."""
    from pynetdicom import AE

    class Guarded(AE):
        @property
        def require_calling_aet(self) -> list[str]:
            titles = known()
            return [] if titles is None else titles or [""]

        @require_calling_aet.setter
        def require_calling_aet(self, _titles: list[str]) -> None:
            raise AttributeError("the allow list is asked for at each association")

    return Guarded(ae_title=title)
