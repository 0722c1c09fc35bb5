"""Confidence: a probability that grows with every reason to believe."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_heritage_backend.clustering.confidence import (
    ADJACENT,
    DIRECTED,
    ORDERED,
    Doubt,
    calculate_confidence,
)

DOUBT = st.builds(
    Doubt,
    certainty=st.floats(0, 1),
    margin=st.floats(-1, 20),
    copy=st.booleans(),
    step=st.floats(0, 3),
    twin=st.floats(0, 50),
    tau=st.none() | st.floats(-5, 5),
    acute=st.floats(-1, 2),
    swaps=st.lists(st.tuples(st.floats(-20, 20), st.floats(-20, 20)), max_size=3).map(tuple),
)


def logistic(total: float) -> float:
    return 1 / (1 + math.exp(-total))


def test_it_is_the_product_of_two_probabilities() -> None:
    doubt = Doubt(certainty=0.8, margin=0.01, copy=False, step=0.04, twin=0.5, tau=0.9, acute=0.1)
    directed = logistic(DIRECTED["intercept"] + DIRECTED["orientation"] * math.log(4))
    total = ADJACENT["intercept"] + ADJACENT["margin"] * math.asinh(10)
    measured = (ADJACENT["step"] - ADJACENT["twin"]) * math.log(2) + 0.1 * (
        ADJACENT["overlap"] + ADJACENT["acute"]
    )
    found = calculate_confidence(doubt)
    assert found == pytest.approx(logistic(total + measured) * directed)
    proven = calculate_confidence(replace(doubt, copy=True))
    assert proven == pytest.approx(logistic(total) * directed)


def test_a_child_that_goes_its_parents_way_is_doubted() -> None:
    """tau is 1 where it came after its parent; on either side it is likelier a sibling."""
    doubt = Doubt(certainty=1.0, margin=0.1, copy=False, step=0.02, twin=1.0, tau=1.0, acute=0.0)
    found = [calculate_confidence(replace(doubt, tau=t)) for t in (0.76, 0.9, 1.0, 1.05, 1.4, 1.7)]
    assert found[0] < found[1] < found[2] == found[3] > found[4] > found[5]
    assert calculate_confidence(replace(doubt, tau=None)) > found[2]


def test_steps_that_begin_with_one_way_are_doubted() -> None:
    """It may be the way to a model that is not here, the true parent."""
    doubt = Doubt(certainty=1.0, margin=0.1, copy=False, step=0.02, twin=1.0, tau=1.0, acute=0.0)
    found = [calculate_confidence(replace(doubt, acute=a)) for a in (-0.1, 0.0, 0.1, 0.3, 0.9)]
    assert found[0] == found[1] > found[2] > found[3] == found[4]


def test_models_in_a_line_may_have_changed_places() -> None:
    """Where nothing tells a -> b -> c from a -> c -> b, either is as likely."""
    doubt = Doubt(certainty=1.0, margin=0.1, copy=False, step=0.02, twin=1.0, tau=1.0, acute=0.0)
    found = calculate_confidence(doubt)
    assert calculate_confidence(replace(doubt, swaps=((0.0, 0.0),))) == pytest.approx(found / 2)
    assert calculate_confidence(replace(doubt, swaps=((0.0, 0.0),) * 2)) == pytest.approx(found / 4)
    known = ORDERED["gap"] * 0.01 - ORDERED["odds"] * 2.0
    expected = found * logistic(known)
    assert calculate_confidence(replace(doubt, swaps=((0.01, -2.0),))) == pytest.approx(expected)
    assert calculate_confidence(replace(doubt, swaps=((0.1, 0.0),))) == pytest.approx(found)


@given(DOUBT)
def test_it_is_a_probability(doubt: Doubt) -> None:
    assert 0.0 < calculate_confidence(doubt) < 1.0


@given(DOUBT, st.floats(0, 1), st.lists(st.floats(0, 5), min_size=3, max_size=3))
def test_every_reason_counts_for_it(doubt: Doubt, certainty: float, more: list[float]) -> None:
    before = calculate_confidence(doubt)
    better = (
        replace(doubt, certainty=max(certainty, doubt.certainty)),
        replace(doubt, margin=doubt.margin + more[0]),
        replace(doubt, step=doubt.step + more[1]),
        replace(doubt, twin=doubt.twin + more[2]),
    )
    assert all(calculate_confidence(other) >= before for other in better)


def test_nothing_known_is_doubted_and_everything_known_is_believed() -> None:
    nothing = Doubt(certainty=0.5, margin=0.0, copy=False, step=1e-3, twin=0.02, tau=1.0, acute=0.3)
    everything = Doubt(
        certainty=1.0, margin=1.0, copy=True, step=0.0, twin=1.0, tau=None, acute=0.0
    )
    assert calculate_confidence(nothing) < 0.5
    assert calculate_confidence(everything) > 0.95
    assert calculate_confidence(replace(everything, certainty=0.0)) < 0.9


def test_a_proof_asks_for_no_step() -> None:
    """A copy of a model with a near twin is proven all the same."""
    proven = Doubt(certainty=0.9, margin=0.1, copy=True, step=1e-4, twin=0.02, tau=0.8, acute=0.3)
    assert calculate_confidence(proven) == calculate_confidence(
        replace(proven, step=1, twin=2, tau=1.0, acute=0.0)
    )
