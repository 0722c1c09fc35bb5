"""Compiled loops over the values of a few models: one pass, nothing in between is stored."""

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


@njit(cache=True, nogil=True, fastmath=True)
def multiply_steps(samples: NDArray[np.float64], corners: NDArray[np.int64]) -> NDArray[np.float64]:
    """<b - a, c - a>, |b - a|^2 and |c - a|^2 of each (a, b, c), (corners, 3).

    ``samples`` is (n, values). Every corner is summed up alike, to the last bit, whatever others
    are asked for.
    """
    found = np.zeros((len(corners), 3))
    for place in range(len(corners)):
        a, b, c = samples[corners[place, 0]], samples[corners[place, 1]], samples[corners[place, 2]]
        product = first = second = 0.0
        for k in range(len(a)):
            to_b, to_c = b[k] - a[k], c[k] - a[k]
            product += to_b * to_c
            first += to_b * to_b
            second += to_c * to_c
        found[place] = product, first, second
    return found
