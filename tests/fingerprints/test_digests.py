"""Digests are those of the library, however the bytes are cut."""

import numpy as np
import pytest
import xxhash

from model_heritage_backend.fingerprints.digests import BLOCK, SHORT, STRIPE, Digest
from model_heritage_backend.weights.tensors import FEW

SIZES = [
    0, 1, SHORT, SHORT + 1, 255, 256, 257, BLOCK - 1, BLOCK, BLOCK + 1, BLOCK + STRIPE,
    2 * BLOCK, 2 * BLOCK + 1, 10 * BLOCK - 1, 50_000, 64 * BLOCK, 64 * BLOCK + STRIPE,
]  # fmt: skip


@pytest.mark.parametrize("piece", [BLOCK, 4 * BLOCK, 100 * BLOCK])
@pytest.mark.parametrize("size", SIZES)
def test_any_size_in_any_pieces(size: int, piece: int) -> None:
    data = np.random.default_rng(size).integers(0, 256, size, dtype=np.uint8)
    data.flags.writeable = False
    digest = Digest(size)
    last = max(size - FEW, 0) // piece * piece
    for start in range(0, last, piece):
        digest.update(data[start : start + piece])
    if size:
        digest.update(data[last:])
    assert digest.hexdigest() == xxhash.xxh3_128_hexdigest(data.data)
