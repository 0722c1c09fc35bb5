"""Confidence: a logistic that grows with every reason to believe."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_heritage_backend.clustering.confidence import (
    COEFFICIENTS,
    Doubt,
    calculate_confidence,
)

DOUBT = st.builds(
    Doubt,
    certainty=st.floats(0, 1),
    margin=st.floats(-1, 20),
    copy=st.booleans(),
    direction=st.floats(0, 20),
)


def test_it_is_the_logistic_of_its_features() -> None:
    doubt = Doubt(certainty=0.8, margin=0.01, copy=True, direction=2.0)
    total = (
        COEFFICIENTS["intercept"]
        + COEFFICIENTS["orientation"] * math.log(4)
        + COEFFICIENTS["margin"] * math.asinh(10)
        + COEFFICIENTS["copy"]
        + COEFFICIENTS["direction"] * 2
    )
    assert calculate_confidence(doubt) == pytest.approx(1 / (1 + math.exp(-total)))


@given(DOUBT)
def test_it_is_a_probability(doubt: Doubt) -> None:
    assert 0.0 < calculate_confidence(doubt) < 1.0


@given(DOUBT, st.floats(0, 1), st.floats(0, 5), st.floats(0, 5))
def test_every_reason_counts_for_it(
    doubt: Doubt, certainty: float, margin: float, direction: float
) -> None:
    before = calculate_confidence(doubt)
    better = (
        replace(doubt, certainty=max(certainty, doubt.certainty)),
        replace(doubt, margin=doubt.margin + margin),
        replace(doubt, copy=True),
        replace(doubt, direction=doubt.direction + direction),
    )
    assert all(calculate_confidence(other) >= before for other in better)


def test_nothing_known_is_doubted_and_everything_known_is_believed() -> None:
    nothing = Doubt(certainty=0.5, margin=0.0, copy=False, direction=0.0)
    everything = Doubt(certainty=1.0, margin=1.0, copy=True, direction=12.0)
    assert calculate_confidence(nothing) < 0.5
    assert calculate_confidence(everything) > 0.95
    assert calculate_confidence(replace(everything, certainty=0.0)) < 0.9


def test_a_proof_of_direction_counts_no_more_than_a_strong_signal() -> None:
    strong = Doubt(certainty=0.9, margin=0.1, copy=False, direction=5.0)
    assert calculate_confidence(replace(strong, direction=12.0)) == calculate_confidence(strong)
