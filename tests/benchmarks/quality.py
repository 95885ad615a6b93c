"""Recall and false alarms of the report hints: prints a JSON array of records to the file named, or to standard output.

A seeded generator of our own writes Chinese and English reports, each with a twin in which one thing was made wrong. Of real reports
the Indiana chest radiographs are read where `LIANYI_TEST_DATA` holds `reports/indiana_reports.csv`: what is flagged as they are, and
what is caught when every side of the opinion is swapped.
"""

from __future__ import annotations

import csv
import json
import os
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tasks.quality.hints import Hint, hints

SIDES = {"zh": ("左", "右"), "en": ("left", "right")}
# one line a finding: where and what in the findings | in the opinion. {s} the side, {S} with a capital, {o} the other side, {n} {m} sizes in mm
ZH = """
{s}肺上叶见一结节影，大小约 {n}×{m} mm，边缘毛刺。|{s}肺上叶结节，考虑恶性可能。
{s}肺下叶见斑片状密度增高影，边界模糊。|{s}下肺炎症。
{s}侧胸腔见少量液性密度影，为积液。|{s}侧胸腔少量积液。
{s}侧胸腔积液，{o}侧胸腔未见积液。|{s}侧胸腔积液。
{s}侧颞枕叶见片状低密度影，范围约 {n}×{m} mm，边界欠清。|{s}侧颞枕叶低密度，考虑梗死。
{s}侧基底节区见团片状高密度影，约 {n}×{m} mm，中线结构向{o}侧移位。|{s}侧基底节区出血。
{s}侧额叶见类圆形低密度影，增强后未见明显强化。|{s}额叶陈旧性梗死灶。
{s}肾见类圆形囊性低密度影，直径约 {n} mm。{o}肾形态大小正常，未见结石。|{s}肾囊肿。
{s}侧输尿管上段见结石，直径约 6 mm，其上方肾盂积水。|{s}侧输尿管上段结石伴{s}肾积水。
{s}乳外上象限见肿块，大小约 {n}×{m} mm，{o}乳未见肿块。|{s}乳外上象限占位，BI-RADS 4。
{s}侧第 5 肋骨骨皮质不连续，见骨折线。|{s}侧第 5 肋骨骨折。
{s}膝关节腔内见液体信号，提示积液，关节软骨变薄。|{s}膝关节积液。
{s}肺上叶尖段见条索影，{o}肺清晰。|{s}上肺陈旧性病灶，纤维灶形成。
{s}侧气胸，肺组织压缩约 30%。{o}肺未见异常。|{s}侧气胸。
{s}侧甲状腺见低回声结节，约 {n} mm。|{s}侧甲状腺结节，TI-RADS 3。
{s}侧颈内动脉起始段管腔狭窄约 60%。|{s}侧颈内动脉起始段中度狭窄。
{s}侧小脑半球见片状低密度，未见出血。|{s}侧小脑半球梗死。
与前片比较，{o}侧胸腔积液已吸收；{s}肺下叶见斑片影。|{s}肺下叶感染。
"""
EN = """
There is a {n} mm nodule in the {s} upper lobe.|{S} upper lobe nodule, recommend CT follow-up.
Nodular density {s} upper lobe.|{S} upper lobe nodular density.
Patchy opacity is seen in the {s} lower lobe, the {o} lung is clear.|{S} lower lobe pneumonia.
Small {s} pleural effusion. No {o} pleural effusion.|Small {s} pleural effusion.
There is a {s} basilar airspace opacity with obscuration of the hemidiaphragm.|{S} basilar opacity, atelectasis versus infiltrate.
{S} apical pneumothorax measuring {n} mm. Mediastinum is shifted to the {o}.|{S} pneumothorax.
Hypodensity in the {s} temporal and occipital lobes.|Acute infarct in the {s} temporal lobe.
There is a simple cyst of the {s} kidney. The {o} kidney is unremarkable.|{S} renal cyst.
A {n} mm calculus is present at the {s} ureterovesical junction.|{S} ureteral stone.
Healed fracture of the {s} sixth rib.|Old {s} rib fracture.
Calcified granuloma in the {s} mid lung.|Calcified granuloma {s} lung.
{S} breast mass at 10 o'clock, {n} x {m} mm. No mass in the {o} breast.|Suspicious mass, {s} breast.
Hyperdense collection along the {s} frontal convexity.|{S} frontal subdural hematoma.
Moderate narrowing of the {s} internal carotid artery.|{S} carotid stenosis.
Linear scarring in the {s} upper lobe. Left ventricle is normal in size.|{S} upper lobe scarring.
Right heart border is sharp. Atelectasis at the {s} lung base.|{S} basilar atelectasis.
"""
CALM = {
    "zh": ["纵隔居中，心影不大。", "未见明显骨质破坏。", "脑室系统未见扩大，脑沟无增宽。", "双肺纹理清晰。", "两侧胸膜无增厚，未见气胸。", "腹腔未见游离气体。", "心脏无增大，主动脉无钙化。"],
    "en": ["The heart is normal in size.", "No acute bony abnormality.", "Cardiomediastinal silhouette is within normal limits.", "No free air below the diaphragm.",
           "Lungs are otherwise clear bilaterally.", "No focal consolidation, bulla, or suspicious adenopathy."],
}  # fmt: skip
DENIED = {
    "zh": [("未见肿块。", "肿块，建议穿刺。"), ("颅内未见出血。", "颅内出血。"), ("未见骨折征象。", "骨折。"), ("未见肺大疱。", "肺大疱形成。")],
    "en": [("No mass is seen.", "Mass, biopsy is advised."), ("No intracranial hemorrhage.", "Intracranial hemorrhage."), ("No fracture.", "Fracture."), ("No bulla.", "Bulla.")],
}  # fmt: skip
OTHER_SEX = {
    "zh": {"M": ["子宫大小正常。", "右侧卵巢见囊性灶。"], "F": ["前列腺增大。", "精囊腺未见异常。"]},
    "en": {"M": ["The uterus is anteverted.", "Normal ovaries."], "F": ["The prostate is enlarged.", "Seminal vesicles are normal."]},
}  # fmt: skip
CALM_SEX = {
    "zh": {"M": "前列腺大小正常。", "F": "子宫及附件未见异常。"}, "en": {"M": "The prostate is normal in size.", "F": "Uterus and adnexa are unremarkable."},
}  # fmt: skip
REST = {
    "zh": {"clinical": "咳嗽两周，否认外伤。", "technique": "CT 平扫，层厚 0.625 mm。", "comparison": "无既往可比。", "advice": "建议三个月后复查。"},
    "en": {"clinical": "Cough for two weeks.", "technique": "CT without contrast, 1 mm slices.", "comparison": "None available.", "advice": "Follow-up in three months."},
}  # fmt: skip
FAULTS = ("side", "side_request", "sex", "negation", "empty", "residue", "unit")
Report = dict[str, str]


