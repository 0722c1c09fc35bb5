"""Compiled loops over a piece of a tensor.

Sums run in float64 over a fixed number of lanes, added up in a fixed order and without contraction
or reassociation: the same values give the same bits on every machine, however the file was cut.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

LANES = 64
PIECE = 65_536
"""Values per piece: moments are merged piece by piece, so this is part of the format."""


@njit(cache=True, nogil=True)
def expand_bfloat16(raw: NDArray[np.uint16], out: NDArray[np.uint32]) -> None:
    """Bits of the float32 values of bfloat16 values."""
    for i in range(raw.size):
        out[i] = np.uint32(raw[i]) << np.uint32(16)


@njit(cache=True, nogil=True)
def count_nonfinite(values: NDArray[np.floating]) -> int:
    count = 0
    for i in range(values.size):
        count += values[i] - values[i] != 0.0
    return count


@njit(cache=True, nogil=True)
def sum_lanes(lanes: NDArray[np.float64]) -> float:
    total = 0.0
    for lane in range(LANES):
        total += lanes[lane]
    return total


@njit(cache=True, nogil=True)
def piece_moments(
    values: NDArray[np.floating],
) -> tuple[float, float, float, float, float, float, float]:
    """Of finite values: sum, second to fourth central power sums, minimum, maximum, zeros.

    Two passes over values that fit the processor's cache.
    """
    n = values.size
    whole = n // LANES * LANES
    sums = np.zeros(LANES)
    low = np.full(LANES, np.inf)
    high = np.full(LANES, -np.inf)
    zeros = np.zeros(LANES)
    for start in range(0, whole, LANES):
        block = values[start : start + LANES]
        for lane in range(LANES):
            x = np.float64(block[lane])
            sums[lane] += x
            low[lane] = min(low[lane], x)
            high[lane] = max(high[lane], x)
            zeros[lane] += x == 0.0
    for i in range(whole, n):
        x = np.float64(values[i])
        lane = i - whole
        sums[lane] += x
        low[lane] = min(low[lane], x)
        high[lane] = max(high[lane], x)
        zeros[lane] += x == 0.0
    total = sum_lanes(sums)
    mean = total / n
    second = np.zeros(LANES)
    third = np.zeros(LANES)
    fourth = np.zeros(LANES)
    for start in range(0, whole, LANES):
        block = values[start : start + LANES]
        for lane in range(LANES):
            d = np.float64(block[lane]) - mean
            q = d * d
            second[lane] += q
            third[lane] += q * d
            fourth[lane] += q * q
    for i in range(whole, n):
        d = np.float64(values[i]) - mean
        q = d * d
        lane = i - whole
        second[lane] += q
        third[lane] += q * d
        fourth[lane] += q * q
    smallest, largest = np.inf, -np.inf
    for lane in range(LANES):
        smallest = min(smallest, low[lane])
        largest = max(largest, high[lane])
    return (
        total,
        sum_lanes(second),
        sum_lanes(third),
        sum_lanes(fourth),
        smallest,
        largest,
        sum_lanes(zeros),
    )


@njit(cache=True, nogil=True)
def add_row_statistics(
    values: NDArray[np.floating],
    start: int,
    row_size: int,
    norms: NDArray[np.float64],
    absmax: NDArray[np.float64],
) -> None:
    """Add a piece's squares and largest magnitudes to the statistics of the rows it touches.

    ``start`` is the flat index of the piece's first value. Values that are not finite count as 0.
    Each row is added up in eight lanes that begin at the row's own start, so how rows fall into
    pieces matters only through the order of additions of whole pieces.
    """
    position = 0
    while position < values.size:
        row = (start + position) // row_size
        end = min(values.size, (row + 1) * row_size - start)
        lanes = np.zeros(8)
        tops = np.zeros(8)
        whole = (end - position) // 8 * 8 + position
        for i in range(position, whole, 8):
            for lane in range(8):
                x = np.float64(values[i + lane])
                x = x if x - x == 0.0 else np.float64(0.0)
                lanes[lane] += x * x
                tops[lane] = max(tops[lane], abs(x))
        for i in range(whole, end):
            x = np.float64(values[i])
            x = x if x - x == 0.0 else np.float64(0.0)
            lanes[i - whole] += x * x
            tops[i - whole] = max(tops[i - whole], abs(x))
        total, top = 0.0, 0.0
        for lane in range(8):
            total += lanes[lane]
            top = max(top, tops[lane])
        norms[row] += total
        absmax[row] = max(absmax[row], top)
        position = end


@njit(cache=True, nogil=True)
def gather_sample(
    values: NDArray[np.floating],
    start: int,
    row_size: int,
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    sample: NDArray[np.floating],
) -> None:
    """Copy the sampled values that lie in this piece; ``rows`` and ``columns`` ascend."""
    stop = start + values.size
    first = np.searchsorted(rows, start // row_size)
    for i in range(first, rows.size):
        base = rows[i] * row_size
        if base >= stop:
            break
        for j in range(columns.size):
            place = base + columns[j]
            if start <= place < stop:
                sample[i, j] = values[place - start]


@njit(cache=True, nogil=True)
def fits_bfloat16(bits: NDArray[np.uint32]) -> bool:
    """Whether all float32 values of these bits are exact in bfloat16."""
    low = np.uint32(0)
    for i in range(bits.size):
        low |= bits[i]
    return bool((low & np.uint32(0xFFFF)) == 0)


@njit(cache=True, nogil=True)
def multiply(
    left: NDArray[np.float64], right: NDArray[np.float64], product: NDArray[np.float64]
) -> None:
    """Add left @ right to ``product``, every sum in one order: libraries differ in theirs."""
    for i in range(left.shape[0]):
        for k in range(left.shape[1]):
            factor = left[i, k]
            for j in range(right.shape[1]):
                product[i, j] += factor * right[k, j]
