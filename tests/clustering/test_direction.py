"""From signals to log-odds: antisymmetric, bounded, and right on real edges."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.zoo import Zoo
from model_heritage_backend.clustering.direction import (
    LARGE_STEP,
    LIMIT,
    SMALL_STEP,
    SMALL_WEIGHTS,
    WEIGHTS,
    calculate_direction,
    clip,
    list_features,
)
from model_heritage_backend.clustering.edge_measures import measure_edge
from model_heritage_backend.clustering.exact_evidence import ExactEvidence
from model_heritage_backend.weights.tensors import FLOAT32_ROUNDOFF
from tests.clustering.models import ArrayWeights, load_arrays

NOTHING = ExactEvidence(
    norm_growth=0.0,
    norm_z=0.0,
    larger_share=0.5,
    row_log_ratio=0.0,
    row_spread=0.0,
    value_growth=0.0,
    row_growth=0.0,
    row_shrinkage=0.0,
    diagonal_excess=0.0,
    entropy=0.0,
    skew_forward=0.0,
    skew_backward=0.0,
    kurtosis=0.0,
    vector_growth=0.0,
    relative_change=0.1,
    vectors_changed=0,
    vectors=0,
)
SMALL, LARGE = SMALL_STEP / 2, 2 * LARGE_STEP


def direct(**signals: Any) -> float:
    return calculate_direction(replace(NOTHING, **signals))


SIGNAL, UNIT = st.floats(-50, 50), st.floats(-1, 1)
# Shares in 1024ths: 1 - share is exact, so both ends are on the same side of a limit.
EVIDENCE = st.builds(
    ExactEvidence,
    norm_growth=SIGNAL,
    norm_z=SIGNAL,
    larger_share=st.integers(0, 1024).map(lambda count: count / 1024),
    row_log_ratio=UNIT,
    row_spread=st.floats(0, 0.1),
    value_growth=SIGNAL,
    row_growth=SIGNAL,
    row_shrinkage=SIGNAL,
    diagonal_excess=SIGNAL,
    entropy=UNIT,
    skew_forward=UNIT,
    skew_backward=UNIT,
    kurtosis=UNIT,
    vector_growth=st.floats(-2, 2),
    relative_change=st.one_of(st.just(0.0), st.floats(1e-6, 2.0)),
    vectors_changed=st.integers(0, 9),
    vectors=st.integers(0, 9),
)


@given(EVIDENCE)
def test_it_is_antisymmetric(evidence: ExactEvidence) -> None:
    there = calculate_direction(evidence)
    back = calculate_direction(evidence.reversed())
    assert back == pytest.approx(-there, abs=1e-9)


@given(EVIDENCE)
def test_it_is_bounded(evidence: ExactEvidence) -> None:
    assert abs(calculate_direction(evidence)) <= LIMIT
    features = list_features(evidence)
    assert all(abs(value) <= 2.0 for value in features.values())
    assert features.keys() == WEIGHTS.keys() | SMALL_WEIGHTS.keys()


def test_no_signal_says_nothing() -> None:
    assert direct(relative_change=LARGE) == 0.0
    assert direct(relative_change=SMALL) == 0.0


def test_large_steps_are_weighed() -> None:
    """Each signal by its weight, up to its limit and to that of all together."""
    assert direct(relative_change=LARGE, entropy=0.5) == pytest.approx(0.5 * WEIGHTS["entropy"])
    excess = direct(relative_change=LARGE, diagonal_excess=500.0)
    assert excess == pytest.approx(2.0 * WEIGHTS["diagonal_excess"])
    sure = direct(relative_change=LARGE, entropy=1.0, skew_forward=1.0, skew_backward=1.0)
    assert sure == LIMIT


def test_small_steps_are_weighed_by_other_signals() -> None:
    """Decay shrinks all rows alike; without it a step adds to every row. Skewness is noise here."""
    assert direct(relative_change=SMALL, row_shrinkage=500.0) == pytest.approx(
        SMALL_WEIGHTS["row_shrinkage"]
    )
    assert direct(relative_change=SMALL, row_growth=-2.0) == -SMALL_WEIGHTS["row_growth"]
    assert direct(relative_change=SMALL, skew_forward=1.0, norm_growth=-2.0) == 0.0


def test_small_steps_leave_small_entropies() -> None:
    there = direct(relative_change=SMALL, entropy=0.002)
    assert there == pytest.approx(math.tanh(1) * SMALL_WEIGHTS["small_entropy"])
    assert direct(relative_change=SMALL, entropy=0.9) == pytest.approx(
        SMALL_WEIGHTS["small_entropy"]
    )


def test_between_small_and_large_both_are_mixed() -> None:
    signals = {"larger_share": 0.4, "row_growth": 0.5}
    low, high = (direct(relative_change=step, **signals) for step in (SMALL, LARGE))
    middle = direct(relative_change=math.sqrt(SMALL_STEP * LARGE_STEP), **signals)
    assert middle == pytest.approx((low + high) / 2)
    assert direct(relative_change=SMALL_STEP, **signals) == pytest.approx(low)
    assert direct(relative_change=LARGE_STEP, **signals) == pytest.approx(high)


def test_with_equal_matrices_the_vectors_speak() -> None:
    assert direct(relative_change=0.0, vector_growth=1.0, entropy=-1.0) == 1.5
    assert direct(relative_change=0.0, vector_growth=-2.0) == -2.0


def test_clipping() -> None:
    assert [clip(value, 2.0) for value in (-3.0, -1.0, 3.0)] == [-2.0, -1.0, 2.0]


def test_real_edges_point_from_parent_to_child(zoo_family: Zoo) -> None:
    """Trained edges of the family: most point the right way, adapters by a wide margin."""
    odds = {}
    for child in ("noisy", "rotated", "noisy-odd", "noisy-odd-lora", "inverted-lora"):
        (parent,) = zoo_family.true_parents(child)
        pair = []
        for name in (parent, child):
            arrays = load_arrays(zoo_family.path(name))
            # Some files carry a prefix.
            shared = len(next(n for n in arrays if n.endswith("cls_token"))) - len("cls_token")
            pair.append(ArrayWeights({n[shared:]: array for n, array in arrays.items()}))
        evidence = measure_edge(*pair, roundoff=FLOAT32_ROUNDOFF)
        odds[child] = calculate_direction(evidence)
    assert sum(value > 0 for value in odds.values()) >= 4
    assert odds["noisy-odd-lora"] > 1
    assert odds["inverted-lora"] > 1
