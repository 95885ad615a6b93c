"""Pre-QC names what differs, scoring follows its scale, hints find planted faults and leave clean reports alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.quality import hints, prescan, scoring
from tasks.quality.names import likeness
from tasks.quality.prescan import Claimed, Side, scan, verdict

SIDE = Side(
    "QH1",
    "王示例",
    "M",
    "19590312",
    "A1",
    "20261124",
    "CT",
    "HEAD",
    "",
    24,
    positions=tuple(5.0 * n for n in range(24)),
)
GOOD = Claimed(
    "QH1", "王示例", "M", "19590312", ("A1",), "CT", "head", "N", "R", "突发右侧视物缺损六小时，既往房颤，未规律抗凝治疗。", "病灶性质？", "脑梗死", True, True,
    (SIDE,), datetime(2026, 11, 24, 9, tzinfo=UTC),
)  # fmt: skip


@pytest.mark.parametrize(("a", "b", "expected"), [
    ("王示例", "王示例", "same"), ("王示例", "WANG^SHILI", "same"), ("王示例", "Shili Wang", "same"), ("单田芳", "SHAN^TIANFANG", "same"), ("曾国藩", "zeng guofan", "same"),
    ("吕布", "LV BU", "same"), ("王实力", "王示例", "similar"), ("王示例", "李样本", "different"), ("王示例", "LI^YANGBEN", "different"), ("", "王示例", "different"),
    ("Wang^Shili", "WANG SHI LI", "same"), ("王 示例", "王示例", "same"), ("王示例", "W S L", "similar"),
])  # fmt: skip
def test_names(a: str, b: str, expected: str) -> None:
    assert likeness(a, b) == expected
    assert likeness(b, a) == expected


def test_a_clean_case_passes_with_every_row_shown() -> None:
    checks = scan(GOOD)
    assert verdict(checks) == "pass"
    assert {"Q01", "Q02", "Q10", "Q15", "Q25"} <= {c.rule for c in checks}


@pytest.mark.parametrize(("side", "change", "rule", "severity", "result"), [
    ({"patient_id": "QH2"}, {}, "Q01", "block", "identity"), ({"name": "李样本"}, {}, "Q02", "block", "identity"), ({"name": "王实力"}, {}, "Q02", "warn", "warn"),
    ({"sex": "F"}, {}, "Q03", "block", "identity"), ({"sex": "F"}, {"urgency": "E"}, "Q03", "warn", "warn"), ({"birth_date": "19600101"}, {}, "Q04", "block", "identity"),
    ({"study_date": "20250101"}, {}, "Q08", "warn", "warn"), ({"accession": "B"}, {}, "Q09", "warn", "warn"), ({"modality": "MR"}, {}, "Q10", "block", "supplement"),
    ({"body_part": "CHEST"}, {}, "Q11", "warn", "warn"), ({}, {"body_part": "joint"}, "Q12", "block", "supplement"), ({"objects": 0, "positions": ()}, {}, "Q13", "block", "supplement"),
    ({"positions": (0.0, 5.0, 10.0, 20.0, 25.0)}, {}, "Q14", "warn", "warn"), ({"undecodable": 1}, {}, "Q15", "block", "supplement"), ({"lossy": 3}, {}, "Q20", "warn", "warn"),
    ({}, {"summary": "短"}, "Q22", "block", "supplement"), ({}, {"question": " "}, "Q23", "block", "supplement"), ({}, {"consent": False}, "Q25", "block", "supplement"),
    ({"age": "060Y"}, {}, "Q05", "warn", "warn"), ({}, {"card_holds": False}, "Q06", "warn", "warn"), ({"announced": 25}, {}, "Q13", "block", "supplement"),
    ({}, {"announced": 30}, "Q13", "block", "supplement"), ({}, {"announced": 30, "urgency": "E"}, "Q13", "warn", "warn"), ({"acquired": 30}, {}, "Q13", "warn", "warn"),
    ({"unshown": ("1.2.840.10008.1.2.4.102",)}, {}, "Q16", "warn", "warn"), ({"charset_trouble": True}, {}, "Q17", "warn", "warn"),
    ({"phases": frozenset({"plain"})}, {"phases": ("plain", "arterial"), "allergy": "no", "egfr": "80"}, "Q18", "warn", "warn"),
    ({"thickness": 5.0}, {"tag": "nodule"}, "Q19", "warn", "warn"), ({}, {"phases": ("enhanced",), "egfr": "80"}, "Q28", "warn", "warn"),
    ({}, {"materials": ("ecg", "pathology"), "files": 1}, "Q29", "warn", "warn"), ({}, {"duplicates": ("RC261124-QH-0007",)}, "Q30", "warn", "warn"),
    ({}, {"consent": False, "urgency": "E"}, "Q25", "warn", "warn"), ({}, {"agreement": False}, "Q26", "block", "supplement"), ({}, {"question": "卵巢囊肿？"}, "Q27", "block", "supplement"),
])  # fmt: skip
def test_each_rule_finds_its_fault(
    side: dict[str, object], change: dict[str, object], rule: str, severity: str, result: str
) -> None:
    case = replace(GOOD, studies=(replace(SIDE, **side),), **change)  # type: ignore[arg-type]
    checks = scan(case)
    found = [c for c in checks if c.rule == rule and c.severity != "pass"]
    assert found[0].severity == severity
    assert found[0].advice_zh
    assert found[0].advice_en
    assert verdict(checks) == result
    assert found[0].overridable is (rule not in prescan.FIRM)


@pytest.mark.parametrize(("side", "change"), [
    ({"modality": "DX"}, {"modality": "DR"}), ({"modality": "CR"}, {"modality": "DR"}), ({"sex": "O"}, {}), ({"sex": ""}, {}), ({}, {"sex": "U"}),
    ({}, {"sex": "F", "question": "intestinal wall thickening?"}), ({}, {"sex": "F", "question": "否认前列腺病史，肠壁增厚？"}), ({}, {"question": "no ovarian mass?"}),
])  # fmt: skip
def test_what_only_looks_like_a_fault(side: dict[str, object], change: dict[str, object]) -> None:
    checks = scan(
        replace(GOOD, studies=(replace(SIDE, **({"sex": "F"} if change.get("sex") == "F" else {}) | side),), **change)
    )  # type: ignore[arg-type]
    assert [c.rule for c in checks if c.rule in ("Q03", "Q10", "Q27") and c.severity not in ("pass", "info")] == []


@pytest.mark.parametrize(("rule", "side", "change"), [
    ("Q05", {"age": "066Y"}, {}), ("Q05", {"age": "068Y"}, {}), ("Q05", {"age": "004M", "study_date": "20261124"}, {"birth_date": "20260701"}),
    ("Q05", {"age": "60"}, {}), ("Q05", {"age": "001Y"}, {"urgency": "E"}), ("Q06", {}, {"card_holds": True}), ("Q06", {}, {"card_holds": False, "urgency": "E"}),
    ("Q09", {"accession": "B"}, {"accessions": ()}), ("Q09", {"accession": "B"}, {"accessions": ("A1", "B")}), ("Q09", {"accession": ""}, {}),
    ("Q09", {"accession": "B"}, {"urgency": "E"}), ("Q11", {"body_part": "CHEST"}, {"body_part": "other"}), ("Q12", {"laterality": "B"}, {"laterality": "L"}),
    ("Q13", {"announced": 24}, {"announced": 24}), ("Q13", {"objects": 1, "frames": 30}, {"announced": 30}),
    ("Q18", {"phases": frozenset({"plain", "enhanced"})}, {"phases": ("enhanced",)}), ("Q19", {"thickness": 1.0}, {"tag": "nodule"}), ("Q19", {"thickness": 5.0}, {}),
    ("Q28", {}, {"phases": ("plain",)}), ("Q28", {}, {"phases": ("enhanced",), "egfr": "80", "allergy": "unknown"}),
    ("Q28", {}, {"phases": ("enhanced",), "egfr": "80", "allergy": "no", "sex": "F", "birth_date": "19500101"}),
    ("Q29", {"modality": "SM"}, {"materials": ("pathology",)}), ("Q29", {}, {"materials": ("lab",), "files": 1}), ("Q31", {}, {"elsewhere": 2}),
])  # fmt: skip
def test_where_a_rule_has_nothing_to_say_it_warns_of_nothing(
    rule: str, side: dict[str, object], change: dict[str, object]
) -> None:
    checks = scan(replace(GOOD, studies=(replace(SIDE, **side),), **change))  # type: ignore[arg-type]
    assert [c.severity for c in checks if c.rule == rule and c.severity not in ("pass", "info")] == []


def test_pregnancy_is_asked_of_those_who_may_be() -> None:
    asked = replace(GOOD, sex="F", birth_date="19900101", phases=("enhanced",), egfr="80", allergy="no")
    row = next(c for c in scan(asked) if c.rule == "Q28")
    assert (row.severity, row.here, row.there) == ("warn", "allergy / eGFR / pregnancy", "allergy / eGFR")


def test_what_cannot_be_compared_says_so_and_changes_no_verdict() -> None:
    checks = scan(replace(GOOD, studies=(replace(SIDE, birth_date="", accession="", body_part=""),)))
    assert {c.rule for c in checks if c.severity == "info"} == {"Q04", "Q09", "Q11"}
    assert all(c.there == "–" and c.advice_zh for c in checks if c.severity == "info" and c.rule == "Q04")
    assert verdict(checks) == "pass"


def test_a_denial_covers_its_own_clause_only() -> None:
    checks = scan(replace(GOOD, question="无外伤，卵巢囊肿？"))
    assert [c.severity for c in checks if c.rule == "Q27"] == ["block"]


def test_two_patients_in_one_application() -> None:
    assert verdict(scan(replace(GOOD, studies=(SIDE, replace(SIDE, patient_id="QH9"))))) == "identity"
    assert verdict(scan(replace(GOOD, studies=()))) == "supplement"


points = st.fixed_dictionaries({d: st.integers(0, 10).map(lambda n: 2 * n) for d in scoring.DIMENSIONS})


@given(points, st.booleans(), st.sampled_from(["pass", "return"]))
def test_scoring(scores: dict[str, int], veto: bool, decision: str) -> None:
    made = scoring.judge(scores, veto=veto, decision=decision)
    assert made.total == sum(scores.values())
    assert made.failed == (veto or made.total < 60 or decision == "return")
    assert (made.grade == "A") == (made.total >= 90 and not veto)
    for name, value in scores.items():
        assert scoring.anchor(name, value)[0] <= value


def test_scores_off_the_scale_are_refused() -> None:
    with pytest.raises(ValueError, match="logic"):
        scoring.total({"logic": 21, "standard": 0, "completeness": 0, "reasoning": 0, "accuracy": 0})


REPORT = {
    "clinical": "视物缺损", "technique": "CT 平扫", "comparison": "无既往可比", "findings": "左侧颞枕叶片状低密度，约 40 × 27 mm。未见出血。",
    "impression": "左侧颞枕叶低密度，考虑梗死。", "advice": "建议 MRI。",
}  # fmt: skip


def test_a_clean_report_gets_no_hint() -> None:
    assert hints.hints(REPORT, sex="M") == []


@pytest.mark.parametrize(("change", "code", "block"), [
    ({"impression": "右侧颞枕叶低密度。"}, "side", True), ({"findings": "前列腺增大。左侧颞枕叶低密度。"}, "sex", True), ({"advice": ""}, "empty", False),
    ({"advice": "建议___复查"}, "residue", False), ({"impression": "左侧颞枕叶出血。"}, "negation", False), ({"findings": "左侧颞枕叶低密度，约 400 cm。"}, "unit", False),
    ({"findings": "Left kidney cyst.", "impression": "Right kidney cyst."}, "side", True),
])  # fmt: skip
def test_each_planted_fault_is_found(change: dict[str, str], code: str, block: bool) -> None:
    found = [h for h in hints.hints(REPORT | change, sex="F" if code == "sex" else "M") if h.code == code]
    assert found
    assert found[0].block is block


@pytest.mark.parametrize(("findings", "impression", "block"), [
    ("Nodular density right upper lobe.", "Left upper lobe nodular density.", True), ("左肾囊肿，右肾结石。", "右肾囊肿，左肾结石。", True),
    ("There is a right upper lobe opacity.", "LUL pneumonia.", True), ("右侧胸腔积液，左侧未见积液。", "左侧胸腔积液。", True),
    ("Blunting of the right costophrenic angle.", "Small left pleural effusion.", True), ("右侧颞叶低密度灶，中线向左移位。", "左侧颞叶梗死。", True),
    ("左侧基底节出血，右侧额叶低密度。", "左侧额叶低密度。", True),
    ("Atelectasis in the left base, right lung is clear.", "Right basilar atelectasis.", True), ("右膝内侧半月板撕裂。", "左膝内侧半月板撕裂。", True),
    ("No left effusion. Small right effusion.", "Left effusion.", True), ("左肺下叶渗出。与前片比较，右侧积液已吸收。", "右肺下叶肺炎。", True),
])  # fmt: skip
def test_opposite_sides_are_found_whatever_they_are_called(findings: str, impression: str, block: bool) -> None:
    found = [h for h in hints.hints(REPORT | {"findings": findings, "impression": impression}) if h.code == "side"]
    assert [h.block for h in found[:1]] == [block]
    assert found[0].quote
    assert found[0].other


@pytest.mark.parametrize(("findings", "impression", "sex"), [
    ("Left ventricle is enlarged. Right upper lobe nodule.", "Right upper lobe nodule.", "M"), ("双侧胸腔积液。", "左侧胸腔积液为著。", "M"),
    ("右肺结节，较前无明显变化。", "右肺结节，随访。", "M"), ("左侧积液已吸收，右侧少量积液。", "右侧少量积液。", "M"), ("No acute hemorrhage. Chronic left subdural hematoma.", "Left subdural hematoma.", "M"),
    ("右侧额叶低密度影，中线结构左移。", "右侧额叶梗死。", "M"), ("No focal consolidation, pleural effusion, or pneumothorax.", "No acute disease.", "F"), ("否认前列腺病史。肠壁增厚。", "肠壁增厚。", "F"),
    ("Intestinal loops are normal. Cervical spine is aligned.", "Normal.", "M"), ("左肺结节 8 mm，层厚 0.6 mm。", "左肺结节 8 mm。", "M"), ("Right effusion, resolved since the prior. Left effusion persists.", "Left effusion.", "F"),
    ("没有卵巢囊肿。", "盆腔未见异常。", "M"), ("右肺未见结节，左肺见结节。", "左肺结节。", "F"),
])  # fmt: skip
def test_clean_reports_that_look_contradictory(findings: str, impression: str, sex: str) -> None:
    assert hints.hints(REPORT | {"findings": findings, "impression": impression}, sex=sex) == []


@pytest.mark.parametrize(("findings", "impression"), [
    ("未见胸腔积液。", "右侧胸腔积液。"), ("左侧少量胸腔积液。", "未见胸腔积液。"), ("No pneumothorax.", "Small right pneumothorax."), ("右肺未见结节，左肺见结节。", "右肺结节。"),
])  # fmt: skip
def test_one_section_denies_what_the_other_states(findings: str, impression: str) -> None:
    found = hints.hints(REPORT | {"findings": findings, "impression": impression})
    assert {h.code for h in found} & {"negation", "side"}


def test_the_requested_side_and_the_same_number_with_two_units() -> None:
    report = REPORT | {"findings": "右肺结节，12 mm。", "impression": "右肺结节，12 cm。"}
    codes = [(h.code, h.block) for h in hints.hints(report, laterality="L")]
    assert ("side_request", True) in codes
    assert ("unit", False) in codes
    assert not [h for h in hints.hints(report, laterality="R") if h.code == "side_request"]


def test_sections_are_named_in_both_languages() -> None:
    (empty,) = hints.hints(REPORT | {"comparison": ""})
    assert (empty.zh, empty.en) == ("段落为空：对比", "Empty section: Comparison")


@given(st.dictionaries(st.sampled_from(tuple(hints.SECTIONS)), st.text(max_size=80)), st.sampled_from(["M", "F", ""]))
def test_any_text_can_be_looked_at(report: dict[str, str], sex: str) -> None:
    assert isinstance(hints.hints(report, sex=sex, laterality="L"), list)


@pytest.mark.parametrize(
    ("citation", "wrong"),
    [
        ("左侧低密度。", None),
        ("描述完整性：左侧低密度", None),
        ("Completeness: 左侧低密度\n诊断逻辑性：未见出血", None),
        ("描述完整性：右侧低密度", "sentence"),
        ("描述完整性：", "sentence"),
        (" \n“”", "nothing"),
    ],
)
def test_a_cited_sentence_may_name_its_dimension(citation: str, wrong: str | None) -> None:
    low = dict.fromkeys(scoring.DIMENSIONS, 12)
    assert scoring.uncited(low, citation, None, ["左侧低密度。未见出血。"], 0) == wrong
