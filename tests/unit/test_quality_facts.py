"""What pre-QC knows of a study comes from the headers alone: counts, phases, sides, syntaxes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from integrations.dicom import Header
from tasks.quality.facts import sides

CT = Header(
    "1.2", "1.2.1", "1.2.1.1", "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.1.2.1", patient_id="QH1", modality="CT", rows=64, columns=64,
)  # fmt: skip


def _stack(count: int, **change: object) -> list[tuple[Header, bool | None]]:
    return [(replace(CT, sop_uid=f"1.2.1.{n}", **change), None) for n in range(1, count + 1)]  # type: ignore[arg-type]


def test_the_counts_that_headers_announce() -> None:
    assert sides(_stack(3))[0].announced is None
    assert sides(_stack(3, study_instances=24))[0].announced == 24
    assert sides(_stack(3, series_instances=5))[0].announced == 5
    two = _stack(3, series_instances=3) + _stack(2, series_uid="1.2.2", series_instances=6)
    assert sides(two)[0].announced == 9
    assert sides(_stack(3, acquisition=1, acquisition_images=10))[0].acquired == 10
    assert sides(_stack(3, acquisition=1, acquisition_images=2))[0].acquired == 3


@pytest.mark.parametrize(("words", "agent", "found"), [
    ("头颅平扫 5mm", "", {"plain"}), ("ABD ART 1.0", "IOHEXOL", {"arterial", "enhanced"}), ("腹部 静脉期", "", {"venous", "enhanced"}), ("Delayed 3 min", "", {"delayed", "enhanced"}),
    ("LUNG 1.0", "", {"plain"}), ("Thin", "IOPAMIDOL", {"enhanced"}), ("Non-contrast head", "", {"plain"}), ("Cartilage T2", "", {"plain"}),
])  # fmt: skip
def test_phases_by_description_and_agent(words: str, agent: str, found: set[str]) -> None:
    assert sides(_stack(1, series_description=words, contrast_agent=agent))[0].phases == found


def test_both_sides_thin_series_and_unknown_syntaxes() -> None:
    both = sides(
        _stack(1, laterality="L", slice_thickness=5.0)
        + _stack(1, series_uid="1.2.2", laterality="R", slice_thickness=1.0)
    )[0]
    assert (both.laterality, both.thickness, both.objects) == ("B", 1.0, 2)
    film = [(replace(CT, transfer_syntax="1.2.840.10008.1.2.4.102"), False)]
    assert (sides(film)[0].unshown, sides(film)[0].undecodable) == (("1.2.840.10008.1.2.4.102",), 0)
    assert sides([(CT, False)])[0].undecodable == 1


def test_a_charset_that_could_not_be_read_is_told() -> None:
    assert sides(_stack(1, notes=("PatientName holds characters outside its character set",)))[0].charset_trouble
    assert not sides(_stack(1))[0].charset_trouble


def test_the_modality_of_a_study_is_that_of_most_of_its_images() -> None:
    odd = replace(CT, modality="MR", sop_uid="1.9", series_uid="1.0")
    assert sides([(odd, None), *_stack(3)])[0].modality == CT.modality
