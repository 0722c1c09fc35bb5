"""Units without an order: rows or columns of a matrix that another model may hold elsewhere.

Hidden units, channels and heads can be permuted, and scaled by positive factors, without changing
what a network computes. Where the other side of a matrix stands still (pixels, tokens, classes, or
what is already in order), each unit is a vector that finds its counterpart by its direction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.fingerprints import TensorFingerprint
from model_heritage_backend.fingerprints.sampling import (
    COLUMN_SALT,
    ROW_SALT,
    WIDE_SIZE,
    select_indices,
)

Floats = NDArray[np.floating]
Places = NDArray[np.int64]

SPLIT_FROM = 12
"""Vectors of so many components are matched on one half of them and tested on the other."""
NARROW = 16
"""A matrix with at most so many rows or columns tells little of its units by itself: it is put
together with the vectors (biases, normalisation) that have a value per unit."""


@dataclass(frozen=True)
class Block:
    """Sampled values of a matrix, and where they lie in it.

    ``shape`` is (rows, columns) of the whole matrix; ``values`` are those at ``places[0]`` x
    ``places[1]``.
    """

    shape: tuple[int, int]
    values: Floats
    places: tuple[Places, Places]

    @classmethod
    def take(cls, tensor: TensorFingerprint, *, wide: bool) -> Block:
        shape = tensor.shape[0], tensor.size // tensor.shape[0]
        if wide:
            # Of what is far away, fewer rows were read.
            places = (
                select_indices(shape[0], len(tensor.wide), ROW_SALT),
                select_indices(shape[1], WIDE_SIZE, COLUMN_SALT),
            )
            return cls(shape, _clean(tensor.wide), places)
        return cls(shape, _clean(tensor.sample), (tensor.rows, tensor.columns))

    def turn(self) -> Block:
        """The transposed matrix."""
        return Block(self.shape[::-1], self.values.T, self.places[::-1])


def take_blocks(a: TensorFingerprint, b: TensorFingerprint) -> tuple[Block, Block]:
    """The larger samples that two matrices of one shape have in common."""
    wide = a.wide.size > a.sample.size and a.wide.shape == b.wide.shape
    return Block.take(a, wide=wide), Block.take(b, wide=wide)


def collect_traits(tensors: Mapping[str, TensorFingerprint], size: int) -> dict[str, Floats]:
    """What the tensors say of each of ``size`` units in one number: label -> (size,).

    Vectors of that length, norms of the rows of matrices with so many rows, and the rows or columns
    of narrow matrices. The labels of the latter come first in order: each was drawn by itself when
    the network began, while norms and biases mostly began as equals.
    """
    traits: dict[str, Floats] = {}
    for name, tensor in tensors.items():
        if tensor.shape == (size,) and len(tensor.rows) == size:
            traits[name] = _clean(tensor.sample[:, 0])
        if not tensor.is_matrix:
            continue
        rows, columns = tensor.shape[0], tensor.size // tensor.shape[0]
        if rows == size and len(tensor.row_norms) == size:
            traits[f"{name}|"] = np.log(_clean(tensor.row_norms) + 1e-30)
        if columns == size == len(tensor.columns) and rows <= NARROW:
            traits |= {f"/{i} {name}": _clean(row) for i, row in enumerate(tensor.sample)}
        if rows == size == len(tensor.rows) and columns <= NARROW:
            traits |= {f"//{i} {name}": _clean(row) for i, row in enumerate(tensor.sample.T)}
    return traits


def is_drawn(label: str) -> bool:
    """Whether a trait is a row or column of a narrow matrix."""
    return label.startswith("/")


def standardise_columns(values: Floats) -> NDArray[np.float64]:
    """Mean 0 and mean square 1 in every column (0 where constant): blind to columns' scales."""
    centred = values.astype(np.float64) - values.mean(0)
    spread = np.sqrt((centred * centred).mean(0))
    usable = spread > 1e-7 * np.abs(values).max(0, initial=0.0)
    return np.where(usable, centred / np.where(usable, spread, 1.0), 0.0)


def normalise_rows(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Length 1 in every row (0 where zero): blind to rows' scales."""
    length = np.sqrt((values * values).sum(1, keepdims=True))
    return values / np.where(length > 0.0, length, 1.0)


@dataclass(frozen=True)
class UnitMatch:
    """Units of a model and their counterparts in another.

    Attributes
    ----------
    first, second : places of units that are each other's nearest, (pairs,)
    z : standard normal between strangers: how well the half of the components that the units were
        not matched on agrees; 0 where there are too few to split
    correlation : mean cosine of these halves over all units, matched or not
    """

    first: Places
    second: Places
    z: float
    correlation: float


def match_units(first: Floats, second: Floats) -> UnitMatch:
    """Match the rows of two matrices whose columns stand for each other.

    Both are (units, components). Under the null hypothesis the components of one half say nothing
    of those of the other, so the search costs no significance.
    """
    x, y = standardise_columns(first), standardise_columns(second)
    pairs = _find_mutual(normalise_rows(x) @ normalise_rows(y).T)
    if x.shape[1] < SPLIT_FROM:
        return UnitMatch(*pairs, z=0.0, correlation=0.0)
    halves = [(normalise_rows(x[:, s::2]), normalise_rows(y[:, s::2])) for s in (0, 1)]
    total, z, count = 0.0, 0.0, 0
    for (a, b), (c, d) in (halves, halves[::-1]):
        i, j = _find_mutual(a @ b.T)
        cosines = (c[i] * d[j]).sum(1)
        total += float(cosines.sum())
        z += float(cosines.sum()) * np.sqrt(c.shape[1])
        count += len(i)
    return UnitMatch(*pairs, z=z / np.sqrt(max(count, 1)), correlation=total / (2 * max(len(x), 1)))


def _find_mutual(likeness: NDArray[np.float64]) -> tuple[Places, Places]:
    """Pairs that are each other's best."""
    if likeness.size == 0:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    best, back = likeness.argmax(1), likeness.argmax(0)
    places = np.arange(len(likeness))
    kept = (back[best] == places) & (likeness[places, best] > 0.0)
    return places[kept], best[kept]


def _clean(values: NDArray[np.floating]) -> Floats:
    wide = values.astype(np.float64)
    # Most tensors hold ordinary numbers only, which a sum shows.
    if np.isfinite(wide.sum()):
        return wide
    return np.nan_to_num(wide, posinf=0.0, neginf=0.0)
