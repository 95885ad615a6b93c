"""Sends objects by C-STORE and asks by C-ECHO; every outcome is classed so that the caller knows what to repeat."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

from integrations import Outcome, OutcomeClass
from integrations.dicom import network
from integrations.dicom.port import Peer


@dataclass(frozen=True)
class SenderSettings:
    """Who we are and how long we wait, in seconds."""

    ae_title: str = "LIANYI"
    connect_seconds: float = 10.0
    answer_seconds: float = 60.0


class Scu:
    """The DICOM client."""

    def __init__(self, settings: SenderSettings | None = None) -> None:
        self.settings = settings or SenderSettings()

    def echo(self, peer: Peer) -> Outcome:
        """C-ECHO."""
        from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

        ae = self._entity()
        ae.add_requested_context(Verification)
        assoc = ae.associate(peer.host, peer.port, ae_title=peer.ae_title)
        if not assoc.is_established:
            return _no_association(assoc)
        try:
            return _outcome(assoc.send_c_echo())
        finally:
            assoc.release()

    def store(self, peer: Peer, objects: list[bytes]) -> list[Outcome]:
        """C-STORE of Part-10 objects over one association."""
        from pydicom import dcmread

        sets = [dcmread(io.BytesIO(raw)) for raw in objects]
        ae = self._entity()
        for sop_class, syntax in sorted({(str(ds.SOPClassUID), str(ds.file_meta.TransferSyntaxUID)) for ds in sets}):
            ae.add_requested_context(sop_class, syntax)
        assoc = ae.associate(peer.host, peer.port, ae_title=peer.ae_title)
        if not assoc.is_established:
            return [_no_association(assoc)] * len(sets)
        try:
            return [self._one(assoc, ds) for ds in sets]
        finally:
            assoc.release()

    def _entity(self) -> Any:
        from pynetdicom import AE

        network.install()
        ae = AE(ae_title=self.settings.ae_title)
        ae.connection_timeout = self.settings.connect_seconds
        ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = self.settings.answer_seconds
        return ae

    def _one(self, assoc: Any, ds: Any) -> Outcome:
        if not assoc.is_established:
            return Outcome(OutcomeClass.TRANSIENT, "aborted", "The association ended before this object was sent.")
        try:
            return _outcome(assoc.send_c_store(ds))
        except ValueError:
            return Outcome(OutcomeClass.PERMANENT, "no_context", "The peer does not take this kind of object.")


def _no_association(assoc: Any) -> Outcome:
    if assoc.is_rejected:
        return Outcome(OutcomeClass.PERMANENT, "rejected", "The peer rejected the association; check both AE titles.")
    return Outcome(OutcomeClass.TRANSIENT, "unreachable", "The peer cannot be reached.")


def _outcome(status: Any) -> Outcome:
    if "Status" not in status:
        return Outcome(OutcomeClass.TRANSIENT, "no_answer", "The peer gave no answer in time.")
    code = int(status.Status)
    if code == 0 or code in (0xB000, 0xB006, 0xB007):
        return Outcome(OutcomeClass.OK, f"0x{code:04X}")
    kind = OutcomeClass.TRANSIENT if 0xA700 <= code <= 0xA7FF else OutcomeClass.PERMANENT
    return Outcome(kind, f"0x{code:04X}", str(getattr(status, "ErrorComment", ""))[:120])
