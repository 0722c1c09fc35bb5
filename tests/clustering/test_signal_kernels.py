"""Compiled sums against the plain formulas; the same of a matrix alone and in a stack."""

from __future__ import annotations

import numpy as np

from model_heritage_backend.clustering.signal_kernels import sum_fit, sum_groups, sum_residuals
from tests.clustering.families import Floats

LEAST = 1e-7


def draw(count: int, size: int) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(3)
    x: Floats = 3.0 + rng.laplace(size=(count, size))
    y: Floats = x + 0.2 * rng.standard_normal((count, size))
    return x, y


def test_residuals_have_the_moments_of_the_formulas() -> None:
    x, y = draw(1, 1500)
    x[0, 0] = 1e6  # Far out, where log cosh is a line and exp nothing.
    a, b = ((v[0] - v[0].mean()) / v[0].std() for v in (x, y))
    rho = (a * b).mean()
    e, f = b - rho * a, a - rho * b
    e, f = e / np.sqrt((e * e).mean()), f / np.sqrt((e * e).mean())
    contrasts = [np.logaddexp(v, -v) - np.log(2) for v in (a, b, e, f)]
    contrasts += [v * np.exp(-v * v / 2) for v in (a, b, e, f)]
    moments = [a**4, b**4, a * e**3, b * f**3, a**3 * e, b**3 * f]
    expected = [np.mean(values) for values in (*contrasts, *moments)]
    np.testing.assert_allclose(sum_residuals(x, y, LEAST)[0], expected, rtol=1e-10, atol=1e-12)


def test_a_matrix_says_the_same_alone_and_in_a_stack() -> None:
    x, y = draw(5, 777)
    edges = np.sort(np.abs(y - x), axis=1)[:, ::64]
    residuals, (squares, counts) = sum_residuals(x, y, LEAST), sum_groups(x, y, edges)
    for k in range(5):
        own = slice(k, k + 1)
        assert (sum_residuals(x[own], y[own], LEAST)[0] == residuals[k]).all()
        alone = sum_groups(x[own], y[own], edges[own])
        assert (alone[0][:, 0] == squares[:, k]).all()
        assert (alone[1][0] == counts[k]).all()


def test_nothing_is_said_of_equal_values_and_equal_models() -> None:
    x, y = draw(3, 200)
    x[0] = 2.0
    y[1] = x[1] * 2.0
    assert (sum_residuals(x, y, LEAST) != 0).any(1).tolist() == [False, False, True]


def test_a_fit_has_the_sums_of_the_formulas() -> None:
    rng = np.random.default_rng(4)
    squares, counts = rng.random((3, 2, 6)) + 0.1, rng.integers(1, 9, (2, 6)).astype(float)
    squares[:, :, 4], counts[:, 4] = 0.0, 0.0
    unit = np.array([[0.5], [0.0]])
    n = np.maximum(counts[0], 1.0)
    a, b, d = squares[:, 0] / n / unit[0]
    m, y = (a + b) / 2, b - a
    w = counts[0] / (4 * np.maximum(m * d, 0.01 * (m * d).sum() / 5))
    expected = [(w * part).sum() for part in (d * d, d * m, m * m, d * y, m * y)]
    found = sum_fit(squares, counts, unit[:, 0])
    np.testing.assert_allclose(found, [expected, np.zeros(5)])
