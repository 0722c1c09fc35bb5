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
def can_be_centred(total: float, powers: Powers, size: int) -> bool:
    """Whether power sums about zero do, as hardly anything is lost by subtraction. Never where some
    values, or their powers, are not finite."""
    squares, _, fourth = powers
    return fourth < np.inf and total * (total / size) <= NEAR * squares


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
def _add_powers(
    values: NDArray[np.floating], count: int, mean: float, powers: NDArray[np.float64]
) -> None:
    """Add first to fourth powers of ``count`` values' differences from the mean, a lane each."""
    for lane in range(count):
        d = np.float64(values[lane]) - mean
        q = d * d
        powers[0, lane] += d
        powers[1, lane] += q
        powers[2, lane] = fma(q, d, powers[2, lane])  # type: ignore[call-arg]  # (numba adds the first)
        powers[3, lane] = fma(q, q, powers[3, lane])


@njit(cache=True, nogil=True)
def _sum_powers(values: NDArray[np.floating], mean: float) -> tuple[float, Powers]:
    """Sums of differences from the mean, and of their second to fourth powers."""
    powers = np.zeros((4, LANES))
    whole = values.size // LANES * LANES
    for start in range(0, whole, LANES):
        _add_powers(values[start : start + LANES], LANES, mean, powers)
    _add_powers(values[whole:], values.size - whole, mean, powers)
    higher = (sum_lanes(powers[1]), sum_lanes(powers[2]), sum_lanes(powers[3]))
    return sum_lanes(powers[0]), higher


@njit(cache=True, nogil=True)
def central_powers(values: NDArray[np.floating], mean: float) -> Powers:
    """Sums of second to fourth powers of what values differ from their mean by."""
    return _sum_powers(values, mean)[1]


@njit(cache=True, nogil=True)
def piece_moments(
    values: NDArray[np.floating],
) -> tuple[float, float, float, float, float, float, float]:
    """Of finite values: sum, second to fourth central power sums, minimum, maximum, zeros.

    One pass where the mean is small beside the spread, as in most matrices; else two, over values
    that fit the processor's cache.
    """
    total, powers = _sum_powers(values, 0.0)
    if can_be_centred(total, powers, values.size):
        powers = centre_powers(total, powers, values.size)
    else:
        powers = central_powers(values, total / values.size)
    smallest, largest, zeros = find_extremes(values)
    return (total, *powers, smallest, largest, zeros)


@njit(cache=True, nogil=True)
def find_extremes(values: NDArray[np.floating]) -> tuple[float, float, float]:
    """Least and largest value, and how many are zero. Of two zeros with different signs, the order
    of comparisons decides: lane by lane, and then among lanes."""
    low, high, zeros = np.full(LANES, np.inf), np.full(LANES, -np.inf), np.zeros(LANES)
    for start in range(0, values.size, LANES):
        block = values[start : start + LANES]
        for lane in range(block.size):
            x = np.float64(block[lane])
            low[lane] = min(low[lane], x)
            high[lane] = max(high[lane], x)
            zeros[lane] += x == 0.0
    smallest, largest = np.inf, -np.inf
    for lane in range(LANES):
        smallest = min(smallest, low[lane])
        largest = max(largest, high[lane])
    return smallest, largest, sum_lanes(zeros)


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
