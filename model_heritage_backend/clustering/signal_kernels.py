"""Compiled loops over the values of stacks of matrices, for ``signals``.

Most matrices of a family are so small that to call numpy takes longer than what it does. Each
matrix is summed up alike, to the last bit, whatever others are in the stack. Loops over single
numbers only: expressions of whole arrays are compiled many times as long.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[np.float64]
Values = NDArray[np.floating]

TOGETHER = 512
"""Numbers from 1 to 2 whose product is no overflow: one logarithm does for all of them."""
HARDLY_ANY = 44.0
"""exp(-t) from here on is less than what is lost in sums of numbers around 1."""
RELAXED = {"reassoc", "contract", "arcp", "nsz"}
"""Sums may be taken in any order; what is no number stays none."""
SMALL_SHARE = 1.0 / 128
"""Seven squarings, of a number whose series is short."""


@njit(cache=True, nogil=True)
def sum_fit(squares: Values, counts: Values, variances: Values) -> Array:
    """Of each matrix the sums that ``fit_growth`` gives, (matrices, 5)."""
    sums = np.zeros((len(variances), 5))
    for k in range(len(variances)):
        unit = variances[k]
        if not unit > 0.0:
            continue
        total, there = 0.0, 0
        for g in range(counts.shape[1]):
            if counts[k, g] > 0.0:
                scale = counts[k, g] * unit
                both = (squares[0, k, g] + squares[1, k, g]) / 2
                total += both / scale * (squares[2, k, g] / scale)
                there += 1
        if not total > 0.0:
            continue
        floor = 0.01 * total / there
        for g in range(counts.shape[1]):
            if counts[k, g] > 0.0:
                scale = counts[k, g] * unit
                m = (squares[0, k, g] + squares[1, k, g]) / 2 / scale
                y = (squares[1, k, g] - squares[0, k, g]) / scale
                d = squares[2, k, g] / scale
                w = counts[k, g] / (4 * max(m * d, floor))
                sums[k, 0] += w * d * d
                sums[k, 1] += w * d * m
                sums[k, 2] += w * m * m
                sums[k, 3] += w * d * y
                sums[k, 4] += w * m * y
    return sums


@njit(cache=True, nogil=True)
def sum_products(x: Values, y: Values) -> Array:
    """Inner products of matrices, (matrices, rows, columns), in double precision, (matrices,)."""
    sums = np.zeros(len(x))
    for k in range(len(x)):
        for i in range(x.shape[1]):
            for j in range(x.shape[2]):
                sums[k] += np.float64(x[k, i, j]) * np.float64(y[k, i, j])
    return sums


@njit(cache=True, nogil=True)
def sum_groups(x: Values, y: Values, edges: Values) -> tuple[Array, Array]:
    """Squares of values, (matrices, values), by how far they moved.

    Parameters
    ----------
    edges : least step of each group, ascending, (matrices, groups); of equal ones the first counts

    Returns
    -------
    sums of squares of x, y and y - x, (3, matrices, groups); how many values, (matrices, groups)
    """
    count, groups = edges.shape
    squares, counts = np.zeros((3, count, groups)), np.zeros((count, groups))
    first = np.zeros(groups, np.int64)
    for k in range(count):
        for g in range(1, groups):
            first[g] = first[g - 1] if edges[k, g] == edges[k, g - 1] else g
        for j in range(x.shape[1]):
            a, b = x[k, j], y[k, j]
            d = b - a
            passed = 0
            for g in range(1, groups):
                passed += int(abs(d) >= edges[k, g])
            group = first[passed]
            squares[0, k, group] += a * a
            squares[1, k, group] += b * b
            squares[2, k, group] += d * d
            counts[k, group] += 1.0
    return squares, counts


@njit(cache=True, nogil=True, fastmath=RELAXED)
def sum_residuals(x: Values, y: Values, least: float) -> Array:
    """Moments of standardised values and residuals, by which ``measure_residuals`` compares them.

    Parameters
    ----------
    x, y : (matrices, values)
    least : root mean square of residuals, in units of the values', below which nothing is said

    Returns
    -------
    (matrices, 14), all zero where nothing is said: of x, y, and both residuals e and f the mean of
    log cosh, (0-3), and of v exp(-v^2 / 2), (4-7); means of x^4 and y^4, (8, 9), of x e^3 and
    y f^3, (10, 11), of x^3 e and y^3 f, (12, 13)
    """
    size = x.shape[1]
    found = np.zeros((len(x), 14))
    values = np.empty((4, size))
    for k in range(len(x)):
        if not (_standardise(x[k], values[0]) and _standardise(y[k], values[1])):
            continue
        rho = rest = 0.0
        for j in range(size):
            rho += values[0, j] * values[1, j]
        rho /= size
        for j in range(size):
            values[2, j] = values[1, j] - rho * values[0, j]
            values[3, j] = values[0, j] - rho * values[1, j]
            rest += values[2, j] * values[2, j]
        # The residual's own size, not sqrt(1 - rho^2): close versions would cancel all its digits.
        rest = math.sqrt(rest / size)
        if rest < least:
            continue
        for j in range(size):
            values[2, j] /= rest
            values[3, j] /= rest
        for i in range(4):
            found[k, i], found[k, 4 + i] = _sum_contrasts(values[i])
        for j in range(size):
            a, b, e, f = values[0, j], values[1, j], values[2, j], values[3, j]
            found[k, 8] += a * a * a * a
            found[k, 9] += b * b * b * b
            found[k, 10] += a * (e * e * e)
            found[k, 11] += b * (f * f * f)
            found[k, 12] += a * a * a * e
            found[k, 13] += b * b * b * f
        for i in range(14):
            found[k, i] /= size
    return found


@njit(cache=True, nogil=True, fastmath=RELAXED)
def _standardise(values: Values, standard: Array) -> bool:
    """With mean 0 and variance 1, into ``standard``; False where all values are equal."""
    mean = squares = 0.0
    for j in range(len(values)):
        mean += values[j]
    mean /= len(values)
    for j in range(len(values)):
        standard[j] = values[j] - mean
        squares += standard[j] * standard[j]
    deviation = math.sqrt(squares / len(values))
    if not deviation > 0.0:
        return False
    for j in range(len(values)):
        standard[j] /= deviation
    return True


@njit(cache=True, nogil=True, fastmath=RELAXED)
def _sum_contrasts(values: Array) -> tuple[float, float]:
    """Sums of log cosh v, without overflow, and of v exp(-v^2 / 2)."""
    even = odd = 0.0
    for start in range(0, len(values), TOGETHER):
        product = 1.0
        for j in range(start, min(start + TOGETHER, len(values))):
            size = abs(values[j])
            even += size
            product *= 1.0 + _decay(2 * size)
            odd += values[j] * _decay(size * size / 2)
        even += math.log(product)
    return even - len(values) * math.log(2.0), odd


@njit(cache=True, nogil=True, fastmath=RELAXED)
def _decay(t: float) -> float:
    """exp(-t), t >= 0, to thirteen digits: Taylor's series and squarings, which the compiler does
    for several values at once, as it cannot with the library's.
    """
    r = -min(t, HARDLY_ANY) * SMALL_SHARE
    p = 1.0 + r / 12
    for n in range(11, 0, -1):
        p = 1.0 + r * p / n
    for _ in range(7):
        p *= p
    return p
