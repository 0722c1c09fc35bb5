"""What the values of two models' matrices say about the step between them, for stacks of matrices.

Stacks are (matrices, rows, columns), or (matrices, values) where the places of values do not
matter. Every figure is antisymmetric in the two models: positive says that the first is the parent.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.clustering.spectra import top_singular_vectors

VALUES_AT_LEAST = 48
"""Fewer say nothing of a distribution."""
TOP_DIRECTIONS = 16
STEP_GROUPS = 12

Array = NDArray[np.floating]
Mask = NDArray[np.bool_]


class GrowthFit:
    """Weighted least squares of norm growth on step and size, over groups of values.

    y = growth x d - 2 shrinkage x m, where for one group of values y is the mean of b^2 - a^2, d
    that of (b - a)^2 and m that of (a^2 + b^2) / 2, all in units of the matrix's mean square. The
    variance of y under a step that ignores the weights is 4 m d / (number of values).
    """

    def __init__(self) -> None:
        self._sums = np.zeros(5)

    def add(self, squares: Array, counts: Array, variances: Array) -> None:
        """Groups of values of a stack of matrices.

        Parameters
        ----------
        squares : (3, matrices, groups), sums of squares of a, b and b - a
        counts : (matrices, groups), values in each group; 0 for groups that are none
        variances : (matrices,), mean squares; matrices without any are passed over
        """
        known = variances > 0.0
        counts = counts[known]
        there = counts > 0
        a, b, d = squares[:, known] / np.maximum(counts, 1) / variances[known, None]
        m, y = (a + b) / 2, b - a
        typical = (m * d).sum(1, keepdims=True) / there.sum(1, keepdims=True)
        floor = np.where(typical > 0.0, 0.01 * typical, 1.0)
        w = np.where(typical > 0.0, counts, 0) / (4 * np.maximum(m * d, floor))
        self._sums += [float((w * t).sum()) for t in (d * d, d * m, m * m, d * y, m * y)]

    @property
    def growth(self) -> float:
        dd, dm, mm, dy, my = self._sums
        rest = dd * mm - dm * dm
        return float((mm * dy - dm * my) / rest) if rest > 1e-9 * dd * mm else 0.0

    @property
    def shrinkage(self) -> float:
        """In standard errors."""
        dd, dm, mm, dy, my = self._sums
        rest = dd * mm - dm * dm
        if rest <= 1e-9 * dd * mm:
            return 0.0
        return float((dm * dy - dd * my) / rest * math.sqrt(rest / dd))


def group_by_step(x: Array, y: Array) -> tuple[Array, Array]:
    """Values grouped by how far they moved, as ``GrowthFit.add`` takes them.

    Parameters
    ----------
    x, y : (matrices, values), at least STEP_GROUPS values
    """
    count, size = x.shape
    step = np.abs(y - x)
    order = np.argsort(step, axis=1)
    rows = np.arange(count)[:, None]
    x, y, step = (v[rows, order] for v in (x, y, step))
    first = np.zeros((count, size), bool)
    for row, sorted_steps in zip(first, step, strict=True):
        # Equal steps stay together.
        edges = sorted_steps[:: size // STEP_GROUPS][:STEP_GROUPS]
        row[np.searchsorted(sorted_steps, edges)] = True
    matrix, begin = np.nonzero(first)
    values = np.stack([x, y, step]).reshape(3, -1)
    sums = np.add.reduceat(values * values, matrix * size + begin, axis=1)
    group = first.cumsum(1)[matrix, begin] - 1
    squares, counts = np.zeros((3, count, STEP_GROUPS)), np.zeros((count, STEP_GROUPS))
    squares[:, matrix, group] = sums
    counts[matrix, group] = np.diff(matrix * size + begin, append=count * size)
    return squares, counts


def measure_residuals(x: Array, y: Array) -> tuple[Array, Mask]:
    """Entropy, forward and backward skew, kurtosis sign (4, matrices), and for which there are any.

    Of x and y (matrices, values), standardised, of their correlation rho, and of the residuals
    e = y - rho x and f = x - rho y, standardised: E x e^3 against E y f^3, E x^3 e against E y^3 f.

    Entropy: Hyvarinen's maximum-entropy approximation (1998); comparing H(y) + H(f) with
    H(x) + H(e) is the pairwise LiNGAM measure (Hyvarinen and Smith, 2013): the residual is
    independent of the parent, not of the child.
    """
    known = np.full(len(x), x.shape[1] >= VALUES_AT_LEAST)
    a, b = (_standardise(v, known) for v in (x, y))
    rho = (a * b).mean(1, keepdims=True)
    e, f = b - rho * a, a - rho * b
    # The residual's own size, not sqrt(1 - rho^2): close versions would cancel all its digits.
    rest = np.sqrt((e * e).mean(1, keepdims=True))
    known &= rest[:, 0] >= 1e-7
    rest[~known] = 1.0
    values = np.stack([a, b, e / rest, f / rest])
    squares = values * values
    hx, hy, he, hf = _measure_entropies(values, squares)
    entropy = np.clip((hy + hf - hx - he) * math.sqrt(x.shape[1]), -1, 1)
    fourth = (squares[:2] * squares[:2]).mean(2)
    noise = math.sqrt(15.0 / x.shape[1])
    cubes = np.multiply(squares, values, out=squares)
    forward, backward = np.abs((values[:2] * cubes[2:]).mean(2))
    z = (backward - forward) / (forward + backward + noise)
    first, second = np.abs((cubes[:2] * values[2:]).mean(2))
    w = (second - first) / (first + second + noise)
    return np.stack([entropy, z, w, np.sign(fourth[0] - fourth[1])]), known


def _measure_entropies(values: Array, squares: Array) -> Array:
    """Of standardised values along the last axis. In place where possible: memory is what takes
    the time.
    """
    size = np.abs(values)
    even = size.mean(-1)
    # log cosh without overflow.
    size *= -2.0
    even += np.log1p(np.exp(size, out=size), out=size).mean(-1) - math.log(2)
    weights = np.multiply(squares, -0.5, out=size)
    np.exp(weights, out=weights)
    weights *= values
    odd = weights.mean(-1)
    entropies: Array = 1.4189 - 79.047 * (even - 0.37457) ** 2 - 7.4129 * odd**2
    return entropies


def _standardise(values: Array, known: Mask) -> Array:
    """Each matrix with mean 0 and variance 1; those whose values are all equal are not known."""
    centred = values - values.mean(1, keepdims=True)
    deviation = np.sqrt((centred * centred).mean(1, keepdims=True))
    known &= deviation[:, 0] > 0.0
    standard: Array = centred / np.where(deviation > 0.0, deviation, 1.0)
    return standard


def measure_diagonal_excess(x: Array, y: Array) -> Array:
    """How much more y than x is diagonal in the leading singular directions of y - x, (matrices,).

    Gradients build weights up along the directions they move: the child carries more of the
    delta's own directions than the parent by chance would.
    """
    # Single precision: the projections are compared with their own spread, and it is twice as fast.
    delta = (y - x).astype(np.float32)
    x, y = x.astype(np.float32), y.astype(np.float32)
    middle = (x + y) / 2
    squares, along = (
        (part * middle).sum((1, 2), dtype=np.float64)[:, None, None] for part in (middle, delta)
    )
    known = squares > 0.0
    share = np.divide(along, squares, out=np.zeros(squares.shape), where=known)
    delta = delta - share.astype(np.float32) * middle
    left, right = top_singular_vectors(delta, TOP_DIRECTIONS)
    turned = left.swapaxes(1, 2)
    alpha, beta = (((turned @ part).swapaxes(1, 2) * right).sum(1) for part in (x, y))
    expected = ((turned @ middle) ** 2).mean(2) * ((middle @ right) ** 2).mean(1)
    usable = known[:, 0, 0] & (expected > 0).all(1)
    mean_square = np.where(usable, squares[:, 0, 0] / middle[0].size, 1.0)
    expected = np.where(usable[:, None], expected / mean_square[:, None], 1.0)
    gain = np.log1p(beta**2 / 4 / expected) - np.log1p(alpha**2 / 4 / expected)
    excess: Array = np.where(usable, 2.5 * gain.sum(1), 0.0)
    return excess
