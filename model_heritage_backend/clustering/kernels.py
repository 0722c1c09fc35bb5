"""Compiled loops over the values of a few models: one pass, nothing in between is stored."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def compare_rows(
    a: NDArray[np.floating], b: NDArray[np.floating]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Matrices of two models, (matrices, rows, columns), row by row.

    Returns
    -------
    squared norms of every row of a, b and b - a, (3, matrices, rows); how many values differ, and
    in how many of these the magnitude is larger in b, (2, matrices)
    """
    matrices, rows, columns = a.shape
    squares = np.empty((3, matrices, rows))
    counts = np.zeros((2, matrices), np.int64)
    for k in range(matrices):
        changed = larger = 0
        for i in range(rows):
            sa = sb = sd = 0.0
            for j in range(columns):
                x, y = np.float64(a[k, i, j]), np.float64(b[k, i, j])
                d = y - x
                sa += x * x
                sb += y * y
                sd += d * d
                changed += int(d != 0.0)
                larger += int(abs(y) > abs(x))
            squares[0, k, i], squares[1, k, i], squares[2, k, i] = sa, sb, sd
        counts[0, k], counts[1, k] = changed, larger
    return squares, counts


@njit(cache=True, nogil=True, fastmath=True)
def square_deltas(
    x: NDArray[np.floating],
    y: NDArray[np.floating],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Summed squares of y[second] - x[first], pair by pair, (pairs,), in double precision.

    ``x`` and ``y`` are (n, values). Each pair is summed up alike, to the last bit, whatever others
    are asked for and whichever of the two comes first. Fastest where pairs come in blocks that fit
    into the processor's cache, with the same ``first`` beside each other.
    """
    found = np.empty(len(first))
    start = 0
    while start < len(first):
        i, last = first[start], start
        while last + 1 < len(first) and last < start + 3 and first[last + 1] == i:
            last += 1
        sums = _square_four(
            x[i],
            y[second[start]],
            y[second[min(start + 1, last)]],
            y[second[min(start + 2, last)]],
            y[second[last]],
        )
        for place in range(start, last):
            found[place] = sums[place - start]
        found[last] = sums[3]
        start = last + 1
    return found


@njit(cache=True, nogil=True, fastmath=True)
def _square_four(
    a: NDArray[np.floating],
    b: NDArray[np.floating],
    c: NDArray[np.floating],
    d: NDArray[np.floating],
    e: NDArray[np.floating],
) -> tuple[float, float, float, float]:
    """Of the differences of the last four from the first, which is read once."""
    first = second = third = fourth = 0.0
    for k in range(len(a)):
        value = np.float64(a[k])
        to_b, to_c = value - np.float64(b[k]), value - np.float64(c[k])
        to_d, to_e = value - np.float64(d[k]), value - np.float64(e[k])
        first += to_b * to_b
        second += to_c * to_c
        third += to_d * to_d
        fourth += to_e * to_e
    return first, second, third, fourth


@njit(cache=True, nogil=True, fastmath=True)
def multiply_steps(
    samples: NDArray[np.floating], corners: NDArray[np.int64]
) -> NDArray[np.float64]:
    """<b - a, c - a>, |b - a|^2 and |c - a|^2 of each (a, b, c), (corners, 3).

    ``samples`` is (n, values). Every corner is summed up alike, to the last bit, whatever others
    are asked for.
    """
    found = np.zeros((len(corners), 3))
    for place in range(len(corners)):
        a, b, c = samples[corners[place, 0]], samples[corners[place, 1]], samples[corners[place, 2]]
        product = first = second = 0.0
        for k in range(len(a)):
            value = np.float64(a[k])
            to_b, to_c = np.float64(b[k]) - value, np.float64(c[k]) - value
            product += to_b * to_c
            first += to_b * to_b
            second += to_c * to_c
        found[place, 0], found[place, 1], found[place, 2] = product, first, second
    return found


@njit(cache=True, nogil=True)
def count_equal(
    values: NDArray[np.float64],
    child: int,
    others: NDArray[np.int64],
    ends: NDArray[np.int64],
    roundoff: float,
) -> NDArray[np.int64]:
    """Values of a child that others have as well, by part, (others, parts).

    Parameters
    ----------
    values : (n, values)
    ends : where each part of the values ends, (parts,)
    roundoff : share of the other's value by which the two may differ
    """
    counts = np.zeros((len(others), len(ends)), np.int64)
    own = values[child]
    for place in range(len(others)):
        other = values[others[place]]
        start = 0
        for part in range(len(ends)):
            equal = 0
            for k in range(start, ends[part]):
                equal += int(abs(own[k] - other[k]) <= roundoff * abs(other[k]))
            counts[place, part] = equal
            start = ends[part]
    return counts
