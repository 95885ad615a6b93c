"""Sends objects by C-STORE and asks by C-ECHO; every outcome is classed so that the caller knows what to repeat."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from integrations import Outcome, OutcomeClass, tls
from integrations.dicom import network
from integrations.dicom.errors import DicomRefused
from integrations.dicom.fields import UID
from integrations.dicom.port import UNREADABLE, Peer
from integrations.dicom.scan import layout
from integrations.foreign import malformed, quiet

NATIVE = ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2")
CONTEXTS = 120
"""Presentation contexts we ask for in one association; the protocol ends at 128."""
WARNINGS = (0xB000, 0xB006, 0xB007)
UNREACHABLE = Outcome(OutcomeClass.TRANSIENT, "unreachable", "The peer cannot be reached.")
ENDED = Outcome(OutcomeClass.TRANSIENT, "aborted", "The association ended before this object was sent.")
NO_CONTEXT = Outcome(OutcomeClass.PERMANENT, "no_context", "The peer does not take this kind of object.")
MEANINGS = {
    0xA000: "The peer is out of resources, or the object does not match its class.",
    0xC000: "The peer cannot understand the object.",
}
"""Our own words: a peer's comment may hold a patient's name."""


@dataclass(frozen=True)
class SenderSettings:
    """Who we are and how long we wait, in seconds."""

    ae_title: str = "LIANYI"
    connect_seconds: float = 10.0
    answer_seconds: float = 60.0


@dataclass(frozen=True)
class _Parcel:
    part10: bytes
    sop_class: str
    syntax: str

    def syntaxes(self) -> tuple[str, ...]:
        """What to offer: the object's own, and its plain sister where that loses nothing."""
        return NATIVE if self.syntax in NATIVE else (self.syntax,)


class Scu:
    """The DICOM client. `identity` is shown to peers that want to see a certificate (PS3.15 B.12)."""

    def __init__(self, settings: SenderSettings | None = None, identity: tls.Identity | None = None) -> None:
        self.settings = settings or SenderSettings()
        self._identity = identity

    def echo(self, peer: Peer) -> Outcome:
        """C-ECHO."""
        assoc = self._associate(peer, [("1.2.840.10008.1.1", NATIVE[1])])
        if isinstance(assoc, Outcome):
            return assoc
        try:
            return _outcome(assoc.send_c_echo())
        finally:
            assoc.release()

    def store(self, peer: Peer, objects: list[bytes]) -> list[Outcome]:
        """C-STORE of Part-10 objects, byte for byte where the peer takes their syntax; one outcome each, in order."""
        outcomes: list[Outcome] = [UNREADABLE] * len(objects)
        parcels = {place: parcel for place, raw in enumerate(objects) if (parcel := _parcel(raw))}
        for wanted, places in _batches(parcels):
            assoc = self._associate(peer, wanted)
            if isinstance(assoc, Outcome):
                outcomes = [assoc if i in places else o for i, o in enumerate(outcomes)]
                continue
            try:
                for place in places:
                    outcomes[place] = _send(assoc, parcels[place])
            finally:
                if assoc.is_established:
                    assoc.release()
        return outcomes

    def _associate(self, peer: Peer, wanted: Iterable[tuple[str, str]]) -> Any:
        """An association, or why there is none.

        One presentation context for each pair, or the peer would choose a single syntax for all.
        """
        from pynetdicom import AE, _config
        from pynetdicom.presentation import build_context

        network.install()
        _config.STORE_SEND_CHUNKED_DATASET = True  # a path is sent as it lies there, not decoded and encoded again
        _config.LOG_HANDLER_LEVEL = "none"
        ae = AE(ae_title=self.settings.ae_title)
        ae.connection_timeout = self.settings.connect_seconds
        ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = self.settings.answer_seconds
        contexts = [build_context(sop_class, syntax) for sop_class, syntax in wanted]
        try:
            context = None if peer.trust is None else tls.client(peer.trust, self._identity)
        except (OSError, ValueError):
            return tls.named("tls_identity")
        secured = None if context is None else (context, peer.host)
        try:
            assoc = ae.associate(peer.host, peer.port, contexts=contexts, ae_title=peer.ae_title, tls_args=secured)
        except OSError:  # the name has no address
            return UNREACHABLE
        if assoc.is_established:
            return assoc
        return (context.outcome() if context is not None else None) or _no_association(assoc)


