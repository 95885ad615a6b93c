"""What the walk of the demo proves: every integration is really called, by the model, with a trace in the history."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.timeout(300)

INTEGRATIONS = {
    "dicom": {"dicom.store", "dicom.result"}, "hl7": {"hl7.adt", "hl7.order", "hl7.result"},
    "compression": {"compression"}, "rendering": {"rendering"}, "sms": {"sms"}, "pdf": {"pdf"},
}  # fmt: skip
OPERATIONS = {
    "applications.snapshot", "imaging.prepare", "imaging.key_views", "quality.prescan", "triage.rank", "notify.sms",
    "session.create", "reports.render", "quality.record_score", "reports.publish_hl7", "reports.publish_dicom",
}  # fmt: skip


def test_every_proof_holds(demo: Any) -> None:
    assert [p for p in demo.proofs if not p["ok"]] == []
    assert len(demo.proofs) >= 20, "".join(demo.said)


def test_what_the_model_called_is_found_in_the_history(demo: Any) -> None:
    for name in ("compression", "rendering", "sms", "hl7.result", "dicom.result"):
        assert "history" in demo.proof(name)["detail"]


def test_nothing_printed_names_the_patient(demo: Any) -> None:
    assert "王示例" not in "".join(demo.said)


@pytest.mark.parametrize("integration", sorted(INTEGRATIONS))
def test_each_integration_is_proven(demo: Any, integration: str) -> None:
    assert {p["name"] for p in demo.proofs} & INTEGRATIONS[integration] == INTEGRATIONS[integration]


def test_the_history_names_every_operation_with_its_result(demo: Any) -> None:
    answer = demo.browser("jin").http.get(f"{demo.base}/api/v1/cases/{demo.case}/history", timeout=30)
    assert answer.status_code == 200
    rows = answer.json()["entries"]
    done = {r["operation"] for r in rows if r["kind"] == "job.done"}
    assert done >= OPERATIONS
    assert all(r["id"] and r["at"] for r in rows)
    assert "王示例" not in answer.text


def test_the_history_is_not_for_everybody(demo: Any) -> None:
    answer = demo.browser("feng").http.get(f"{demo.base}/api/v1/cases/{demo.case}/history", timeout=30)
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("form", "people"),
    [
        ("apply", ["he"]), ("approve", ["tang"]), ("pre_qc", ["chen"]), ("triage", ["shen"]), ("offer_reply", ["lin", "zhou"]),
        ("report", ["lin", "zhou"]), ("review", ["sun"]), ("score", ["zheng"]),
    ],
)  # fmt: skip
def test_work_is_left_at_every_step(demo: Any, form: str, people: list[str]) -> None:
    found = [demo.browser(who).open("/inbox").tree.xpath(f"//tr[@data-form='{form}']") for who in people]
    assert any(found), "".join(demo.said)
