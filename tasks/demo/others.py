"""Further invented cases at different steps, so that after the walk every person of the demo finds work in the lists."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from tasks.demo import alliance, images
from tasks.demo.browser import PageError, Value
from tasks.demo.outside import send_hl7, store, wait_for
from tasks.demo.walk import Walk

STEPS = (
    "apply",
    "approve",
    "pre_qc",
    "triage",
    "offer_reply",
    "schedule",
    "attend",
    "report",
    "review",
    "sign",
    "score",
)
"""The forms a case may be left at, in order."""


@dataclass(frozen=True)
class Other:
    """One invented patient with a question, and the form at which the case is left waiting."""

    until: str
    hospital: str
    mrn: str
    name: str
    sex: str
    birth: date
    urgency: str
    tag: str
    complaint: str
    question: str


OTHERS: tuple[Other, ...] = (
    Other("score", "QH", "QH30118", "黄样例", "M", date(1967, 5, 2), "R", "none", "头痛两月，晨起加重", "左侧颞枕叶病灶性质，是否需要增强复查"),
    Other("report", "YL", "YL20077", "孙试例", "F", date(1990, 1, 19), "R", "demyelin", "双上肢麻木三月", "头颅平扫未见明确病灶，是否支持脱髓鞘"),
    Other("offer_reply", "QH", "QH30552", "陈范例", "F", date(1954, 8, 30), "U", "stroke", "眩晕呕吐 5 小时", "后循环缺血，小脑是否有急性期病灶"),
    Other("triage", "YL", "YL20153", "刘模拟", "M", date(2018, 6, 11), "U", "child", "跌伤后头痛嗜睡 2 小时", "儿童外伤，骨缝与骨折线的鉴别"),
    Other("pre_qc", "QH", "QH30671", "赵测试", "M", date(1985, 2, 14), "E", "trauma", "车祸伤 1 小时，意识模糊", "排除颅内出血，是否需要立即转诊"),
    Other("approve", "YL", "YL20190", "吴示教", "F", date(1963, 12, 3), "R", "none", "反复头晕半年", "双侧基底节低密度灶，是否为腔隙性梗死"),
    Other("review", "YL", "YL20201", "钱演示", "F", date(1977, 9, 8), "R", "none", "视力下降，月经紊乱", "鞍区病灶，微腺瘤与 Rathke 囊肿的鉴别"),
    Other("apply", "QH", "QH30699", "郑演练", "M", date(1949, 4, 25), "R", "none", "硬膜下血肿术后复查", "术后残腔积液有无增多"),
)  # fmt: skip
_STAFF = {"QH": ("he", "gao", "QH_HIS", "QH_CT"), "YL": ("feng", "tang", "YL_HIS", "YL_CT")}


def leave_open(walk: Walk, others: tuple[Other, ...] = OTHERS) -> None:
    """Carry each case to its step by the same pages and sockets as the walk; what fails is told and left as it is."""
    for place, other in enumerate(others, 1):
        case = _Case(walk, other)
        try:
            case.carry()
            walk.say(f"      {place} / {len(others)}  {case.ref or other.mrn} waits at {other.until}")
        except (PageError, TimeoutError, OSError, LookupError) as problem:
            walk.say(f"      {place} / {len(others)}  stopped before {other.until}: {problem}")


class _Case(Walk):
    """A case of its own in the walk's alliance, with the walk's logged-in people."""

    def __init__(self, walk: Walk, other: Other) -> None:
        super().__init__(
            walk.base, walk.ports, walk.received, walk.gateway, list, walk.say, walk.verify, browsers=walk.browsers
        )
        self.other = other
        self.expert = ""

    def carry(self) -> None:
        """Everything up to the step where the case is left."""
        self.arrive()
        done = STEPS.index(self.other.until)
        acts: list[Callable[[], object]] = [
            self.hand_in, lambda: self.fill(_STAFF[self.other.hospital][1], "approve", {"decision": "approve"}), self.check,
            self.choose, self.accept, self.plan, self.meet, self.write,
            lambda: self.fill("sun", "review", {"verdict": "approve", "radpeer": "1"}), self.sign,
        ]  # fmt: skip
        self.open()
        for act in acts[:done]:
            act()

    def arrive(self) -> None:
        """The hospital registers the patient and sends six slices."""
        other, stamp = self.other, datetime.now(UTC).strftime("%Y%m%d%H%M%S%f")
        _, _, his, title = _STAFF[other.hospital]
        head = f"MSH|^~\\&|{his}|{other.hospital}|LIANYI|SF|{stamp[:14]}||ADT^A04^ADT_A01|A{stamp}|P|2.5.1|||||CHN|UNICODE UTF-8\r"
        pid = (
            f"PID|1||{other.mrn}^^^{his}^MR||{other.name}^^^^^^L||{other.birth:%Y%m%d}|{other.sex}|||||+8613800000009\r"
        )
        send_hl7(self.ports["mllp"], head + f"EVN|A04|{stamp[:14]}\r" + pid + "PV1|1|O|神经内科\r")
        subject = images.Subject(
            stamp, datetime.now(UTC), other.mrn, other.name, f"{other.hospital}-CT-{other.mrn[-4:]}", other.sex, other.birth,
            "青禾县人民医院" if other.hospital == "QH" else "云岭县中医院", int(other.mrn[-3:]),
        )  # fmt: skip
        store(self.ports["dicom"], "LIANYI", title, list(images.phantom(subject, range(9, 15))))

    def open(self) -> None:
        """Open the application for the patient."""
        doctor = self.browser(_STAFF[self.other.hospital][0])

        def known() -> bool:
            doctor.open(f"/applications/new?q={self.other.mrn}")
            return bool(doctor.page.tree.xpath("//form[@id='open']//input[@name='registration']"))

        wait_for("the patient in the new application", known)
        page = doctor.submit({}, form="//form[@id='open']")
        self.case = str(page.tree.xpath("//*[@data-case]")[0].get("data-case"))
        self.ref = page.words("//*[@data-ref]")[0]

    def hand_in(self) -> None:
        """Fill in the application."""
        other, doctor = self.other, self.browser(_STAFF[self.other.hospital][0])
        values: dict[str, Value] = {
            "studies": [str(s) for s in doctor.page.tree.xpath("//input[@name='studies']/@value")], "modality": "CT",
            "body_part": "head", "laterality": "N", "tag": other.tag, "purpose": ["diagnosis"], "clinical_diagnosis": "待查",
            "complaint": other.complaint, "summary": f"{other.complaint}。既往体健，否认肿瘤病史。查体：神志清，双侧瞳孔等大，肌力正常。",
            "question": other.question, "urgency": other.urgency, "specialty": "neuro", "windows": "今日 15:00 以后",
            "callback": "+8613800000009",
        }  # fmt: skip
        if other.urgency == "E":  # the written consent follows
            values["urgency_reason"] = "生命体征不稳"
        else:
            scan = ("consent.pdf", b"%PDF-1.4\n% demo consent scan\n", "application/pdf")
            values |= {"consent": "true", "consent_method": "paper", "consent_file": scan}
        doctor.submit(values, form="//form[@id='task']")

    def check(self) -> None:
        """Pass the pre-QC."""
        self.pass_checks()

    def choose(self) -> None:
        """Invite the expert who stands first."""
        page = self.task("shen", "triage")
        first = str(page.tree.xpath("//*[@data-candidate]")[0].get("data-candidate"))
        name = page.words("//*[@data-candidate]")[0]
        self.expert = next(p[0] for p in alliance.PEOPLE if p[1] in name)
        self.browser("shen").submit({"experts": [first], "minutes": "20"}, form="//form[@id='task']")

    def accept(self) -> None:
        """The expert accepts on the page."""
        self.fill(self.expert, "offer_reply", {"accepted": "true"})

    def plan(self) -> None:
        """A time two minutes ahead."""
        start = datetime.now(UTC) + timedelta(minutes=2)
        local = start.astimezone(ZoneInfo("Asia/Shanghai")).strftime("%Y-%m-%dT%H:%M")
        self.fill("wu", "schedule", {"start_at": local, "minutes": "10"})

    def meet(self) -> None:
        """Hold the session."""
        self.task(self.expert, "attend")
        self.browser(self.expert).submit({"identity_checked": "true", "images_seen": "true"}, form="//form[@id='task']")
        values = {"outcome": "done", "points": f"{self.other.question}：已与申请医生讨论。"}
        self.fill(self.expert, "hold", values)

    def write(self) -> None:
        """Write the report."""
        self.fill(self.expert, "report", {
            "clinical": f"{self.other.complaint}。", "technique": "头颅 CT 平扫，层厚 5 mm。", "comparison": "无既往可比。",
            "findings": "左侧颞枕叶见片状低密度影，范围约 32 × 21 mm，边界欠清；中线居中。未见出血。",
            "impression": "左侧颞枕叶低密度灶，性质待定。", "certainty": "likely", "advice": "建议增强 MRI 复查。",
        })  # fmt: skip

    def sign(self) -> None:
        """Sign with the password."""
        self.task(self.expert, "sign")
        self.browser(self.expert).submit(
            {"statement": "true", "password": alliance.PASSWORD}, form="//form[@id='task']"
        )
