"""A stack says of each matrix what is said of one alone; for formulas see test_exact_evidence."""

from __future__ import annotations

import numpy as np
import pytest

from model_heritage_backend.clustering.signals import (
    STEP_GROUPS,
    GrowthFit,
    fit_growth,
    group_by_step,
    measure_diagonal_excess,
    measure_residuals,
)
from tests.clustering.families import Floats


def draw(shape: tuple[int, ...], *, share: float = 0.2) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(1)
    x: Floats = rng.laplace(size=shape)
    y: Floats = x + share * rng.standard_normal(shape)
    return x, y


def test_groups_are_those_of_each_matrix_alone() -> None:
    x, y = draw((3, 400))
    y[1, :300] = x[1, :300]
    y[2] = x[2] + 0.5 * np.sign(x[2])
    squares, counts = group_by_step(x, y)
    assert squares.shape == (3, 3, STEP_GROUPS)
    assert (counts.sum(1) == 400).all()
    assert counts[1, 0] > 300, "equal steps stay together"
    for place in range(3):
        alone = group_by_step(x[place : place + 1], y[place : place + 1])
        np.testing.assert_array_equal(squares[:, place], alone[0][:, 0])
        np.testing.assert_array_equal(counts[place], alone[1][0])
        sums = [(v[place] ** 2).sum() for v in (x, y, y - x)]
        np.testing.assert_allclose(squares[:, place].sum(1), sums)


def test_groups_of_no_values_count_for_nothing() -> None:
    x, y = draw((2, 400))
    squares, counts = group_by_step(x, y)
    variances = (x**2).mean(1)
    wider = np.pad(squares, ((0, 0), (0, 1), (0, 5)), constant_values=0.0)
    padded = fit_growth(wider, np.pad(counts, ((0, 1), (0, 5))), np.append(variances, 0.0))
    np.testing.assert_allclose(padded[:2], fit_growth(squares, counts, variances))
    assert (padded[2] == 0.0).all()
    assert GrowthFit(padded[2]).growth == GrowthFit(padded[2]).shrinkage == 0.0


def test_residuals_are_those_of_each_matrix_alone() -> None:
    x, y = draw((4, 300))
    x[1] = 2.0
    y[2] = x[2]
    found, known = measure_residuals(x, y)
    assert known.tolist() == [True, False, False, True]
    for place in (0, 3):
        alone, _ = measure_residuals(x[place : place + 1], y[place : place + 1])
        np.testing.assert_allclose(found[:, place], alone[:, 0], rtol=1e-9)
    assert not measure_residuals(x[:, :40], y[:, :40])[1].any(), "too few values"


@pytest.mark.parametrize("shape", [(64, 70), (90, 64), (80, 90)])
def test_diagonal_excess_is_that_of_each_matrix_alone(shape: tuple[int, int]) -> None:
    x, y = draw((3, *shape))
    y[1] = -x[1]
    found = measure_diagonal_excess(x, y)
    assert found[1] == 0.0, "nothing is in the middle"
    for place in (0, 2):
        alone = measure_diagonal_excess(x[place : place + 1], y[place : place + 1])
        assert found[place] == pytest.approx(alone[0], abs=1e-3)
        back = measure_diagonal_excess(y[place : place + 1], x[place : place + 1])
        assert alone[0] == pytest.approx(-back[0], abs=1e-3)
