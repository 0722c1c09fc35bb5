"""Compiled loops against numpy, on hostile numbers."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from model_heritage_backend.fingerprints.kernels import (
    add_finite_rows,
    add_row_statistics,
    fits_bfloat16,
    fits_float16,
)


def make_numbers(kind: str) -> NDArray[np.uint32]:
    """Bits of float32 numbers."""
    random = np.random.default_rng(3)
    anything: NDArray[np.uint32] = random.integers(0, 2**32, 4000, dtype=np.uint32)
    if kind == "halves":
        with np.errstate(over="ignore"):
            halves = anything.view(np.float32).astype(np.float16)
        every = np.arange(2**16, dtype=np.uint16).view(np.float16)
        return np.concatenate([halves, every]).astype(np.float32).view(np.uint32)
    if kind == "short":
        # Few digits, of sizes about the smallest that float16 can hold.
        sizes = random.integers(98, 146, 4000).astype(np.uint32) << np.uint32(23)
        return sizes | (anything & np.uint32(0x7FFFFF) & ~np.uint32(2**13 - 1))
    return anything


@pytest.mark.parametrize("kind", ["anything", "halves", "short"])
def test_what_is_exact_in_fewer_bits(kind: str) -> None:
    bits = make_numbers(kind)
    values = bits.view(np.float32)
    with np.errstate(over="ignore"):
        exact = (values == values.astype(np.float16)) | np.isnan(values)
    assert [fits_float16(bits[i : i + 1]) for i in range(bits.size)] == exact.tolist()
    assert fits_float16(bits) == exact.all()
    assert fits_bfloat16(bits) == (not (bits & np.uint32(0xFFFF)).any())


@pytest.mark.parametrize("row_size", [1, 5, 8, 100, 5000])
def test_finite_rows_have_the_same_statistics_to_the_last_bit(row_size: int) -> None:
    values = np.random.default_rng(row_size).standard_normal(3000).astype(np.float32)
    values[::7] *= np.float32(1e30)
    values[::11] = 0.0
    figures = np.zeros((2, 2, 3010 // row_size + 1))
    for (norms, absmax), add in zip(figures, (add_row_statistics, add_finite_rows), strict=True):
        # A piece that begins within a row, and one after it.
        add(values[:1300], 10, row_size, norms, absmax)
        add(values[1300:], 1310, row_size, norms, absmax)
    assert (figures[0] == figures[1]).all()
    assert figures[0].any()
