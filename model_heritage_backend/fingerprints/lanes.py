# ruff: noqa: ARG001 - numba hands an intrinsic its arguments twice.
# What numba hands to intrinsics and generators has no types.
# mypy: allow-untyped-defs, allow-untyped-calls, allow-incomplete-defs
"""Loops over float32 values whose sums stay in vector registers.

The compiler keeps the lanes of the loops in ``kernels`` in memory. These say vector instructions
outright, lane by lane the same additions in the same order, fused where those are: the results are
those of ``kernels`` to the last bit, several times as fast. What numba knows of whole arrays takes
it long to compile, so the rest is loops over single numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from model_heritage_backend.fingerprints.kernels import (
    INFINITE_SINGLE,
    LANES,
    ROW_LANES,
    Powers,
    can_be_centred,
    centre_powers,
    find_extremes,
    fma,
    sum_lanes,
    sum_squares,
)

ROWS = 4
POWERS = 4
GROUP = 16
"""Lanes whose sums are kept in registers at once."""

ENOUGH = 1024
"""Values looked at before it is asked whether one of them settles the question."""

FLOAT, DOUBLE, INT32, INT64 = ir.FloatType(), ir.DoubleType(), ir.IntType(32), ir.IntType(64)
MAGNITUDE = 0x7FFFFFFF

Step = Callable[[ir.Value, Sequence[ir.Value]], Sequence[ir.Value]]


def loop(
    builder: ir.IRBuilder,
    bounds: tuple[ir.Value, ir.Value],
    stride: int,
    initial: Sequence[ir.Value],
    step: Step,
) -> list[ir.Value]:
    """Emit ``for i in range(*bounds, stride)``: ``step`` makes new values of those carried on."""
    before = builder.block
    head, body, after = (builder.append_basic_block(name) for name in ("head", "body", "after"))
    builder.branch(head)
    builder.position_at_end(head)
    index = builder.phi(INT64)
    carried = [builder.phi(value.type) for value in initial]
    builder.cbranch(builder.icmp_signed("<", index, bounds[1]), body, after)
    builder.position_at_end(body)
    results = step(index, carried)
    following = builder.add(index, INT64(stride))
    index.add_incoming(bounds[0], before)
    index.add_incoming(following, body)
    for phi, first, result in zip(carried, initial, results, strict=True):
        phi.add_incoming(first, before)
        phi.add_incoming(result, body)
    builder.branch(head)
    builder.position_at_end(after)
    return carried


def fill(scalar: ir.Type, lanes: int, value: float) -> ir.Constant:
    """A vector with the same number in each lane."""
    return ir.Constant(ir.VectorType(scalar, lanes), [ir.Constant(scalar, value)] * lanes)


class Emitter:
    """Loads and stores of vectors in the arrays that an intrinsic was given."""

    def __init__(self, context, builder: ir.IRBuilder, signature, arguments) -> None:
        if any(isinstance(kind, types.Array) and kind.layout != "C" for kind in signature.args):
            raise TypeError("lanes lie side by side: arrays must be in C order")
        self.builder = builder
        self._data = [
            cgutils.create_struct_proxy(kind)(context, builder, value).data
            if isinstance(kind, types.Array)
            else value
            for kind, value in zip(signature.args, arguments, strict=True)
        ]

    def value(self, argument: int) -> ir.Value:
        return self._data[argument]

    def _point(self, argument: int, index: ir.Value, vector: ir.VectorType) -> ir.Value:
        place = self.builder.gep(self._data[argument], [index])
        return self.builder.bitcast(place, vector.as_pointer())

    def load(self, argument: int, index: ir.Value, lanes: int, scalar: ir.Type = FLOAT) -> ir.Value:
        """Values from the array's item ``index`` on, which may lie anywhere."""
        vector = ir.VectorType(scalar, lanes)
        return self.builder.load(self._point(argument, index, vector), align=1)

    def store(self, vector: ir.Value, argument: int, index: ir.Value) -> None:
        self.builder.store(vector, self._point(argument, index, vector.type), align=1)

    def fma(self, a: ir.Value, b: ir.Value, c: ir.Value) -> ir.Value:
        """a * b + c, rounded once."""
        kind = a.type
        name = f"llvm.fma.v{kind.count}f64"
        function = cgutils.get_or_insert_function(
            self.builder.module, ir.FunctionType(kind, [kind] * 3), name
        )
        return self.builder.call(function, (a, b, c))


