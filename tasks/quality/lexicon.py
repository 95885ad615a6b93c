"""Words of reports, Chinese and English: what is found, where, on which side, and what denies it. Data only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from re import Pattern
from typing import Final


def _words(pattern: str) -> Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


LESIONS: Final[Mapping[str, Pattern[str]]] = {
    "nodule": _words(r"结节|\bnodul(?:e|es|ar|arity)\b"),
    "mass": _words(r"肿块|包块|占位|肿瘤|\bmass(?:es)?\b|\btumou?rs?\b|\bneoplasm"),
    "cyst": _words(r"囊肿|囊性|\bcysts?\b|\bcystic\b"),
    "stone": _words(r"结石|\bstones?\b|\bcalcul(?:us|i)\b"),
    "calcification": _words(r"钙化|\bcalcif|\bgranulomas?\b|\bgranulomatous\b"),
    "effusion": _words(r"积液|\beffusions?\b|\bpleural fluid\b"),
    "pneumothorax": _words(r"气胸|\bpneumothora(?:x|ces)\b"),
    "atelectasis": _words(r"不张|\batelecta"),
    "fracture": _words(r"骨折|\bfractur"),
    "hemorrhage": _words(r"出血|血肿|\bha?emorrhag|\bha?ematomas?\b|\bbleed"),
    "infarct": _words(r"梗死|梗塞|\binfarct"),
    "low": _words(r"低密度|\bhypo-?(?:dens|attenuat)|\blow[- ](?:density|attenuation)"),
    "high": _words(r"高密度|\bhyper-?(?:dens|attenuat)|\bhigh[- ](?:density|attenuation)"),
    "opacity": _words(
        r"斑片|片状影|片影|渗出|实变|浸润|磨玻璃|肺炎|炎症|感染|\bopacit|\bopacification|\binfiltrat|\bconsolidat|\bair-?space\b|\bpneumonia|\binfection|"
        r"\bground[- ]glass|(?<!low )(?<!low-)(?<!high )(?<!high-)(?<!bone )\bdensit(?:y|ies)\b"
    ),
    "lesion": _words(r"病灶|病变|\blesions?\b"),
    "scar": _words(r"瘢痕|纤维灶|条索|\bscar(?:s|ring)?\b|\bfibros|\bfibrotic\b"),
    "bulla": _words(r"肺大[疱泡]|\bbulla"),
    "thickening": _words(r"增厚|\bthicken"),
    "stenosis": _words(r"狭窄|\bstenos|\bnarrowing\b"),
    "hydrops": _words(r"积水|\bhydronephrosis|\bhydroureter"),
    "blunting": _words(r"肋膈角(?:变钝|闭塞|消失)|\bblunting\b|\bblunted\b"),
    "node": _words(r"淋巴结(?:肿大|增大)|\badenopath|\blymphadenopath|\benlarged (?:\w+ )?(?:lymph )?nodes?\b"),
    "degeneration": _words(r"退行性变|退变|骨质增生|骨赘|\bdegenerat|\bosteophyt|\barthr(?:itis|osis|itic)"),
    "dislocation": _words(r"脱位|\bdislocat|\bsubluxat"),
    "tear": _words(r"撕裂|断裂|\btears?\b|\btorn\b|\brupture"),
    "thrombus": _words(r"血栓|栓塞|充盈缺损|\bthromb|\bembol|\bfilling defect"),
    "aneurysm": _words(r"动脉瘤|\baneurysm"),
    "swelling": _words(r"肿胀|水肿|\bswelling\b|\bedema"),
    "device": _words(r"引流管|置管|起搏器|内固定|假体|\bcatheter|\bchest tube|\bpacemaker|\bPICC\b|\bport-?a-?cath\b|\bprosthe|\barthroplasty"),
    "surgery": _words(r"术后|切除|\bmastectomy|\blobectomy|\bpneumonectomy|\bnephrectomy|\bresect"),
    "elevation": _words(r"膈(?:肌)?(?:抬高|升高)|\belevat\w* (?:of the )?(?:left |right )?(?:hemi)?diaphragm|\bhemidiaphragm\w* elevat"),
}  # fmt: skip
"""Kinds of findings a side is given for."""

KIN: Final[Mapping[str, frozenset[str]]] = {
    "infarct": frozenset({"low"}), "effusion": frozenset({"blunting"}), "blunting": frozenset({"effusion", "thickening"}), "hemorrhage": frozenset({"high"}), "mass": frozenset({"nodule", "opacity"}),
    "nodule": frozenset({"mass", "opacity", "calcification"}), "calcification": frozenset({"nodule"}),
    "opacity": frozenset({"nodule", "atelectasis", "scar"}), "atelectasis": frozenset({"opacity", "scar"}), "scar": frozenset({"opacity", "atelectasis"}),
}  # fmt: skip
"""What an opinion's word may be called in the findings, where the word itself is not there."""

