"""A consultation under `lianyi serve` whose worker is killed while it works on it: nothing is lost, no short message goes twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pydicom.data import get_testdata_file
from sqlalchemy import ColumnElement, func, select, update

from engine import uuid7
from engine.tables import history, incident, job, wait
from integrations.dicom import Subject, restamp
from tasks.cases import troubles
from tasks.demo import alliance as invented
from tasks.demo.outside import Gateway, Received, free_port, his, pacs
from tasks.imaging.models import Locator
from tasks.patients.service import Arrival
from tasks.people import alliance
from tasks.people.service import Actor
from tasks.quality import sampling
from webui import bootstrap
from webui.config import Config

ROOT = Path(__file__).resolve().parents[2]
STUDY, OBJECTS, TEXT = "2.25.7", 60, "左侧颞枕叶低密度。"
APPLY: dict[str, Any] = {
    "modality": "CT", "body_part": "head", "laterality": "N", "tag": "none", "purpose": ["diagnosis"], "clinical_diagnosis": TEXT,
    "complaint": TEXT, "summary": TEXT * 5, "question": TEXT, "urgency": "R", "specialty": "neuro", "windows": TEXT, "callback": "1",
    "consent": "true", "consent_method": "verbal", "studies": [STUDY],
}  # fmt: skip
REPORT = dict.fromkeys(("clinical", "technique", "comparison", "findings", "impression", "advice"), TEXT) | {
    "certainty": "likely"
}
SCORE = dict.fromkeys(("logic", "standard", "completeness", "reasoning", "accuracy"), "18") | {"decision": "pass"}


class Held(list[Any]):
    """What an outside party got. While `armed` it does not answer what it has got, until `go`."""

    def __init__(self) -> None:
        super().__init__()
        self.armed, self.reached, self.go = False, threading.Event(), threading.Event()

    def append(self, thing: Any) -> None:
        """Keep it, then answer or wait."""
        super().append(thing)
        if self.armed:
            self.reached.set()
            self.go.wait(60)


class Ward:
    """The installation: its database seen from here, its processes from outside."""

    def __init__(self, config: Config, hl7: int, dicom: int) -> None:
        self.config, self.house = config, bootstrap.build(config)
        services, now = self.house.services, self.house.clock.now()
        self.services = services
        document = invented.describe(now, his_port=hl7, pacs_port=dicom)
        for row in document["accounts"]:
            if row["login"] != "lin":
                row["password"] = None
        loaded = alliance.load(services.people, self.house.db, document, actor="test")
        self.accounts, home, self.hub = loaded.accounts, loaded.hospitals["QH"], loaded.hospitals["SF"]
        for row in document["endpoints"]:
            services.messages.set_endpoint(
                home, row["kind"], name=row["name"], host=row["host"], port=row["port"], application=row.get("application") or row["ae_title"]
            )  # fmt: skip
        raw, subject = (
            Path(str(get_testdata_file("CT_small.dcm"))).read_bytes(),
            Subject("QH1", "王示例", "M", "19590312", STUDY, "A1"),
        )
        for n in range(OBJECTS):
            made = restamp(raw, subject, series_uid="2.25.8", sop_uid=f"2.25.9{n:03d}", when=now, label="T")
            assert services.imaging.ingest(made, "QH_CT", "test") == 0
        with self.house.db.transaction() as session:
            arrival = Arrival(home, "QH_HIS", "QH1", "王示例", "M", now.date().replace(1959, 3, 12))
            known = services.applications.receive_patient(session, arrival, actor="test")
        self.case = UUID(int=0)
        while self.case.int == 0 or sampling.drawn(self.case, "second", sampling.SECOND):  # one score is enough here
            self.case, _ = services.applications.open(self.actor("he"), known.registration_id, str(uuid7()))

    def actor(self, login: str) -> Actor:
        if login == "lin":
            token, _ = self.services.people.logins.open(login, invented.PASSWORD)
            return self.services.people.logins.reauthenticate(token, invented.PASSWORD)
        with self.house.db.read() as session:
            return self.services.people.actor(session, self.accounts[login])

    def submit(self, login: str, form: str, data: Mapping[str, Any]) -> None:
        """Hand in a form as soon as its task is there."""
        _until(f"the task {form}", lambda: form in self.waiting())
        who = self.actor(login)
        with self.house.db.read() as session:
            found = self.services.worklist.inbox(session, who)
        rows = [r for r in found if r.form == form and r.case and r.case.id == self.case]
        self.services.worklist.submit(who, rows[0].task_id, data, str(uuid7()), take=True)

    def waiting(self) -> list[str]:
        with self.house.db.read() as session:
            mine = wait.c.instance_id == self.case, wait.c.kind == "user"
            return list(session.scalars(select(wait.c.form).where(*mine)))

    def at_work(self, operation: str) -> bool:
        """A worker is in the midst of this."""
        return self._jobs(job.c.operation == operation, job.c.state.in_(("leased", "sent")))

    def idle(self) -> bool:
        """Nothing is left to do before a person has done something."""
        return not self._jobs(job.c.state.in_(("ready", "leased", "sent")))

    def _jobs(self, *which: ColumnElement[bool]) -> bool:
        with self.house.db.read() as session:
            return bool(session.scalar(select(func.count()).select_from(job).where(*which)))

    def attempts(self, operation: str) -> int:
        with self.house.db.read() as session:
            return int(session.scalar(select(func.max(job.c.attempt)).where(job.c.operation == operation)) or 0)

    def pid(self, role: str) -> int:
        try:
            return int((self.config.data / "run" / f"{role}.ready").read_text() or 0)
        except (OSError, ValueError):
            return 0

    def kill_worker(self) -> None:
        """SIGKILL; the supervisor starts another one. Then the dead one's leases are as old as they would be a minute later."""
        first = self.pid("worker")
        os.kill(first, signal.SIGKILL)
        _until("the worker is back", lambda: self.pid("worker") not in (0, first))
        with self.house.db.transaction() as session:
            late = self.house.clock.now() - timedelta(seconds=1)
            dead = job.c.state.in_(("leased", "sent")) & job.c.owner.contains(f"-{first}-")
            session.execute(update(job).where(dead).values(lease_until=late))

    def troubles(self) -> list[tuple[UUID, str]]:
        with self.house.db.read() as session:
            query = select(incident.c.id, incident.c.kind).where(incident.c.state == "open")
            return [(row.id, row.kind) for row in session.execute(query)]

    def done(self, operation: str) -> int:
        """How often the history says that this was done."""
        with self.house.db.read() as session:
            entries = session.scalars(select(history.c.data).where(history.c.kind == "job.done")).all()
        return sum(f'"{operation}"' in str(entry).replace("'", '"') for entry in entries)


