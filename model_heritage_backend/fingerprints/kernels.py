# What numba hands to intrinsics and generators has no types.
# mypy: allow-untyped-defs
"""Compiled loops over a piece of a tensor.

Sums run in float64 over a fixed number of lanes, added up in a fixed order, fused with a product
only where ``fma`` says so: the same values give the same bits on every machine, however the file
was cut.
"""

from __future__ import annotations

import numpy as np
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

LANES = 64
ROW_LANES = 8
PIECE = 65_536
"""Values per piece: moments are merged piece by piece, so this is part of the format."""

SINGLE_BYTES = 4
INFINITE_SINGLE, INFINITE_DOUBLE = 0x7F800000, 0x7FF0000000000000
"""Bits of infinity."""

NEAR = 1 / 16
"""Share of the squares that the mean's may have where powers are taken about zero: beyond it, the
central ones would be small differences of large numbers."""

Powers = tuple[float, float, float]
"""Sums of second to fourth powers."""


@intrinsic
def fma(_typing, a, b, c):  # noqa: ARG001 - numba hands an intrinsic its arguments twice
    """a * b + c, rounded once."""

    def generate(_context, builder, _signature, arguments):
        return builder.fma(*arguments)

    return types.float64(types.float64, types.float64, types.float64), generate


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
def lies_near_zero(total: float, squares: float, size: int) -> bool:
    """Whether powers may be taken about zero. Never where some values, or squares, are not
    finite."""
    return squares < np.inf and total * (total / size) <= NEAR * squares


@njit(cache=True, nogil=True)
def centre_powers(total: float, powers: Powers, size: int) -> Powers:
    """Power sums about the mean, of those about zero."""
    mean = total / size
    second, third, fourth = powers
    return (
        second - total * mean,
        third - mean * (3.0 * second - 2.0 * total * mean),
        fourth - mean * (4.0 * third - mean * (6.0 * second - 3.0 * total * mean)),
    )


@njit(cache=True, nogil=True)
def central_powers(values: NDArray[np.floating], mean: float) -> Powers:
    """Sums of second to fourth powers of what values differ from their mean by."""
    second, third, fourth = np.zeros(LANES), np.zeros(LANES), np.zeros(LANES)
    for i in range(values.size):
        d = np.float64(values[i]) - mean
        q = d * d
        lane = i % LANES
        second[lane] += q
        third[lane] = fma(q, d, third[lane])  # type: ignore[call-arg]  # (numba adds the first)
        fourth[lane] = fma(q, q, fourth[lane])
    return sum_lanes(second), sum_lanes(third), sum_lanes(fourth)


@njit(cache=True, nogil=True)
def piece_moments(
    values: NDArray[np.floating],
) -> tuple[float, float, float, float, float, float, float]:
    """Of finite values: sum, second to fourth central power sums, minimum, maximum, zeros.

    One pass where the mean is small beside the spread, as in most matrices; else two, over values
    that fit the processor's cache.
    """
    sums, second, third = np.zeros(LANES), np.zeros(LANES), np.zeros(LANES)
    fourth, zeros = np.zeros(LANES), np.zeros(LANES)
    low, high = np.full(LANES, np.inf), np.full(LANES, -np.inf)
    for i in range(values.size):
        x = np.float64(values[i])
        q = x * x
        lane = i % LANES
        sums[lane] += x
        second[lane] += q
        third[lane] = fma(q, x, third[lane])  # type: ignore[call-arg]  # (numba adds the first)
        fourth[lane] = fma(q, q, fourth[lane])
        low[lane] = min(low[lane], x)
        high[lane] = max(high[lane], x)
        zeros[lane] += x == 0.0
    total, squares = sum_lanes(sums), sum_lanes(second)
    if lies_near_zero(total, squares, values.size):
        powers = (squares, sum_lanes(third), sum_lanes(fourth))
        powers = centre_powers(total, powers, values.size)
    else:
        powers = central_powers(values, total / values.size)
    smallest, largest = np.inf, -np.inf
    for lane in range(LANES):
        smallest = min(smallest, low[lane])
        largest = max(largest, high[lane])
    return (total, *powers, smallest, largest, sum_lanes(zeros))


@njit(cache=True, nogil=True)
def add_row_norms(
    values: NDArray[np.floating], start: int, row_size: int, norms: NDArray[np.float64]
) -> None:
    """Add a piece's squares to those of the rows it touches.

    ``start`` is the flat index of the piece's first value. Values that are not finite count as 0.
    Each row is added up in eight lanes that begin at the row's own start, so how rows fall into
    pieces matters only through the order of additions of whole pieces.
    """
    position = 0
    while position < values.size:
        row = (start + position) // row_size
        end = min(values.size, (row + 1) * row_size - start)
        norms[row] += sum_squares(values[position:end])
        position = end


@njit(cache=True, nogil=True)
def sum_squares(values: NDArray[np.floating]) -> float:
    """Of those that are finite."""
    lanes = np.zeros(ROW_LANES)
    for i in range(values.size):
        x = np.float64(values[i])
        if x - x == 0.0:
            lanes[i % ROW_LANES] = fma(x, x, lanes[i % ROW_LANES])  # type: ignore[call-arg]
    total = 0.0
    for lane in range(ROW_LANES):
        total += lanes[lane]
    return total


@njit(cache=True, nogil=True)
def raise_tops(
    bits: NDArray[np.signedinteger],
    start: int,
    row_size: int,
    rows: NDArray[np.int64],
    tops: NDArray[np.int64],
) -> None:
    """Largest finite magnitudes of the sampled ``rows``, as far as this piece holds them.

    Without their sign, numbers are in the order of their bits: these are given of the values from
    the flat index ``start`` on, and in ``tops`` those of the largest magnitudes so far.
    """
    for i in range(np.searchsorted(rows, start // row_size), rows.size):
        first = rows[i] * row_size - start
        if first >= bits.size:
            break
        tops[i] = max(tops[i], _find_top(bits[max(first, 0) : min(first + row_size, bits.size)]))


@njit(cache=True, nogil=True)
def _find_top(bits: NDArray[np.signedinteger]) -> int:
    infinite = INFINITE_SINGLE if bits.itemsize == SINGLE_BYTES else INFINITE_DOUBLE
    unsigned = infinite | ((infinite & -infinite) - 1)
    top = 0
    for i in range(bits.size):
        size = bits[i] & unsigned
        size = size if size < infinite else 0
        top = size if size > top else top
    return top


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