ORGANS: Final[Mapping[str, Pattern[str]]] = {
    "adrenal": _words(r"肾上腺|\badrenal"),
    "kidney": _words(r"肾(?!上腺)|\bkidneys?\b|\brenal\b|\bnephr|\bhydronephrosis"),
    "ureter": _words(r"输尿管|\bureter"),
    "pleura": _words(r"胸腔|胸膜|\bpleura|\bcostophrenic\b|\beffusion|气胸|\bpneumothora|\bhemithora"),
    "lung": _words(
        r"肺|[上中下]叶|肺门|肺尖|\blungs?\b|\b(?:upper|lower|middle|mid)[- ](?:lobes?|lung|zones?)\b|\b[LR][UML]L\b|\blob(?:e|es|ar)\b|\bapex\b|\bapices\b|"
        r"\bapical\b|\bbas(?:e|es|ilar|al)\b|\bhil(?:um|ar|a)\b|\blingula|\bpulmonary\b|\bperihilar\b|\bbibasilar\b"
    ),
    "breast": _words(r"乳|\bbreasts?\b|\bmammar"),
    "liver": _words(r"肝|\bliver\b|\bhepatic\b"),
    "ovary": _words(r"卵巢|附件|\bovar|\badnexa"),
    "knee": _words(r"膝|\bknees?\b|\bmenisc"), "shoulder": _words(r"肩|\bshoulders?\b|\bhumer"), "hip": _words(r"髋|股骨头|\bhips?\b|\bfemoral (?:head|neck)"),
    "frontal": _words(r"额[叶部颞顶]?|\bfrontal\b"), "temporal": _words(r"颞|\btemporal\b"), "parietal": _words(r"顶叶|\bparietal\b"),
    "occipital": _words(r"枕|\boccipital\b"), "ganglia": _words(r"基底节|\bbasal ganglia\b"), "thalamus": _words(r"丘脑|\bthalam"),
    "cerebellum": _words(r"小脑|\bcerebell"), "rib": _words(r"肋|\bribs?\b"), "clavicle": _words(r"锁骨|\bclavic"),
    "thyroid": _words(r"甲状腺|\bthyroid"), "carotid": _words(r"颈[总内外]?动脉|\bcarotid"), "diaphragm": _words(r"膈|\bdiaphragm|\bhemidiaphragm"),
}  # fmt: skip
"""Organs and regions that have two sides."""

LEFT, RIGHT = _words(r"左|\bleft\b|\bleft-sided\b|\bL[UL]L\b|\blingula"), _words(r"右|\bright\b|\bR[UML]L\b")
BOTH = _words(r"双|两侧|两[肺肾乳膝肩髋]|\bbilateral|\bboth\b|\bbibasilar\b|\bbiapical\b")
NO_SIDE = _words(
    r"[左右]心[室房]?|[左右][室房](?!管)|向[左右]侧?(?:移位|偏移|偏|移)|\b(?:left|right) (?:heart|ventric|atri|hilar border|main ?stem|bundle)\w*|"
    r"\b(?:shift|deviat|rotat|displac)\w* (?:to|toward|towards) (?:the )?(?:left|right)|\b(?:left|right)ward\b|\bright away\b|\bleft (?:in|out)\b"
)
"""Sides that belong to the heart, or to where something points, and say nothing about where a finding is."""

BEFORE = _words(
    r"未见|未发现|未示|未及|没有|无(?!变化|明显变化|显著变化|著变|名)|不伴|排除|否认|除外|"
    r"\bno\b(?! (?:significant |interval |definite )?(?:change|longer))|\bnot\b(?! (?:significantly )?(?:changed|increased|enlarged))|\bwithout\b|"
    r"\bnegative for\b|\bfree of\b|\babsence of\b|\bdenie[sd]\b|\brule[sd]? out\b|\bneither\b|\bnor\b"
)
"""Denies what follows in the same clause."""
AFTER = _words(
    r"未见(?!明?显?(?:增大|变化|增多))|已?吸收(?!不)|已?消失|已?排除|\b(?:is|are|was|were|has|have)?\s?(?:not (?:seen|identified|evident|present|visuali[sz]ed)|"
    r"resolved|cleared|absent|excluded)\b"
)
"""Denies what stands before it in the same clause."""
AGAIN = _words(
    r"见|示|呈|存在|\bis\b|\bare\b|\bseen\b|\bnoted\b|\bpresent\b|\bshows?\b|\bthere\b|\bbut\b|\bhowever\b|但|\d\s*(?:mm|cm)"
)
"""Ends a denial that would run on to the next part of a sentence."""
CALM = _words(r"清晰|正常|未见异常|无异常|规整|\bclear\b|\bnormal\b|\bunremarkable\b|\bintact\b")
"""A part of a sentence that says there is nothing to be found."""
QUALIFIED = _words(r"急性|新发|新鲜|活动性|\bacute\b|\bnew\b|\bactive\b|\bdisplaced\b|\blarge\b|\bobstructi")
"""A denial of only some of a kind."""

MALE: Final = ("前列腺", "睾丸", "精囊", "阴囊", "prostat", "testis", "testes", "testic", "seminal vesicle", "scrot")
FEMALE: Final = (
    "子宫",
    "卵巢",
    "宫颈",
    "宫腔",
    "妊娠",
    "uterus",
    "uterine",
    "ovary",
    "ovarian",
    "ovaries",
    "endometri",
    "cervix",
    "pregnan",
)
"""Organs of one sex; Latin ones begin a word."""
