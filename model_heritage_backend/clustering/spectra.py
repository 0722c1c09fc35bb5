"""Singular values and vectors of a delta, as few as the question needs."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.floating]
WHOLE_UP_TO = 192
"""Matrices whose smaller side is at most this get a full decomposition."""
GRAM_UP_TO = 64
"""Leading directions of matrices whose smaller side is at most this are exact."""
PROBES = (40, 136)
"""Widths of the randomised range finder, tried one after the other."""


def find_range(delta: Matrix, width: int, *, rounds: int) -> Matrix:
    """Orthonormal basis (m, width) of nearly all that the largest ``width`` directions carry.

    Halko, Martinsson and Tropp, "Finding structure with randomness" (2011), algorithm 4.4. The
    probes are fixed by the shape, so equal matrices give equal answers.
    """
    width = min(width, *delta.shape)
    probes = np.random.default_rng(delta.shape[1]).standard_normal((delta.shape[1], width))
    image = delta @ probes.astype(delta.dtype)
    for _ in range(rounds):
        image = delta @ (delta.T @ np.linalg.qr(image)[0])
    basis: Matrix = np.linalg.qr(image)[0]
    return basis


def top_singular_vectors(delta: Matrix, count: int) -> tuple[Matrix, Matrix]:
    """Left (m, count) and right (n, count) singular vectors of the largest singular values."""
    count = min(count, *delta.shape)
    if min(delta.shape) <= GRAM_UP_TO:
        return _decompose_small(delta.astype(np.float64), count)
    basis = find_range(delta, count + 8, rounds=4)
    left, _, right = np.linalg.svd(basis.T @ delta, full_matrices=False)
    return basis @ left[:, :count], right[:count].T


def _decompose_small(delta: Matrix, count: int) -> tuple[Matrix, Matrix]:
    if len(delta) > len(delta.T):
        right, left = _decompose_small(delta.T, count)
        return left, right
    left = np.linalg.eigh(delta @ delta.T)[1][:, : -count - 1 : -1]
    right, scale = np.linalg.qr(delta.T @ left)
    return left, right * np.where(np.diag(scale) < 0.0, -1.0, 1.0)


def calculate_delta_rank(delta: Matrix, *, noise: float) -> int | None:
    """Numerical rank of a delta, or None where it is not low.

    Parameters
    ----------
    delta : (m, n)
    noise : root mean square of the rounding errors of one value: roundoff x rms of the weights

    Returns
    -------
    Number of singular values above 1.5 noise (sqrt m + sqrt n), nearly twice the size that pure
    rounding noise reaches; 0 for a delta of nothing else. None when that is more than 60 % of the
    smaller side, or more than a range finder of the largest width can hold, or when much of the
    delta lies below the noise and is more than noise.
    """
    delta = np.asarray(delta, np.float64)
    rows, columns = delta.shape
    tolerance = 1.5 * noise * (math.sqrt(rows) + math.sqrt(columns))
    limit = int(0.6 * min(rows, columns))
    total = float((delta**2).sum())
    # Below the tolerance a full set of singular values may still hold this much energy.
    floor = 1.5 * noise * noise * rows * columns + 1e-10 * total
    if min(rows, columns) <= WHOLE_UP_TO:
        values = np.linalg.svd(delta, compute_uv=False)
        return _count_if_low(values[values > tolerance], limit, total, floor)
    for width in PROBES:
        basis = find_range(delta, width, rounds=1)
        values = np.linalg.svd(basis.T @ delta, compute_uv=False)
        above = values[values > tolerance]
        # A range that was found in one round misses some more of the noise.
        if total - float((values**2).sum()) <= 3 * floor and len(above) < width:
            return _count_if_low(above, limit, total, floor)
    return None


def _count_if_low(above: Matrix, limit: int, total: float, floor: float) -> int | None:
    """Number of singular values above the noise, if few, and the rest is noise or little.

    A step that is smaller than the rounding of its own weights shows only its largest directions.
    """
    rest = total - float((above**2).sum())
    return len(above) if len(above) <= limit and rest <= max(floor, total / 2) else None
