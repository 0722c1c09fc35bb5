"""How close members of a family are, from their samples: the gains a skeleton is grown on.

Gains are sums over shared matrices of (number of values) x (nats per value): how much shorter one
model can be written down when the other is known. Matrices that differ in shape give nothing.
Distances, and the plain gain that follows from them, are known of all pairs by matrix products.
What spectra add to it is costly, and measured where it can matter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.clustering.alignment import AlignedFamily, Samples
from model_heritage_backend.clustering.sample_stacks import (
    Block,
    Places,
    list_blocks,
)
from model_heritage_backend.clustering.threads import (
    WORKERS,
    OfStack,
    halving,
    is_worth_threads,
    map_ahead,
)
from model_heritage_backend.clustering.vector_gains import (
    FLOAT32_ROUNDOFF,
    count_nats,
    measure_vectors,
)

CAP = 12.0
"""Nats per value of an identical matrix, and the most that any matrix can give."""
TAILS = tuple(share / 8 for share in range(1, 9))
"""Shares of the spectrum, from its lower end, whose mean energies the spectral gain looks at."""
ROW_SHARE = 0.2
"""Weight of the row gain: large steps of wild families gain by it, small steps lose by more."""
SPECTRA = 24
"""Changed matrices of a pair whose spectra are computed: what they add to the plain gain is taken
to be the same in all others. Skeletons from 8 of 74 matrices were those from all."""
NEAR_BELOW = 0.1
"""Relative change of a matrix in which nothing can have changed places or scales."""
CACHED = 32
"""Members whose samples of one matrix fit into the processor's cache."""
BATCH = 32
"""Pairs whose deltas are in the processor's cache together."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class AllPairs:
    """Of every two members, symmetric arrays (n, n), with zeros for members that were left out.

    Attributes
    ----------
    squared_distances : sum of squared deltas over shared matrices
    squared_norms : sum of squares of the two models' shared matrices, mean of both
    values : number of values in shared matrices
    equal : number of those that lie in identical matrices
    plain_gains : nats; -1/2 ln(mean square of the delta / variance of the weights) per value
    far : number of values in matrices of which the delta is more than NEAR_BELOW of either's norm
    """

    squared_distances: Array
    squared_norms: Array
    values: Array
    equal: Array
    plain_gains: Array
    far: Array

    @classmethod
    def measure(
        cls,
        family: AlignedFamily,
        members: Sequence[int],
        *,
        before: AllPairs | None = None,
        known: Mapping[int, int] | None = None,
    ) -> AllPairs:
        """Of all pairs of members.

        Parameters
        ----------
        before : of a family with many of the same models, by the same names; what is known of
            two of them is not measured again
        known : place of a member -> its place there
        """
        places = known or {}
        old = [m for m in members if m in places]
        new = [m for m in members if m not in places]
        pairs = _list_pairs(old, new)
        compared = members if len(pairs) else ()

        def measure(name: str) -> list[tuple[Places, Array]]:
            return [_measure_block(b, pairs) for b in list_blocks(family, compared, name)]

        figures = np.zeros((len(fields(cls)), len(pairs)))
        for blocks in map_ahead(
            measure, family.matrix_names, threads=is_worth_threads(len(members))
        ):
            for which, parts in blocks:
                if len(which) == len(pairs):
                    figures += parts
                else:
                    figures[:, which] += parts
        found = np.zeros((len(fields(cls)), len(family), len(family)))
        if before is not None:
            there = [places[m] for m in old]
            for whole, field in zip(found, fields(cls), strict=True):
                whole[np.ix_(old, old)] = getattr(before, field.name)[np.ix_(there, there)]
        i, j = pairs.T
        found[:, i, j] = found[:, j, i] = figures
        return cls(*found)

    @cached_property
    def distances(self) -> Array:
        """norm(delta) / norm(weights), >= 0."""
        known = self.squared_norms > 0.0
        ratios = np.divide(
            self.squared_distances, self.squared_norms, out=np.zeros(known.shape), where=known
        )
        distances: Array = np.sqrt(ratios)
        return distances


def _list_pairs(old: Sequence[int], new: Sequence[int]) -> Places:
    """All pairs but those of two old ones, (m, 2), those of CACHED by CACHED members together."""
    order = np.array([*old, *new], np.int64)
    rows = np.arange(len(old), len(order))
    i = np.repeat(rows, rows)
    j = np.concatenate([np.arange(row) for row in rows]) if len(rows) else i
    tiles = np.lexsort((j, i, j // CACHED, i // CACHED))
    return np.stack([order[i[tiles]], order[j[tiles]]], 1)


def _measure_block(block: Block, pairs: Places) -> tuple[Places, Array]:
    """What a matrix adds to each of the figures of ``AllPairs``, and to which of the pairs."""
    which, i, j = block.find_pairs(pairs)
    scale = block.size / max(block.x[0].size, 1)
    own, other = block.measure_norms()
    norms = scale / 2 * (own[i] + other[j])
    smaller = scale * np.minimum(own[i], other[j])
    equal = block.are_equal(i, j)
    squares = scale * block.measure_squares(i, j)
    if not block.is_uniform:
        # Of a vocabulary that was extended, not of another one.
        usable = squares < norms
        which, norms, squares, smaller = (v[usable] for v in (which, norms, squares, smaller))
        equal = squares == 0.0
    squares[equal] = 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        nats = squares / norms
        nats += FLOAT32_ROUNDOFF**2
        np.log(nats, out=nats)
    nats *= -0.5
    np.clip(nats, 0.0, CAP, out=nats)
    nats[norms == 0.0] = 0.0
    nats[equal] = CAP
    size = np.full(len(which), float(block.size))
    far = squares >= NEAR_BELOW**2 * smaller
    far &= ~equal
    return which, np.stack([squares, norms, size, size * equal, size * nats, size * far])


@dataclass(frozen=True)
class Detail:
    """What a closer look at a pair adds to its plain gain, symmetric.

    ``per_value``: nats per value of changed matrices, from their spectra and rows; ``vectors``:
    nats of biases and the like, too few to matter except between models that share every matrix.
    """

    per_value: float
    vectors: float


def calculate_gains(found: AllPairs, details: Mapping[tuple[int, int], Detail]) -> Array:
    """How near two members are, in nats: what the skeleton is grown on, (n, n).

    Pairs without a closer look have what is certain of them: no tail of a spectrum has more energy
    than the whole.
    """
    gains: Array = (1 + ROW_SHARE) * found.plain_gains
    for (a, b), detail in details.items():
        known = found.plain_gains[a, b] + ROW_SHARE * CAP * found.equal[a, b]
        changed = found.values[a, b] - found.equal[a, b]
        gains[a, b] = gains[b, a] = known + detail.per_value * changed + detail.vectors
    return gains


def measure_details(
    family: AlignedFamily, pairs: Sequence[tuple[int, int]], *, spectra: int = SPECTRA
) -> list[Detail]:
    """A closer look at pairs of members: the same at each, whatever others are asked for.

    ``spectra``: changed matrices of each pair that are looked at.
    """
    threads = is_worth_threads(len(family))
    # In parts for threads, of which each stacks the samples that its pairs need.
    share = -(-len(pairs) // (WORKERS if threads else 1)) or 1
    parts = [pairs[start : start + share] for start in range(0, len(pairs), share)]
    measure = partial(_measure_details, family, most=spectra)
    return [detail for found in map_ahead(measure, parts, threads=threads) for detail in found]


def _measure_details(
    family: AlignedFamily, pairs: Sequence[tuple[int, int]], *, most: int
) -> list[Detail]:
    places = np.array(pairs, np.int64).reshape(-1, 2)
    nats, values, spectra = np.zeros((3, len(places)))
    # Large families have threads at work on such parts already.
    with halving(measure_energies, threads=not is_worth_threads(len(family))) as decompose:
        for name in family.shuffled_names:
            waiting = np.unique(places[spectra < most])
            for block in list_blocks(family, waiting, name):
                known, i, j = block.find_pairs(places)
                changed = (spectra[known] < most) & ~block.are_equal(i, j)
                known, i, j = known[changed], i[changed], j[changed]
                for start in range(0, len(known), BATCH):
                    part = slice(start, start + BATCH)
                    added, usable = _measure_added(block, i[part], j[part], decompose)
                    looked = known[part][usable]
                    nats[looked] += block.size * added[usable]
                    values[looked] += block.size
                    spectra[looked] += 1
    per_value = np.divide(nats, values, out=np.zeros(len(places)), where=values > 0)
    vectors = (1 + ROW_SHARE) * measure_vectors(family, places, cap=CAP)
    return [Detail(float(p), float(v)) for p, v in zip(per_value, vectors, strict=True)]


def _measure_added(
    block: Block, i: Places, j: Places, decompose: OfStack
) -> tuple[Array, NDArray[np.bool_]]:
    """Nats per value above the plain gain, and for which pairs of places in the block."""
    x, y = block.x[i].astype(np.float64), block.y[j].astype(np.float64)
    delta = y - x
    # Sums over the last axis of arrays in C order are the same in any batch; einsum's are not.
    first, second, squares = ((v * v).sum(2) for v in (x, y, delta))
    whole = first.sum(1) + second.sum(1)
    usable = np.ones(len(x), bool)
    if not block.is_uniform:
        usable = (squares.sum(1) < 0.5 * whole) & (squares.sum(1) > 0.0)
    rows = np.minimum(count_nats(first, second, (x * y).sum(2)), CAP).mean(1)
    tails = measure_tails(delta, whole, decompose)
    return tails.mean(1) - tails[:, -1] + ROW_SHARE * rows, usable


def measure_energies(grams: Samples) -> Samples:
    """Eigenvalues of symmetric matrices, ascending."""
    energies: Samples = np.asarray(np.linalg.eigvalsh(grams), np.float64)
    return energies


def measure_tails(delta: Samples, squares: Array, decompose: OfStack = measure_energies) -> Array:
    """-1/2 ln(mean of the delta's smallest eigenvalues / variance of weights), (pairs, TAILS).

    The whole spectrum is the plain distance. Its tail is what siblings trained on similar data do
    not share: they drift together in the leading directions. A delta of low rank has an empty tail.
    Rounding noise is not added on top: where there is any, it is in the delta already, and a child
    trained on from bf16 weights has none.

    Parameters
    ----------
    squares : of both models' weights, (pairs,)
    decompose : ``measure_energies``, perhaps by two threads
    """
    if delta.shape[1] > delta.shape[2]:
        delta = delta.transpose(0, 2, 1)
    count, columns = delta.shape[1:]
    grams = delta @ delta.transpose(0, 2, 1) / columns
    energies = decompose(grams)
    running = np.cumsum(np.maximum(energies, 0.0), axis=1) / np.arange(1, count + 1)
    tails = np.take(running, [max(int(share * count), 1) - 1 for share in TAILS], axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = squares[:, None] / 2 / (count * columns)
        nats = np.clip(-0.5 * np.log(tails / variance + FLOAT32_ROUNDOFF**2), 0.0, CAP)
    known: Array = np.where(variance > 0.0, nats, 0.0)
    return known
