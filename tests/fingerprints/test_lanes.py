"""Vector loops give what the plain ones give, bit for bit."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from model_heritage_backend.fingerprints.kernels import (
    add_row_norms,
    piece_moments,
    raise_tops,
)
from model_heritage_backend.fingerprints.lanes import add_single_norms, single_moments
from model_heritage_backend.fingerprints.moments import RunningMoments


def make_values(kind: str, count: int) -> NDArray[np.float32]:
    random = np.random.default_rng(count)
    values = random.standard_normal(count).astype(np.float32)
    if kind == "wide":
        values *= (10.0 ** random.integers(-38, 30, count)).astype(np.float32)
    if kind == "tiny":
        values = (random.integers(-4, 5, count) * 1e-45).astype(np.float32)
    if kind == "zeros":
        values = np.abs(values)
        values[::3] = 0.0
        values[1::5] = -0.0
    if kind == "far":
        values += np.float32(1000.0)
    return values


@pytest.mark.parametrize("count", [1, 8, 63, 64, 65, 200, 65_536])
@pytest.mark.parametrize("kind", ["usual", "wide", "tiny", "zeros", "far"])
def test_moments(kind: str, count: int) -> None:
    values = make_values(kind, count)
    ours, plain = np.array(single_moments(values)), np.array(piece_moments(values))
    assert ours.tobytes() == plain.tobytes()


@pytest.mark.parametrize("shift", [0.0, 0.01, 0.2, 0.257, 0.26, 1.0, 3000.0, -0.2])
@pytest.mark.parametrize("skewed", [False, True])
def test_moments_are_exact(shift: float, skewed: bool) -> None:
    """Beside rational numbers, with means on both sides of where two passes begin."""
    random = np.random.default_rng(5)
    values = random.standard_normal(700)
    if skewed:
        values = values**3 / 4.0
    single = (values - values.mean() + shift * values.std()).astype(np.float32)
    for summarise in (single_moments, piece_moments):
        total, *powers = summarise(single)[:4]
        exact = [Fraction(float(x)) for x in single]
        mean = sum(exact) / len(exact)
        assert total == pytest.approx(float(sum(exact)), rel=1e-13, abs=1e-11)
        for order, power in enumerate(powers, start=2):
            # As moments are used: beside the spread.
            size = float(sum(abs(x - mean) ** order for x in exact))
            wanted = float(sum((x - mean) ** order for x in exact))
            assert abs(power - wanted) <= 1e-12 * size * max(1.0, shift)


def test_large_doubles_that_are_all_the_same_have_no_spread() -> None:
    """Their squares are not finite."""
    assert piece_moments(np.full(128, 2.0**530))[1:4] == (0.0, 0.0, 0.0)


def test_powers_that_only_overflow_about_zero_are_taken_about_the_mean() -> None:
    values = np.tile([-1.0, 1.0], 64) + 0.25
    assert np.isfinite(piece_moments(values * (3.989e76 / 1.25))[1:4]).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_the_sum_of_what_is_not_finite_is_not_finite(bad: float) -> None:
    for place in (0, 70, 128):
        values = make_values("usual", 129)
        values[place] = bad
        assert not np.isfinite(single_moments(values)[0])
    assert not np.isfinite(single_moments(np.array([np.inf, -np.inf], np.float32))[0])


def test_moments_leave_out_what_is_not_finite() -> None:
    values = make_values("usual", 1000)
    some, rest = RunningMoments(), RunningMoments()
    rest.add(values)
    some.add(np.insert(values, [3, 500], np.float32([np.nan, np.inf])))
    some.add(np.full(70, np.nan, np.float32))
    assert some.finish() == replace(rest.finish(), nonfinite=72)


@pytest.mark.parametrize("row_size", [1, 5, 8, 100, 5000])
@pytest.mark.parametrize("kind", ["usual", "wide", "zeros", "not finite"])
def test_rows(kind: str, row_size: int) -> None:
    values = make_values(kind, 3000)
    if kind == "not finite":
        values[[100, 1299, 2999]] = np.nan, np.inf, -np.inf
    figures = np.zeros((2, 3010 // row_size + 1))
    for norms, add in zip(figures, (add_row_norms, add_single_norms), strict=True):
        # A piece that begins within a row, and one after it.
        add(values[:1300], 10, row_size, norms)
        add(values[1300:], 1310, row_size, norms)
    assert figures[0].tobytes() == figures[1].tobytes()
    assert figures[0].any()


@pytest.mark.parametrize("row_size", [1, 7, 1000, 5000])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_largest_magnitudes_of_sampled_rows(dtype: type, row_size: int) -> None:
    random = np.random.default_rng(row_size)
    values = random.standard_normal(3000).astype(dtype)
    values[random.integers(0, 3000, 50)] = 0.0
    values[[100, 1299, 2999]] = np.nan, np.inf, -np.inf
    values[[5, 1301]] = -np.finfo(dtype).max, np.finfo(dtype).tiny / 4
    rows = np.arange(0, 3000 // row_size + 1, 2)
    tops = np.zeros(rows.size, np.int64)
    integer = np.int32 if dtype is np.float32 else np.int64
    for start, stop in ((0, 1300), (1300, 1301), (1301, 3000)):
        raise_tops(values[start:stop].view(integer), start, row_size, rows, tops)
    finite = np.where(np.isfinite(values), np.abs(values), 0.0)
    parts = [finite[row * row_size : (row + 1) * row_size] for row in rows]
    expected = np.array([part.max(initial=0.0) for part in parts], dtype)
    np.testing.assert_array_equal(tops.astype(integer).view(dtype), expected)
