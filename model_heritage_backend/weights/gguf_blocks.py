"""Blocks of quantised values in GGUF files: how each kind is unpacked.

Every kind stores small whole numbers (codes) and, for each group of 16 or 32 of them, a scale and
perhaps an offset: value = scale x code + offset, in float32. The K kinds keep the groups' scales as
small numbers themselves, in units of one or two float16 numbers per block. Hostile blocks hold
scales that are not finite: whoever unpacks them silences numpy's warnings (``np.errstate``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.weights.tensors import Quantisation

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

SCALE_ROUNDING, SMALLEST_ROUNDING = np.float32(2.0**-11), np.float32(2.0**-25)
"""Scales and offsets are stored as float16, sometimes after the codes were computed with exact
ones: the ends of a cell may lie further out by this share of both, and at least by this much."""


@dataclass(frozen=True, kw_only=True)
class Codes:
    """Unpacked blocks.

    Attributes
    ----------
    codes : (blocks, groups, values of a group), whole numbers
    scales : (blocks, groups, 1) float32
    offsets : likewise, or None for kinds that have none
    """

    codes: NDArray[np.uint8] | NDArray[np.int8]
    scales: Floats
    offsets: Floats | None = None

    def calculate_values(self) -> Floats:
        """All values, flat."""
        values = self.scales * self.codes.astype(np.float32)
        if self.offsets is not None:
            values += self.offsets
        return values.reshape(-1)

    def calculate_cells(self, low: int, high: int) -> Floats:
        """Smallest and largest number that each value may have been rounded from, (2, values).

        Half a step to both sides; the first and the last code (``low`` and ``high``) also stand for
        all that lies beyond. NaN where a scale of zero says nothing.
        """
        codes = self.codes.astype(np.float32)
        offsets = np.float32(0) if self.offsets is None else self.offsets
        slack = np.abs(codes) * (SCALE_ROUNDING * np.abs(self.scales) + SMALLEST_ROUNDING)
        slack += SCALE_ROUNDING * np.abs(offsets) + SMALLEST_ROUNDING
        first = np.where(codes == low, -np.inf, codes - np.float32(0.5)) * self.scales
        last = np.where(codes == high, np.inf, codes + np.float32(0.5)) * self.scales
        cells = np.stack(
            [np.minimum(first, last) + offsets - slack, np.maximum(first, last) + offsets + slack]
        )
        cells[:, np.broadcast_to(self.scales == 0, codes.shape)] = np.nan
        return cells.reshape(2, -1).astype(np.float32)


@dataclass(frozen=True, kw_only=True)
class BlockKind(Quantisation):
    """``block`` values in ``nbytes`` bytes; codes of ``bits`` bits go from ``low`` to ``high``."""

    nbytes: int
    low: int
    high: int
    unpack: Callable[[Bytes], Codes]


def _half(blocks: Bytes, at: int) -> Floats:
    """The float16 number at byte ``at`` of each block, (blocks, 1, 1)."""
    pair = np.ascontiguousarray(blocks[:, at : at + 2])
    return pair.view("<f2").astype(np.float32)[:, :, None]


def _split(packed: Bytes, bits: int) -> Bytes:
    """Numbers of ``bits`` bits from runs of bytes, (..., run) -> (..., 8 / bits, run): first the
    lowest bits of all bytes of the run, then the next ones.
    """
    shifts = np.arange(0, 8, bits, dtype=np.uint8)[:, None]
    return (packed[..., None, :] >> shifts) & np.uint8(2**bits - 1)


def _fifth_bits(blocks: Bytes, at: int) -> Bytes:
    """Bit i of the four bytes at ``at``, for the 32 values of each block, moved to bit 4."""
    bits = np.unpackbits(blocks[:, at : at + 4], axis=1, bitorder="little")
    return bits << np.uint8(4)


def _unpack_q4_0(blocks: Bytes) -> Codes:
    codes = _split(blocks[:, 2:], 4).reshape(-1, 1, 32).view(np.int8) - np.int8(8)
    return Codes(codes=codes, scales=_half(blocks, 0))


def _unpack_q4_1(blocks: Bytes) -> Codes:
    codes = _split(blocks[:, 4:], 4).reshape(-1, 1, 32)
    return Codes(codes=codes, scales=_half(blocks, 0), offsets=_half(blocks, 2))


def _unpack_q5_0(blocks: Bytes) -> Codes:
    codes = _split(blocks[:, 6:], 4).reshape(-1, 32) | _fifth_bits(blocks, 2)
    return Codes(codes=(codes.view(np.int8) - np.int8(16))[:, None], scales=_half(blocks, 0))


def _unpack_q5_1(blocks: Bytes) -> Codes:
    codes = _split(blocks[:, 8:], 4).reshape(-1, 32) | _fifth_bits(blocks, 4)
    return Codes(codes=codes[:, None], scales=_half(blocks, 0), offsets=_half(blocks, 2))


def _unpack_q8_0(blocks: Bytes) -> Codes:
    return Codes(codes=blocks[:, None, 2:].view(np.int8), scales=_half(blocks, 0))


def _unpack_q2_k(blocks: Bytes) -> Codes:
    scales, least = _split(blocks[:, None, :16], 4)[:, 0].swapaxes(0, 1)
    return Codes(
        codes=_split(blocks[:, 16:80].reshape(-1, 2, 32), 2).reshape(-1, 16, 16),
        scales=_half(blocks, 80) * scales[:, :, None].astype(np.float32),
        offsets=-(_half(blocks, 82) * least[:, :, None].astype(np.float32)),
    )


def _unpack_q3_k(blocks: Bytes) -> Codes:
    """The third bit of a code is stored inverted: where it is missing, 4 is taken off."""
    lower = _split(blocks[:, 32:96].reshape(-1, 2, 32), 2).reshape(-1, 256).view(np.int8)
    third = _split(blocks[:, :32], 1).reshape(-1, 256).view(np.int8)
    scales = _split(blocks[:, 96:104], 4).reshape(-1, 16)
    scales = scales | (_split(blocks[:, 104:108], 2).reshape(-1, 16) << np.uint8(4))
    units = scales.view(np.int8) - np.int8(32)
    return Codes(
        codes=(lower + (third - np.int8(1)) * np.int8(4)).reshape(-1, 16, 16),
        scales=_half(blocks, 108) * units[:, :, None].astype(np.float32),
    )


def _six_bits(packed: Bytes) -> tuple[Floats, Floats]:
    """Eight scales and eight offsets of six bits each from 12 bytes, each (blocks, 8, 1)."""
    first, second, third = packed[:, :4], packed[:, 4:8], packed[:, 8:]
    top_first = (first >> np.uint8(6)) << np.uint8(4)
    top_second = (second >> np.uint8(6)) << np.uint8(4)
    scales = np.hstack([first & np.uint8(63), (third & np.uint8(15)) | top_first])
    least = np.hstack([second & np.uint8(63), (third >> np.uint8(4)) | top_second])
    return scales[:, :, None].astype(np.float32), least[:, :, None].astype(np.float32)


def _unpack_q4_k(blocks: Bytes) -> Codes:
    scales, least = _six_bits(blocks[:, 4:16])
    return Codes(
        codes=_split(blocks[:, 16:].reshape(-1, 4, 32), 4).reshape(-1, 8, 32),
        scales=_half(blocks, 0) * scales,
        offsets=-(_half(blocks, 2) * least),
    )


def _unpack_q5_k(blocks: Bytes) -> Codes:
    scales, least = _six_bits(blocks[:, 4:16])
    lower = _split(blocks[:, 48:].reshape(-1, 4, 32), 4).reshape(-1, 8, 32)
    return Codes(
        codes=lower | (_split(blocks[:, 16:48], 1) << np.uint8(4)),
        scales=_half(blocks, 0) * scales,
        offsets=-(_half(blocks, 2) * least),
    )


def _unpack_q6_k(blocks: Bytes) -> Codes:
    lower = _split(blocks[:, :128].reshape(-1, 2, 64), 4).reshape(-1, 2, 128)
    upper = _split(blocks[:, 128:192].reshape(-1, 2, 32), 2).reshape(-1, 2, 128)
    codes = (lower | (upper << np.uint8(4))).view(np.int8) - np.int8(32)
    units = blocks[:, 192:208].view(np.int8).astype(np.float32)
    return Codes(codes=codes.reshape(-1, 16, 16), scales=_half(blocks, 208) * units[:, :, None])


def _kind(
    name: str, bits: int, block: int, nbytes: int, low: int, unpack: Callable[[Bytes], Codes]
) -> BlockKind:
    high = low + 2**bits - 1
    return BlockKind(
        name=name, bits=bits, block=block, nbytes=nbytes, low=low, high=high, unpack=unpack
    )


BLOCK_KINDS: dict[int, BlockKind] = {
    2: _kind("Q4_0", 4, 32, 18, -8, _unpack_q4_0),
    3: _kind("Q4_1", 4, 32, 20, 0, _unpack_q4_1),
    6: _kind("Q5_0", 5, 32, 22, -16, _unpack_q5_0),
    7: _kind("Q5_1", 5, 32, 24, 0, _unpack_q5_1),
    8: _kind("Q8_0", 8, 32, 34, -128, _unpack_q8_0),
    10: _kind("Q2_K", 2, 256, 84, 0, _unpack_q2_k),
    11: _kind("Q3_K", 3, 256, 110, -4, _unpack_q3_k),
    12: _kind("Q4_K", 4, 256, 144, 0, _unpack_q4_k),
    13: _kind("Q5_K", 5, 256, 176, 0, _unpack_q5_k),
    14: _kind("Q6_K", 6, 256, 210, -32, _unpack_q6_k),
}
"""By the number that a GGUF file gives to the kind."""
