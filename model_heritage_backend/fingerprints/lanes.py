# ruff: noqa: ARG001 - numba hands an intrinsic its arguments twice.
# What numba hands to intrinsics and generators has no types.
# mypy: allow-untyped-defs, allow-untyped-calls, allow-incomplete-defs
"""Loops over float32 values whose sums stay in vector registers.

The compiler keeps the lanes of the loops in ``kernels`` in memory. These say vector instructions
outright, lane by lane the same additions in the same order, without contraction: the results are
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
    LANES,
    add_row_statistics,
    piece_moments,
    sum_lanes,
)

ROW_LANES = 8
GROUP = 16
"""Lanes whose sums are kept in registers at once."""

FLOAT, DOUBLE, INT32, INT64 = ir.FloatType(), ir.DoubleType(), ir.IntType(32), ir.IntType(64)
MAGNITUDE = 0x7FFFFFFF
INFINITE = 0x7F800000

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

    def load(self, argument: int, index: ir.Value, lanes: int) -> ir.Value:
        """Float32 values from ``index`` on."""
        vector = ir.VectorType(FLOAT, lanes)
        return self.builder.load(self._point(argument, index, vector), align=4)

    def store(self, vector: ir.Value, argument: int, index: ir.Value) -> None:
        self.builder.store(vector, self._point(argument, index, vector.type), align=4)


@intrinsic
def _square_lanes(_typing, values, start, stop, lanes, tops):
    """Squares of ``values[start:stop]`` in ``lanes``, largest magnitudes' bits in ``tops``."""

    def generate(context, builder, signature, arguments):
        emit = Emitter(context, builder, signature, arguments)
        double = ir.VectorType(DOUBLE, ROW_LANES)
        integer = ir.VectorType(INT32, ROW_LANES)

        def step(index: ir.Value, carried: Sequence[ir.Value]) -> Sequence[ir.Value]:
            single = emit.load(0, index, ROW_LANES)
            x = builder.fpext(single, double)
            # Without their sign, numbers are in the order of their bits.
            size = builder.and_(builder.bitcast(single, integer), fill(INT32, ROW_LANES, MAGNITUDE))
            larger = builder.icmp_signed(">", size, carried[1])
            return (
                builder.fadd(carried[0], builder.fmul(x, x)),
                builder.select(larger, size, carried[1]),
            )

        initial = (fill(DOUBLE, ROW_LANES, 0.0), fill(INT32, ROW_LANES, 0))
        sums, sizes = loop(builder, (emit.value(1), emit.value(2)), ROW_LANES, initial, step)
        emit.store(sums, 3, INT64(0))
        emit.store(sizes, 4, INT64(0))
        return context.get_dummy_value()

    return types.void(values, types.int64, types.int64, lanes, tops), generate


@intrinsic
def _first_pass(_typing, values, group, stop, sums, low, high, zeros):
    """Sums, extremes and zeros of the lanes ``group`` to ``group + GROUP``."""

    def generate(context, builder, signature, arguments):
        emit = Emitter(context, builder, signature, arguments)
        double, integer = ir.VectorType(DOUBLE, GROUP), ir.VectorType(INT32, GROUP)

        def step(index: ir.Value, carried: Sequence[ir.Value]) -> Sequence[ir.Value]:
            total, least, most, count = carried
            x = emit.load(0, index, GROUP)
            zero = builder.fcmp_ordered("==", x, fill(FLOAT, GROUP, 0.0))
            return (
                builder.fadd(total, builder.fpext(x, double)),
                builder.select(builder.fcmp_ordered("<", x, least), x, least),
                builder.select(builder.fcmp_ordered(">", x, most), x, most),
                builder.add(count, builder.zext(zero, integer)),
            )

        initial = (
            fill(DOUBLE, GROUP, 0.0),
            fill(FLOAT, GROUP, float("inf")),
            fill(FLOAT, GROUP, float("-inf")),
            fill(INT32, GROUP, 0),
        )
        results = loop(builder, (emit.value(1), emit.value(2)), LANES, initial, step)
        for argument, result in enumerate(results, start=3):
            emit.store(result, argument, emit.value(1))
        return context.get_dummy_value()

    given = (values, types.int64, types.int64, sums, low, high, zeros)
    return types.void(*given), generate


