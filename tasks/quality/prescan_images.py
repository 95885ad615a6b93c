"""Pre-QC Q13 to Q17, Q20 and Q21: are the images all there, and can they be looked at?"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator

from tasks.quality.checks import Advice, Check, Claimed, Severity, Side, by, joined, row

AGAIN: Advice = ("有影像没有收到，请重新发送整个检查。", "Some images did not arrive; send the whole study again.")
NUMBER = ("影像数量", "Objects")


def checks(c: Claimed) -> Iterator[Check]:
    """The rows about the images."""
    yield from _announced(c)
    for s in c.studies:
        yield from _study(c, s)


def _announced(c: Claimed) -> Iterator[Check]:
    if not c.studies:
        advice = ("请选择会诊影像。", "Choose the studies to be read.")
        yield row("Q13", by(c, "block", "warn"), ("影像", "Images"), "≥ 1", "0", "index", advice)
    elif c.announced is not None:
        here = sum(max(s.objects, s.frames) for s in c.studies)
        bad = by(c, "block", "warn") if here < c.announced else None
        yield row("Q13", bad, ("申请所列影像数", "Images announced"), str(c.announced), str(here), "index", AGAIN)


def _study(c: Claimed, s: Side) -> Iterator[Check]:
    missing = by(c, "block", "warn") if s.objects < (s.announced or 1) else None
    expected = f"= {s.announced}" if s.announced else "≥ 1"
    source = "DICOM 0020,1208" if s.announced else "index"
    yield row("Q13", missing, NUMBER, expected, str(s.objects), source, AGAIN)
    if s.acquired is not None:
        # devices fill it loosely, so it never blocks
        fewer: Severity | None = "warn" if s.objects < s.acquired else None
        yield row(
            "Q13", fewer, ("采集影像数", "Images acquired"), str(s.acquired), str(s.objects), "DICOM 0020,1002", AGAIN
        )
    yield from _readable(c, s)


def _readable(c: Claimed, s: Side) -> Iterator[Check]:
    """Rows that expect nothing wrong: a tick, or how much is."""
    gaps = _gaps(s.positions)
    advice = ("缺层或重复层，请确认是否漏传。", "Slices are missing or doubled; confirm that nothing was left out.")
    yield row(
        "Q14", "warn" if gaps else None, ("层间连续", "Slices in line"), "✓", _told(gaps), "DICOM 0020,0032", advice
    )
    advice = (
        "有影像无法解码，请从设备重新导出。",
        "Some images cannot be decoded; export them again from the modality.",
    )
    bad: Severity | None = "block" if s.undecodable else None
    yield row("Q15", bad, ("像素可读", "Pixels decode"), "✓", _told(s.undecodable), "index", advice)
    advice = (
        "该传输语法的影像已原样保存，但这里不能显示；请改用可显示的格式重新导出。",
        "Images of this transfer syntax are kept but cannot be shown here; export them again in one that can.",
    )
    unshown = _told(joined(s.unshown))
    yield row("Q16", "warn" if s.unshown else None, ("可显示", "Can be shown"), "✓", unshown, "DICOM 0002,0010", advice)
    advice = ("姓名可能显示不全。", "Names may be shown incompletely.")
    trouble = by(c, "warn", None) if s.charset_trouble else None
    told = "✗" if s.charset_trouble else "✓"
    yield row("Q17", trouble, ("字符集", "Character set"), "✓", told, "DICOM 0008,0005", advice)
    advice = ("原始影像有损，结论请注明。", "The original images are lossy; say so in the report.")
    lossy = ("未经有损压缩", "Not lossy")
    yield row("Q20", "warn" if s.lossy else None, lossy, "✓", _told(s.lossy), "DICOM 0028,2110", advice)
    if s.burned_in:
        advice = ("用于教学前须去除。", "To be removed before teaching.")
        yield row(
            "Q21", "warn", ("图内无文字", "No burned-in text"), "✓", _told(s.burned_in), "DICOM 0028,0301", advice
        )


def _told(wrong: int | str) -> str:
    return f"✗ {wrong}" if wrong else "✓"


def _gaps(positions: tuple[float, ...]) -> str:
    """Places where the distance between neighbours is not the usual one; positions along the normal in mm."""
    if len(positions) < 4:
        return ""
    ordered = sorted(positions)
    steps = [round(b - a, 2) for a, b in itertools.pairwise(ordered)]
    usual = Counter(steps).most_common(1)[0][0]
    odd = sum(1 for step in steps if abs(step - usual) > max(0.1, usual * 0.1))
    return str(odd) if odd else ""
