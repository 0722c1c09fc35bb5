"""Linear merges of two family members, from distances alone.

If m = w i + (1 - w) j, then i, m and j lie on a line: the three squared distances give w and what
is left over. Nothing but a merge lies on such a line to within rounding.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.clustering.alignment import AlignedFamily, Samples

COEFFICIENT = (0.02, 0.98)
RELATIVE_RESIDUAL = 1e-3
NEARER_TRIED = 32
"""Members nearest to a merge, among which is the nearer of its parents."""
FITS_TRIED = 8
"""Pairs of parents that are compared value by value."""


@dataclass(frozen=True)
class Merge:
    """``child`` = coefficient x first + (1 - coefficient) x second, up to rounding.

    ``residual``: squared distance to the line, relative to that of the nearer parent.
    """

    child: int
    first: int
    second: int
    coefficient: float
    residual: float

    @property
    def parents(self) -> tuple[int, int]:
        return self.first, self.second

    @property
    def main(self) -> int:
        return self.first if self.coefficient >= 0.5 else self.second

    @property
    def other(self) -> int:
        return self.second if self.coefficient >= 0.5 else self.first


def find_merges(
    family: AlignedFamily,
    squared_distances: NDArray[np.float64],
    squared_norms: NDArray[np.float64],
    candidates: list[int],
    *,
    copies: Collection[int] = (),
) -> dict[int, Merge]:
    """Merges among the candidate members, by child.

    Parameters
    ----------
    family : the members
    squared_distances : (n, n) over shared matrices
    squared_norms : (n,) of each member's matrices
    candidates : members that may take part (one of each group of duplicates)
    copies : members whose parent is proven already; they may still be parents
    """
    fits: dict[int, list[Merge]] = {}
    errors: dict[Merge, float] = {}
    shapes = {member: hash(frozenset(_shapes(family, member).items())) for member in candidates}
    for child in candidates:
        if child in copies:
            continue
        peers = [
            m
            for m in candidates
            if m != child and squared_distances[child, m] > 0 and shapes[m] == shapes[child]
        ]
        if len(peers) < 2:
            continue
        likely = _fit(child, np.array(peers), squared_distances, squared_norms, family.roundoff)
        errors |= {fit: _measure_error(family, fit) for fit in likely}
        exact = [fit for fit in likely if errors[fit] <= _allow_error(family, fit)]
        if exact:
            # Members with equal matrices fit equally well, but for the last digits of coefficients:
            # biases and the like decide between them.
            fits[child] = sorted(
                exact, key=lambda f: (np.float32(errors[f]), _measure_vectors(family, f))
            )
    return _part_mutual(fits, errors, squared_norms)


def _part_mutual(
    fits: Mapping[int, Sequence[Merge]],
    errors: Mapping[Merge, float],
    squared_norms: NDArray[np.float64],
) -> dict[int, Merge]:
    """The best fit of each, but no two merges that are each other's parents.

    A merge of a merge lies on one line with all of their parents. The later one holds the rounding
    errors of the earlier one besides its own, and lies further from what they have in common.
    """
    found = {child: choices[0] for child, choices in fits.items()}
    for a, b in itertools.combinations(sorted(found), 2):
        if b not in found[a].parents or a not in found[b].parents:
            continue
        without = {
            child: next((fit for fit in fits[child] if other not in fit.parents), None)
            for child, other in ((a, b), (b, a))
        }
        known = {child: fit for child, fit in without.items() if fit is not None}
        if known:
            earlier = min(known, key=lambda m: (errors[known[m]] / squared_norms[m], m))
            found[earlier] = known[earlier]
    return found


def drop_cyclic_merges(merges: Mapping[int, Merge], parents: Mapping[int, int]) -> dict[int, Merge]:
    """Merges whose main parent is one of the two, and whose other does not descend from them.

    Where the tree came out pointing the other way, the tree holds: a genealogy has no cycle.
    """
    above = {child: {parent} for child, parent in parents.items()}
    kept = {}
    for child, merge in sorted(merges.items()):
        parent = parents.get(child)
        if parent not in (merge.first, merge.second):
            continue
        other = merge.second if parent == merge.first else merge.first
        if child not in _list_ancestors(above, other):
            above[child].add(other)
            kept[child] = merge
    return kept


def _list_ancestors(above: Mapping[int, set[int]], member: int) -> set[int]:
    """The member and everything that it descends from, by any edge."""
    found, waiting = {member}, [member]
    while waiting:
        new = above.get(waiting.pop(), set()) - found
        found |= new
        waiting += new
    return found


def _fit(
    child: int,
    peers: NDArray[np.int64],
    squared_distances: NDArray[np.float64],
    squared_norms: NDArray[np.float64],
    roundoff: NDArray[np.float64],
) -> list[Merge]:
    """The pairs of peers that the child lies between most exactly, FITS_TRIED at most."""
    to_child = squared_distances[child, peers]
    near = np.argsort(to_child, kind="stable")[:NEARER_TRIED]
    to_near = to_child[near, None]
    between = squared_distances[np.ix_(peers[near], peers)]
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = (to_child + between - to_near) / (2 * between)
        residual = to_child - weight**2 * between
        relative = np.abs(residual) / np.minimum(to_child, to_near)
    rounding = np.maximum(roundoff[child], np.maximum.outer(roundoff[peers[near]], roundoff[peers]))
    noise = np.maximum(16 * rounding**2 * squared_norms[child], 1e-9 * between)
    fits = (between > 0) & (weight > COEFFICIENT[0]) & (weight < COEFFICIENT[1])
    fits &= (relative < RELATIVE_RESIDUAL) & (residual <= noise)
    # Two that are both near are seen once.
    fits[:, near] &= np.less.outer(near, near)
    found = []
    for i, j in zip(*np.nonzero(fits), strict=True):
        first, second = sorted((int(peers[near[i]]), int(peers[j])))
        to_first, to_second = squared_distances[child, [first, second]]
        share = (to_second + between[i, j] - to_first) / (2 * between[i, j])
        found.append(Merge(child, first, second, float(share), float(relative[i, j])))
    return sorted(found, key=lambda fit: (fit.residual, fit.first, fit.second))[:FITS_TRIED]


def _measure_vectors(family: AlignedFamily, merge: Merge) -> float:
    """Squared distance of the child's vectors (biases, normalisation) from the combination."""
    first = {s.name: s for s in family.shared_vectors(merge.child, merge.first)}
    error = 0.0
    for second in family.shared_vectors(merge.child, merge.second):
        if second.name in first:
            one, two = first[second.name].second, second.second
            mixed = merge.coefficient * one + (1 - merge.coefficient) * two
            error += float(((second.first - mixed) ** 2).sum())
    return error