def twins(lang: str, count: int, seed: int = 20261124) -> Iterator[tuple[str, Report, Report, str, str]]:
    """`count` times: which fault, the correct report, its twin with the fault, the patient's sex, the requested side."""
    dice = random.Random(seed)
    lines = [line.split("|") for line in (ZH if lang == "zh" else EN).strip().splitlines()]
    for number in range(count):
        fault, sex = FAULTS[number % len(FAULTS)], dice.choice("MF")
        chosen = dice.sample(lines, 1 if fault == "side_request" else dice.choice((1, 1, 2)))
        if len(chosen) == 2 and _kind(chosen[0][1]) == _kind(chosen[1][1]):
            chosen = chosen[:1]
        place = [dice.randrange(2) for _ in chosen]
        sizes = [(dice.randrange(8, 30), dice.randrange(5, 20)) for _ in chosen]
        denied = dice.choice(DENIED[lang]) if fault == "negation" else None
        if denied:
            chosen = [c for c in chosen if _kind(c[1]) != _kind(denied[1])] or [lines[0]]
        findings = [_said(c[0], lang, p, s) for c, p, s in zip(chosen, place, sizes, strict=False)]
        findings += [
            *dice.sample(CALM[lang], 2),
            *([denied[0]] if denied else []),
            *([CALM_SEX[lang][sex]] if dice.random() < 0.3 else []),
        ]
        opinions = [_said(c[1], lang, p, s) for c, p, s in zip(chosen, place, sizes, strict=False)]
        good = REST[lang] | {"findings": _text(findings, lang), "impression": _text(opinions, lang)}
        side = "LR"[place[0]] if fault == "side_request" else ""
        yield fault, good, _spoilt(dice, fault, good, chosen, place, sizes, lang, sex, denied), sex, side


def _kind(opinion: str) -> str:
    words = r"结节|炎症|感染|积液|梗死|出血|囊肿|结石|占位|肿块|骨折|病灶|气胸|狭窄|大疱|nodul|pneumonia|effusion|opacity|pneumothorax|infarct|cyst|stone|fracture|granuloma|mass|hema|hemorr|stenosis|scar|atelectasis|bulla"
    found = re.search(words, opinion, re.IGNORECASE)
    alike = {"占位": "肿块", "感染": "炎症", "hemorr": "hema", "opacity": "pneumonia", "atelectasis": "pneumonia"}
    word = found.group().lower() if found else opinion
    return alike.get(word, word)


def _said(line: str, lang: str, place: int, size: tuple[int, int]) -> str:
    s, o = SIDES[lang][place], SIDES[lang][1 - place]
    return line.format(s=s, S=s.capitalize(), o=o, n=size[0], m=size[1])


def _text(parts: list[str], lang: str) -> str:
    return ("" if lang == "zh" else " ").join(parts)


