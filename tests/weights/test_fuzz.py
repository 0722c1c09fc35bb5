"""A few of the mutations that ``python -m tests.weights.fuzz`` makes by the million."""

from __future__ import annotations

from tests.weights.fuzz import run


def test_only_our_errors_come_out() -> None:
    report = run(12000, seed=0)
    assert report.verdicts["read"] > 100
    assert report.verdicts["InvalidWeights"] > 1000