@intrinsic
def _second_pass(_typing, values, group, stop, mean, second, third, fourth):
    """Central power sums of the lanes ``group`` to ``group + GROUP``."""

    def generate(context, builder, signature, arguments):
        emit = Emitter(context, builder, signature, arguments)
        double = ir.VectorType(DOUBLE, GROUP)
        first = builder.insert_element(ir.Constant(double, ir.Undefined), emit.value(3), INT32(0))
        every = ir.Constant(ir.VectorType(INT32, GROUP), [INT32(0)] * GROUP)
        centre = builder.shuffle_vector(first, ir.Constant(double, ir.Undefined), every)

        def step(index: ir.Value, carried: Sequence[ir.Value]) -> Sequence[ir.Value]:
            d = builder.fsub(builder.fpext(emit.load(0, index, GROUP), double), centre)
            q = builder.fmul(d, d)
            powers = (q, builder.fmul(q, d), builder.fmul(q, q))
            return [builder.fadd(*both) for both in zip(carried, powers, strict=True)]

        initial = [fill(DOUBLE, GROUP, 0.0)] * 3
        results = loop(builder, (emit.value(1), emit.value(2)), LANES, initial, step)
        for argument, result in enumerate(results, start=4):
            emit.store(result, argument, emit.value(1))
        return context.get_dummy_value()

    given = (values, types.int64, types.int64, types.float64, second, third, fourth)
    return types.void(*given), generate


@njit(cache=True, nogil=True)
def single_moments(
    values: NDArray[np.float32],
) -> tuple[float, float, float, float, float, float, float]:
    """``kernels.piece_moments`` of float32 values. Where some are not finite, the sum is not."""
    n = values.size
    whole = n // LANES * LANES
    sums, zeros = np.zeros(LANES), np.zeros(LANES, np.int32)
    low, high = np.empty(LANES, np.float32), np.empty(LANES, np.float32)
    for group in range(0, LANES, GROUP):
        _first_pass(values, group, whole, sums, low, high, zeros)  # type: ignore[call-arg]  # (numba adds the first)
    for i in range(whole, n):
        lane = i - whole
        x = values[i]
        sums[lane] += np.float64(x)
        low[lane] = min(low[lane], x)
        high[lane] = max(high[lane], x)
        zeros[lane] += x == np.float32(0.0)
    total = sum_lanes(sums)
    smallest, largest, none = np.float64(low[0]), np.float64(high[0]), 0
    for lane in range(LANES):
        smallest = min(smallest, np.float64(low[lane]))
        largest = max(largest, np.float64(high[lane]))
        none += zeros[lane]
    if smallest == 0.0 or largest == 0.0:
        # Of two zeros with different signs, the order of comparisons decides.
        return piece_moments(values)
    mean = total / n
    second, third, fourth = np.zeros(LANES), np.zeros(LANES), np.zeros(LANES)
    for group in range(0, LANES, GROUP):
        _second_pass(values, group, whole, mean, second, third, fourth)  # type: ignore[call-arg]  # (numba adds the first)
    for i in range(whole, n):
        d = np.float64(values[i]) - mean
        q = d * d
        lane = i - whole
        second[lane] += q
        third[lane] += q * d
        fourth[lane] += q * q
    return (
        total,
        sum_lanes(second),
        sum_lanes(third),
        sum_lanes(fourth),
        smallest,
        largest,
        float(none),
    )


@njit(cache=True, nogil=True)
def add_single_rows(
    values: NDArray[np.float32],
    start: int,
    row_size: int,
    norms: NDArray[np.float64],
    absmax: NDArray[np.float64],
) -> None:
    """``kernels.add_row_statistics`` of float32 values."""
    lanes, tops = np.zeros(ROW_LANES), np.zeros(ROW_LANES, np.int32)
    sizes = tops.view(np.float32)
    bits = values.view(np.int32)
    position = 0
    while position < values.size:
        row = (start + position) // row_size
        end = min(values.size, (row + 1) * row_size - start)
        whole = (end - position) // ROW_LANES * ROW_LANES + position
        _square_lanes(values, position, whole, lanes, tops)  # type: ignore[call-arg]  # (numba adds the first)
        for i in range(whole, end):
            x = np.float64(values[i])
            lanes[i - whole] += x * x
            tops[i - whole] = max(tops[i - whole], bits[i] & np.int32(MAGNITUDE))
        total, top, largest = 0.0, 0.0, np.int32(0)
        for lane in range(ROW_LANES):
            total += lanes[lane]
            top = max(top, np.float64(sizes[lane]))
            largest = max(largest, tops[lane])
        if largest >= INFINITE:
            add_row_statistics(values[position:end], start + position, row_size, norms, absmax)
        else:
            norms[row] += total
            absmax[row] = max(absmax[row], top)
        position = end
