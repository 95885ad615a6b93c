"""One remote consultation, walked as the outside world and the people of the alliance do it, with a proof for each step."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tasks.demo import alliance
from tasks.demo.browser import Browser, Page, Value
from tasks.demo.outside import Gateway, Received, send_hl7, store, wait_for

SHARES = (0.22, 0.29, 0.42, 0.48, 0.49, 0.59, 0.63, 0.65, 0.79, 0.82, 0.95, 0.99, 1.0)
"""Part of the whole time that is gone after each step."""


@dataclass(frozen=True)
class Proof:
    """Something that held, or did not, and how it was seen."""

    name: str
    ok: bool
    detail: str


@dataclass
class Walk:
    """The state of the walk: who is logged in where, what was seen, what was proven."""

    base: str
    ports: Mapping[str, int]
    received: Received
    gateway: Gateway
    images: Callable[[], list[bytes]]
    say: Callable[[str], None]
    verify: bool | str = True
    proofs: list[Proof] = field(default_factory=list)
    browsers: dict[str, Browser] = field(default_factory=dict)
    case: str = ""
    ref: str = ""
    started: float = field(default_factory=time.monotonic)
    step: int = 1

    # -- helpers ------------------------------------------------------------------------------------------------------
    def prove(self, name: str, ok: bool, detail: str, page: str = "") -> None:
        """Note and print one proof."""
        self.proofs.append(Proof(name, bool(ok), detail))
        mark = "✓" if ok else "✗"
        self.say(f"{mark} {self._progress()}  {name}: {detail}" + (f"  {self.base}{page}" if page else ""))

    def _progress(self) -> str:
        """Step n of m, seconds so far and seconds left, judged by what the steps usually take."""
        seconds = time.monotonic() - self.started
        before, after = (SHARES[i - 1] if i else 0.0 for i in (self.step - 1, self.step))
        done = max(before, after - 0.02, 0.02)
        left = f"about {seconds * (1 - done) / done:.0f} s left" if self.step < len(SHARES) else "done"
        return f"{self.step:2} / {len(SHARES)} {seconds:5.1f} s, {left:16}"

    def browser(self, login: str) -> Browser:
        """The browser of a person, logged in."""
        if login not in self.browsers:
            browser = Browser(self.base, verify=self.verify)
            browser.open("/login")
            browser.submit({"login_name": login, "password": alliance.PASSWORD})
            self.browsers[login] = browser
        return self.browsers[login]

    def task(self, login: str, form: str, seconds: float = 60.0) -> Page:
        """Wait until this person's list shows a task of the case with this form, take it, and open it."""
        browser = self.browser(login)

        def look() -> str | None:
            browser.open("/inbox")
            rows = browser.page.tree.xpath(f"//*[@data-form='{form}' and @data-case='{self.case}']")
            return str(rows[0].get("data-task")) if rows else None

        task = wait_for(f"task {form} for {login}", look, seconds)
        browser.open(f"/tasks/{task}")
        if browser.page.tree.xpath("//form[@id='claim']"):
            browser.submit({}, form="//form[@id='claim']")
        return browser.page

    def fill(self, login: str, form: str, values: Mapping[str, Value], seconds: float = 60.0) -> Page:
        """Do one human task."""
        self.task(login, form, seconds)
        return self.browser(login).submit(values, form="//form[@id='task']")

    def history(self) -> list[dict[str, Any]]:
        """The history of the case as the auditor's interface gives it."""
        answer = self.browser("jin").http.get(f"{self.base}/api/v1/cases/{self.case}/history", timeout=30)
        answer.raise_for_status()
        rows: list[dict[str, Any]] = answer.json()["entries"]
        return rows

    def called(self, operation: str, at_least: int = 1) -> dict[str, Any]:
        """Wait for the history rows that say the model's task called an operation and it was done; the last of them."""

        def look() -> list[dict[str, Any]] | None:
            rows = [r for r in self.history() if r.get("operation") == operation and r["kind"] == "job.done"]
            return rows if len(rows) >= at_least else None

        return wait_for(f"{operation} in the history", look, 90.0)[-1]

    # -- the steps ----------------------------------------------------------------------------------------------------
    def run(self) -> None:
        """All steps in order."""
        steps = (
            self.hospital_sends, self.apply, self.approve, self.pre_qc, self.triage, self.answer_sms, self.schedule,
            self.hold, self.report, self.return_once, self.final, self.published, self.audit,
        )  # fmt: skip
        for self.step, step in enumerate(steps, 1):
            step()

    def hospital_sends(self) -> None:
        """The applying hospital's HIS and modality send patient, order and images."""
        stamp = datetime.now(UTC).strftime("%Y%m%d%H%M%S")
        head = f"MSH|^~\\&|QH_HIS|QH|LIANYI|SF|{stamp}||%s|%s|P|2.5.1|||||CHN|UNICODE UTF-8\r"
        pid = "PID|1||QH20461^^^QH_HIS^MR||王示例^^^^^^L||19590312|M|||||+8613800000009\r"
        visit = "PV1|1|I|神经内科^3^12\r"
        adt = head % ("ADT^A04^ADT_A01", f"A{stamp}") + f"EVN|A04|{stamp}\r" + pid + visit
        answer = send_hl7(self.ports["mllp"], adt)
        again = send_hl7(self.ports["mllp"], adt)
        self.prove(
            "hl7.adt", b"|AA|" in answer and again == answer, "ADT^A04 acknowledged AA; sent twice, the same answer"
        )
        orc = "ORC|NW|QH-CT-0031|||||^^^20261124^^R\r"
        obr = f"OBR|1|QH-CT-0031||CT-HEAD^头颅CT平扫|||{stamp}|||||||||何演示||||||||CT\rDG1|1||I63.9^脑梗死\r"
        answer = send_hl7(self.ports["mllp"], head % ("ORM^O01^ORM_O01", f"O{stamp}") + pid + visit + orc + obr)
        self.prove("hl7.order", b"|AA|" in answer, "ORM^O01 acknowledged AA")
        objects = self.images()
        statuses = store(self.ports["dicom"], "LIANYI", "QH_CT", objects)
        self.prove("dicom.store", set(statuses) == {0}, f"C-STORE of {len(statuses)} objects, every status 0x0000")

    def apply(self) -> None:
        """何演示 opens an application for the patient and hands it in; without consent it is refused."""
        doctor = self.browser("he")

        def patient() -> list[str] | None:
            doctor.open("/applications/new?q=王示例")
            return doctor.page.words("//form[@id='open']//*[@name='registration']/..") or None

        wait_for("the patient in the new application", patient)
        doctor.submit({}, form="//form[@id='open']")
        found = re.search(r"/tasks/([0-9a-f-]{36})", doctor.page.url)
        self.case = str(doctor.page.tree.xpath("//*[@data-case]")[0].get("data-case"))
        self.ref = doctor.page.words("//*[@data-ref]")[0]
        studies = doctor.page.tree.xpath("//input[@name='studies']/@value")
        values: dict[str, Value] = {
            "studies": [str(s) for s in studies], "modality": "CT", "body_part": "head", "laterality": "N", "tag": "none",
            "purpose": ["diagnosis", "referral"], "clinical_diagnosis": "脑梗死？", "complaint": "突发右侧视物缺损 6 小时",
            "summary": "男，67 岁，突发右侧视物缺损 6 小时，既往房颤，未规律抗凝。查体：右侧同向偏盲，肌力正常。",
            "question": "CT 示左侧颞枕叶低密度，请判断病灶性质与时相，是否需要转诊。", "urgency": "U", "specialty": "neuro",
            "windows": "今日 15:00 以后；明日上午", "callback": "+8613800000009",
        }  # fmt: skip
        refused = doctor.submit(values, form="//form[@id='task']")
        told = "；".join(refused.words("//*[@role='alert']//li"))
        self.prove(
            "apply.consent", "知情同意" in told, "without consent the application is refused, and the page says so"
        )
        scan = ("consent.pdf", b"%PDF-1.4\n% demo consent scan\n", "application/pdf")
        doctor.submit(
            values | {"consent": "true", "consent_method": "paper", "consent_file": scan}, form="//form[@id='task']"
        )
        row = self.called("applications.snapshot")
        self.prove("apply", bool(found), f"{self.ref} handed in; history {row['id']}", f"/cases/{self.case}")

    def approve(self) -> None:
        """The medical-affairs office of the applying hospital agrees."""
        self.fill("gao", "approve", {"decision": "approve"})
        self.prove("approve", True, "approved by the applying hospital")

    def pre_qc(self) -> None:
        """Images are compressed and verified, the machine compares, a person decides."""
        row = self.called("imaging.prepare")
        result = row["result"]
        saved = result["bytes_in"] / max(1, result["bytes_out"])
        detail = (
            f"JPEG 2000 lossless, {result['frames']} frames verified bit for bit, 1 : {saved:.2f}; history {row['id']}"
        )
        self.prove("compression", bool(result["verified"]) and saved > 1, detail)
        self.called("quality.prescan")
        checks = self.pass_checks()
        self.prove("pre_qc", len(checks) >= 5, f"check report with {len(checks)} rows, passed by a person")

    def pass_checks(self) -> list[str]:
        """Pass the pre-QC, accepting what warnings there are; the rows of its report."""
        page = self.task("chen", "pre_qc")
        warned = bool(page.tree.xpath("//form[@id='task']//*[@name='accept_warnings']"))
        values: dict[str, Value] = {"decision": "pass"}
        if warned:
            values["accept_warnings"] = "true"
        self.browser("chen").submit(values, form="//form[@id='task']")
        return page.words("//*[@data-rule]")

    def triage(self) -> None:
        """Key images are there, candidates are ranked with reasons, a person chooses."""
        row = self.called("imaging.key_views")
        self.called("triage.rank")
        page = self.task("shen", "triage")
        pictures = [str(src) for src in page.tree.xpath("//img[contains(@src,'/images/')]/@src")]
        status, kind, body = self.browser("shen").fetch(pictures[0]) if pictures else (0, "", b"")
        ok = status == 200 and kind == "image/png" and body[:4] == b"\x89PNG"
        self.prove(
            "rendering", ok, f"{row['result']['views']} key images rendered, one fetched as PNG; history {row['id']}"
        )
        ranked = page.tree.xpath("//*[@data-candidate]")
        first, name = str(ranked[0].get("data-candidate")), page.words("//*[@data-candidate]")[0].split(" ")[0]
        self.browser("shen").submit({"experts": [first], "minutes": "30"}, form="//form[@id='task']")
        self.prove("triage", len(ranked) >= 2, f"{len(ranked)} experts ranked with reasons, {name} invited")

    def answer_sms(self) -> None:
        """The expert gets an SMS without patient data and answers it with 1."""
        self.called("notify.sms")
        offer = wait_for("the SMS offer", lambda: next((m for m in self.gateway.sent if self.ref in m["Body"]), None))
        clean = not any(word in offer["Body"] for word in ("王示例", "QH20461", "脑梗死"))
        delivered = self.gateway.call_back(
            offer["StatusCallback"], {"MessageSid": offer["sid"], "MessageStatus": "delivered"}
        )
        form = {"From": offer["To"], "To": offer["From"], "Body": "1", "MessageSid": "SM" + "f" * 32}
        url = f"{self.base}/sms/twilio/reply"
        forged = (
            self.browser("lin").http.post(url, data=form, headers={"X-Twilio-Signature": "no"}, timeout=20).status_code
        )
        answered = self.gateway.call_back(url, form, self.verify)
        ok = clean and delivered < 300 and answered < 300 and forged == 403
        row = self.called("notify.sms")
        self.prove(
            "sms",
            ok,
            f"offer by SMS without patient data, signed reply 1 accepted, forged one 403; history {row['id']}",
        )

    def schedule(self) -> None:
        """The coordinator fixes a time; here: now, so that the walk goes on."""
        start = datetime.now(UTC) + timedelta(minutes=1)
        local = start.astimezone(ZoneInfo("Asia/Shanghai")).strftime("%Y-%m-%dT%H:%M")
        self.fill("wu", "schedule", {"start_at": local, "minutes": "30"})
        self.called("session.create")
        self.prove("schedule", True, "booked without overlap, both sides told")

    def hold(self) -> None:
        """Expert and applicant enter the room; the expert starts and ends the session."""
        page = self.task("lin", "attend")
        room = page.links("/sessions/")[0]
        self.browser("he").open(room)
        self.browser("lin").open(room)
        self.task("lin", "attend")
        self.browser("lin").submit({"identity_checked": "true", "images_seen": "true"}, form="//form[@id='task']")
        values = {
            "outcome": "done",
            "points": "左侧大脑后动脉供血区低密度，符合急性期梗死，建议转诊评估。",
        }
        self.fill("lin", "hold", values)
        present = self.browser("wu").open(room.replace(self.base, "")).words("//*[@data-attendee]")
        self.prove(
            "session",
            len(present) >= 2,
            f"room held with {len(present)} people, attendance kept",
            room.replace(self.base, ""),
        )

    def _write(self, findings: str, impression: str) -> None:
        self.fill("lin", "report", {
            "clinical": "突发右侧视物缺损 6 小时，房颤。", "technique": "头颅 CT 平扫，层厚 5 mm。", "comparison": "无既往可比。",
            "findings": findings, "impression": impression, "certainty": "likely", "advice": "建议转诊卒中中心，完善 MRI。",
        })  # fmt: skip
        self.fill("sun", "review", {"verdict": "approve", "radpeer": "1"})
        self.task("lin", "sign")
        wrong = {"statement": "true", "password": "not-the-password"}
        refused = self.browser("lin").submit(wrong, form="//form[@id='task']")
        told = "；".join(refused.words("//*[@id='password-error']"))
        right = {"statement": "true", "password": alliance.PASSWORD}
        self.browser("lin").submit(right, form="//form[@id='task']")
        self.proofs.append(Proof("sign.reauth", "密码不对" in told, "a wrong password does not sign"))

    def report(self) -> None:
        """Written by the expert, reviewed by another, signed with the password."""
        self._write("左侧颞枕叶见片状低密度影，边界欠清。", "左侧颞枕叶低密度，考虑梗死。")
        row = self.called("reports.render")
        self.prove(
            "report",
            True,
            f"written, reviewed by another, signed; PDF {row['result']['sha256'][:12]}; history {row['id']}",
        )

    def _score(self, points: Mapping[str, str], decision: str, comment: str) -> None:
        values: dict[str, Value] = {
            **points,
            "decision": decision,
            "comment": comment,
            "citation": "左侧颞枕叶低密度，考虑梗死。",
        }

        def recorded() -> int:
            return sum(r.get("operation") == "quality.record_score" and r["kind"] == "job.done" for r in self.history())

        before = recorded()
        self.fill("zheng", "score", values)

        def scored() -> bool:
            """At once, unless the report was drawn for a blind second score."""
            page = self.browser("bai").open("/inbox")
            if page.tree.xpath(f"//*[@data-form='score' and @data-case='{self.case}']"):
                self.fill("bai", "score", values)
            return recorded() > before

        wait_for("the recorded score", scored, 90.0)

    def return_once(self) -> None:
        """The first scoring returns the report for rework."""
        low = {"logic": "12", "standard": "14", "completeness": "10", "reasoning": "14", "accuracy": "16"}
        self._score(low, "return", "描述缺少大小与密度值，请补充。")
        row = self.called("quality.record_score")
        self.prove(
            "post_qc.return", bool(row["result"]["failed"]), f"{row['result']['total']} points, returned for rework"
        )

    def final(self) -> None:
        """The reworked report passes."""
        self._write(
            "左侧颞枕叶见片状低密度影，范围约 40 × 27 mm，平均约 22 HU，边界欠清；中线居中。未见出血。",
            "左侧大脑后动脉供血区低密度，考虑急性期脑梗死；未见出血。",
        )
        high = {"logic": "18", "standard": "18", "completeness": "18", "reasoning": "18", "accuracy": "20"}
        self._score(high, "pass", "")
        row = self.called("quality.record_score", at_least=2)
        self.prove(
            "post_qc", not row["result"]["failed"], f"{row['result']['total']} points, {row['result']['grade']}, final"
        )

    def published(self) -> None:
        """The hospital gets the ORU and the PDF on listeners of its own, and the case shows it."""
        oru = wait_for(
            "the ORU^R01", lambda: next((m for m in self.received.messages if b"ORU^R01" in m[:200]), None), 90
        )
        text = oru.decode("utf-8")
        row = self.called("reports.publish_hl7")
        ok = "急性期脑梗死" in text and row["result"]["ack"] == "AA" and "\rORC|RE|QH-CT-0031|" in text
        self.prove(
            "hl7.result",
            ok,
            f"ORU^R01 {row['result']['control']} received under the order's number and acknowledged AA; history {row['id']}",
        )
        ds = wait_for("the encapsulated PDF", lambda: next(iter(self.received.objects), None), 90)
        row = self.called("reports.publish_dicom")
        body = bytes(ds.EncapsulatedDocument)
        ok = str(ds.SOPClassUID) == "1.2.840.10008.5.1.4.1.1.104.1" and body[:5] == b"%PDF-"
        self.prove(
            "dicom.result", ok, f"encapsulated PDF of {len(body)} bytes stored at the hospital; history {row['id']}"
        )
        rendered = self.called("reports.render", at_least=2)["result"]["sha256"]
        length = int(getattr(ds, "EncapsulatedDocumentLength", len(body)))
        same = hashlib.sha256(body[:length]).hexdigest() == rendered
        self.prove("pdf", same, "the PDF the hospital got is the one that was signed, byte for byte")

        def state() -> bool:
            page = self.browser("he").open(f"/cases/{self.case}")
            return bool(page.tree.xpath("//*[@data-state='published']"))

        self.prove(
            "published", wait_for("the published state", state), f"{self.ref} is published", f"/cases/{self.case}"
        )

    def audit(self) -> None:
        """The auditor verifies the chain; nobody's name is in the engine's history."""
        page = self.browser("jin").open("/audit")
        entries = self.history()
        clean = not any("王示例" in str(entry) for entry in entries)
        ok = bool(page.tree.xpath("//*[@data-chain='ok']")) and clean
        self.prove("audit", ok, f"{len(entries)} history rows, chain verified, no patient's name in it", "/audit")
