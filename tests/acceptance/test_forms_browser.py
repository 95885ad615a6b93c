"""Every form of a consultation, filled in by keyboard alone and without scripts, on a desk and on a phone, in both languages.

One consultation a combination: it goes through a doubted identity, a supplement, a declined offer, a dispatch and three
scorings, so that each form comes up. The tests of a combination run in this order; each hands in its form and looks at it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tasks.demo import alliance, images
from tasks.demo.outside import send_hl7, store, wait_for
from tasks.demo.walk import Walk
from tasks.people.letters import spelled

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]

SCAN = ("consent.pdf", b"%PDF-1.4\n% demo consent scan\n", "application/pdf")
SUMMARY = "男，67 岁，头痛两月，既往体健，否认肿瘤病史。查体：神志清，双侧瞳孔等大，肌力正常。"
REPORT = {
    "clinical": "头痛两月。", "technique": "头颅 CT 平扫，层厚 5 mm。", "comparison": "无既往可比。", "advice": "建议增强 MRI 复查。",
    "findings": "左侧颞枕叶见片状低密度影，范围约 32 × 21 mm；中线居中。未见出血。", "impression": "左侧颞枕叶低密度灶，考虑梗死。",
    "certainty": "likely",
}  # fmt: skip
LOW = {"logic": "12", "standard": "14", "completeness": "10", "reasoning": "14", "accuracy": "16"}
RETURN = {
    **LOW, "citation": "左侧颞枕叶低密度灶，考虑梗死。", "decision": "return", "comment": "请补充大小与密度值。",
}  # fmt: skip
Fill = Mapping[str, Any]
STEPS: list[tuple[str, str, str, Fill]] = [
    # test, form, who, what is filled in
    ("apply", "apply", "he", {
        "modality": "CT", "body_part": "head", "laterality": "N", "tag": "none", "purpose": ["diagnosis"], "clinical_diagnosis": "待查",
        "complaint": "头痛两月", "summary": SUMMARY, "question": "左侧颞枕叶病灶性质？", "urgency": "U", "specialty": "neuro",
        "windows": "今日", "callback": "+8613800000009", "consent": True, "consent_method": "paper", "consent_file": SCAN,
    }),
    ("approve", "approve", "gao", {"decision": "approve"}),
    ("identity", "identity", "chen", {"same_person": "yes", "checked_against": ["id_card"], "note": "出生日期系录入错误"}),
    ("pre_qc", "pre_qc", "chen", {"decision": "supplement", "reason": "请补充外院检查"}),
    ("supplement", "supplement", "he", {"answer": "外院未做检查"}),
    ("", "identity", "chen", {"same_person": "yes", "checked_against": ["id_card"], "note": "出生日期系录入错误"}),
    ("", "pre_qc", "chen", {"decision": "pass", "accept_warnings": True, "override_reason": "身份已核对，录入错误"}),
    ("triage", "triage", "shen", {"experts": 1, "minutes": "20"}),
    ("offer_reply", "offer_reply", "EXPERT", {"accepted": "false", "decline_reason": "time"}),
    ("dispatch", "dispatch", "wu", {"expert": "林示范", "reason": "已电话沟通"}),
    ("schedule", "schedule", "wu", {"start_at": "NOW", "minutes": "10"}),
    ("attend", "attend", "lin", {"identity_checked": True, "images_seen": True}),
    ("hold", "hold", "lin", {"outcome": "done", "points": "已讨论"}),
    ("report", "report", "lin", REPORT),
    ("review", "review", "sun", {"verdict": "approve", "radpeer": "1"}),
    ("sign", "sign", "lin", {"statement": True, "password": alliance.PASSWORD}),
    ("score", "score", "zheng", RETURN),
    *[
        ("", form, who, fill)
        for _ in range(2)
        for form, who, fill in (
            ("report", "lin", REPORT), ("review", "sun", {"verdict": "approve", "radpeer": "1"}),
            ("sign", "lin", {"statement": True, "password": alliance.PASSWORD}), ("score", "zheng", RETURN),
        )
    ],
    ("arbitrate", "arbitrate", "wang", {"decision": "accept", "reason": "意见可用"}),
]  # fmt: skip
WAYS = {
    "keys zh desk": ("zh", 1440),
    "keys en phone": ("en", 390),
    "plain zh phone": ("zh", 390),
    "plain en desk": ("en", 1440),
}


@dataclass
class Journey:
    """One consultation on its way through the forms."""

    walk: Walk
    done: int = 0
    expert: str = ""
    broken: str = ""
    seen: set[str] = field(default_factory=set)

    def quickly(self, form: str, who: str, fill: Fill) -> None:
        """Hand in a form that was looked at before, by the small browser of the demo."""
        page = self.walk.task(who, form)
        shown = {
            str(name) for name in page.tree.xpath("//form[@id='task']//@name")
        }  # what is not at stake is not asked
        values: dict[str, Any] = {k: "true" if v is True else v for k, v in fill.items() if k in shown}
        self.walk.browser(who).submit(values, form="//form[@id='task']")
        if form == "score":
            self._blind_second(values)

    def _blind_second(self, values: Mapping[str, Any]) -> None:
        page = self.walk.browser("bai").open("/inbox")
        if page.tree.xpath(f"//*[@data-form='score' and @data-case='{self.walk.case}']"):
            self.walk.fill("bai", "score", values)


@pytest.fixture(scope="module")
def journeys() -> dict[str, Journey]:
    """The consultations under way, by combination."""
    return {}


def _begin(demo: Any, number: int) -> Journey:
    """A patient whose images carry another birth date, known to the hospital; the application is opened."""
    stamp, mrn = datetime.now(UTC).strftime("%Y%m%d%H%M%S%f"), f"QHF{number}{int(time.time()) % 100000}"
    head = f"MSH|^~\\&|QH_HIS|QH|LIANYI|SF|{stamp[:14]}||ADT^A04^ADT_A01|A{stamp}|P|2.5.1|||||CHN|UNICODE UTF-8\r"
    pid = f"PID|1||{mrn}^^^QH_HIS^MR||杜表单^^^^^^L||19590312|M|||||+8613800000009\r"
    send_hl7(demo.ports["mllp"], head + f"EVN|A04|{stamp[:14]}\r" + pid + "PV1|1|O|神经内科\r")
    subject = images.Subject(stamp, datetime.now(UTC), mrn, "杜表单", f"F{number}", birth=date(1958, 3, 12))
    store(demo.ports["dicom"], "LIANYI", "QH_CT", list(images.phantom(subject, range(10, 14))))
    walk = Walk(demo.base, {}, None, None, list, print, browsers=demo.browsers)  # type: ignore[arg-type]
    doctor = demo.browser("he")

    def known() -> bool:
        doctor.open(f"/applications/new?q={mrn}")
        return bool(doctor.page.tree.xpath("//form[@id='open']//input[@name='registration']"))

    wait_for("the patient", known)
    page = doctor.submit({}, form="//form[@id='open']")
    walk.case = str(page.tree.xpath("//*[@data-case]")[0].get("data-case"))
    return Journey(walk)


def _now(page: Any) -> str:
    start = datetime.now(UTC) + timedelta(minutes=2)
    return start.astimezone(ZoneInfo("Asia/Shanghai")).strftime("%Y-%m-%dT%H:%M")


class Keys:
    """Fills in a form by keyboard alone: Tab from field to field, Space, arrows and letters."""

    def __init__(self, page: Any) -> None:
        self.page = page

    def fill(self, values: Fill) -> None:
        """Tab through the form once and answer what is to be answered, then Ctrl Enter."""
        left = dict(values)
        self.page.evaluate(
            "document.querySelector('form#task').setAttribute('tabindex', '-1'); document.querySelector('form#task').focus()"
        )
        for _ in range(160):
            self.page.keyboard.press("Tab")
            at = self.page.evaluate(
                "(() => { const e = document.activeElement; return e.form?.id === 'task' && e.name"
                " ? {name: e.name, type: e.type, value: e.value, checked: e.checked, list: e.tagName === 'SELECT'} : null })()"
            )
            if at and at["name"] in left and self.answer(at, left[at["name"]]):
                del left[at["name"]]
            if not left:
                break
        assert left == {}, "not reached by Tab"
        self.page.keyboard.press("Control+Enter")

    def answer(self, at: Mapping[str, Any], wanted: Any) -> bool:
        """Answer the field that has the focus; False when it is one of several boxes and another one is meant."""
        keys = self.page.keyboard
        if at["type"] == "file":
            with self.page.expect_file_chooser() as chooser:
                keys.press("Space")
            chooser.value.set_files({"name": wanted[0], "buffer": wanted[1], "mimeType": wanted[2]})
        elif at["type"] == "checkbox":
            if wanted not in (True, 1) and at["value"] not in wanted:
                return False
            if not at["checked"]:
                keys.press("Space")
        elif at["type"] == "radio":
            keys.press("Space")
            for _ in range(8):
                if self.page.evaluate("document.activeElement.value") == wanted:
                    return True
                keys.press("ArrowRight")
            raise AssertionError(f"no option {wanted}")
        elif at["list"]:
            self._choose(str(wanted))
        elif at["type"] == "range":
            for _ in range((int(at["value"]) - int(wanted)) // 2):
                keys.press("ArrowLeft")
        elif at["type"] == "datetime-local":
            self._moment(_now(self.page))
        else:
            keys.press("Control+a")
            keys.insert_text(str(wanted))
        return True

    def _choose(self, wanted: str) -> None:
        look = "(() => { const o = document.activeElement.selectedOptions[0]; return [o.value, o.textContent] })()"
        self.page.keyboard.press("Home")
        for _ in range(40):
            value, text = self.page.evaluate(look)
            if wanted == value or wanted in text or spelled(wanted) in text:
                return
            self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"no option {wanted}")

    def _moment(self, text: str) -> None:
        moment, keys = datetime.fromisoformat(text), self.page.keyboard
        keys.type(moment.strftime("%m%d%Y"))
        keys.press("ArrowRight")
        keys.type(moment.strftime("%I%M%p"))


class Plain:
    """Fills in a form where no script runs: controls and the submit button of the page as it was sent."""

    def __init__(self, page: Any) -> None:
        self.page = page

    def fill(self, values: Fill) -> None:
        """Answer every field and press the solid button."""
        for name, wanted in values.items():
            box = self.page.locator(f"form#task [name='{name}']")
            kind = box.first.evaluate("e => e.tagName === 'SELECT' ? 'list' : e.type")
            if kind == "file":
                box.set_input_files({"name": wanted[0], "buffer": wanted[1], "mimeType": wanted[2]})
            elif kind == "checkbox":
                chosen = (
                    [box.first]
                    if wanted in (True, 1)
                    else [self.page.locator(f"form#task [name='{name}'][value='{v}']") for v in wanted]
                )
                for one in chosen:
                    one.check()
            elif kind == "radio":
                self.page.locator(f"form#task [name='{name}'][value='{wanted}']").check()
            elif kind == "list":
                value = self.page.locator(
                    f"form#task [name='{name}'] option",
                    has_text=re.compile(f"{re.escape(str(wanted))}|{spelled(str(wanted))}"),
                )
                box.select_option(value.first.get_attribute("value") if value.count() else str(wanted))
            elif kind == "range":
                box.fill(str(wanted))
            else:
                box.fill(_now(self.page) if wanted == "NOW" else str(wanted))
        self.page.locator("form#task .action-bar button.solid").click()


def _open(page: Any, journey: Journey, base: str, form: str, who: str) -> None:
    """Find the task in the list, take it if need be."""
    row = f"tr[data-form={form}][data-case='{journey.walk.case}'] a.what"

    def there() -> bool:
        page.goto(f"{base}/inbox")
        return bool(page.locator(row).count())

    wait_for(f"the task {form} of {who}", there, 60)
    page.locator(row).first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/tasks/*")
    claim = page.locator("form#claim button.solid")
    if claim.count():
        claim.press("Enter")
        page.locator("form#task .action-bar").wait_for()


def _expert(demo: Any, journey: Journey) -> str:
    """Who was invited: the one whose list shows the offer."""

    def found() -> str | None:
        row = f"//*[@data-form='offer_reply' and @data-case='{journey.walk.case}']"
        return next((who for who in ("lin", "zhou") if demo.browser(who).open("/inbox").tree.xpath(row)), None)

    return wait_for("the offer", found, 60)


def _small(page: Any) -> list[str]:
    """Targets of a phone that are lower than a thumb needs."""
    return list(page.evaluate(
        """[...document.querySelectorAll('main button, main select, main input:not([type=hidden]):not([type=radio]):not([type=checkbox]), main a.btn')]
        .filter(e => e.offsetParent && !e.closest('[hidden]') && !e.matches('.pick-file'))
        .filter(e => e.getBoundingClientRect().height < 43.5)
        .map(e => `${e.tagName} ${e.name || e.textContent.trim()} ${Math.round(e.getBoundingClientRect().height)}`)"""
    ))  # fmt: skip


@pytest.mark.parametrize("place", [n for n, step in enumerate(STEPS) if step[0]], ids=[s[0] for s in STEPS if s[0]])
@pytest.mark.parametrize(
    ("way", "lang"),
    [pytest.param(way, WAYS[way][0], id=way.replace(" ", "-")) for way in WAYS],
)
def test_a_form(
    demo: Any, login: Callable[..., Any], axe: Callable[[Any], list[str]], journeys: dict[str, Journey], way: str, lang: str, place: int
) -> None:  # fmt: skip
    if way not in journeys:
        journeys[way] = _begin(demo, list(WAYS).index(way))
    journey = journeys[way]
    if journey.broken:
        pytest.skip(f"the consultation stopped at {journey.broken}")
    if journey.done > place:
        pytest.skip("handed in already")
    for _, form, who, fill in STEPS[journey.done : place]:
        journey.quickly(form, who, fill)
    journey.done = place
    name, form, who, fill = STEPS[place]
    journey.broken = name
    width, scripts = WAYS[way][1], way.startswith("keys")
    who = _expert(demo, journey) if who == "EXPERT" else who
    page = login(who, lang, "dark" if way.endswith("phone") else "light", width=width, java_script_enabled=scripts)
    _open(page, journey, demo.base, form, who)
    if scripts:
        assert axe(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator("main .btn.solid:visible").count() == 1, "one solid button"
        if width < 720:
            assert _small(page) == []
    (Keys if scripts else Plain)(page).fill(fill)
    page.wait_for_url(lambda url: "/tasks/" not in url)
    if form == "score":
        journey._blind_second(fill)
    journey.done, journey.broken = place + 1, ""