def _measure_error(family: AlignedFamily, merge: Merge) -> float:
    """Squared distance of the child's matrices from the combination, value by value on samples."""
    error = 0.0
    for name, tensor in family.tensors[merge.child].items():
        if tensor.is_matrix:
            child, first, second = _get_samples(family, merge, name)
            mixed = merge.coefficient * first + (1 - merge.coefficient) * second
            error += tensor.size / max(child.size, 1) * float(((child - mixed) ** 2).sum())
    return error


def _allow_error(family: AlignedFamily, merge: Merge) -> float:
    """What rounding may leave of a linear combination, and a little for what it is not quite."""
    rounding = max(float(family.roundoff[m]) for m in (merge.child, merge.first, merge.second))
    squares = moved = 0.0
    for name, tensor in family.tensors[merge.child].items():
        if tensor.is_matrix:
            child, first, second = _get_samples(family, merge, name)
            scale = tensor.size / max(child.size, 1)
            squares += scale * float((child**2).sum())
            moved += scale * float(np.minimum((child - first) ** 2, (child - second) ** 2).sum())
    return max(16 * rounding**2 * squares, RELATIVE_RESIDUAL * moved)


def _get_samples(
    family: AlignedFamily, merge: Merge, name: str
) -> tuple[Samples, Samples, Samples]:
    child, first, second = (
        family.get_sample(member, name) for member in (merge.child, merge.first, merge.second)
    )
    return child, first, second


def _shapes(family: AlignedFamily, member: int) -> dict[str, tuple[int, ...]]:
    return {name: t.shape for name, t in family.tensors[member].items() if t.is_matrix}
