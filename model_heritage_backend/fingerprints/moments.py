"""Exact moments of values that come in pieces."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.fingerprints.fingerprint import Moments
from model_heritage_backend.fingerprints.kernels import count_nonfinite, piece_moments
from model_heritage_backend.fingerprints.lanes import single_moments


class RunningMoments:
    """Central moments merged piece by piece.

    Pairwise update formulas: Pebay, "Formulas for robust, one-pass parallel computation of
    covariances and arbitrary-order statistical moments", Sandia report SAND2008-6212, section 2.
    """

    def __init__(self) -> None:
        self.n = 0
        self.mean = self.second = self.third = self.fourth = 0.0
        self.minimum, self.maximum = np.inf, -np.inf
        self.zeros = 0
        self.nonfinite = 0

    def add(self, values: NDArray[np.floating]) -> None:
        if values.size == 0:
            return
        summarise = single_moments if values.dtype == np.float32 else piece_moments
        figures = summarise(values)
        # Float32 values that are all finite have a finite sum in float64; float64 ones may not.
        if not np.isfinite(figures[0]):
            bad = count_nonfinite(values)
            if bad == values.size:
                self.nonfinite += bad
                return
            if bad:
                self.nonfinite += bad
                values = values[np.isfinite(values)]
                figures = summarise(values)
        total, m2, m3, m4, low, high, zeros = figures
        na, nb = float(self.n), float(values.size)
        n = na + nb
        delta = total / nb - self.mean
        step = delta / n
        self.fourth += (
            m4
            + delta * step * step * step * na * nb * (na * na - na * nb + nb * nb)
            + 6.0 * step * step * (na * na * m2 + nb * nb * self.second)
            + 4.0 * step * (na * m3 - nb * self.third)
        )
        self.third += (
            m3
            + delta * step * step * na * nb * (na - nb)
            + 3.0 * step * (na * m2 - nb * self.second)
        )
        self.second += m2 + delta * step * na * nb
        self.mean += step * nb
        self.n += values.size
        self.minimum = min(self.minimum, low)
        self.maximum = max(self.maximum, high)
        self.zeros += int(zeros)

    def finish(self) -> Moments:
        n = self.n
        variance = self.second / n if n else 0.0
        spread = self.second > 0.0 and np.isfinite(self.fourth)
        third, fourth = 0.0, 0.0
        if spread:
            third = float(np.sqrt(n) * (self.third / self.second) / np.sqrt(self.second))
            fourth = float(n * (self.fourth / self.second / self.second) - 3.0)
        return Moments(
            mean=self.mean,
            variance=variance,
            skewness=third,
            kurtosis=fourth,
            minimum=self.minimum if n else 0.0,
            maximum=self.maximum if n else 0.0,
            squared_norm=self.second + n * self.mean * self.mean,
            zeros=self.zeros / n if n else 0.0,
            nonfinite=self.nonfinite,
        )
