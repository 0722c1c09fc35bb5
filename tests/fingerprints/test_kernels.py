"""Compiled loops against numpy, on hostile numbers."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from model_heritage_backend.fingerprints.kernels import fits_bfloat16
from model_heritage_backend.fingerprints.lanes import fits_float16


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
    assert [fits_float16(values[i : i + 1]) for i in range(bits.size)] == exact.tolist()
    assert fits_float16(values) == exact.all()
    assert fits_bfloat16(bits) == (not (bits & np.uint32(0xFFFF)).any())