def _make_squares(rows: int):
    """Of as many rows at once: while one sum waits for its last addition, the others go on."""

    @intrinsic
    def squares(_typing, values, start, stop, row_size, lanes):
        """Squares of ``values[start:stop]`` in ``lanes``; of further rows likewise, each
        ``row_size`` values after the other."""

        def generate(context, builder, signature, arguments):
            emit = Emitter(context, builder, signature, arguments)
            double = ir.VectorType(DOUBLE, ROW_LANES)

            def step(index: ir.Value, carried: Sequence[ir.Value]) -> Sequence[ir.Value]:
                sums = []
                for row in range(rows):
                    x = builder.fpext(emit.load(0, index, ROW_LANES), double)
                    sums.append(emit.fma(x, x, carried[row]))
                    index = builder.add(index, emit.value(3))
                return sums

            initial = [fill(DOUBLE, ROW_LANES, 0.0)] * rows
            found = loop(builder, (emit.value(1), emit.value(2)), ROW_LANES, initial, step)
            for row in range(rows):
                emit.store(found[row], 4, INT64(row * ROW_LANES))
            return context.get_dummy_value()

        return types.void(values, types.int64, types.int64, types.int64, lanes), generate

    return squares


_square_row, _square_rows = _make_squares(1), _make_squares(ROWS)


@intrinsic
def _add_powers(_typing, values, group, stop, powers, low, high, zeros):
    """Sums of first to fourth powers, extremes and zeros of the lanes ``group`` to ``group +
    GROUP``."""

    def generate(context, builder, signature, arguments):
        emit = Emitter(context, builder, signature, arguments)
        double = ir.VectorType(DOUBLE, GROUP)

        def step(index: ir.Value, carried: Sequence[ir.Value]) -> Sequence[ir.Value]:
            first, second, third, fourth, least, most, count = carried
            x = emit.load(0, index, GROUP)
            zero = builder.fcmp_ordered("==", x, fill(FLOAT, GROUP, 0.0))
            d = builder.fpext(x, double)
            q = builder.fmul(d, d)
            return (
                builder.fadd(first, d),
                builder.fadd(second, q),
                emit.fma(q, d, third),
                emit.fma(q, q, fourth),
                builder.select(builder.fcmp_ordered("<", x, least), x, least),
                builder.select(builder.fcmp_ordered(">", x, most), x, most),
                builder.select(zero, builder.add(count, fill(INT32, GROUP, 1)), count),
            )

        initial = (
            *[fill(DOUBLE, GROUP, 0.0)] * POWERS,
            fill(FLOAT, GROUP, float("inf")),
            fill(FLOAT, GROUP, float("-inf")),
            fill(INT32, GROUP, 0),
        )
        results = loop(builder, (emit.value(1), emit.value(2)), LANES, initial, step)
        for power, result in enumerate(results[:POWERS]):
            emit.store(result, 3, builder.add(emit.value(1), INT64(power * LANES)))
        for argument, result in enumerate(results[POWERS:], start=4):
            emit.store(result, argument, emit.value(1))
        return context.get_dummy_value()

    given = (values, types.int64, types.int64, powers, low, high, zeros)
    return types.void(*given), generate


