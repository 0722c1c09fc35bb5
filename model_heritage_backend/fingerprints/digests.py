# ruff: noqa: ARG001 - numba hands an intrinsic its arguments twice.
# What numba hands to intrinsics and generators has no types.
# mypy: allow-untyped-defs, allow-untyped-calls, allow-incomplete-defs
"""XXH3-128 of what comes in pieces, with whole vectors at a time.

The library that is installed from packages is built for any processor of its kind, and takes two
numbers at a time; this takes eight, and needs no lock between pieces. Long inputs only; the results
are the library's. Source: the XXH3 algorithm, https://xxhash.com, version 0.8.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xxhash
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from model_heritage_backend.fingerprints.lanes import INT32, INT64, Emitter, fill, loop

SHORT = 240
"""Inputs up to so many bytes are digested in other ways, which are left to the library."""
STRIPE = 64
STRIPES = 16
BLOCK = STRIPES * STRIPE
TAIL = BLOCK + STRIPE

PRIME32 = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D)
PRIME64 = (
    0x9E3779B185EBCA87,
    0xC2B2AE3D27D4EB4F,
    0x165667B19E3779F9,
    0x85EBCA77C2B2AE63,
    0x27D4EB2F165667C5,
)
AVALANCHE = 0x165667919E3779F9
LARGEST = 2**64 - 1
INITIAL = (PRIME32[2], *PRIME64[:4], PRIME32[1], PRIME64[4], PRIME32[0])
SECRET = np.frombuffer(
    bytes.fromhex(
        "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671f"
        "cb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c"
        "3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8"
        "a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364"
        "eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e"
        "2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e"
    ),
    np.uint8,
)
SCRAMBLING = SECRET.size - STRIPE
"""Where in the secret the part begins that a whole block is scrambled with."""
LANES = 8
LOW = np.uint64(0xFFFFFFFF)
HALF = np.uint64(32)


def _read_secret(place: int) -> list[int]:
    part = SECRET[place : place + STRIPE].view("<u8")
    return [int(number) for number in part]


ENDS = 11
"""Where in the secret the first part begins that sums are merged with; the second begins so many
bytes before the part for scrambling."""
MERGED = (_read_secret(ENDS), _read_secret(SCRAMBLING - ENDS))


@intrinsic
def _add_blocks(_typing, data, stop, sums):
    """Whole blocks of the bytes up to ``stop``, each followed by further ones."""

    def generate(context, builder, signature, arguments):
        emit = Emitter(context, builder, signature, arguments)
        integers = ir.VectorType(INT64, LANES)
        neighbours = ir.Constant(
            ir.VectorType(INT32, LANES), [INT32(lane ^ 1) for lane in range(LANES)]
        )
        undefined = ir.Constant(integers, ir.Undefined)

        def secret(place: int) -> ir.Constant:
            return ir.Constant(integers, [INT64(number) for number in _read_secret(place)])

        def step(index: ir.Value, carried: Sequence[ir.Value]) -> Sequence[ir.Value]:
            total, plain = carried[0], fill(INT64, LANES, 0)
            for stripe in range(STRIPES):
                place = builder.add(index, INT64(stripe * STRIPE))
                numbers = emit.load(0, place, LANES, INT64)
                keyed = builder.xor(numbers, secret(8 * stripe))
                low = builder.and_(keyed, fill(INT64, LANES, int(LOW)))
                product = builder.mul(low, builder.lshr(keyed, fill(INT64, LANES, int(HALF))))
                total = builder.add(total, product)
                plain = builder.add(plain, numbers)
            # Each number goes to its neighbour's sum: all of a block at once.
            swapped = builder.shuffle_vector(plain, undefined, neighbours)
            total = builder.add(total, swapped)
            mixed = builder.xor(total, builder.lshr(total, fill(INT64, LANES, 47)))
            mixed = builder.xor(mixed, secret(SCRAMBLING))
            return [builder.mul(mixed, fill(INT64, LANES, PRIME32[0]))]

        initial = [emit.load(2, INT64(0), LANES, INT64)]
        (total,) = loop(builder, (INT64(0), emit.value(1)), BLOCK, initial, step)
        emit.store(total, 2, INT64(0))
        return context.get_dummy_value()

    return types.void(data, types.int64, sums), generate


@njit(cache=True, nogil=True)
def add_blocks(data: NDArray[np.uint8], sums: NDArray[np.uint64]) -> None:
    """Add whole blocks that are not the end of what is digested."""
    _add_blocks(data, data.size, sums)  # type: ignore[call-arg]  # (numba adds the first)


@njit(cache=True, nogil=True)
def add_stripe(
    stripe: NDArray[np.uint8], secret: NDArray[np.uint8], sums: NDArray[np.uint64]
) -> None:
    numbers, keys = stripe.view(np.uint64), secret.view(np.uint64)
    for lane in range(LANES):
        keyed = numbers[lane] ^ keys[lane]
        sums[lane ^ 1] += numbers[lane]
        sums[lane] += (keyed & LOW) * (keyed >> HALF)


@njit(cache=True, nogil=True)
def add_end(rest: NDArray[np.uint8], last: NDArray[np.uint8], sums: NDArray[np.uint64]) -> None:
    """Add what follows whole blocks: its stripes but the last, and the ``last`` bytes of all."""
    for number in range((rest.size - 1) // STRIPE):
        secret = SECRET[8 * number : 8 * number + STRIPE]
        add_stripe(rest[number * STRIPE : (number + 1) * STRIPE], secret, sums)
    add_stripe(last, SECRET[SCRAMBLING - 7 : SECRET.size - 7], sums)


class Digest:
    """XXH3-128 of ``size`` bytes that come in pieces: of whole blocks, but for the last one, which
    has at least a stripe if it is not the only one."""

    def __init__(self, size: int) -> None:
        self.sums = np.array(INITIAL, np.uint64)
        self._size = self._left = size
        self._short = xxhash.xxh3_128() if size <= SHORT else None

    def count_whole(self, size: int) -> int:
        """Of the next ``size`` bytes, those that ``add_blocks`` is to add to ``sums``."""
        if self._short is not None:
            return 0
        # The block that holds the last byte of all is treated otherwise.
        return size if size < self._left else (size - 1) // BLOCK * BLOCK

    def pass_over(self, size: int) -> bool:
        """Go on behind a piece, of which the whole blocks have been added. Whether it was the last
        one: then ``add_end`` is to follow."""
        self._left -= size
        return not self._left

    def add_end(self, end: NDArray[np.generic]) -> None:
        """Add what no whole block holds.

        Parameters
        ----------
        end : the last values of all, at least ``TAIL`` bytes of them where there are so many
        """
        data = end.view(np.uint8)
        data.flags.writeable = False
        if self._short is not None:
            self._short.update(data.data)
            return
        rest = data[data.size - 1 - (self._size - 1) % BLOCK :]
        add_end(rest, data[-STRIPE:], self.sums)

    def update(self, values: NDArray[np.generic]) -> None:
        """Add a piece."""
        data = values.view(np.uint8)
        add_blocks(data[: self.count_whole(data.size)], self.sums)
        if self.pass_over(data.size):
            self.add_end(data)

    def hexdigest(self) -> str:
        if self._short is not None:
            return self._short.hexdigest()
        numbers = [int(number) for number in self.sums]
        low = _merge(numbers, MERGED[0], self._size * PRIME64[0])
        high = _merge(numbers, MERGED[1], ~(self._size * PRIME64[1]))
        return f"{high:016x}{low:016x}"


def _merge(numbers: Sequence[int], keys: Sequence[int], start: int) -> int:
    mixed = [number ^ key for number, key in zip(numbers, keys, strict=True)]
    total = start
    for first, second in zip(mixed[::2], mixed[1::2], strict=True):
        product = first * second
        total += (product ^ product >> 64) & LARGEST
    total &= LARGEST
    total ^= total >> 37
    total = total * AVALANCHE & LARGEST
    return total ^ total >> 32
