"""How far models are from each other, by the specification's metrics, from fingerprints.

A metric is one function over the matrices that two models share (attention, dense, linear,
convolution and embedding weights) and one row in ``METRICS``. Values come from samples, so sums
over values are scaled up to whole matrices; a rank is that of the sampled part of the delta.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.clustering.alignment import AlignedFamily, SharedMatrix
from model_heritage_backend.clustering.relations import is_head
from model_heritage_backend.clustering.spectra import calculate_delta_rank
from model_heritage_backend.fingerprints import Fingerprint

Shared = Sequence[SharedMatrix]
Matrix = NDArray[np.float64]


class DistanceMetric(StrEnum):
    """``AUTO`` is resolved to a concrete member by ``resolve_metric`` before anything is measured.

    L2_DISTANCE : mean over matrices of the norm of the difference; for full fine-tunes
    MATRIX_RANK : sum over matrices of the numerical rank of the difference; for adapters
    COSINE_SIMILARITY : 1 - cosine of all values, in [0, 2]
    """

    L2_DISTANCE = "l2_distance"
    MATRIX_RANK = "matrix_rank"
    COSINE_SIMILARITY = "cosine_similarity"
    AUTO = "auto"


@dataclass(frozen=True)
class Measure:
    """``strangers`` is what two independent models of these shapes and norms would be apart."""

    distance: float
    strangers: float

    @property
    def relative(self) -> float:
        """0 for copies, about 1 for strangers, whatever the metric."""
        return self.distance / self.strangers if self.strangers > 0 else 0.0


@dataclass(frozen=True)
class Distances:
    """All pairs of some models, by one metric.

    ``matrix`` (n, n) is symmetric with a zero diagonal; infinity where two models share no matrix.
    """

    metric: DistanceMetric
    matrix: Matrix


class ModelDistanceCalculator:
    """Distances between models by one metric.

    Parameters
    ----------
    metric : AUTO takes the rank where all differences are of low rank, else L2

    Examples
    --------
    >>> prints = {record.name: store.load_fingerprint(record.id) for record in store.list_models()}
    >>> calculator = ModelDistanceCalculator(DistanceMetric.MATRIX_RANK)
    >>> calculator.calculate_distance(prints["base"], prints["tuned"])
    12.0
    """

    def __init__(self, metric: DistanceMetric = DistanceMetric.AUTO) -> None:
        self.metric = DistanceMetric(metric)

    def calculate_distance(self, first: Fingerprint, second: Fingerprint) -> float:
        """Distance of two models, >= 0; infinity when they share no matrix."""
        return float(self.compare([first, second]).matrix[0, 1])

    def calculate_distances(self, fingerprints: Sequence[Fingerprint]) -> Matrix:
        """(n, n) distances in the metric's own unit; see ``Distances``."""
        return self.compare(fingerprints).matrix

    def compare(self, fingerprints: Sequence[Fingerprint]) -> Distances:
        """Distances together with the concrete metric that they are in."""
        metric = resolve_metric(self.metric, fingerprints)
        measure = METRICS[metric]
        return Distances(metric, _compare_pairs(fingerprints, lambda s, u: measure(s, u).distance))

    def calculate_relative_distances(
        self, fingerprints: Sequence[Fingerprint], others: Sequence[Fingerprint] | None = None
    ) -> Matrix:
        """Distances as shares of what strangers are apart: 0 for copies, about 1 for strangers.

        So one threshold serves every metric and size. AUTO is resolved for each pair alone: whether
        two models are near does not depend on who else is there.

        Parameters
        ----------
        fingerprints, others : rows and columns; all pairs of ``fingerprints`` without ``others``
        """
        return _compare_pairs(
            fingerprints,
            lambda s, u: METRICS[_resolve_pair(self.metric, s, u)](s, u).relative,
            others,
        )


def measure_l2(shared: Shared, roundoff: float) -> Measure:  # noqa: ARG001 - one form for all
    """Mean over matrices of the norm of the difference."""
    distances, strangers = [], []
    for matrix in shared:
        scale = matrix.size / matrix.first.size
        squares = float((matrix.first**2).sum() + (matrix.second**2).sum())
        delta = matrix.second - matrix.first
        distances.append(math.sqrt(scale * float((delta * delta).sum())))
        strangers.append(math.sqrt(scale * squares))
    return Measure(float(np.mean(distances)), float(np.mean(strangers)))


def measure_rank(shared: Shared, roundoff: float) -> Measure:
    """Sum over matrices of the rank of the difference; a rank that is not low counts as full."""
    total = full = 0
    for matrix in shared:
        side = min(matrix.first.shape)
        rank = _calculate_rank(matrix, roundoff)
        total += side if rank is None else rank
        full += side
    return Measure(float(total), float(full))


def measure_cosine(shared: Shared, roundoff: float) -> Measure:  # noqa: ARG001 - one form for all
    """1 - cosine of the angle between all values of the one model and all of the other.

    Formed from the difference of unit vectors: near models would leave 1 - cosine no digits.
    """
    first = second = 0.0
    for matrix in shared:
        scale = matrix.size / matrix.first.size
        first += scale * float((matrix.first**2).sum())
        second += scale * float((matrix.second**2).sum())
    if first <= 0.0 or second <= 0.0:
        return Measure(0.0 if first == second else 1.0, 1.0)
    total = 0.0
    for matrix in shared:
        delta = matrix.second / math.sqrt(second) - matrix.first / math.sqrt(first)
        total += matrix.size / matrix.first.size * float((delta * delta).sum())
    return Measure(min(total / 2, 2.0), 1.0)


