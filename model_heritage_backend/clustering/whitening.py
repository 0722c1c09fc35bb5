"""A family's members in coordinates in which its steps have equal energy in every direction.

Children trained on similar data drift together, in few directions, over rows and over columns.
Where all directions count the same, the drift weighs little against what each step has of its own.
The more rows and columns a sample has, the better the two come apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.clustering.alignment import AlignedFamily, Samples

SMALLEST_RATIO = 1e-13
"""Squared distances below this share of the squared norms are rounding of their own computation."""
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
    squares: Array

    @classmethod
    def measure(
        cls,
        family: AlignedFamily,
        members: Sequence[int],
        pairs: Collection[tuple[int, int]],
        *,
        wide: bool,
    ) -> WhitenedSteps:
        """Whiten by the differences of ``pairs``, each counting the same whatever its length.

        ``wide``: of the wide samples, of which there may be none, instead of the ordinary ones.
        """
        sizes, squares = [], []
        get_sample = family.get_wide if wide else _sample_getter(family)
        for name in family.matrix_names:
            places, stack = _stack({m: get_sample(m, name) for m in members})
            if len(places) < 2:
                continue
            found = _measure_matrix(stack, places, pairs)
            if found is not None:
                whole = np.full((len(family), len(family)), np.nan)
                whole[np.ix_(places, places)] = found
                sizes.append(family.tensors[places[0]][name].size)
                squares.append(whole)
        shape = (len(squares), len(family), len(family))
        return cls(np.array(sizes, np.float64), np.array(squares).reshape(shape))

    @property
    def found(self) -> bool:
        return len(self.sizes) > 0

    def calculate_tau(self, a: int, b: int, c: int) -> float | None:
        """<b - a, c - a> / |b - a|^2, in units of c's step in each matrix.

        None when no matrix changed in both steps.
        """
        to_b, to_c, between = self.squares[:, a, b], self.squares[:, a, c], self.squares[:, b, c]
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
        total, shorter, count = np.zeros((3, len(others), len(others)))
        for size, squares in zip(self.sizes, self.squares, strict=True):
            way, between = squares[a, others], squares[np.ix_(others, others)]
            first, second = way[:, None], way[None]
            moved = (first > 0) & (second > 0) & (between >= 0)
            with np.errstate(divide="ignore", invalid="ignore"):
                weights = size / np.sqrt(first * second)
                total += np.where(moved, weights * (first + second - between) / 2, 0.0)
                shorter += np.where(moved, weights * np.minimum(first, second), 0.0)
            count += moved
        with np.errstate(divide="ignore", invalid="ignore"):
            shared: Array = np.where(count >= MATRICES_AT_LEAST, total / shorter, np.nan)
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
        with np.errstate(divide="ignore"):
            nats = np.clip(-0.5 * np.log(self.squares), 0.0, cap)
        known = np.isfinite(self.squares)
        weights = (self.sizes[:, None, None] * known).sum(0)
        total = (self.sizes[:, None, None] * np.where(known, nats, 0.0)).sum(0)
        with np.errstate(invalid="ignore"):
            gains: Array = np.where(weights > 0, total / weights, np.nan)
        return gains


def _sample_getter(family: AlignedFamily) -> Callable[[int, str], Samples | None]:
    def get(member: int, name: str) -> Samples | None:
        tensor = family.tensors[member].get(name)
        usable = tensor is not None and tensor.is_matrix
        return family.get_sample(member, name) if usable else None

    return get


def _stack(found: Mapping[int, Samples | None]) -> tuple[list[int], Samples]:
    """The members that have the matrix in its most frequent shape, and their samples, (n, r, c)."""
    samples = {member: sample for member, sample in found.items() if sample is not None}
    if not samples:
        return [], np.zeros((0, 0, 0))
    shapes = Counter(sample.shape for sample in samples.values())
    shape = min(shapes, key=lambda s: (-shapes[s], s))
    places = [m for m, sample in samples.items() if sample.shape == shape]
    return places, np.stack([samples[m] for m in places])


def _measure_matrix(
    stack: Samples, places: Sequence[int], pairs: Collection[tuple[int, int]]
) -> Array | None:
    """Whitened mean squares between all members, (n, n); None if nothing changed."""
    count, rows, columns = stack.shape
    index = {place: i for i, place in enumerate(places)}
    norm = float((stack * stack).mean())
    plain = _measure_squares(stack - stack[0])
    plain[plain < SMALLEST_RATIO * norm] = 0.0
    over_rows, over_columns = np.zeros((rows, rows)), np.zeros((columns, columns))
    used = 0
    for a, b in pairs:
        i, j = index.get(a), index.get(b)
        if i is None or j is None or plain[i, j] == 0.0:
            continue
        delta = (stack[j] - stack[i]) / np.sqrt(plain[i, j])
        over_rows += delta @ delta.T
        over_columns += delta.T @ delta
        used += 1
    if used == 0 or norm == 0.0:
        return None
    steps = min(used, count - 1)
    left = _invert_root(over_rows / used / columns, steps * columns)
    right = _invert_root(over_columns / used / rows, steps * rows)
    squares = _measure_squares(left.T @ (stack - stack[0]) @ right) / norm
    squares[plain == 0.0] = 0.0
    return squares


def _measure_squares(stack: Samples) -> Array:
    """Mean squared differences, (n, n)."""
    flat = stack.reshape(len(stack), -1)
    gram = flat @ flat.T / flat.shape[1]
    own = np.diag(gram)
    squares: Array = np.maximum(own[:, None] + own[None] - 2 * gram, 0.0)
    return squares


def _invert_root(covariance: Samples, samples: int) -> Samples:
    """Inverse root, up to a rotation, (k, k), of a covariance estimated from so many samples.

    Shrunk towards equal energies by the square of dimensions / samples: few models show few steps,
    and would be whitened by their own differences.
    """
    energy, directions = np.linalg.eigh(covariance)
    doubt = (len(covariance) / samples) ** 2
    scale: Samples = directions / np.sqrt(np.maximum(energy, 0.0) + doubt * energy.mean())
    return scale
