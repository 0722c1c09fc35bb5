"""Singular values and vectors of a delta, as few as the question needs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lu, qr
from scipy.linalg.lapack import dpotrf

Matrix = NDArray[np.floating]
WHOLE_UP_TO = 192
"""Matrices whose smaller side is at most this get a full decomposition."""
GRAM_UP_TO = 64
"""Leading directions of matrices whose smaller side is at most this are exact."""
PROVEN = 2.0
"""Times the noise, and times what rounding may do to a Gram matrix, that a proof keeps clear of."""
EPSILON = float(np.finfo(np.float64).eps)
TINIEST = float(np.finfo(np.float64).tiny)
ROUGH = 1e6 * EPSILON
"""Share of a delta's energy: a Gram matrix tells singular values so large to a millionth."""
PROBES = (40, 136)
"""Widths of the randomised range finder, tried one after the other."""


def find_range(delta: Matrix, width: int, *, rounds: int) -> Matrix:
    """Orthonormal basis (..., m, width) of nearly all that the largest ``width`` directions carry.

    Halko, Martinsson and Tropp, "Finding structure with randomness" (2011), algorithm 4.4. The
    probes are fixed by the shape, so equal matrices give equal answers.
    """
    width = min(width, *delta.shape[-2:])
    # On the way there single precision will do: its errors are no more than other probes.
    single = delta.astype(np.float32, copy=False)
    image = single @ _draw_probes(delta.shape[-1], width)
    for _ in range(rounds):
        image = delta @ (_turn(single) @ np.linalg.qr(image)[0])
    basis: Matrix = np.linalg.qr(image)[0]
    return basis


@lru_cache(maxsize=16)
def _draw_probes(size: int, width: int) -> Matrix:
    return np.random.default_rng(size).standard_normal((size, width)).astype(np.float32)


def top_singular_vectors(delta: Matrix, count: int) -> tuple[Matrix, Matrix]:
    """Left (..., m, count) and right (..., n, count) vectors of the largest singular values."""
    count = min(count, *delta.shape[-2:])
    if min(delta.shape[-2:]) <= GRAM_UP_TO:
        return _decompose_small(delta.astype(np.float64), count)
    basis = find_range(delta, count + 8, rounds=4)
    left, _, right = np.linalg.svd(_turn(basis) @ delta, full_matrices=False)
    return basis @ left[..., :count], _turn(right[..., :count, :])


def _decompose_small(delta: Matrix, count: int) -> tuple[Matrix, Matrix]:
    if delta.shape[-2] > delta.shape[-1]:
        right, left = _decompose_small(_turn(delta), count)
        return left, right
    left = np.linalg.eigh(delta @ _turn(delta))[1][..., : -count - 1 : -1]
    right, scale = np.linalg.qr(_turn(delta) @ left)
    signs = np.where(np.diagonal(scale, axis1=-2, axis2=-1) < 0.0, -1.0, 1.0)
    return left, right * signs[..., None, :]


def _turn(matrices: Matrix) -> Matrix:
    return matrices.swapaxes(-2, -1)


def calculate_delta_rank(delta: Matrix, *, noise: float) -> int | None:
    """The rank of a single delta (m, n), as ``calculate_delta_ranks`` has it."""
    return calculate_delta_ranks(delta[None], noise=np.array([noise]))[0]


def calculate_delta_ranks(deltas: Matrix, *, noise: Matrix) -> list[int | None]:
    """Numerical ranks of deltas, or None where they are not low.

    Parameters
    ----------
    deltas : (k, m, n)
    noise : (k,), root mean square of the rounding errors of one value: roundoff x rms of weights

    Returns
    -------
    Number of singular values above 1.5 noise (sqrt m + sqrt n), nearly twice the size that pure
    rounding noise reaches; 0 for a delta of nothing else. None when that is more than 60 % of the
    smaller side, or more than a range finder of the largest width can hold, or when much of the
    delta lies below the noise and is more than noise.
    """
    deltas = np.asarray(deltas, np.float64)
    bounds = [_Bounds.set(delta, float(rms)) for delta, rms in zip(deltas, noise, strict=True)]
    if min(deltas.shape[1:]) <= WHOLE_UP_TO:
        ranks: list[int | None] = [None] * len(deltas)
        doubtful = [k for k, b in enumerate(bounds) if not _is_full(deltas[k], b)]
        if doubtful:
            spectra = np.linalg.svd(deltas[doubtful], compute_uv=False)
            for k, values in zip(doubtful, spectra, strict=True):
                ranks[k] = bounds[k].count_if_low(values)
        return ranks
    return [_probe_rank(delta, b) for delta, b in zip(deltas, bounds, strict=True)]