@intrinsic
def _add_central_powers(_typing, values, group, stop, mean, powers):
    """Sums of second to fourth central powers of the lanes ``group`` to ``group + GROUP``."""

    def generate(context, builder, signature, arguments):
        emit = Emitter(context, builder, signature, arguments)
        double = ir.VectorType(DOUBLE, GROUP)
        first = builder.insert_element(ir.Constant(double, ir.Undefined), emit.value(3), INT32(0))
        every = ir.Constant(ir.VectorType(INT32, GROUP), [INT32(0)] * GROUP)
        centre = builder.shuffle_vector(first, ir.Constant(double, ir.Undefined), every)

        def step(index: ir.Value, carried: Sequence[ir.Value]) -> Sequence[ir.Value]:
            d = builder.fsub(builder.fpext(emit.load(0, index, GROUP), double), centre)
            q = builder.fmul(d, d)
            second, third, fourth = carried
            return [builder.fadd(second, q), emit.fma(q, d, third), emit.fma(q, q, fourth)]

        initial = [fill(DOUBLE, GROUP, 0.0)] * (POWERS - 1)
        results = loop(builder, (emit.value(1), emit.value(2)), LANES, initial, step)
        for power, result in enumerate(results, start=1):
            emit.store(result, 4, builder.add(emit.value(1), INT64(power * LANES)))
        return context.get_dummy_value()

    given = (values, types.int64, types.int64, types.float64, powers)
    return types.void(*given), generate


@intrinsic
def _count_inexact(_typing, bits, start, stop, counts):
    """In lanes, minus the number of float32 values that are not exact in float16."""

    def generate(context, builder, signature, arguments):
        emit = Emitter(context, builder, signature, arguments)
        integer = ir.VectorType(INT32, GROUP)

        def every(value: int) -> ir.Constant:
            return fill(INT32, GROUP, value)

        def step(index: ir.Value, carried: Sequence[ir.Value]) -> Sequence[ir.Value]:
            size = builder.and_(emit.load(0, index, GROUP, INT32), every(MAGNITUDE))
            exponent = builder.lshr(size, every(23))
            # Ten bits of fraction; below 2^-14 one fewer with each halving, down to 2^-24.
            kept = builder.sub(exponent, every(102))
            kept = builder.select(builder.icmp_signed("<", kept, every(0)), every(0), kept)
            kept = builder.select(builder.icmp_signed(">", kept, every(11)), every(11), kept)
            fraction = builder.shl(builder.or_(size, every(0x800000)), every(8))
            lost = builder.icmp_signed("!=", builder.shl(fraction, kept), every(0))
            large = builder.icmp_signed(">", exponent, every(142))
            number = builder.icmp_signed("<", size, every(INFINITE_SINGLE))
            there = builder.icmp_signed("!=", size, every(0))
            inexact = builder.and_(builder.or_(lost, large), builder.and_(number, there))
            return [builder.add(carried[0], builder.sext(inexact, integer))]

        (count,) = loop(builder, (emit.value(1), emit.value(2)), GROUP, [every(0)], step)
        emit.store(count, 3, INT64(0))
        return context.get_dummy_value()

    return types.void(bits, types.int64, types.int64, counts), generate


@njit(cache=True, nogil=True)
def fits_float16(values: NDArray[np.float32]) -> bool:
    """Whether all are exact in float16, or not numbers."""
    counts = np.zeros(GROUP, np.int32)
    bits = values.view(np.uint32)
    if bits.size < GROUP:
        few = np.zeros(GROUP, np.uint32)
        for i in range(bits.size):
            few[i] = bits[i]
        bits = few
    for first in range(0, bits.size, ENOUGH):
        # The last lanes may look at some values again.
        stop = min(first + ENOUGH, bits.size)
        for start, end in ((first, stop - GROUP + 1), (stop - GROUP, stop)):
            _count_inexact(bits, start, end, counts)  # type: ignore[call-arg]  # (numba adds the first)
            for lane in range(GROUP):
                if counts[lane] != 0:
                    return False
    return True