def _parcel(part10: bytes) -> _Parcel | None:
    from pydicom import dcmread

    try:
        syntax = layout(part10).syntax  # refuses what must not be parsed
        with quiet():
            meta = dcmread(io.BytesIO(part10), stop_before_pixels=True).file_meta
    except DicomRefused:
        return None
    except malformed():
        return None
    sop_class = str(getattr(meta, "MediaStorageSOPClassUID", ""))
    return _Parcel(part10, sop_class, syntax) if UID.fullmatch(sop_class) and UID.fullmatch(syntax) else None


def _batches(parcels: dict[int, _Parcel]) -> Iterable[tuple[list[tuple[str, str]], list[int]]]:
    """Groups that fit into an association each: the contexts to ask for, and the places of the objects."""
    wanted: dict[tuple[str, str], None] = {}
    places: list[int] = []
    for place, parcel in parcels.items():
        new = [(parcel.sop_class, syntax) for syntax in parcel.syntaxes()]
        if places and len({*wanted, *new}) > CONTEXTS:
            yield list(wanted), places
            wanted, places = {}, []
        wanted |= dict.fromkeys(new)
        places.append(place)
    if places:
        yield list(wanted), places


def _send(assoc: Any, parcel: _Parcel) -> Outcome:
    if not assoc.is_established:
        return ENDED
    taken = {str(c.transfer_syntax[0]) for c in assoc.accepted_contexts if c.abstract_syntax == parcel.sop_class}
    try:
        if parcel.syntax in taken:
            handle = _in_memory(parcel.part10)
            try:
                return _outcome(assoc.send_c_store(f"/proc/self/fd/{handle}"))
            finally:
                os.close(handle)
        if taken and parcel.syntax in NATIVE:
            return _outcome(assoc.send_c_store(_converted(parcel.part10)))
    except RuntimeError:  # the peer left between two objects
        return ENDED
    except malformed():
        return UNREADABLE
    return NO_CONTEXT


def _in_memory(part10: bytes) -> int:
    handle = os.memfd_create("dicom")
    with os.fdopen(os.dup(handle), "wb") as out:
        out.write(part10)
    return handle


def _converted(part10: bytes) -> Any:
    from pydicom import dcmread

    return dcmread(io.BytesIO(part10))


def _no_association(assoc: Any) -> Outcome:
    """PS3.8 9.3.4: a rejection is permanent or transient; an abort after acceptance means that no context was taken."""
    if assoc.is_rejected:
        answer = assoc.acceptor.primitive
        if getattr(answer, "result", 1) == 2:
            return Outcome(OutcomeClass.TRANSIENT, "busy", "The peer takes no more associations now.")
        return Outcome(OutcomeClass.PERMANENT, "rejected", "The peer rejected the association; check both AE titles.")
    if assoc.acceptor.primitive is not None and not assoc.accepted_contexts:
        return NO_CONTEXT
    return UNREACHABLE


def _outcome(status: Any) -> Outcome:
    """Classes of PS3.4 B.2.3 and PS3.7 annex C."""
    if "Status" not in status:
        return Outcome(OutcomeClass.TRANSIENT, "no_answer", "The peer gave no answer in time.")
    code = int(status.Status)
    if code == 0 or code in WARNINGS:
        return Outcome(OutcomeClass.OK, f"0x{code:04X}")
    passing = 0xA700 <= code <= 0xA7FF or code == 0x0110  # out of resources, processing failure
    kind = OutcomeClass.TRANSIENT if passing else OutcomeClass.PERMANENT
    return Outcome(kind, f"0x{code:04X}", MEANINGS.get(code & 0xF000, "The peer refused the object."))