def _is_full(delta: Matrix, bounds: _Bounds) -> bool:
    """Whether all singular values are proven to be above the noise; a full rank may go unproven.

    What is left of the Gram matrix when that much is taken from all of its eigenvalues has a
    Cholesky factor only if they were larger, and to try takes a tenth of a decomposition's time.
    """
    wide = delta if delta.shape[0] <= delta.shape[1] else delta.T
    gram = wide @ wide.T
    least = (PROVEN * bounds.tolerance) ** 2 + PROVEN * len(gram) * bounds.total * EPSILON
    gram.flat[:: len(gram) + 1] -= least
    return bounds.limit < len(gram) and int(dpotrf(gram, overwrite_a=1)[1]) == 0


def _probe_rank(delta: Matrix, bounds: _Bounds) -> int | None:
    size = math.sqrt(bounds.total)
    # Only a range is sought, for which single precision and triangular factors will do; its basis
    # and the singular values are then calculated in full.
    usual = 1e-12 < size < 1e12
    single = (delta if usual else delta / max(size, TINIEST)).astype(np.float32)
    for width in PROBES:
        width = min(width, *delta.shape)
        image = single @ _draw_probes(delta.shape[1], width)
        spread = lu(image, permute_l=True, check_finite=False)[0]
        image = single @ (single.T @ spread)
        # As LAPACK wants it, else numpy copies it twice.
        whole = image.astype(np.float64, order="F")
        basis = qr(whole, mode="economic", overwrite_a=True, check_finite=False)[0]
        values = _calculate_values(delta.T @ basis, bounds)
        # A range that was found in one round misses some more of the noise.
        missed = bounds.total - float((values**2).sum())
        if missed <= 3 * bounds.floor and (values > bounds.tolerance).sum() < width:
            return bounds.count_if_low(values)
    return None


def _calculate_values(part: Matrix, bounds: _Bounds) -> Matrix:
    """Singular values of few columns. Those of the Gram matrix, where the smallest that count are
    not lost in its rounding: it takes a sixth of the time."""
    if bounds.tolerance**2 > PROVEN * part.shape[1] * bounds.total * ROUGH:
        values: Matrix = np.sqrt(np.maximum(np.linalg.eigvalsh(part.T @ part), 0.0))
    else:
        values = np.linalg.svd(part, compute_uv=False)
    return values


@dataclass(frozen=True)
class _Bounds:
    """``tolerance`` of a singular value, ``limit`` of a low rank, ``total`` energy of a delta, and
    the energy (``floor``) that a full set of singular values may still hold below the tolerance.
    """

    tolerance: float
    limit: int
    total: float
    floor: float

    @classmethod
    def set(cls, delta: Matrix, noise: float) -> _Bounds:
        rows, columns = delta.shape
        total = float(np.vdot(delta, delta))
        return cls(
            tolerance=1.5 * noise * (math.sqrt(rows) + math.sqrt(columns)),
            limit=int(0.6 * min(rows, columns)),
            total=total,
            floor=1.5 * noise * noise * rows * columns + 1e-10 * total,
        )

    def count_if_low(self, values: Matrix) -> int | None:
        """Number of singular values above the noise, if few, and the rest is noise or little.

        A step that is smaller than the rounding of its own weights shows only its largest
        directions.
        """
        above = values[values > self.tolerance]
        rest = self.total - float((above**2).sum())
        low = len(above) <= self.limit and rest <= max(self.floor, self.total / 2)
        return len(above) if low else None
