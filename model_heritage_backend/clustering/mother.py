"""The specification's three ways to a tree: distance and kurtosis, or one of them alone.

MOTHER is the method of Horwitz, Shul and Hoshen (arXiv 2405.18432). It is given what a whole file
would give it: kurtosis comes from exact moments of all values; distances come from samples, scaled
up to whole matrices. Its edges are then described like those of any tree: copies and relations are
recognised from samples.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from model_heritage_backend.clustering.alignment import AlignedFamily
from model_heritage_backend.clustering.arborescence import find_minimum_arborescence
from model_heritage_backend.clustering.constraints import FREE, Constraints
from model_heritage_backend.clustering.copies import find_copy
from model_heritage_backend.clustering.distance_calculator import (
    Distances,
    ModelDistanceCalculator,
    calculate_relative_change,
)
from model_heritage_backend.clustering.edge_measures import measure_edge
from model_heritage_backend.clustering.genealogy import Edge, Evidence, FamilyTree, Relation
from model_heritage_backend.clustering.mother_utils import is_square, weigh_direction
from model_heritage_backend.clustering.relations import Change, classify_change
from model_heritage_backend.clustering.sample_weights import open_samples
from model_heritage_backend.fingerprints import Fingerprint, TensorFingerprint

Matrix = NDArray[np.float64]
Parents = NDArray[np.int64]
ChooseParents = Callable[[Matrix, Matrix], Parents]
"""(finite distances (n, n), kurtoses (n,)) -> the parent of each model, -1 for a root."""


def choose_by_distance_and_kurtosis(
    distances: Matrix, kurtoses: Matrix, *, lambda_param: float
) -> Parents:
    """Minimum arborescence of distance + lambda x mean distance x [kurtosis order violated]."""
    return find_minimum_arborescence(
        weigh_direction(distances, kurtoses, lambda_param=lambda_param)
    )


def choose_by_distance(distances: Matrix, kurtoses: Matrix) -> Parents:  # noqa: ARG001 - one form
    """Minimum spanning tree. Distances are symmetric, so any root does: the most central model."""
    finite = np.isfinite(distances)
    farthest = len(distances) * float(distances[finite].max())
    reach = np.where(finite, distances, farthest).sum(1)
    return find_minimum_arborescence(distances, root=int(reach.argmin()))


def choose_by_kurtosis(distances: Matrix, kurtoses: Matrix) -> Parents:
    """Kurtosis falls from parent to child without exception; of all above, the nearest is it.

    A model that shares no matrix with any of larger kurtosis is a root of its own.
    """
    order = np.argsort(-kurtoses, kind="stable")
    parents = np.full(len(order), -1, np.int64)
    for place, child in enumerate(order[1:], start=1):
        above = np.sort(order[:place])
        nearest = above[int(distances[above, child].argmin())]
        if np.isfinite(distances[nearest, child]):
            parents[child] = nearest
    return parents


def solve_with(
    choose: ChooseParents,
    fingerprints: Mapping[str, Fingerprint],
    *,
    method: str,
    calculator: ModelDistanceCalculator,
    kurtosis_grows: bool = False,
    constraints: Constraints = FREE,
) -> FamilyTree:
    """The family tree by one of the functions above.

    Confidence of an edge is the specification's, clip(1 - distance / largest distance, 0, 1); where
    all models are equal it is 1. ``root_confidence`` is the mean of the root's edges. Models that
    share no matrix, even by way of others, get trees of their own, and there is no one root.

    Parameters
    ----------
    kurtosis_grows : whether children have the larger kurtosis (the paper's generalisation stage)
        rather than the smaller (its specialisation stage, i.e. fine-tuning)
    constraints : what people know; as few edges as it needs are changed for it

    Raises
    ------
    Conflict
        When no tree meets all constraints.
    """
    family = AlignedFamily.build(fingerprints)
    distances = calculator.compare(family.fingerprints)
    kurtoses = calculate_kurtoses(family) * (-1 if kurtosis_grows else 1)
    parents = np.full(len(family), -1, np.int64)
    count, part_of = connected_components(np.isfinite(distances.matrix), directed=False)
    for part in range(count):
        members = np.flatnonzero(part_of == part)
        near = distances.matrix[np.ix_(members, members)]
        chosen = choose(near, kurtoses[members])
        if constraints != FREE:
            chosen = constraints.enforce_on([family.ids[m] for m in members], chosen, near)
        has_parent = chosen >= 0
        parents[members[has_parent]] = members[chosen[has_parent]]
    edges = [
        _describe(family, distances, parents, child, method)
        for child in range(len(family))
        if parents[child] >= 0
    ]
    roots = [family.ids[member] for member in np.flatnonzero(parents < 0)]
    root = roots[0] if len(roots) == 1 else None
    first = [edge.confidence for edge in edges if edge.parent == root]
    alone = 1.0 if len(family) == 1 else 0.0
    return FamilyTree(
        members=tuple(sorted(family.ids)),
        edges=tuple(sorted(edges, key=lambda edge: (edge.child, edge.parent))),
        root=root,
        root_confidence=float(np.mean(first)) if first else alone,
        method=method,
    )


DIGITS = 9
"""Of a kurtosis, behind the point."""


def calculate_kurtoses(family: AlignedFamily) -> Matrix:
    """Mean excess kurtosis of each member's square matrices, (n,).

    A mean where the paper has a sum: the order is the same, and members that differ in depth can be
    compared. All matrices count where no member has a square one. Moments are exact; a sampled
    fingerprint has none, and its sample's kurtosis takes their place. Rounded, as models that share
    all these matrices must not be told apart by the version of the program that read them.
    """
    matrices = [[t for t in tensors.values() if t.is_matrix] for tensors in family.tensors]
    square = [[t for t in member if is_square(t.shape)] for member in matrices]
    counted = square if all(square) else matrices
    means = np.array([np.mean([_kurtosis(t) for t in m]) if m else 0.0 for m in counted])
    rounded: Matrix = means.round(DIGITS)
    return rounded


def _kurtosis(tensor: TensorFingerprint) -> float:
    if tensor.moments is not None:
        return tensor.moments.kurtosis if math.isfinite(tensor.moments.kurtosis) else 0.0
    values = tensor.sample[np.isfinite(tensor.sample)].astype(np.float64)
    squares = (values - values.mean()) ** 2 if values.size else np.zeros(1)
    variance = squares.mean()
    return float((squares**2).mean() / variance**2 - 3.0) if variance > 0 else 0.0


def _describe(
    family: AlignedFamily, distances: Distances, parents: Parents, child: int, method: str
) -> Edge:
    """One edge with its doubt and its relation, as far as samples tell."""
    parent = int(parents[child])
    largest = float(distances.matrix[np.isfinite(distances.matrix)].max())

    def trust(member: int) -> float:
        """clip(1 - distance / largest distance, 0, 1)"""
        distance = float(distances.matrix[member, child])
        if largest == 0.0:
            return 1.0
        return max(1.0 - distance / largest, 0.0)

    below = _find_subtree(parents, child)
    others = [m for m in range(len(family)) if m != parent and m not in below]
    runner_up = min(others, key=lambda m: (distances.matrix[m, child], m), default=None)
    margin = trust(parent) - (0.0 if runner_up is None else trust(runner_up))
    evidence = measure_edge(
        open_samples(family, parent),
        open_samples(family, child),
        roundoff=max(family.roundoff[parent], family.roundoff[child]),
    )
    copy = find_copy(family, parent, child)
    change = classify_change(family, parent, child, evidence)
    if copy is not None:
        change = Change(copy.relation, flags=change.flags)
    return Edge(
        parent=family.ids[parent],
        child=family.ids[child],
        relation=change.relation,
        confidence=trust(parent),
        distance=calculate_relative_change(family.shared_matrices(parent, child)),
        evidence=Evidence(
            delta_rank=change.delta_rank,
            changed_tensors=sum(m.changed > 0 for m in evidence.matrices)
            + evidence.vectors_changed,
            shared_tensors=len(evidence.matrices) + evidence.vectors,
            changed=change.changed,
            flags=change.flags,
            bits=None if copy is None else copy.bits,
            zero_fraction=family.fingerprints[child].zero_fraction
            if change.relation is Relation.PRUNED
            else None,
            relative_change=evidence.relative_change,
            runner_up=None if runner_up is None else family.ids[runner_up],
            margin=max(margin, 0.0),
            exact=False,
            method=method,
        ),
    )


def _find_subtree(parents: Parents, top: int) -> set[int]:
    """A model and everything below it."""
    below = {top}
    while True:
        more = {m for m, parent in enumerate(parents.tolist()) if parent in below} - below
        if not more:
            return below
        below |= more
