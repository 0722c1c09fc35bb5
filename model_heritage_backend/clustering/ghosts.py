"""Ancestors that nobody uploaded, seen in the angles between the steps to their children.

Steps of training are independent but for drift: whitened, the steps from a model to its neighbours
stand at right angles. Where the model that seems to be their parent is their sibling, or where
their parent lies between it and them, all these steps begin with the same way, the one to the
missing model, and the product of any two is the square of that way. Drift makes acute angles as
well, but uneven products. How much of it is left differs between families, so a family's other
angles say what to expect: where they are acute, nothing is claimed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from model_heritage_backend.clustering.genealogy import Edge, Ghost, GhostLimit
from model_heritage_backend.clustering.skeleton import Neighbours
from model_heritage_backend.clustering.whitening import WhitenedSteps

SHARED_ABOVE_DRIFT, SHARED_AT_MOST = 0.1, 1.1
"""Of the shorter step's square. The way to a missing model is a part of each step: whatever is
above one by more than noise is drift."""
OF_STRONGEST = 0.5
"""Angles at one corner that are less acute than this share of the most acute one are put down to
drift: all that lead to one missing model share the same way."""
DRIFT_QUANTILE, ANGLES_AT_LEAST, TYPICAL_DRIFT = 0.75, 3, 0.15
"""What the family's other angles say of its drift, and what is assumed where there are too few."""
STRONG_DRIFT = 0.3
"""From here on, what steps share at most corners would hide the way to a missing model."""
INTERCEPT, SHARED, ANGLES, UNEVEN = -2.25, 1.0, 2.2, -2.8
SHARED_FLOOR, DRIFT_FLOOR, UNEVEN_AT_MOST = 0.02, 0.05, 2.0
PAIRS_AT_LEAST, TINY = 3, 1e-30
"""Log-odds of a missing model, see ``_judge``: a logistic regression over the groups of neighbours
found in 13 zoos with a third of their inner models taken out, and in the same zoos complete."""
SURE = 0.85
"""From here on a gap is told, and the children of the missing model hang from no model that is
here. Families without a gap are far more frequent than in the zoos of the fit, so a gap is told
only where hardly any other was wrong. Lowering the confidence of edges for gaps that are less sure
made it worse, on zoos with missing models as well."""

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Gap:
    """Where a model is missing.

    Attributes
    ----------
    children : places of its nearest descendants that are here, two or more
    parent : place of its nearest ancestor that is here; None when it lies above all that is
    confidence : in [0, 1]
    corner : the neighbour of all, from which the angles were measured; a child, or the parent
    shares : of the other neighbours, the share of the squared step from the corner that lies beyond
        the missing model, in [0, 1]
    """

    children: tuple[int, ...]
    parent: int | None
    confidence: float
    corner: int
    shares: Mapping[int, float]

    def measure_distances(self, measure: Callable[[int, int], float]) -> tuple[float, ...]:
        """From the missing model to each child, in the units of ``measure``, which compares two
        members. By Pythagoras: the rest of a step is at a right angle to the way that is shared.
        """
        squares = {m: measure(self.corner, m) ** 2 for m in self.shares}
        found = {m: math.sqrt(share * squares[m]) for m, share in self.shares.items()}
        ways = [(1 - share) * squares[m] for m, share in self.shares.items()]
        found[self.corner] = math.sqrt(sum(ways) / len(ways))
        return tuple(found[child] for child in self.children)


@dataclass(frozen=True)
class Corner:
    """The angles between the steps from one member to its neighbours.

    ``shared``: product of two steps over the shorter one's square, (k, k), NaN where unknown.
    """

    place: int
    others: Sequence[int]
    shared: Matrix

    def list_angles(self) -> Matrix:
        """Rows of corner, first, second, shared, of all pairs that are known."""
        i, j = np.nonzero(np.triu(np.isfinite(self.shared), 1))
        places = np.array(self.others)
        return np.column_stack(
            [np.full(len(i), self.place), places[i], places[j], self.shared[i, j]]
        )

    @property
    def typical(self) -> float:
        """Median of ``shared`` over the pairs that are known; 0 where none is."""
        known = self.list_shared(self.others)
        return float(np.median(known)) if len(known) else 0.0

    def list_shared(self, group: Collection[int]) -> Matrix:
        """Of all pairs of a group that are known."""
        chosen = [i for i, other in enumerate(self.others) if other in group]
        block = self.shared[np.ix_(chosen, chosen)]
        known: Matrix = block[np.triu(np.isfinite(block), 1)]
        return known


