"""What the values of two models' matrices say about the step between them, for stacks of matrices.

Stacks are (matrices, rows, columns), or (matrices, values) where the places of values do not
matter. Every figure is antisymmetric in the two models: positive says that the first is the parent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.clustering.signal_kernels import (
    sum_fit,
    sum_groups,
    sum_products,
    sum_residuals,
)
from model_heritage_backend.clustering.spectra import top_singular_vectors

VALUES_AT_LEAST = 48
"""Fewer say nothing of a distribution."""
CLOSE = 1e-7
"""Residuals below this share of the values are rounding."""
TOP_DIRECTIONS = 16
STEP_GROUPS = 12
FIT_SUMS = ("dd", "dm", "mm", "dy", "my")
"""Weighted sums of products of what ``GrowthFit`` fits."""

Array = NDArray[np.floating]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class GrowthFit:
    """Weighted least squares of norm growth on step and size, over groups of values.

    y = growth x d - 2 shrinkage x m, where for one group of values y is the mean of b^2 - a^2, d
    that of (b - a)^2 and m that of (a^2 + b^2) / 2, all in units of the matrix's mean square. The
    variance of y under a step that ignores the weights is 4 m d / (number of values).

    ``sums`` : as ``FIT_SUMS`` names them, over all matrices
    """

    sums: Sequence[float]

    @property
    def growth(self) -> float:
        dd, dm, mm, dy, my = self.sums
        rest = dd * mm - dm * dm
        return (mm * dy - dm * my) / rest if rest > 1e-9 * dd * mm else 0.0

    @property
    def shrinkage(self) -> float:
        """In standard errors."""
        dd, dm, mm, dy, my = self.sums
        rest = dd * mm - dm * dm
        if rest <= 1e-9 * dd * mm:
            return 0.0
        return (dm * dy - dd * my) / rest * math.sqrt(rest / dd)


def fit_growth(squares: Array, counts: Array, variances: Array) -> Array:
    """Sums of the normal equations of ``GrowthFit``, (matrices, 5).

    Parameters
    ----------
    squares : (3, matrices, groups), sums of squares of a, b and b - a
    counts : (matrices, groups), values in each group; 0 for groups that are none
    variances : (matrices,), mean squares; matrices without any are passed over
    """
    # One kind of array, so that the loop is compiled once.
    sums: Array = sum_fit(np.ascontiguousarray(squares), counts.astype(np.float64), variances)
    return sums


def group_by_step(x: Array, y: Array) -> tuple[Array, Array]:
    """Values grouped by how far they moved, as ``GrowthFit.add`` takes them.

    Parameters
    ----------
    x, y : (matrices, values), at least STEP_GROUPS values
    """
    size = x.shape[1]
    steps = np.sort(np.abs(y - x), axis=1)
    # Equal steps stay together.
    edges = np.ascontiguousarray(steps[:, :: size // STEP_GROUPS][:, :STEP_GROUPS])
    return sum_groups(x, y, edges)


def measure_residuals(x: Array, y: Array) -> tuple[Array, Mask]:
    """Entropy, forward and backward skew, kurtosis sign (4, matrices), and for which there are any.

    Of x and y (matrices, values), standardised, of their correlation rho, and of the residuals
    e = y - rho x and f = x - rho y, standardised: E x e^3 against E y f^3, E x^3 e against E y^3 f.

    Entropy: Hyvarinen's maximum-entropy approximation (1998); comparing H(y) + H(f) with
    H(x) + H(e) is the pairwise LiNGAM measure (Hyvarinen and Smith, 2013): the residual is
    independent of the parent, not of the child.
    """
    if x.shape[1] < VALUES_AT_LEAST:
        return np.zeros((4, len(x))), np.zeros(len(x), bool)
    sums = sum_residuals(x, y, CLOSE).T
    evens, odds, fourth = sums[:4], sums[4:8], sums[8:10]
    hx, hy, he, hf = 1.4189 - 79.047 * (evens - 0.37457) ** 2 - 7.4129 * odds**2
    entropy = np.clip((hy + hf - hx - he) * math.sqrt(x.shape[1]), -1, 1)
    forward, backward, first, second = np.abs(sums[10:])
    noise = math.sqrt(15.0 / x.shape[1])
    z = (backward - forward) / (forward + backward + noise)
    w = (second - first) / (first + second + noise)
    return np.stack([entropy, z, w, np.sign(fourth[0] - fourth[1])]), fourth[0] > 0.0


def measure_diagonal_excess(x: Array, y: Array) -> Array:
    """How much more y than x is diagonal in the leading singular directions of y - x, (matrices,).

    Gradients build weights up along the directions they move: the child carries more of the
    delta's own directions than the parent by chance would.
    """
    # Single precision: the projections are compared with their own spread, and it is twice as fast.
    delta = (y - x).astype(np.float32)
    x, y = x.astype(np.float32), y.astype(np.float32)
    middle = (x + y) / 2
    squares, along = (sum_products(part, middle)[:, None, None] for part in (middle, delta))
    known = squares > 0.0
    share = np.divide(along, squares, out=np.zeros(squares.shape), where=known)
    across = delta - share.astype(np.float32) * middle
    left, right = top_singular_vectors(across, TOP_DIRECTIONS)
    turned = left.swapaxes(1, 2)
    alpha, beta = (((turned @ part).swapaxes(1, 2) * right).sum(1) for part in (x, y))
    expected = ((turned @ middle) ** 2).mean(2) * ((middle @ right) ** 2).mean(1)
    usable = known[:, 0, 0] & (expected > 0).all(1)
    mean_square = np.where(usable, squares[:, 0, 0] / middle[0].size, 1.0)
    expected = np.where(usable[:, None], expected / mean_square[:, None], 1.0)
    gain = np.log1p(beta**2 / 4 / expected) - np.log1p(alpha**2 / 4 / expected)
    excess: Array = np.where(usable, 2.5 * gain.sum(1), 0.0)
    return excess
