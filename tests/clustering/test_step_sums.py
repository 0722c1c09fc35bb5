"""Sums of steps: the formula, and that a family that grew has the sums of one solved at once."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_heritage_backend.clustering.sample_stacks import SampleStack, stack_samples
from model_heritage_backend.clustering.step_sums import StepSums
from tests.clustering.families import align

NORM = 1.0
SHARED = np.random.default_rng(0).standard_normal((6, 24, 12))
SHARED[5] = SHARED[2]


def make_stack(chosen: list[int]) -> SampleStack:
    """Of some of six models; the third and the last are equal."""
    family = align({f"m{n}": {"w": SHARED[n].astype(np.float32)} for n in chosen})
    (stack,) = stack_samples(family, range(len(chosen)), "w")
    return stack


def list_pairs(stack: SampleStack) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    return np.array(list(itertools.combinations(range(len(stack)), 2)))


def test_sums_are_those_of_the_formula() -> None:
    stack = make_stack([0, 1, 2])
    sums = StepSums.measure(stack, list_pairs(stack), NORM, None)
    rows, columns = np.zeros((24, 24)), np.zeros((12, 12))
    for i, j in list_pairs(stack):
        delta = stack.samples[j] - stack.samples[i]
        delta /= np.sqrt((delta**2).mean())
        rows += delta @ delta.T / 12 / 3
        columns += delta.T @ delta / 24 / 3
    assert sums.count == 3
    for found, expected in zip(sums.get_covariances(), (rows, columns), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_steps_of_nothing_but_rounding_do_not_count() -> None:
    stack = make_stack([0, 2, 5])
    sums = StepSums.measure(stack, list_pairs(stack), NORM, None)
    assert len(list_pairs(stack)) == 3
    assert sums.count == 2


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.integers(0, 5), min_size=2, max_size=6, unique=True), min_size=2))
def test_what_was_before_makes_no_difference(families: list[list[int]]) -> None:
    """To the last bit: families that grow, shrink and change."""
    before = None
    for chosen in families:
        stack = make_stack(chosen)
        pairs = list_pairs(stack)
        before = StepSums.measure(stack, pairs, NORM, before)
        fresh = StepSums.measure(stack, pairs, NORM, None)
        assert before.counted == fresh.counted
        assert np.array_equal(before.over_rows, fresh.over_rows)
        assert np.array_equal(before.over_columns, fresh.over_columns)


def test_only_what_is_new_is_multiplied(monkeypatch: pytest.MonkeyPatch) -> None:
    small, large = make_stack([0, 1, 2, 3]), make_stack([0, 1, 2, 3, 4])
    before = StepSums.measure(small, list_pairs(small), NORM, None)
    asked: list[object] = []
    name = "model_heritage_backend.clustering.step_sums._multiply"

    def count(_stack: SampleStack, steps: Sequence[object]) -> tuple[list[int], list[int]]:
        asked.extend(steps)
        return [0] * len(steps), [0] * len(steps)

    monkeypatch.setattr(name, count)
    StepSums.measure(large, list_pairs(large), NORM, before)
    assert len(asked) == 4
