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

CAP = 12.0
"""Nats per value of an identical matrix, and the most that any matrix can give."""
TAILS = tuple(share / 8 for share in range(1, 9))
"""Shares of the spectrum, from its lower end, whose mean energies the spectral gain looks at."""
ROW_SHARE = 0.2
"""Weight of the row gain: large steps of wild families gain by it, small steps lose by more."""
FLOAT32_ROUNDOFF = 2.0**-24


@dataclass(frozen=True, kw_only=True)
class PairStatistics:
    """Of two members, symmetric.

    Attributes
    ----------
    row_gain : nats; a slope and a variance per row, so blind to shrinkage (Chow-Liu)
    spectral_gain : nats; from the tails of the delta's spectrum, where siblings share no drift
    squared_distance : sum of squared deltas over shared matrices
    squared_norm : sum of squares of the two models' shared matrices, mean of both
    values : number of values in shared matrices
    equal : number of those that lie in identical matrices
    """

    row_gain: float
    spectral_gain: float
    squared_distance: float
    squared_norm: float
    values: int
    equal: int

    @property
    def gain(self) -> float:
        """How near the two are, in nats: what the skeleton is grown on."""
        return self.spectral_gain + ROW_SHARE * self.row_gain

    @property
    def distance(self) -> float:
        """norm(delta) / norm(weights), >= 0."""
        if self.squared_norm <= 0.0:
            return 0.0
        return math.sqrt(self.squared_distance / self.squared_norm)


def calculate_pair_statistics(family: AlignedFamily, a: int, b: int) -> PairStatistics:
    """Compare two members, given by their places in the family."""
    row_gain = spectral_gain = squared_distance = squared_norm = 0.0
    values = equal = 0
    for shared in family.shared_matrices(a, b):
        scale = shared.size / shared.first.size
        first, second = (shared.first**2).sum(1), (shared.second**2).sum(1)
        values += shared.size
        squared_norm += scale * float(first.sum() + second.sum()) / 2
        if shared.equal:
            equal += shared.size
            row_gain += shared.size * CAP
            spectral_gain += shared.size * CAP
            continue
        delta = shared.second - shared.first
        squared_distance += scale * float((delta * delta).sum())
        row_gain += shared.size * _row_gain(shared, first, second)
        spectral_gain += shared.size * _spectral_gain(delta, float(first.sum() + second.sum()))
    for shared in family.shared_vectors(a, b):
        # Too small to matter, except between models that share every matrix.
        gain = shared.size * _vector_gain(shared)
        row_gain += gain
        spectral_gain += gain
    return PairStatistics(
        row_gain=row_gain,
        spectral_gain=spectral_gain,
        squared_distance=squared_distance,
        squared_norm=squared_norm,
        values=values,
        equal=equal,
    )


def _row_gain(
    shared: SharedMatrix, first: NDArray[np.float64], second: NDArray[np.float64]
) -> float:
    """Mean over rows of -1/2 ln(1 - cos^2), in nats per value, at most CAP."""
    products = (shared.first * shared.second).sum(1)
    both = (first > 0) & (second > 0)
    neither = (first == 0) & (second == 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        sine = np.where(both, 1 - products**2 / (first * second), np.where(neither, 0.0, 1.0))
    gains = -0.5 * np.log(np.clip(sine, FLOAT32_ROUNDOFF**2, 1.0))
    return float(np.minimum(gains, CAP).mean())


def _vector_gain(shared: SharedMatrix) -> float:
    """-1/2 ln(1 - cos^2) of two vectors, in nats per value, at most CAP."""
    if shared.equal:
        return CAP
    first, second = (shared.first**2).sum(1), (shared.second**2).sum(1)
    return min(_row_gain(shared, first, second), CAP)


def _spectral_gain(delta: NDArray[np.float64], squares: float) -> float:
    """Mean over TAILS of -1/2 ln(mean of the delta's smallest eigenvalues / variance of weights).

    The whole spectrum is the plain distance. Its tail is what siblings trained on similar data do
    not share: they drift together in the leading directions. A delta of low rank has an empty tail.
    Rounding noise is not added on top: where there is any, it is in the delta already, and a child
    trained on from bf16 weights has none.
    """
    if delta.shape[0] > delta.shape[1]:
        delta = delta.T
    variance = squares / 2 / delta.size
    if variance <= 0.0:
        return 0.0
    eigenvalues = np.linalg.eigvalsh(delta @ delta.T / delta.shape[1])
    running = np.cumsum(np.maximum(eigenvalues, 0.0)) / np.arange(1, len(eigenvalues) + 1)
    tails = running[[max(int(share * len(running)), 1) - 1 for share in TAILS]]
    gains = -0.5 * np.log(tails / variance + FLOAT32_ROUNDOFF**2)
    return float(np.clip(gains, 0.0, CAP).mean())
