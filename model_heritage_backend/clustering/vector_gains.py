"""What tensors of one dimension say of pairs of members: biases, scales of normalisations.

They are too few to matter, except between models that share every matrix.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.clustering.alignment import AlignedFamily, limit_values
from model_heritage_backend.clustering.per_model import PerTensors
from model_heritage_backend.fingerprints import TensorFingerprint
from model_heritage_backend.weights.tensors import DType

BATCH = 64
"""Pairs whose products are in memory together."""
FLOAT32_ROUNDOFF = 2.0**-24

Array = NDArray[np.float64]
Places = NDArray[np.int64]
Kind = tuple[str, int]
"""Common name and number of values of a vector."""


def measure_vectors(family: AlignedFamily, pairs: Places, *, cap: float) -> Array:
    """Nats saved by knowing one of two members, (pairs,): the same whatever others are asked for.

    Parameters
    ----------
    pairs : (m, 2), places in the family
    cap : nats per value of a vector that both have, and the most that any can give
    """
    vectors = {int(m): _read(family.fingerprints[m], family.tensors[m]) for m in np.unique(pairs)}
    alike: dict[tuple[Kind, ...], int] = {}
    label = {m: alike.setdefault(v.kinds, len(alike)) for m, v in vectors.items()}
    groups: dict[tuple[int, int], list[int]] = defaultdict(list)
    for number, (a, b) in enumerate(pairs):
        groups[label[int(a)], label[int(b)]].append(number)
    kinds = list(alike)
    gains = np.zeros(len(pairs))
    for (first, second), numbers in groups.items():
        there = set(kinds[second])
        common = [kind for kind in kinds[first] if kind in there]
        if common:
            gains[numbers] = _measure_group(vectors, pairs[numbers], common, cap)
    return gains


@dataclass(frozen=True)
class _Vectors:
    """All vectors of a model, by name: sampled values, and digests of all values where known."""

    kinds: tuple[Kind, ...]
    values: Mapping[Kind, Array]
    digests: Mapping[Kind, str | None]


@PerTensors
def _read(tensors: Mapping[str, TensorFingerprint]) -> _Vectors:
    found = {
        (name, tensor.size): tensor
        for name, tensor in sorted(tensors.items())
        if len(tensor.shape) == 1 and tensor.size > 1 and DType(tensor.dtype).is_floating
    }
    return _Vectors(
        tuple(found),
        {kind: limit_values(tensor.sample).ravel() for kind, tensor in found.items()},
        {kind: tensor.value_digest for kind, tensor in found.items()},
    )


def _measure_group(
    vectors: Mapping[int, _Vectors], pairs: Places, kinds: Sequence[Kind], cap: float
) -> Array:
    """Of pairs of members that have these vectors in common."""
    members, ends = np.unique(pairs, return_inverse=True)
    models = [vectors[int(m)] for m in members]
    values = np.array([np.concatenate([v.values[kind] for kind in kinds]) for v in models])
    lengths = [len(models[0].values[kind]) for kind in kinds]
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64)
    digests = np.array([[v.digests[kind] or "" for kind in kinds] for v in models])
    sizes = np.array([size for _, size in kinds], np.float64)
    squares = np.add.reduceat(values * values, starts, axis=1)
    gains = np.zeros(len(pairs))
    for start in range(0, len(pairs), BATCH):
        part = slice(start, start + BATCH)
        i, j = ends.reshape(-1, 2)[part].T
        products = np.add.reduceat(values[i] * values[j], starts, axis=1)
        nats = np.minimum(count_nats(squares[i], squares[j], products), cap)
        nats[(digests[i] == digests[j]) & (digests[i] != "")] = cap
        # Sums over the last axis of arrays in C order are the same in any batch.
        gains[part] = (nats * sizes).sum(1)
    return gains


def count_nats(first: Array, second: Array, products: Array) -> Array:
    """-1/2 ln(1 - cos^2) of rows: nats per value, with a slope and a variance for each of them.

    So it is blind to shrinkage (Chow-Liu). Rows of zeros are alike.

    Parameters
    ----------
    first, second, products : squared norms of the rows, and their products
    """
    both = (first > 0) & (second > 0)
    neither = (first == 0) & (second == 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        sine = np.where(both, 1 - products**2 / (first * second), np.where(neither, 0.0, 1.0))
    gains: Array = -0.5 * np.log(np.clip(sine, FLOAT32_ROUNDOFF**2, 1.0))
    return gains
