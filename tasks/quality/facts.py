"""The studies of a case as pre-QC compares them, out of the headers in the index. Pure."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from integrations.compression import DECODED
from integrations.dicom import Header
from tasks.quality.checks import Side

NOT_IMAGES = frozenset({"SR", "PR", "KO", "DOC", "SEG", "REG"})
PHASES = {
    "arterial": re.compile(r"动脉期?|\bart(?:erial)?\b|\bcta\b", re.IGNORECASE),
    "venous": re.compile(r"静脉期?|门脉|\bven(?:ous)?\b|\bportal\b|\bctv\b", re.IGNORECASE),
    "delayed": re.compile(r"延迟|平衡期|\bdelay(?:ed)?\b|\bequil", re.IGNORECASE),
    "plain": re.compile(r"平扫|\bplain\b|\bnon[- ]?con|\bw/?o\b|\bunenhanced\b", re.IGNORECASE),
    "enhanced": re.compile(
        r"增强|\bc\+|\bpost[- ]?con|\bce\b|\bcontrast\b(?<!non contrast)(?<!non-contrast)", re.IGNORECASE
    ),
}
"""How series descriptions name the phases of a contrast examination."""
OF_CONTRAST = frozenset({"arterial", "venous", "delayed"})
Object = tuple[Header, bool | None]
"""A header, and whether its pixels decode (None: not tried, or no pixels)."""


def sides(headers: Iterable[Object]) -> tuple[Side, ...]:
    """The objects of a case, study by study."""
    studies: dict[str, list[Object]] = defaultdict(list)
    for header, decodes in headers:
        studies[header.study_uid].append((header, decodes))
    return tuple(_side(members) for members in studies.values())


def _side(members: Sequence[Object]) -> Side:
    every = [h for h, _ in members]
    images = [h for h in every if h.modality not in NOT_IMAGES] or every
    first = images[0]
    kind = Counter(h.modality for h in images).most_common(1)[0][
        0
    ]  # not that of whichever object happens to stand first
    return Side(
        patient_id=first.patient_id, name=first.patient_name, sex=first.sex, birth_date=first.birth_date,
        accession=next((h.accession for h in every if h.accession), ""), study_date=first.study_date, modality=kind,
        body_part=next((h.body_part for h in every if h.body_part), ""), laterality=_laterality(every), objects=len(every),
        undecodable=sum(decodes is False and h.transfer_syntax in DECODED for h, decodes in members),
        lossy=sum(h.lossy for h in every), burned_in=sum(h.burned_in == "YES" for h in every), positions=_positions(every),
        thickness=min((h.slice_thickness for h in images if h.slice_thickness), default=None),
        charset_trouble=any(w in note.lower() for h in every for note in h.notes for w in ("character", "encoding")), age=first.age,
        frames=sum(h.frames for h in images if h.has_pixels), announced=_announced(every), acquired=_acquired(images),
        unshown=tuple(sorted({h.transfer_syntax for h in every if h.has_pixels and h.transfer_syntax not in DECODED})),
        phases=_phases(images),
    )  # fmt: skip


def _laterality(headers: Sequence[Header]) -> str:
    """L, R, B when both are shown, else empty."""
    found = {h.laterality for h in headers if h.laterality in ("L", "R", "B")}
    return "B" if len(found) > 1 else next(iter(found), "")


def _announced(headers: Sequence[Header]) -> int | None:
    """The objects the headers say the study has: of the whole study, or of its series, whichever is more."""
    by_series = Counter(h.series_uid for h in headers)
    short = {h.series_uid: h.series_instances - by_series[h.series_uid] for h in headers if h.series_instances}
    said = [h.study_instances for h in headers if h.study_instances]
    if short:
        said.append(len(headers) + sum(n for n in short.values() if n > 0))
    return max(said, default=None)


def _acquired(headers: Sequence[Header]) -> int | None:
    """The objects present and those that are missing of an acquisition, by Images in Acquisition (0020,1002)."""
    present = Counter(h.acquisition for h in headers)
    said = {h.acquisition: h.acquisition_images for h in headers if h.acquisition is not None and h.acquisition_images}
    if not said:
        return None
    return len(headers) + sum(max(0, announced - present[number]) for number, announced in said.items())


def _phases(headers: Sequence[Header]) -> frozenset[str]:
    found: set[str] = set()
    for words, agent in {(h.series_description, bool(h.contrast_agent)) for h in headers}:
        named = {phase for phase, pattern in PHASES.items() if pattern.search(words)}
        if agent or named & OF_CONTRAST:
            named.add("enhanced")
        found |= named or {"plain"}
    return frozenset(found)


def _positions(headers: Sequence[Header]) -> tuple[float, ...]:
    """The slices of the largest series along their normal, mm."""
    series = Counter(h.series_uid for h in headers).most_common(1)[0][0]
    return tuple(_along(h) for h in headers if h.series_uid == series and len(h.position) == 3)


def _along(header: Header) -> float:
    o, p = header.orientation, header.position
    if len(o) != 6:
        return p[2]
    normal = (o[1] * o[5] - o[2] * o[4], o[2] * o[3] - o[0] * o[5], o[0] * o[4] - o[1] * o[3])
    return sum(a * b for a, b in zip(normal, p, strict=True))
