"""How close two members of a family are, from their samples: the gains a skeleton is grown on.

Both gains are sums over shared matrices of (number of values) x (nats per value): how much shorter
one model can be written down when the other is known. Matrices that differ in shape give nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.clustering.alignment import AlignedFamily, SharedMatrix

ROW_CAP = 24 * math.log(2)
"""Nats per value of an identical matrix: the 24 bits of a float32 significand."""
TAIL_CAP = 12.0
FLOAT32_ROUNDOFF = 2.0**-24


@dataclass(frozen=True, kw_only=True)
class PairStatistics:
    """Of two members, symmetric.

    Attributes
    ----------
    row_gain : nats; a slope and a variance per row, so blind to shrinkage (Chow-Liu)
    tail_gain : nats; from the lower half of the delta's spectrum, where siblings share no drift
    squared_distance : sum of squared deltas over shared matrices
    squared_norm : sum of squares of the two models' shared matrices, mean of both
    values : number of values in shared matrices
    equal : number of those that lie in identical matrices
    """

    row_gain: float
    tail_gain: float
    squared_distance: float
    squared_norm: float
    values: int
    equal: int

    @property
    def distance(self) -> float:
        """norm(delta) / norm(weights), >= 0."""
        if self.squared_norm <= 0.0:
            return 0.0
        return math.sqrt(self.squared_distance / self.squared_norm)


def calculate_pair_statistics(family: AlignedFamily, a: int, b: int) -> PairStatistics:
    """Compare two members, given by their places in the family."""
    roundoff = max(family.roundoff[a], family.roundoff[b])
    row_gain = tail_gain = squared_distance = squared_norm = 0.0
    values = equal = 0
    for shared in family.shared_matrices(a, b):
        scale = shared.size / shared.first.size
        first, second = (shared.first**2).sum(1), (shared.second**2).sum(1)
        values += shared.size
        squared_norm += scale * float(first.sum() + second.sum()) / 2
        if shared.equal:
            equal += shared.size
            row_gain += shared.size * ROW_CAP
            tail_gain += shared.size * TAIL_CAP
            continue
        delta = shared.second - shared.first
        squared_distance += scale * float((delta * delta).sum())
        row_gain += shared.size * _row_gain(shared, first, second)
        tail_gain += shared.size * _tail_gain(delta, float(first.sum() + second.sum()), roundoff)
    for shared in family.shared_vectors(a, b):
        # Too small to matter, except between models that share every matrix.
        gain = shared.size * _vector_gain(shared)
        row_gain += gain
        tail_gain += gain
    return PairStatistics(
        row_gain=row_gain,
        tail_gain=tail_gain,
        squared_distance=squared_distance,
        squared_norm=squared_norm,
        values=values,
        equal=equal,
    )


def _row_gain(
    shared: SharedMatrix, first: NDArray[np.float64], second: NDArray[np.float64]
) -> float:
    """Mean over rows of -1/2 ln(1 - cos^2), in nats per value, at most ROW_CAP."""
    products = (shared.first * shared.second).sum(1)
    both = (first > 0) & (second > 0)
    neither = (first == 0) & (second == 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        sine = np.where(both, 1 - products**2 / (first * second), np.where(neither, 0.0, 1.0))
    gains = -0.5 * np.log(np.clip(sine, FLOAT32_ROUNDOFF**2, 1.0))
    return float(np.minimum(gains, ROW_CAP).mean())


def _vector_gain(shared: SharedMatrix) -> float:
    """-1/2 ln(1 - cos^2) of two vectors, in nats per value, at most TAIL_CAP."""
    if shared.equal:
        return TAIL_CAP
    first, second = (shared.first**2).sum(1), (shared.second**2).sum(1)
    return min(_row_gain(shared, first, second), TAIL_CAP)


def _tail_gain(delta: NDArray[np.float64], squares: float, roundoff: float) -> float:
    """-1/2 ln((mean of the lower half of the eigenvalues of d d' / columns + noise) / variance)."""
    if delta.shape[0] > delta.shape[1]:
        delta = delta.T
    variance = squares / 2 / delta.size
    if variance <= 0.0:
        return 0.0
    eigenvalues = np.linalg.eigvalsh(delta @ delta.T / delta.shape[1])
    lower = max(float(eigenvalues[: max(len(eigenvalues) // 2, 1)].mean()), 0.0)
    gain = -0.5 * math.log(lower / variance + roundoff * roundoff)
    return min(max(gain, 0.0), TAIL_CAP)