def _until(what: str, seen: Callable[[], Any], seconds: float = 90.0, pause: float = 0.05) -> None:
    late, sleep = time.monotonic() + seconds, threading.Event()
    while not seen():
        assert time.monotonic() < late, what
        sleep.wait(pause)


@contextmanager
def _served(environment: Mapping[str, str], ward: Ward) -> Iterator[None]:
    ports = [f"--{name}-port={free_port()}" for name in ("web", "dicom", "mllp")]
    kept = {k: v for k, v in os.environ.items() if not k.startswith("LIANYI_")}
    command = [sys.executable, "-m", "webui.cli", "serve", *ports]
    process = subprocess.Popen(command, env=kept | dict(environment) | {"PYTHONPATH": str(ROOT)}, cwd=ROOT)
    try:
        _until("all ready", lambda: all(map(ward.pid, ("web", "worker", "dicom", "mllp"))))
        yield
        process.terminate()
        assert process.wait(30) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


@pytest.mark.slow
@pytest.mark.timeout(420)
def test_a_consultation_outlives_its_worker_at_every_kind_of_work(db_url: str, tmp_path: Path) -> None:
    gateway, received = Gateway(free_port()), Received()
    gateway.sent, received.messages = texts, results = Held(), Held()
    hl7, dicom = free_port(), free_port()
    own = {
        "LIANYI_DATA": str(tmp_path), "LIANYI_DATABASE_URL": db_url, "LIANYI_LOG": "error",
        "LIANYI_SMS_URL": f"twilio://{gateway.sid}:{gateway.token}@127.0.0.1:{gateway.port}?from=%2B15550100&scheme=http",
    }  # fmt: skip
    config = Config.from_environ(own)
    list(bootstrap.migrate(config))
    ward = Ward(config, hl7, dicom)
    with ExitStack() as outside:
        outside.callback(ward.house.close)
        outside.callback(texts.go.set)
        outside.callback(results.go.set)
        for party in (gateway.serve(), his(received, hl7), pacs(received, dicom, "QH_PACS"), _served(own, ward)):
            outside.enter_context(party)

        # work that may be done again: half of the study is prepared
        ward.submit("he", "apply", APPLY | {"to_hospital": str(ward.hub)})
        ward.submit("gao", "approve", {"decision": "approve"})
        _until("the study is being prepared", lambda: ward.at_work("imaging.prepare"), pause=0.01)
        ward.kill_worker()
        ward.submit("chen", "pre_qc", {"decision": "pass", "accept_warnings": "true"})
        assert ward.done("imaging.prepare") == 1
        assert ward.attempts("imaging.prepare") == 2, "it was in the midst of it"

        # work that must not be done again: the provider has the message, and nobody heard its answer
        texts.armed = True
        ward.submit("shen", "triage", {"experts": [str(ward.accounts["lin"])], "minutes": "30"})
        assert texts.reached.wait(60)
        before = len(texts)
        ward.kill_worker()
        texts.armed = False
        texts.go.set()
        _until("it is asked whether it went out", lambda: [k for _, k in ward.troubles()] == ["unknown_outcome"])
        assert len(texts) == before
        ((stopped, _),) = ward.troubles()
        troubles.settle(ward.services.engine, ward.actor("wu"), stopped, "sent", "电话问过本人，已收到")
        ward.submit("lin", "offer_reply", {"accepted": "true"})
        start = (ward.house.clock.now() + timedelta(minutes=5)).isoformat()
        ward.submit("wu", "schedule", {"start_at": start, "minutes": "30"})
        ward.submit("lin", "attend", {"identity_checked": "true", "images_seen": "true"})
        ward.submit("lin", "hold", {"outcome": "done", "points": TEXT})
        ward.submit("lin", "report", REPORT)
        ward.submit("sun", "review", {"verdict": "approve", "radpeer": "1"})
        ward.submit("lin", "sign", {"statement": "true"})

        # work the other side recognises: the result is there, its acknowledgement was not heard
        results.armed = True
        ward.submit("zheng", "score", SCORE)
        assert results.reached.wait(60)
        ward.kill_worker()
        results.armed = False
        results.go.set()
        _until("the result is acknowledged", lambda: ward.done("reports.publish_hl7") == 1)

        def state() -> str:
            with ward.house.db.read() as session:
                return ward.services.cases.get(session, ward.case).state

        _until("the case is published and nothing is left to do", lambda: state() == "published" and ward.idle())
        assert ward.attempts("reports.publish_hl7") == 2
        assert len({message.split(b"|")[9] for message in results}) == 1, "the same result under the same number"
        assert len({str(ds.SOPInstanceUID) for ds in received.objects}) == 1
        bodies = [(text["To"], text["Body"]) for text in texts]
        assert len(set(bodies)) == len(bodies), "no short message twice"
        assert ward.done("notify.sms") == len(bodies) - 1, "every one once, the first by a person's word"
        assert ward.troubles() == []
        with ward.house.db.read() as session:
            copies = session.scalars(select(Locator.sop_uid).where(Locator.kind == "original")).all()
        assert len(copies) == OBJECTS
