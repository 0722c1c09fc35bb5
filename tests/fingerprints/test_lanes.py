"""Vector loops give what the plain ones give, bit for bit."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from model_heritage_backend.fingerprints.kernels import add_row_statistics, piece_moments
from model_heritage_backend.fingerprints.lanes import add_single_rows, single_moments
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
    figures = np.zeros((2, 2, 3010 // row_size + 1))
    for (norms, absmax), add in zip(figures, (add_row_statistics, add_single_rows), strict=True):
        # A piece that begins within a row, and one after it.
        add(values[:1300], 10, row_size, norms, absmax)
        add(values[1300:], 1310, row_size, norms, absmax)
    assert figures[0].tobytes() == figures[1].tobytes()
    assert figures[0].any()
