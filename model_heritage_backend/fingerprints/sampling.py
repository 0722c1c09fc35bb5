"""Which rows and columns of a tensor are kept: fixed, pseudo-random, prefix-consistent."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import xxhash
from numpy.typing import NDArray

ROW_SALT = np.uint64(0x9E3779B97F4A7C15)
COLUMN_SALT = np.uint64(0xC2B2AE3D27D4EB4F)
SAMPLE_SIZE = 64
"""Rows and columns kept of every matrix."""
WIDE_SIZE = 192
"""Rows and columns kept of WIDE_COUNT matrices. What siblings share lies in few directions, and the
more directions there are, the cleaner are the others."""
WIDE_COUNT = 8


def mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of SplitMix64: a bijection of 64-bit words that scatters neighbours."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


@lru_cache(maxsize=4096)
def select_indices(dimension: int, count: int, salt: np.uint64) -> NDArray[np.int64]:
    """The ``count`` indices below ``dimension`` with the smallest hash, ascending.

    All of them where ``dimension <= count``. An index keeps its hash when the dimension grows, so a
    vocabulary extended by a few rows keeps nearly all of its sampled rows.
    """
    indices = np.arange(dimension, dtype=np.uint64)
    if dimension <= count:
        chosen = indices.astype(np.int64)
    else:
        with np.errstate(over="ignore"):
            hashes = mix((indices + np.uint64(1)) * salt)
        chosen = np.sort(np.argpartition(hashes, count - 1)[:count]).astype(np.int64)
    chosen.flags.writeable = False
    return chosen


def choose_wide(shapes: Mapping[str, tuple[int, ...]]) -> frozenset[str]:
    """Names of the matrices that get a wide sample, of those given as (rows, rest).

    Those whose names have the smallest hashes: models of one family choose alike, whatever else
    they hold. Matrices that the ordinary sample holds almost whole are passed over.
    """
    large = [
        name
        for name, shape in shapes.items()
        if len(shape) >= 2 and min(shape[0], int(np.prod(shape[1:]))) > SAMPLE_SIZE
    ]
    ranked = sorted(large, key=lambda name: (xxhash.xxh3_64_intdigest(name.encode()), name))
    return frozenset(ranked[:WIDE_COUNT])