METRICS: dict[DistanceMetric, Callable[[Shared, float], Measure]] = {
    DistanceMetric.L2_DISTANCE: measure_l2,
    DistanceMetric.MATRIX_RANK: measure_rank,
    DistanceMetric.COSINE_SIMILARITY: measure_cosine,
}
"""Metric -> (shared matrices, unit roundoff of the less precise model) -> measure."""


def resolve_metric(metric: DistanceMetric, fingerprints: Sequence[Fingerprint]) -> DistanceMetric:
    """The concrete metric for a set of models.

    AUTO: MATRIX_RANK when every model differs from its nearest one by matrices of low rank (heads
    apart), and some model differs at all; else L2_DISTANCE.
    """
    if metric is not DistanceMetric.AUTO:
        return metric
    near = _compare_pairs(fingerprints, lambda s, u: measure_l2(s, u).relative)
    np.fill_diagonal(near, math.inf)
    differ = False
    for place, row in enumerate(near):
        if not np.isfinite(row).any():
            continue
        pair = [fingerprints[place], fingerprints[int(row.argmin())]]
        family = AlignedFamily.build({"0": pair[0], "1": pair[1]})
        shared = family.shared_matrices(0, 1)
        if all(matrix.equal for matrix in shared):
            continue
        resolved = _resolve_pair(metric, shared, float(family.roundoff.max()))
        if resolved is not DistanceMetric.MATRIX_RANK:
            return DistanceMetric.L2_DISTANCE
        differ = True
    return DistanceMetric.MATRIX_RANK if differ else DistanceMetric.L2_DISTANCE


def _resolve_pair(metric: DistanceMetric, shared: Shared, roundoff: float) -> DistanceMetric:
    """As ``resolve_metric``, for the matrices of one pair."""
    if metric is not DistanceMetric.AUTO:
        return metric
    body = [matrix for matrix in shared if not is_head(matrix.name) and not matrix.equal]
    low = all(_calculate_rank(matrix, roundoff) is not None for matrix in body)
    return DistanceMetric.MATRIX_RANK if body and low else DistanceMetric.L2_DISTANCE


def calculate_relative_change(shared: Shared) -> float:
    """|difference| / root mean square of the two models' norms, over all shared matrices; >= 0."""
    delta = norm = 0.0
    for matrix in shared:
        scale = matrix.size / matrix.first.size
        delta += scale * float(((matrix.second - matrix.first) ** 2).sum())
        norm += scale * float((matrix.first**2).sum() + (matrix.second**2).sum()) / 2
    return math.sqrt(delta / norm) if norm > 0 else 0.0


def _calculate_rank(matrix: SharedMatrix, roundoff: float) -> int | None:
    """Rank of the sampled difference; None where it is not low. Rounding errors add no rank."""
    if matrix.equal:
        return 0
    squares = (matrix.first**2).mean() + (matrix.second**2).mean()
    noise = roundoff * math.sqrt(float(squares) / 2)
    return calculate_delta_rank(matrix.second - matrix.first, noise=noise)


def _compare_pairs(
    first: Sequence[Fingerprint],
    measure: Callable[[Shared, float], float],
    second: Sequence[Fingerprint] | None = None,
) -> Matrix:
    """``measure`` of all pairs of ``first`` (symmetric), or of ``first`` x ``second``.

    Tensors are matched between two structures at a time, so that models of one architecture are
    compared alike whatever else is in the lake.
    """
    everyone = [*first] if second is None else [*first, *second]
    columns = range(len(first)) if second is None else range(len(first), len(everyone))
    found = np.full((len(first), len(columns)), math.inf)
    if second is None:
        np.fill_diagonal(found, 0.0)
    rows_of, columns_of = _group(everyone, range(len(first))), _group(everyone, columns)
    for row_structure, rows in rows_of.items():
        for column_structure, group in columns_of.items():
            if second is None and column_structure < row_structure:
                continue
            members = sorted({*rows, *group})
            family = AlignedFamily.build({str(m): everyone[m] for m in members})
            place = {int(name): i for i, name in enumerate(family.ids)}
            for i in rows:
                for j in group:
                    if second is None and row_structure == column_structure and j <= i:
                        continue
                    # In the family's own order, so that a pair gives the same bits either way.
                    a, b = sorted((place[i], place[j]))
                    shared = family.shared_matrices(a, b)
                    if not shared:
                        continue
                    value = measure(shared, float(family.roundoff[[a, b]].max()))
                    found[i, j - columns[0]] = value
                    if second is None:
                        found[j, i] = value
    return found


def _group(fingerprints: Sequence[Fingerprint], places: Sequence[int]) -> dict[str, list[int]]:
    """Places by structure."""
    groups: dict[str, list[int]] = defaultdict(list)
    for place in places:
        groups[fingerprints[place].structural_hash].append(place)
    return dict(sorted(groups.items()))
