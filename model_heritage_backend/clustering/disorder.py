"""Do two relatives agree as they stand, or are their units permuted or scaled against each other?

Distances and directions between models in different orders mean little: an edge between them is
shown with doubt, and so are edges to models that may as well descend from one in another order.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.clustering.alignment import AlignedFamily
from model_heritage_backend.clustering.pair_statistics import NEAR_BELOW

CORRELATED_ABOVE = 4.0
"""Standard deviations; matrices below have nothing in common as they stand."""
APART_BELOW = 0.45
"""Correlation of a matrix that also has little in common, where most of the others have nearly all:
some of its heads changed places."""
ALIKE_ELSEWHERE = 0.8
APART_ABOVE = 0.1
"""Share of the values in such matrices from which two relatives are out of order."""
SCALED_ABOVE = 0.2
"""Log factor by which rows or columns of like direction differ in length, as training does not."""
BOTH_WAYS = 0.1
"""Least share of these that must be longer, and of those shorter."""
PAIRS_TRIED = 3
"""Nearest pairs of two groups that are asked whether they agree."""
VECTORS_ALIKE = 0.95
ALIKE_ABOVE = 0.8
"""Cosine of rows of like direction."""


def find_frames(
    members: Sequence[int],
    parents: Mapping[int, int],
    gains: NDArray[np.float64],
    judge: Callable[[int, int], bool],
) -> dict[int, int]:
    """Members that agree as they stand, directly or through others: place -> number of its group.

    Edges of the tree are looked at first, then the nearest pairs of groups that are still apart.

    ``judge``: ``are_out_of_order`` of two members.
    """
    frame = {member: member for member in members}

    def join(a: int, b: int) -> None:
        if frame[a] != frame[b] and not judge(a, b):
            old, new = frame[b], frame[a]
            frame.update({m: new for m, f in frame.items() if f == old})

    for child, parent in sorted(parents.items()):
        join(parent, child)
    for x, y in combinations(sorted(set(frame.values())), 2):
        sides = [[m for m in members if frame[m] == label] for label in (x, y)]
        pairs = sorted(product(*sides), key=lambda pair: -gains[pair])
        for a, b in pairs[:PAIRS_TRIED]:
            join(a, b)
    return frame


def are_out_of_order(family: AlignedFamily, a: int, b: int) -> bool:
    """Whether two members disagree in a way that no training explains."""
    shared = family.shared_matrices(a, b)
    compared = [None if s.equal else _Comparison.measure(s.first, s.second) for s in shared]
    found = [1.0 if c is None or c.is_near else c.correlation for c in compared]
    usual = float(np.median(found)) if found else 0.0
    total = apart = scaled = 0
    factors = []
    for matrix, correlation, compared_here in zip(shared, found, compared, strict=True):
        total += matrix.size
        if compared_here is None or compared_here.is_near:
            continue
        if correlation * np.sqrt(matrix.first.size) < CORRELATED_ABOVE or (
            correlation < APART_BELOW and usual > ALIKE_ELSEWHERE
        ):
            apart += matrix.size
            continue
        sides = compared_here.measure_factors()
        if max(float(np.median(np.abs(side))) for side in sides) > SCALED_ABOVE:
            scaled += matrix.size
            factors += sides
    if factors:
        # What one side gains another loses, a normalisation perhaps; decay only shrinks.
        vectors = [v for v in family.shared_vectors(a, b) if "running" not in v.name]
        factors += [measure_length(v.first.ravel(), v.second.ravel()) for v in vectors]
        grown = float(np.mean(np.concatenate(factors) > 0.0))
        if min(grown, 1.0 - grown) < BOTH_WAYS:
            scaled = 0
    left = _measure_unmatched(family, a, b)
    return left > total or apart + scaled + left > APART_ABOVE * (total + left)


def _measure_unmatched(family: AlignedFamily, a: int, b: int) -> int:
    """Values in matrices of both that go by other names and found no counterpart of their shape."""
    first, second = (
        Counter(
            tensor.shape
            for name, tensor in family.tensors[m].items()
            if tensor.is_matrix and name not in family.tensors[other]
        )
        for m, other in ((a, b), (b, a))
    )
    return sum(math.prod(shape) * count for shape, count in (first & second).items())


@dataclass(frozen=True)
class _Comparison:
    """Of one matrix in two models the sums that tell how they differ.

    ``sides``: summed squares of the first, of the second and summed products, of each row and of
    each column.
    """

    is_near: bool
    correlation: float
    sides: tuple[NDArray[np.float64], NDArray[np.float64]]

    @classmethod
    def measure(cls, x: NDArray[np.float64], y: NDArray[np.float64]) -> _Comparison:
        """``is_near``: the step is so small that nothing can have changed places or scales."""
        products = np.stack([x * x, y * y, x * y])
        rows = products.sum(2)
        first, second, product = rows.sum(1).tolist()
        means = float(x.sum()), float(y.sum())
        own, other, both = (
            total - left * right / x.size
            for total, left, right in (
                (first, means[0], means[0]),
                (second, means[1], means[1]),
                (product, *means),
            )
        )
        spread = own * other
        return cls(
            first + second - 2 * product < NEAR_BELOW**2 * first,
            both / float(np.sqrt(spread)) if own > 0.0 and other > 0.0 else 0.0,
            (rows, products.sum(1)),
        )

    def measure_factors(self) -> list[NDArray[np.float64]]:
        """Log factors between the rows, and the columns, of like direction; a single 0 where most
        are not alike."""
        found = []
        for first, second, both in self.sides:
            alike = both > ALIKE_ABOVE * np.sqrt(first * second)
            known = alike.mean() >= 0.5
            found.append(np.log(first[alike] / second[alike]) / 2 if known else np.zeros(1))
        return found


def measure_length(x: NDArray[np.floating], y: NDArray[np.floating]) -> NDArray[np.float64]:
    """Log factor between two vectors of like direction, once for each value; empty for others."""
    first, second, product = float(x @ x), float(y @ y), float(x @ y)
    if product <= VECTORS_ALIKE * np.sqrt(first * second):
        return np.zeros(0)
    factor = np.log(first / second) / 2
    return np.full(x.size if abs(factor) > SCALED_ABOVE else 0, factor)
