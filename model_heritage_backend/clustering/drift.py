"""Siblings drift together: what the angles between steps say about who is whose parent.

Children of one parent learn related things, so their steps away from it agree a little, and hardly
ever disagree. A step and the one that follows it agree or disagree at random, and often undo a part
of each other. So two neighbours of a model that lie on the same side of it are likely its children;
two on opposite sides are likely its parent and its child.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.clustering.alignment import AlignedFamily
from model_heritage_backend.clustering.skeleton import Neighbours

ACUTE, OBTUSE = 1.7, 2.6
ACUTE_SCALE, OBTUSE_SCALE = 0.2, 0.1
"""Log-odds that two neighbours are siblings rather than parent and child, from the mean cosine of
their steps. Of a logistic regression over 1,191 pairs of eleven zoos of four architectures; left
out one architecture of one kind of zoo at a time, it transferred to each of them."""
NEIGHBOURS_HEARD = 24

Cosines = NDArray[np.float64]


class StepAngles:
    """Cosines between the steps from a member to its neighbours, computed once per pair."""

    def __init__(self, family: AlignedFamily) -> None:
        self._family = family
        self._known: dict[tuple[int, tuple[int, ...]], Cosines] = {}

    def measure(self, member: int, others: Sequence[int]) -> Cosines:
        """Mean cosines, (k, k), over matrices in which both steps are not zero; NaN if none is."""
        key = (member, tuple(others))
        if key not in self._known:
            self._known[key] = _measure(self._family, member, others)
        return self._known[key]


def _measure(family: AlignedFamily, member: int, others: Sequence[int]) -> Cosines:
    total, weights = np.zeros((2, len(others), len(others)))
    for name in family.matrix_names:
        tensor = family.tensors[member].get(name)
        if tensor is None or not tensor.is_matrix:
            continue
        start = family.get_sample(member, name)
        steps = np.zeros((len(others), start.size))
        for place, other in enumerate(others):
            shared = family.get_shared(member, other, name)
            if shared is not None and not shared.equal and not shared.extended:
                steps[place] = (shared.second - shared.first).ravel()
        norms = np.sqrt((steps * steps).sum(1))
        moved = np.outer(norms > 0, norms > 0)
        steps /= np.maximum(norms, np.finfo(np.float64).tiny)[:, None]
        total += np.where(moved, tensor.size * (steps @ steps.T), 0.0)
        weights += tensor.size * moved
    with np.errstate(invalid="ignore"):
        cosines: Cosines = np.where(weights > 0, total / weights, np.nan)
    return cosines


def judge_cosine(cosine: float) -> float:
    """Log-odds that two neighbours at this angle are siblings."""
    if math.isnan(cosine):
        return 0.0
    acute, obtuse = max(cosine, 0.0), min(cosine, 0.0)
    return ACUTE * math.tanh(acute / ACUTE_SCALE) + OBTUSE * math.tanh(obtuse / OBTUSE_SCALE)


def score_drift(
    parents: Mapping[int, int], angles: StepAngles, *, deaf: Collection[tuple[int, int]] = ()
) -> float:
    """Log-odds of a rooted tree from all its angles: half for what they are, half against the rest.

    ``deaf``: (parent, child) edges that are no training steps (copies, merges).
    """
    members: dict[int, list[int]] = {}
    for child, parent in parents.items():
        if (parent, child) not in deaf and (child, parent) not in deaf:
            members.setdefault(parent, []).append(child)
            members.setdefault(child, []).append(parent)
    total = 0.0
    for member, others in members.items():
        for first, second, odds in _judge_pairs(member, others, angles):
            siblings = parents.get(member) not in (first, second)
            total += odds / 2 if siblings else -odds / 2
    return total


def calculate_drift_odds(
    neighbours: Neighbours, angles: StepAngles, *, deaf: Collection[tuple[int, int]] = ()
) -> dict[tuple[int, int], float]:
    """(a, b) -> what b has of a child of a, among a's other neighbours, less the reverse, in nats.

    Pointed away from a root and summed up, this is ``score_drift`` but for a constant.
    """
    as_child: dict[tuple[int, int], float] = {}
    for member, linked in neighbours.items():
        others = [o for o in linked if (member, o) not in deaf and (o, member) not in deaf]
        for first, second, odds in _judge_pairs(member, others, angles):
            for other in (first, second):
                as_child[member, other] = as_child.get((member, other), 0.0) + odds
    return {
        (a, b): (as_child.get((a, b), 0.0) - as_child.get((b, a), 0.0)) / 2
        for a in neighbours
        for b in neighbours[a]
        if a < b
    }


def _judge_pairs(
    member: int, others: Collection[int], angles: StepAngles
) -> list[tuple[int, int, float]]:
    heard = sorted(others)[:NEIGHBOURS_HEARD]
    if len(heard) < 2:
        return []
    cosines = angles.measure(member, heard)
    return [
        (heard[i], heard[j], judge_cosine(float(cosines[i, j])))
        for j in range(len(heard))
        for i in range(j)
    ]