def _spoilt(
    dice: random.Random, fault: str, good: Report, chosen: list[list[str]], place: list[int], sizes: list[tuple[int, int]], lang: str, sex: str,
    denied: tuple[str, str] | None,
) -> Report:  # fmt: skip
    if fault == "side":
        wrong = dice.randrange(len(chosen))
        said = [
            _said(c[1], lang, 1 - p if i == wrong else p, s)
            for i, (c, p, s) in enumerate(zip(chosen, place, sizes, strict=False))
        ]
        return good | {"impression": _text(said, lang)}
    if fault == "side_request":  # the whole report speaks of the side that was not asked for
        return good | {
            name: _text([_said(c[i], lang, 1 - p, s) for c, p, s in zip(chosen, place, sizes, strict=False)], lang) for i, name in enumerate(("findings", "impression"))
        }  # fmt: skip
    if fault == "sex":
        return good | {"findings": _text([good["findings"], dice.choice(OTHER_SEX[lang][sex])], lang)}
    if fault == "negation" and denied:
        return good | {"impression": _text([good["impression"], denied[1]], lang)}
    if fault == "empty":
        return good | {dice.choice(("technique", "comparison", "impression", "advice")): " "}
    if fault == "residue":
        return good | {"findings": good["findings"] + dice.choice(("____", "{size}", "【部位】", " XX "))}
    return good | {
        "findings": good["findings"] + {"zh": "另见结节，约 85 cm。", "en": " Another nodule of 85 cm."}[lang]
    }


def measure(lang: str, count: int) -> tuple[Counter[str], Counter[str], list[Report]]:
    """How many of each fault there were, how many were found, and the correct reports that got a hint."""
    asked, found, alarmed = Counter[str](), Counter[str](), list[Report]()
    for fault, good, bad, sex, side in twins(lang, count):
        asked[fault] += 1
        found[fault] += any(h.code == fault for h in hints(bad, sex=sex, laterality=side))
        if hints(good, sex=sex, laterality=side):
            alarmed.append(good)
    return asked, found, alarmed


SWAP = {"left": "right", "right": "left", "Left": "Right", "Right": "Left", "LEFT": "RIGHT", "RIGHT": "LEFT"}
SIDED = re.compile(r"\b(left|right)\b", re.IGNORECASE)


def real(path: Path) -> tuple[int, list[tuple[str, Hint]], int, int]:
    """Reports read, side hints as they are (uid, hint), reports with sides in both sections, and caught when the opinion's are swapped."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = [r for r in csv.DictReader(file) if r["findings"].strip() and r["impression"].strip()]
    flagged = [(r["uid"], h) for r in rows for h in hints(r) if h.code == "side"]
    sided = [r for r in rows if SIDED.search(r["findings"]) and SIDED.search(r["impression"])]
    swapped = [r | {"impression": SIDED.sub(lambda m: SWAP.get(m.group(), m.group()), r["impression"])} for r in sided]
    return len(rows), flagged, len(sided), sum(any(h.code == "side" for h in hints(r)) for r in swapped)


def records(count: int = 4200) -> list[dict[str, object]]:
    """The figures."""
    made: list[dict[str, object]] = []
    for lang in ("zh", "en"):
        asked, found, alarmed = measure(lang, count)
        made += [_record(f"{lang} recall {fault}", "share", round(found[fault] / asked[fault], 4)) for fault in FAULTS]
        made.append(_record(f"{lang} recall, all", "share", round(found.total() / asked.total(), 4)))
        made.append(_record(f"{lang} false alarms", "share", round(len(alarmed) / count, 4)))
    sample = [good for _, good, _, _, _ in twins("zh", 700)]
    began = time.perf_counter()
    for report in sample:
        hints(report)
    made.append(_record("hints on one report", "ms", round((time.perf_counter() - began) * 1000 / len(sample), 3)))
    path = Path(os.environ.get("LIANYI_TEST_DATA", "")) / "reports" / "indiana_reports.csv"
    if path.is_file():
        read, flagged, sided, caught = real(path)
        made.append(
            _record(
                "Indiana: side hints per 1000 as they are",
                "count",
                round(1000 * len({u for u, _ in flagged}) / read, 2),
            )
        )
        made.append(_record("Indiana: sides swapped, caught", "share", round(caught / sided, 4)))
    return made


def _record(name: str, unit: str, value: float) -> dict[str, object]:
    return {
        "area": "quality",
        "name": name,
        "unit": unit,
        "value": value,
        "peer": None,
        "peer_value": None,
        "ratio": None,
    }


if __name__ == "__main__":
    text = json.dumps(records(), indent=1, ensure_ascii=False)
    if len(sys.argv) > 1:
        Path(sys.argv[1]).parent.mkdir(parents=True, exist_ok=True)
        Path(sys.argv[1]).write_text(text)
    else:
        sys.stdout.write(text + "\n")
