"""Quantisation grids: does a matrix take only the few values that 2 to 8 bits can name?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

BITS = (2, 3, 4, 5, 6, 8)
TINY = 1e-30


def name_bits(tensors: Iterable[tuple[int, int]]) -> int:
    """Bits of most quantised values, of tensors given as (bits or 0, values); 0 where none are.

    Quantising programs leave a few matrices more bits than they are named for.
    """
    values: Counter[int] = Counter()
    for bits, size in tensors:
        values[bits] += size
    del values[0]
    return max(values, key=lambda bits: (values[bits], bits), default=0)


def find_grid(
    sample: NDArray[np.floating], row_absmax: NDArray[np.float64], absmax: float, *, roundoff: float
) -> tuple[int, bool]:
    """Smallest symmetric grid that every sampled value lies on.

    A grid of b bits has 2^(b-1) - 1 levels on each side of zero, the outermost at the largest
    magnitude of the tensor or, with one scale per row, of the row.

    Parameters
    ----------
    sample : (rows, columns) values
    row_absmax : (rows,) largest magnitude of each whole row
    absmax : largest magnitude of the whole tensor
    roundoff : unit roundoff of the stored values, which widens the tolerance

    Returns
    -------
    bits, per_row : (0, False) when no grid of at most 8 bits fits
    """
    if sample.size == 0 or not np.isfinite(sample).all() or absmax <= 0.0:
        return 0, False
    for per_row in (False, True):
        scale = np.maximum(row_absmax, TINY)[:, None] if per_row else absmax
        position = sample.astype(np.float64) / scale
        for bits in BITS:
            levels = 2 ** (bits - 1) - 1
            tolerance = 2e-3 + (3e-3 if bits == 8 else 0.0) + 2.2 * roundoff * levels
            if tolerance > 0.05:
                break
            # Of most matrices, one row tells.
            if all(_misses(part * levels) < tolerance for part in (position[:1], position)):
                return bits, per_row
    return 0, False


def _misses(steps: NDArray[np.float64]) -> float:
    """How far the worst of them is from a whole number, 0 to 0.5."""
    return float(np.abs(steps - np.round(steps)).max())
