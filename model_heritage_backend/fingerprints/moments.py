"""Exact moments of values that come in pieces."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from model_heritage_backend.fingerprints.fingerprint import Moments
from model_heritage_backend.fingerprints.kernels import count_nonfinite, piece_moments
from model_heritage_backend.fingerprints.lanes import single_moments

N, MEAN, SECOND, THIRD, FOURTH, LEAST, MOST, ZEROS = range(8)
"""What is known so far, in this order: number of finite values, their mean, central power sums,
extremes, and how many are zero."""

Figures = tuple[float, float, float, float, float, float, float]
"""Of a piece, as ``kernels.piece_moments`` gives them."""


@njit(cache=True, nogil=True, error_model="numpy")
def merge_moments(state: NDArray[np.float64], count: int, figures: Figures) -> None:
    """Add those of a piece of ``count`` values.

    Pairwise update formulas: Pebay, "Formulas for robust, one-pass parallel computation of
    covariances and arbitrary-order statistical moments", Sandia report SAND2008-6212, section 2.
    """
    total, m2, m3, m4, low, high, zeros = figures
    na, nb = state[N], float(count)
    n = na + nb
    delta = total / nb - state[MEAN]
    step = delta / n
    state[FOURTH] += (
        m4
        + delta * step * step * step * na * nb * (na * na - na * nb + nb * nb)
        + 6.0 * step * step * (na * na * m2 + nb * nb * state[SECOND])
        + 4.0 * step * (na * m3 - nb * state[THIRD])
    )
    state[THIRD] += (
        m3 + delta * step * step * na * nb * (na - nb) + 3.0 * step * (na * m2 - nb * state[SECOND])
    )
    state[SECOND] += m2 + delta * step * na * nb
    state[MEAN] += step * nb
    state[N] = n
    state[LEAST] = min(state[LEAST], low)
    state[MOST] = max(state[MOST], high)
    state[ZEROS] += zeros


class RunningMoments:
    """Central moments merged piece by piece."""

    def __init__(self) -> None:
        self.state = np.array([0.0, 0.0, 0.0, 0.0, 0.0, np.inf, -np.inf, 0.0])
        self._nonfinite = 0

    def add(self, values: NDArray[np.floating]) -> None:
        """Add a piece whose values need not be finite."""
        if values.size == 0:
            return
        summarise = single_moments if values.dtype == np.float32 else piece_moments
        figures = summarise(values)
        # Float32 values that are all finite have a finite sum in float64; float64 ones may not.
        if not np.isfinite(figures[0]):
            bad = count_nonfinite(values)
            self._nonfinite += bad
            if bad == values.size:
                return
            if bad:
                values = values[np.isfinite(values)]
                figures = summarise(values)
        merge_moments(self.state, values.size, figures)

    def finish(self) -> Moments:
        n, mean, m2, m3, m4, least, most, zeros = map(float, self.state)
        spread = m2 > 0.0 and np.isfinite(m4)
        third, fourth = 0.0, 0.0
        if spread:
            third = float(np.sqrt(n) * (m3 / m2) / np.sqrt(m2))
            fourth = float(n * (m4 / m2 / m2) - 3.0)
        return Moments(
            mean=mean,
            variance=m2 / n if n else 0.0,
            skewness=third,
            kurtosis=fourth,
            minimum=least if n else 0.0,
            maximum=most if n else 0.0,
            squared_norm=m2 + n * mean * mean,
            zeros=zeros / n if n else 0.0,
            nonfinite=self._nonfinite,
        )
