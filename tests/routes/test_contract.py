"""The OpenAPI document, held against what a real lake answers to random requests."""

from __future__ import annotations

from pathlib import Path

from benchmarks.zoo import Zoo
from model_heritage_backend.app import close_app, create_app
from model_heritage_backend.config import load_settings
from tests.contract import MEMBERS, run_contract

CASES = 2000
RARE = {"DELETE /api/jobs/{job_id}"}
"""What needs luck: a job that still waits."""


def test_answers_keep_the_contract(
    tmp_path: Path, plain_environment: None, zoo_family: Zoo, strangers: list[Path]
) -> None:
    """No 5xx, nothing undocumented, nothing forbidden accepted, nothing allowed refused."""
    app = create_app(load_settings(data_dir=tmp_path, log_level="ERROR"))
    files = [*(zoo_family.path(name) for name in MEMBERS), strangers[0]]
    try:
        report = run_contract(app, files, cases=CASES)
    finally:
        close_app(app)
    assert list(report.failures) == [], str(report)
    assert report.cases >= CASES
    # Else the other requests would show little.
    assert set(report.unreached) <= RARE, str(report)
