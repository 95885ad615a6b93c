"""The one composition root: settings become adapters and services; nothing else builds either."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy.orm import Session

from engine import Clock, Database, SystemClock, Worker, connect, history, retention
from integrations import tls
from integrations.compression import Decoder, GlymurCompressor
from integrations.dicom import Listener as DicomListener
from integrations.dicom import ListenerSettings as DicomSettings
from integrations.dicom import Received, Scu
from integrations.hl7 import Client as Hl7Client
from integrations.hl7 import Listener as MllpListener
from integrations.hl7 import ListenerSettings as MllpSettings
from integrations.hl7 import Peers
from integrations.pdf import TypstPdf
from integrations.rendering import WindowedRenderer
from integrations.sms import OutboxSms, Sms, TwilioSms, settings_of
from integrations.storage import FileStore
from migrations import run as migrations
from tasks import catalogue
from tasks.catalogue import Services
from tasks.notify.service import Offer
from tasks.people.service import Actor, directory
from tasks.worklist import orphans
from webui import logs
from webui.config import Config
from webui.supervisor import ParentWatch

if TYPE_CHECKING:
    from flask import Flask


@dataclass(frozen=True)
class House:
    """Everything a process needs, built once."""

    config: Config
    db: Database
    clock: Clock
    services: Services
    decoder: Decoder

    def worker(self, name: str) -> Worker:
        """A worker with every operation bound."""
        return Worker(self.services.engine, catalogue.bind(self.services), name=name)

    def dicom_listener(self, host: str, port: int, secured: ssl.SSLContext | None = None) -> DicomListener:
        """The DICOM listener; only AE titles of the alliance's hospitals may call."""

        def accept(received: Received) -> int:
            return self.services.imaging.ingest(received.file, received.calling, f"dicom:{received.address}")

        def known() -> list[str]:
            with self.db.read() as session:
                return [h.ae_title for h in directory.hospitals(session) if h.ae_title]

        return DicomListener(DicomSettings(host, port), accept, known, secured, self.services.imaging.draft)

    def mllp_listener(self, host: str, port: int, secured: ssl.SSLContext | None = None) -> MllpListener:
        """The HL7 listener; a message is stored before it is answered. Only peers of the alliance's HL7 lines may send, unless
        the setting says that any may; while no line is entered there is nobody to tell apart."""
        messages, any_peer = self.services.messages, self.config.hl7_peers == "any"
        peers = Peers(lambda: None if any_peer else messages.hl7_peers())
        return MllpListener(
            MllpSettings(host, port, tls=secured), messages.receive_hl7, known=peers, refuse=messages.refuse_hl7
        )

    def keep_partitions(self) -> None:
        """Make the history's partitions of the coming months where the database has them."""
        with self.db.transaction() as session:
            history.make_partitions(session)

    def check_chains(self) -> None:
        """Verify the whole history; what is found stands in it."""
        history.check(self.db, "worker", self.clock.now())

    def forget(self) -> None:
        """Let go of what the engine need not remember any more, and of uploads that were never handed in."""
        retention.sweep(self.db, self.clock.now())
        orphans.sweep(self.db, self.services.files, self.clock.now())

    def close(self) -> None:
        """Close what was opened."""
        self.decoder.close()
        self.db.close()


def listening(cert: Path, key: Path, client_ca: Path | None) -> ssl.SSLContext:
    """What the DICOM and HL7 listeners speak."""
    return tls.server(cert, key, client_ca)


def build(config: Config, clock: Clock | None = None, *, cert: Path | None = None, key: Path | None = None) -> House:
    """Adapters by the settings' addresses, services on top of them. `cert` and `key` are shown to peers that ask."""
    identity = tls.Identity(cert, key) if cert and key else None
    clock = clock or SystemClock()
    db = connect(config.database_url)
    decoder = Decoder()
    services = catalogue.build(
        db, clock, blobs=FileStore(_store(config)), compressor=GlymurCompressor(decoder), renderer=WindowedRenderer(decoder.decode),
        sms=_sms(config), pdf=TypstPdf(), dicom=Scu(identity=identity), hl7=Hl7Client(identity=identity), pepper=config.secret_key.encode(), decode=decoder.check,
        zone=config.timezone,
    )  # fmt: skip
    _answer_offers(services)
    return House(config, db, clock, services, decoder)


def _store(config: Config) -> Path:
    parts = urlsplit(config.store_url or (config.data / "blobs").as_uri())
    if parts.scheme != "file":
        raise ValueError("LIANYI_STORE_URL must start with file:///")
    return Path(parts.path)


def _sms(config: Config) -> Sms:
    return (
        TwilioSms(settings_of(config.sms_url, config.public_url))
        if config.sms_url.startswith("twilio:")
        else OutboxSms()
    )


def _answer_offers(services: Services) -> None:
    """A short reply completes the one open offer of its sender."""

    def offers(session: Session, actor: Actor) -> list[Offer]:
        rows = services.worklist.inbox(session, actor, "all")
        return [Offer(r.task_id, r.case.id, r.case.ref) for r in rows if r.form == "offer_reply" and r.case is not None]

    def answer(actor: Actor, offer: Offer, accepted: bool, key: str) -> None:
        data = {"accepted": accepted} if accepted else {"accepted": False, "decline_reason": "time"}
        services.worklist.submit(actor, offer.task_id, data, key, take=True)

    services.notify.answer_offers(offers, answer)


def application() -> Flask:
    """The web application, as the server's own child imports it; when its parent is killed it lets go of the port."""
    from webui.app import create_app

    ParentWatch(lambda: os._exit(1)).start()
    config = Config.from_environ()
    logs.configure(config.log)
    house = build(config)
    return create_app(house.services, config, house.clock)


def migrate(config: Config) -> Iterator[str]:
    """Bring the schema to its head and release packaged bundles whose hash is new; one line for each thing done."""
    config.data.mkdir(parents=True, exist_ok=True)
    before = migrations.current(config.database_url)
    migrations.upgrade(config.database_url)
    yield f"schema {before or 'empty'} → {migrations.head()}"
    house = build(config)
    try:
        made = house.services.engine.release(catalogue.bundle(), actor="lianyi migrate")
        yield f"model {made.process} version {made.version}"
    finally:
        house.close()


def first_administrator(config: Config, login: str, password: str) -> UUID:
    """An administrator of the whole platform at a hospital of its own, for an installation that has nobody yet."""
    house = build(config)
    try:
        home = house.services.people.create_hospital("PLATFORM", "平台", "Platform", "hub", actor="command line")
        return house.services.people.create_account(
            login, login, home, ["platform_admin"], password=password, actor="command line"
        )
    finally:
        house.close()