def measure_corners(
    parents: Mapping[int, int],
    steps: WhitenedSteps,
    *,
    fixed: Collection[tuple[int, int]] = (),
) -> list[Corner]:
    """The angles at every member with two neighbours or more.

    Parameters
    ----------
    parents : child -> parent of the settled tree
    steps : whitened distances between its members
    fixed : (parent, child) edges that are proven, and say nothing about angles
    """
    neighbours = _link(parents, fixed)
    return [
        Corner(place, others, steps.measure_shared(place, others))
        for place, others in ((p, sorted(o)) for p, o in sorted(neighbours.items()))
        if len(others) > 1
    ]


def find_gaps(
    parents: Mapping[int, int],
    steps: WhitenedSteps,
    corners: Sequence[Corner],
    *,
    root: int | None = None,
) -> list[Gap]:
    """Missing models that leave two children or more, likeliest first; no child belongs to two.

    Parameters
    ----------
    parents, steps : as for ``measure_corners``
    corners : its result
    root : a member that is known to descend from no other
    """
    angles = np.concatenate([np.empty((0, 4)), *(corner.list_angles() for corner in corners)])
    found = []
    for corner in corners:
        drift = _measure_drift(angles, corner.place)
        for group in _group(corner, drift):
            inner = corner.list_shared(group)
            odds = _judge(inner, drift, _measure_unevenness(corner.place, group, steps))
            child = corner.place != root and _is_child(corner, group, parents)
            found.append(_describe(corner, group, parents, steps, odds, child=child))
    return _part(found)


def find_limit(corners: Sequence[Corner], gaps: Sequence[Gap]) -> GhostLimit | None:
    """Why missing models could not have been noticed; None where they could."""
    if any(gap.confidence >= SURE for gap in gaps):
        return None
    pairs = sum(math.comb(len(corner.others), 2) for corner in corners)
    angles = np.concatenate([np.empty(0), *(c.list_shared(c.others) for c in corners)])
    if pairs < ANGLES_AT_LEAST:
        return GhostLimit.FEW_MODELS
    if len(angles) < ANGLES_AT_LEAST:
        return GhostLimit.FEW_MATRICES
    drift = np.quantile(np.minimum(np.abs(angles), 1.0), DRIFT_QUANTILE)
    return GhostLimit.DRIFT if drift > STRONG_DRIFT else None


def name_ghosts(
    gaps: Sequence[Gap], ids: Sequence[str], measure: Callable[[int, int], float]
) -> tuple[Ghost, ...]:
    """Gaps that are sure enough to be told, numbered; ``measure``: distance of two members."""
    told = [gap for gap in gaps if gap.confidence >= SURE]
    return tuple(
        Ghost(
            id=f"ghost-{number}",
            children=tuple(ids[child] for child in gap.children),
            confidence=gap.confidence,
            parent=None if gap.parent is None else ids[gap.parent],
            distances=gap.measure_distances(measure),
        )
        for number, gap in enumerate(told, 1)
    )


def drop_edges(edges: Sequence[Edge], ghosts: Sequence[Ghost]) -> list[Edge]:
    """Edges without those whose place a ghost takes."""
    taken = {child for ghost in ghosts for child in ghost.children}
    return [edge for edge in edges if not (edge.main and edge.child in taken)]


def _link(parents: Mapping[int, int], fixed: Collection[tuple[int, int]]) -> Neighbours:
    neighbours: Neighbours = {}
    for child, parent in parents.items():
        if (parent, child) not in fixed:
            neighbours.setdefault(parent, set()).add(child)
            neighbours.setdefault(child, set()).add(parent)
    return neighbours


