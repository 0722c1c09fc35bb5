"""Compiled loops of the exact refinement: one pass over two versions of a matrix."""

from __future__ import annotations

import math

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


@njit(cache=True, nogil=True)
def residual_statistics(
    a: NDArray[np.floating], b: NDArray[np.floating], out: NDArray[np.float64]
) -> bool:
    """Non-Gaussian statistics of two versions of one matrix and of what each leaves of the other.

    With x, y the standardised values, rho their correlation, e = (y - rho x) / sqrt(1 - rho^2) and
    f = (x - rho y) / sqrt(1 - rho^2), ``out`` receives means of:
    0..3 ln cosh of x, y, e, f;  4..7 u exp(-u^2 / 2) of the same;
    8 x e^3;  9 y f^3;  10 x^3 e;  11 y^3 f;  12 x^4;  13 y^4;  14 e^4;  15 f^4.
    Returns False where a variance vanishes.
    """
    n = a.size
    mean_a = mean_b = 0.0
    for i in range(n):
        mean_a += a[i]
        mean_b += b[i]
    mean_a /= n
    mean_b /= n
    vaa = vbb = vab = 0.0
    for i in range(n):
        x, y = a[i] - mean_a, b[i] - mean_b
        vaa += x * x
        vbb += y * y
        vab += x * y
    if vaa <= 0.0 or vbb <= 0.0:
        return False
    sa, sb = math.sqrt(vaa / n), math.sqrt(vbb / n)
    rho = vab / math.sqrt(vaa * vbb)
    # The variance of the residual, not 1 - rho^2: close versions would cancel all its digits.
    rest = 0.0
    for i in range(n):
        r = (b[i] - mean_b) / sb - rho * (a[i] - mean_a) / sa
        rest += r * r
    rest = math.sqrt(rest / n)
    if rest < 1e-7:
        return False
    out[:] = 0.0
    for i in range(n):
        x, y = (a[i] - mean_a) / sa, (b[i] - mean_b) / sb
        e, f = (y - rho * x) / rest, (x - rho * y) / rest
        for k, u in ((0, x), (1, y), (2, e), (3, f)):
            out[k] += abs(u) + math.log1p(math.exp(-2.0 * abs(u))) - 0.6931471805599453
            out[4 + k] += u * math.exp(-u * u / 2.0)
            out[12 + k] += u * u * u * u
        out[8] += x * e * e * e
        out[9] += y * f * f * f
        out[10] += x * x * x * e
        out[11] += y * y * y * f
    for k in range(16):
        out[k] /= n
    return True
