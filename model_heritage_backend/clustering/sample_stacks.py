"""The samples of one matrix in many members at once, for what is computed by matrix products."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xxhash
from numpy.typing import NDArray
from scipy.linalg.blas import dsyrk

from model_heritage_backend.clustering.alignment import (
    EXTENSION_AT_LEAST,
    AlignedFamily,
    Samples,
    limit_values,
)
from model_heritage_backend.clustering.kernels import square_deltas
from model_heritage_backend.fingerprints.structure import is_matrix

ROUNDING = 1e-11
"""Squared distances below this share of the squared norms lose their digits to cancellation."""

Array = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True)
class SampleStack:
    """Members that have a tensor in one shape.

    Attributes
    ----------
    places : of the members in the family, (n,)
    values : samples as precise as they are stored, (n, rows, columns)
    shape, size : of the whole tensor
    rows : sampled rows
    value_digests : of all of the tensor, where they are known, (n,)
    """

    places: Places
    values: NDArray[np.floating]
    shape: tuple[int, ...]
    size: int
    rows: Places
    value_digests: tuple[str | None, ...]

    def __len__(self) -> int:
        return len(self.places)

    @cached_property
    def samples(self) -> Samples:
        """Samples in double precision."""
        return self.values.astype(np.float64)

    @property
    def flat(self) -> NDArray[np.floating]:
        """Values as they are stored, (n, values)."""
        return self.values.reshape(len(self), -1)

    @cached_property
    def contents(self) -> tuple[int, ...]:
        """Digests of the sampled values."""
        return tuple(xxhash.xxh3_64_intdigest(sample) for sample in self.values)

    @cached_property
    def labels(self) -> Places:
        """The same number where all sampled values are the same, (n,); from 0, in order."""
        return _number(self.contents)

    @cached_property
    def digests(self) -> Places:
        """The same number where all of the tensor is, (n,); -1 where that is not known."""
        return _number(self.value_digests)

    @property
    def distinct(self) -> Places:
        """Where in the stack each label is first. What is computed of these alone is the same, to
        the last bit, for all members with equal samples: ties stay ties."""
        places: Places = np.unique(self.labels, return_index=True)[1]
        return places

    def find(self, members: Places) -> Places:
        """Where in the stack members of the family are, or -1."""
        found = np.full(max(self.places.max(), members.max(initial=0)) + 1, -1)
        found[self.places] = np.arange(len(self))
        return found[members]


def stack_samples(
    family: AlignedFamily, members: Iterable[int], name: str, *, wide: bool = False
) -> list[SampleStack]:
    """Samples of a tensor by the tensor's shape, the most frequent shape first.

    ``wide``: the wide samples, which not every matrix has.
    """
    groups: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for member in members:
        tensor = family.tensors[member].get(name)
        if tensor is not None and (tensor.wide.size or not wide):
            groups[tensor.shape].append(member)
    ordered = sorted(groups, key=lambda shape: (-len(groups[shape]), shape))
    return [_stack(family, groups[shape], name, wide) for shape in ordered]


def _stack(family: AlignedFamily, members: Sequence[int], name: str, wide: bool) -> SampleStack:
    tensors = [family.tensors[member][name] for member in members]
    stored = [tensor.wide if wide else tensor.sample for tensor in tensors]
    values = np.concatenate(stored).reshape(len(stored), *stored[0].shape)
    # Most tensors hold ordinary numbers only. A sum too large for its type only takes longer.
    with np.errstate(over="ignore", invalid="ignore"):
        ordinary = values.dtype != np.float64 and np.isfinite(values.sum())
    if not ordinary:
        for place, sample in enumerate(stored):
            values[place] = limit_values(sample)
    return SampleStack(
        np.array(members),
        values,
        tensors[0].shape,
        tensors[0].size,
        tensors[0].rows,
        tuple(tensor.value_digest for tensor in tensors),
    )


def _number(values: Iterable[Hashable]) -> Places:
    """The same number for equal values, in order from 0; -1 for None."""
    known: dict[Hashable, int] = {}
    return np.array([-1 if v is None else known.setdefault(v, len(known)) for v in values])


@dataclass(frozen=True)
class Block:
    """One matrix in members that have it in one shape, and in others, or the same, that have it in
    another shape of about as many rows: an extended vocabulary.

    Attributes
    ----------
    first, second : the members
    x, y : values at the rows and columns that both have, (p, rows, columns), (q, rows, columns)
    size : number of values they stand for
    """

    first: SampleStack
    second: SampleStack
    x: NDArray[np.floating]
    y: NDArray[np.floating]
    size: int

    @property
    def is_uniform(self) -> bool:
        """Whether all have the matrix in one shape."""
        return self.first is self.second

    def measure_squares(self, i: Places, j: Places) -> Array:
        """Summed squared differences of places in x from places in y, (pairs,)."""
        return square_deltas(_flatten(self.x), _flatten(self.y), i, j)

    def measure_norms(self) -> tuple[Array, Array]:
        """Summed squares of x and of y, (p,), (q,)."""
        first = measure_norms(self.x)
        return first, first if self.is_uniform else measure_norms(self.y)

    def find_pairs(self, pairs: Places) -> tuple[Places, Places, Places]:
        """Which of some pairs (m, 2) are in the block, and where their members are in x and y."""
        i, j = self.first.find(pairs[:, 0]), self.second.find(pairs[:, 1])
        turned = (i < 0) | (j < 0)
        i[turned], j[turned] = self.first.find(pairs[turned, 1]), self.second.find(pairs[turned, 0])
        known = np.flatnonzero((i >= 0) & (j >= 0))
        return known, i[known], j[known]

    def are_equal(self, i: Places, j: Places) -> NDArray[np.bool_]:
        """Whether all of the matrix is known to be the same, for places in x and y."""
        first, second = self.first.digests[i], self.second.digests[j]
        equal: NDArray[np.bool_] = self.is_uniform & (first == second) & (first >= 0)
        return equal


def _flatten(values: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.ascontiguousarray(values.reshape(len(values), -1))


def measure_norms(values: NDArray[np.floating]) -> Array:
    """Summed squares of each sample, (n,)."""
    flat = _flatten(values)
    places = np.arange(len(flat))
    return square_deltas(flat, np.zeros_like(flat[:1]), places, np.zeros_like(places))


def list_blocks(family: AlignedFamily, members: Iterable[int], name: str) -> Iterator[Block]:
    """A matrix in all of the members that have it in comparable shapes."""
    stacks = [s for s in stack_samples(family, members, name) if is_matrix(s.shape)]
    for place, first in enumerate(stacks):
        yield Block(first, first, first.values, first.values, first.size)
        for second in stacks[place + 1 :]:
            fewer, more = sorted((first.shape[0], second.shape[0]))
            if first.shape[1:] != second.shape[1:] or fewer < EXTENSION_AT_LEAST * more:
                continue
            _, i, j = np.intersect1d(first.rows, second.rows, return_indices=True)
            if len(i) >= 2:
                x, y = first.values[:, i], second.values[:, j]
                yield Block(first, second, x, y, min(first.size, second.size))


def measure_squares(x: Samples, y: Samples) -> Array:
    """Summed squared differences between all samples of x (p, ...) and of y (q, ...), (p, q).

    By one matrix product about a member; where two are so near that it would lose their digits,
    from their difference.
    """
    # About nothing already, nothing is copied.
    first = (x - x[0] if x[0].any() else x).reshape(len(x), -1)
    if y is x:
        second = first
        # Half of the product, as it is symmetric.
        lower = dsyrk(1.0, first.T, trans=1, lower=0).T
        own = other = lower.diagonal().copy()
        squares: Array = np.tril(lower, -1)
        squares += squares.T
    else:
        second = (y - x[0]).reshape(len(y), -1)
        own, other = (np.einsum("iv,iv->i", part, part) for part in (first, second))
        squares = first @ second.T
    squares *= -2.0
    both = own[:, None] + other
    squares += both
    both *= ROUNDING
    if y is x:
        np.fill_diagonal(squares, 0.0)
        np.fill_diagonal(both, 0.0)
    for i, j in zip(*np.nonzero(squares < both), strict=True):
        squares[i, j] = ((first[i] - second[j]) ** 2).sum()
    return squares