@njit(cache=True, nogil=True)
def _split(powers: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """The lanes of first to fourth powers."""
    return (
        powers[:LANES],
        powers[LANES : 2 * LANES],
        powers[2 * LANES : 3 * LANES],
        powers[3 * LANES :],
    )


@njit(cache=True, nogil=True)
def _central_powers(
    values: NDArray[np.float32], mean: float, powers: NDArray[np.float64]
) -> Powers:
    """Second to fourth central power sums; ``powers`` is room for their lanes."""
    whole = values.size // LANES * LANES
    for group in range(0, LANES, GROUP):
        _add_central_powers(values, group, whole, mean, powers)  # type: ignore[call-arg]  # (numba adds the first)
    _, second, third, fourth = _split(powers)
    for i in range(whole, values.size):
        d = np.float64(values[i]) - mean
        q = d * d
        lane = i - whole
        second[lane] += q
        third[lane] = fma(q, d, third[lane])  # type: ignore[call-arg]
        fourth[lane] = fma(q, q, fourth[lane])
    return sum_lanes(second), sum_lanes(third), sum_lanes(fourth)


@njit(cache=True, nogil=True)
def single_moments(
    values: NDArray[np.float32],
) -> tuple[float, float, float, float, float, float, float]:
    """``kernels.piece_moments`` of float32 values. Where some are not finite, the sum is not."""
    n = values.size
    whole = n // LANES * LANES
    powers, zeros = np.zeros(POWERS * LANES), np.zeros(LANES, np.int32)
    low, high = np.empty(LANES, np.float32), np.empty(LANES, np.float32)
    for group in range(0, LANES, GROUP):
        _add_powers(values, group, whole, powers, low, high, zeros)  # type: ignore[call-arg]  # (numba adds the first)
    first, second, third, fourth = _split(powers)
    for i in range(whole, n):
        lane = i - whole
        x = values[i]
        d = np.float64(x)
        q = d * d
        first[lane] += d
        second[lane] += q
        third[lane] = fma(q, d, third[lane])  # type: ignore[call-arg]
        fourth[lane] = fma(q, q, fourth[lane])
        low[lane] = min(low[lane], x)
        high[lane] = max(high[lane], x)
        zeros[lane] += x == np.float32(0.0)
    total = sum_lanes(first)
    smallest, largest, none = np.float64(low[0]), np.float64(high[0]), 0
    for lane in range(LANES):
        smallest = min(smallest, np.float64(low[lane]))
        largest = max(largest, np.float64(high[lane]))
        none += zeros[lane]
    if smallest == 0.0 or largest == 0.0:
        low_zero, high_zero, _ = find_extremes(values)
        smallest, largest = np.float64(low_zero), np.float64(high_zero)
    central = (sum_lanes(second), sum_lanes(third), sum_lanes(fourth))
    if can_be_centred(total, central, n):
        central = centre_powers(total, central, n)
    else:
        central = _central_powers(values, total / n, powers)
    return (total, *central, smallest, largest, float(none))


@njit(cache=True, nogil=True)
def add_single_norms(
    values: NDArray[np.float32], start: int, row_size: int, norms: NDArray[np.float64]
) -> None:
    """``kernels.add_row_norms`` of float32 values."""
    lanes = np.zeros(ROWS * ROW_LANES)
    position = 0
    while position < values.size:
        row = (start + position) // row_size
        length = min(values.size, (row + 1) * row_size - start) - position
        whole = length // ROW_LANES * ROW_LANES
        together = 1
        if length == row_size and position + ROWS * row_size <= values.size:
            together = ROWS
            _square_rows(values, position, position + whole, row_size, lanes)
        else:
            _square_row(values, position, position + whole, row_size, lanes)
        for first in range(0, together * ROW_LANES, ROW_LANES):
            for i in range(whole, length):
                x = np.float64(values[position + i])
                lane = first + i - whole
                lanes[lane] = fma(x, x, lanes[lane])  # type: ignore[call-arg]
            total = 0.0
            for lane in range(first, first + ROW_LANES):
                total += lanes[lane]
            # Squares of float32 values that are all finite have a finite sum in float64.
            if not np.isfinite(total):
                total = sum_squares(values[position : position + length])
            norms[row] += total
            row += 1
            position += length
