"""Compiled loops against numpy, and their promise: the same bits whatever others are asked for."""

from __future__ import annotations

import numpy as np
import pytest

from model_heritage_backend.clustering.kernels import count_equal, multiply_steps, square_deltas


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_squares_do_not_depend_on_other_pairs(dtype: type[np.floating]) -> None:
    samples = np.random.default_rng(0).standard_normal((9, 517)).astype(dtype)
    i, j = (places.ravel() for places in np.indices((9, 9)))
    found = square_deltas(samples, samples, i, j)
    expected = ((samples[i].astype(np.float64) - samples[j]) ** 2).sum(1)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    np.testing.assert_array_equal(found, square_deltas(samples, samples, j, i))
    order = np.random.default_rng(1).permutation(len(i))
    shuffled = square_deltas(samples, samples, i[order], j[order])
    np.testing.assert_array_equal(found[order], shuffled)
    alone = [square_deltas(samples, samples, i[k : k + 1], j[k : k + 1])[0] for k in range(len(i))]
    np.testing.assert_array_equal(found, alone)
    nobody = np.zeros(0, np.int64)
    assert square_deltas(samples, samples, nobody, nobody).shape == (0,)


def test_steps_of_small_samples_keep_their_digits() -> None:
    rng = np.random.default_rng(0)
    start = rng.standard_normal(200)
    samples = np.stack([start, *(start + 1e-6 * rng.standard_normal((2, 200)))]).astype(np.float32)
    ((product, first, second),) = multiply_steps(samples, np.array([[0, 1, 2]]))
    to_first, to_second = (samples[k].astype(np.float64) - samples[0] for k in (1, 2))
    assert product == pytest.approx(to_first @ to_second, rel=1e-9)
    assert (first, second) == pytest.approx((to_first @ to_first, to_second @ to_second))


def test_equal_values_are_counted_part_by_part() -> None:
    rng = np.random.default_rng(0)
    values = rng.standard_normal((3, 10))
    values[1, [0, 1, 7]] = values[0, [0, 1, 7]]
    values[2, 9] = values[0, 9] * (1 + 1e-8)
    found = count_equal(values, 0, np.array([2, 1]), np.array([4, 10]), 2.0**-23)
    assert found.tolist() == [[0, 1], [2, 1]]
