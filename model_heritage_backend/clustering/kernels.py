"""Compiled loops of the exact refinement: one pass over two versions of a matrix."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def compare_rows(
    a: NDArray[np.floating],
    b: NDArray[np.floating],
    squares_a: NDArray[np.float64],
    squares_b: NDArray[np.float64],
    squares_delta: NDArray[np.float64],
) -> tuple[int, int]:
    """Squared norms of every row of a, b and b - a into the three (rows,) arrays.

    Returns how many values differ, and in how many of these the magnitude is larger in b.
    """
    rows, columns = a.shape
    changed = np.int64(0)
    larger = np.int64(0)
    for i in range(rows):
        sa = sb = sd = 0.0
        for j in range(columns):
            x, y = np.float64(a[i, j]), np.float64(b[i, j])
            d = y - x
            sa += x * x
            sb += y * y
            sd += d * d
            changed += d != 0.0
            larger += abs(y) > abs(x)
        squares_a[i], squares_b[i], squares_delta[i] = sa, sb, sd
    return int(changed), int(larger)