def _measure_drift(angles: Matrix, corner: int) -> float:
    """What steps share elsewhere in the family, in [0, 1]: most of that is drift.

    ``angles``: rows of corner, first, second, shared.
    """
    elsewhere = np.abs(angles[(angles[:, :3] != corner).all(1), 3])
    if len(elsewhere) < ANGLES_AT_LEAST:
        return TYPICAL_DRIFT
    return float(np.quantile(np.minimum(elsewhere, 1.0), DRIFT_QUANTILE))


def _group(corner: Corner, drift: float) -> list[frozenset[int]]:
    """Neighbours tied together by angles too acute for drift."""
    shared = np.where(np.isfinite(corner.shared), corner.shared, 0.0)
    acute = (shared > SHARED_ABOVE_DRIFT + drift) & (shared < SHARED_AT_MOST)
    np.fill_diagonal(acute, False)
    if not acute.any():
        return []
    acute &= shared > OF_STRONGEST * shared[acute].max(initial=0.0)
    count, labels = connected_components(acute, directed=False)
    groups = ([int(i) for i in np.flatnonzero(labels == label)] for label in range(count))
    return [frozenset(corner.others[i] for i in group) for group in groups if len(group) > 1]


def _measure_unevenness(corner: int, group: frozenset[int], steps: WhitenedSteps) -> float:
    """Standard deviation over mean of the products of steps, over the pairs of a group.

    Small where all of them are the square of one way; 0 for one or two pairs.
    """
    products = steps.measure_products(corner, sorted(group))
    known = products[np.triu_indices(len(group), 1)]
    known = known[np.isfinite(known)]
    if len(known) < PAIRS_AT_LEAST:
        return 0.0
    return min(float(known.std() / max(abs(known.mean()), TINY)), UNEVEN_AT_MOST)


def _judge(shared: Matrix, drift: float, unevenness: float) -> float:
    """Log-odds that a model is missing.

    Parameters
    ----------
    shared : by each pair of a group, of the shorter step's square
    drift : what steps share elsewhere in the family
    unevenness : of the products of steps in the group
    """
    mean = float(np.minimum(shared, 1.0).mean())
    ratio = (max(mean, 0.0) + SHARED_FLOOR) / (drift + DRIFT_FLOOR)
    odds = INTERCEPT + SHARED * math.log(ratio) + ANGLES * math.log(len(shared))
    return odds + UNEVEN * unevenness


def _is_child(corner: Corner, group: frozenset[int], parents: Mapping[int, int]) -> bool:
    """Whether the corner of a gap is one of the missing model's children, too.

    It is where its parent lies beyond the gap, or where it is the top and all its neighbours do: a
    top with children of its own would be tied to some of them directly.
    """
    above = parents.get(corner.place)
    return above in group if above is not None else group == {*corner.others}


def _describe(
    corner: Corner,
    group: frozenset[int],
    parents: Mapping[int, int],
    steps: WhitenedSteps,
    odds: float,
    *,
    child: bool,
) -> Gap:
    """The gap between a corner, which may be its ``child``, and its neighbours beyond."""
    shares = {
        member: 1.0 - steps.measure_way(corner.place, member, sorted(group - {member}))
        for member in sorted(group)
    }
    parent = parents.get(corner.place) if child else corner.place
    children = {*group, corner.place} - {parent}
    return Gap(
        children=tuple(sorted(children)),
        parent=parent,
        confidence=1 / (1 + math.exp(-odds)),
        corner=corner.place,
        shares=shares,
    )


def _part(found: Sequence[Gap]) -> list[Gap]:
    """The likelier of gaps that share a child."""
    kept: list[Gap] = []
    for gap in sorted(found, key=lambda g: (-g.confidence, g.children)):
        if not any({*gap.children} & {*other.children} for other in kept):
            kept.append(gap)
    return kept
