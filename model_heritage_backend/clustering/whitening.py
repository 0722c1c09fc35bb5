"""A family's members in coordinates in which its steps have equal energy in every direction.

Children trained on similar data drift together, in few directions, over rows and over columns.
Where all directions count the same, the drift weighs little against what each step has of its own.
The more rows and columns a sample has, the better the two come apart.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.blas import dtrmm
from scipy.linalg.lapack import dtrtri

from model_heritage_backend.clustering.alignment import AlignedFamily, Samples
from model_heritage_backend.clustering.memory import Memory
from model_heritage_backend.clustering.sample_stacks import (
    Places,
    SampleStack,
    measure_norms,
    measure_squares,
    stack_samples,
)
from model_heritage_backend.clustering.step_sums import StepSums
from model_heritage_backend.clustering.threads import is_worth_threads, map_ahead
from model_heritage_backend.fingerprints.structure import is_matrix

MATRICES_AT_LEAST = 4
"""Fewer that changed in two steps say nothing about whole models."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class WhitenedSteps:
    """Whitened squared distances between members, matrix by matrix.

    Attributes
    ----------
    sizes : number of values each matrix stands for, (k,)
    squares : mean squares of whitened differences, in units of the mean square of the weights,
        (k, n, n); NaN where one of the two members does not have the matrix
    """

    sizes: Array
    squares: NDArray[np.float32]

    @classmethod
    def measure(
        cls,
        family: AlignedFamily,
        members: Sequence[int],
        pairs: Collection[tuple[int, int]],
        *,
        wide: bool,
        most: int | None = None,
        sums: Memory[StepSums] | None = None,
    ) -> WhitenedSteps:
        """Whiten by the differences of ``pairs``, each counting the same whatever its length.

        ``wide``: of the wide samples, of which there may be none, instead of the ordinary ones.
        ``most``: so many of the matrices that changed stand for all.
        ``sums``: of families before, to go on from; read and added to.
        """
        remembered = Memory() if sums is None else sums
        sizes: list[int] = []
        squares: list[NDArray[np.float32]] = []
        ends = np.array(list(pairs), np.int64).reshape(-1, 2)

        def whiten(name: str) -> _Whitened | None:
            stacks = [
                stack
                for stack in stack_samples(family, members, name, wide=wide)
                if is_matrix(stack.shape)
            ]
            # An extended vocabulary is compared among the members that have the most frequent one.
            if not stacks or len(stacks[0]) < 2:
                return None
            # Most members that are added leave the first one where it is.
            key = name, wide, stacks[0].contents[0]
            return _measure_stack(key, stacks[0], ends, remembered.find(key))

        names = family.wide_names if wide else family.shuffled_names
        for found in map_ahead(whiten, names, threads=is_worth_threads(len(members))):
            if len(sizes) == most:
                break
            if found is not None:
                remembered.keep(found.key, found.sums, size=found.sums.size)
                whole = np.full((len(family), len(family)), np.nan, np.float32)
                whole[np.ix_(found.places, found.places)] = found.squares
                sizes.append(found.size)
                squares.append(whole)
        shape = (len(squares), len(family), len(family))
        return cls(np.array(sizes, np.float64), np.array(squares, np.float32).reshape(shape))

    @property
    def found(self) -> bool:
        return len(self.sizes) > 0

    def calculate_tau(self, a: int, b: int, c: int) -> float | None:
        """<b - a, c - a> / |b - a|^2, in units of c's step in each matrix.

        None when no matrix changed in both steps.
        """
        to_b, to_c, between = self.squares[:, (a, a, b), (b, c, c)].astype(np.float64).T
        moved = (to_b > 0) & (to_c > 0) & (between >= 0)
        if not moved.any():
            return None
        weights = self.sizes[moved] / to_c[moved]
        products = (to_b + to_c - between)[moved] / 2
        return float((weights * products).sum() / (weights * to_b[moved]).sum())

    def measure_shared(self, a: int, others: Sequence[int]) -> Array:
        """<b - a, c - a> / min(|b - a|^2, |c - a|^2) for all b and c of ``others``, (k, k).

        0 for independent steps, 1 where one lies on the way to the other. Matrices count alike,
        whatever the length of their steps. NaN where too few of them changed in both steps.
        """
        places = np.array(others)
        way, between = self.squares[:, a, places], self.squares[:, places[:, None], places]
        first, second = way[:, :, None], way[:, None]
        moved = (first > 0) & (second > 0) & (between >= 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            weights = self.sizes[:, None, None] / np.sqrt(first * second)
            total = np.where(moved, weights * (first + second - between) / 2, 0.0).sum(0)
            shorter = np.where(moved, weights * np.minimum(first, second), 0.0).sum(0)
            enough = moved.sum(0) >= MATRICES_AT_LEAST
            shared: Array = np.where(enough, total / shorter, np.nan)
        return shared

    def measure_products(self, a: int, others: Sequence[int]) -> Array:
        """<b - a, c - a> for all b and c of ``others``, (k, k), each in the same units.

        The mean over matrices, each in units of its mean squared step; NaN where none changed.
        """
        total, weights = np.zeros((2, len(others), len(others)))
        for size, squares in zip(self.sizes, self.squares, strict=True):
            way, between = squares[a, others], squares[np.ix_(others, others)]
            steps = way[way > 0]
            if len(steps) < 2:
                continue
            moved = (way[:, None] > 0) & (way[None] > 0) & (between >= 0)
            products = (way[:, None] + way[None] - between) / 2 / steps.mean()
            total += np.where(moved, size * products, 0.0)
            weights += size * moved
        with np.errstate(invalid="ignore"):
            found: Array = np.where(weights > 0, total / weights, np.nan)
        return found

    def measure_way(self, a: int, b: int, others: Sequence[int]) -> float:
        """Share of |b - a|^2 that b's step has in common with those to ``others``, in [0, 1]."""
        total = whole = 0.0
        for size, squares in zip(self.sizes, self.squares, strict=True):
            to_b, ways, between = squares[a, b], squares[a, others], squares[b, others]
            moved = (to_b > 0) & (ways > 0) & (between >= 0)
            ways, between = ways[moved], between[moved]
            weights = size / np.sqrt(to_b * ways)
            total += float((weights * (to_b + ways - between)).sum()) / 2
            whole += float((weights * to_b).sum())
        return min(max(total / whole, 0.0), 1.0) if whole > 0 else 0.0

    def calculate_gains(self, cap: float) -> Array:
        """Nats per value that each pair saves, at most ``cap``: -1/2 ln of the square, (n, n).

        The mean over the matrices that both have; NaN where there is none.
        """
        total, weights = np.zeros((2, *self.squares.shape[1:]))
        for size, squares in zip(self.sizes, self.squares, strict=True):
            with np.errstate(divide="ignore"):
                nats = np.clip(-0.5 * np.log(squares.astype(np.float64)), 0.0, cap)
            known = np.isfinite(nats)
            total[known] += size * nats[known]
            weights[known] += size
        gains: Array = np.divide(
            total, weights, out=np.full(total.shape, np.nan), where=weights > 0
        )
        return gains


@dataclass(frozen=True)
class _Whitened:
    """Of one matrix the mean squares between all members that have it, (n, n), and by which sums
    it was whitened.
    """

    places: Places
    size: int
    squares: Array
    key: Hashable
    sums: StepSums


def _measure_stack(
    key: Hashable, stack: SampleStack, pairs: Places, before: StepSums | None
) -> _Whitened | None:
    """None if nothing changed."""
    count, rows, columns = stack.values.shape
    norm = float(measure_norms(stack.values).sum()) / stack.values.size
    ends = np.stack([stack.find(pairs[:, 0]), stack.find(pairs[:, 1])], 1)
    sums = StepSums.measure(stack, ends[(ends >= 0).all(1)], norm, before)
    if sums.count == 0 or norm == 0.0:
        return None
    steps = min(sums.count, count - 1)
    covariances = sums.get_covariances()
    left = _invert_root(covariances[0], steps * columns)
    right = _invert_root(covariances[1], steps * rows)
    distinct = stack.values[stack.distinct].astype(np.float64)
    distinct -= stack.values[0]
    # In place: a matrix in C order is its transpose to BLAS.
    dtrmm(1.0, right, distinct.reshape(-1, columns).T, lower=1, overwrite_b=1)
    distinct = np.matmul(left, distinct)
    whitened: Array = measure_squares(distinct, distinct) / (rows * columns * norm)
    among: Array = whitened[np.ix_(stack.labels, stack.labels)]
    return _Whitened(stack.places, stack.size, among, key, sums)


def _invert_root(covariance: Samples, samples: int) -> Samples:
    """Lower triangular inverse root, (k, k), of a covariance estimated from so many samples.

    Shrunk towards equal energies by the square of dimensions / samples: few models show few steps,
    and would be whitened by their own differences.
    """
    size = len(covariance)
    doubt = (size / samples) ** 2 * float(np.trace(covariance)) / size
    try:
        root = np.linalg.cholesky(covariance + doubt * np.eye(size))
    except np.linalg.LinAlgError:
        # Empty directions may have come out below zero, by the rounding of single precision.
        energy, directions = np.linalg.eigh(covariance)
        scaled = np.sqrt(np.maximum(energy, 0.0) + doubt)[:, None] * directions.T
        root = np.linalg.qr(scaled)[1].T
    inverse: Samples = dtrtri(root, lower=1)[0]
    return inverse
