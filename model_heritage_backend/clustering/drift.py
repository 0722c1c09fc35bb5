"""Siblings drift together: what the angles between steps say about who is whose parent.

Children of one parent learn related things, so their steps away from it agree a little, and hardly
ever disagree. A step and the one that follows it agree or disagree at random, and often undo a part
of each other. So two neighbours of a model that lie on the same side of it are likely its children;
two on opposite sides are likely its parent and its child.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.clustering.alignment import AlignedFamily
from model_heritage_backend.clustering.sample_stacks import stack_samples
from model_heritage_backend.clustering.skeleton import Neighbours
from model_heritage_backend.fingerprints.structure import is_matrix

ACUTE, OBTUSE = 1.7, 2.6
ACUTE_SCALE, OBTUSE_SCALE = 0.2, 0.1
"""Log-odds that two neighbours are siblings rather than parent and child, from the mean cosine of
their steps. Of a logistic regression over 1,191 pairs of eleven zoos of four architectures; left
out one architecture of one kind of zoo at a time, it transferred to each of them."""
NEIGHBOURS_HEARD = 24

Cosines = NDArray[np.float64]
Neighbourhood = tuple[int, tuple[int, ...]]
"""A member and others that are joined to it."""


class StepAngles:
    """Cosines between the steps from a member to its neighbours, each measured once."""

    def __init__(self, family: AlignedFamily) -> None:
        self._family = family
        self._known: dict[Neighbourhood, Cosines] = {}

    def learn(self, around: Mapping[int, Sequence[int]]) -> None:
        """Measure many neighbourhoods (member -> neighbours) at once: it takes less time."""
        new = [(m, tuple(others)) for m, others in around.items()]
        new = [neighbourhood for neighbourhood in new if neighbourhood not in self._known]
        if new:
            self._known |= zip(new, _measure(self._family, new), strict=True)

    def measure(self, member: int, others: Sequence[int]) -> Cosines:
        """Mean cosines, (k, k), over matrices in which both steps are not zero; NaN if none is."""
        self.learn({member: others})
        return self._known[member, tuple(others)]


def _measure(family: AlignedFamily, around: Sequence[Neighbourhood]) -> list[Cosines]:
    total = [np.zeros((len(others), len(others))) for _, others in around]
    weights = [np.zeros_like(each) for each in total]
    members = sorted({m for member, others in around for m in (member, *others)})
    for name in family.matrix_names:
        for stack in stack_samples(family, members, name):
            if not is_matrix(stack.shape):
                continue
            flat = stack.samples.reshape(len(stack), -1)
            for number, (member, others) in enumerate(around):
                start, *ends = stack.find(np.array([member, *others]))
                if start < 0:
                    continue
                steps = flat[ends] - flat[start]
                steps[np.array(ends) < 0] = 0.0
                products = steps @ steps.T
                norms = np.sqrt(np.diag(products))
                moved = np.outer(norms > 0, norms > 0)
                scale = np.outer(norms, norms)
                total[number] += stack.size * np.divide(
                    products, scale, out=np.zeros_like(products), where=moved
                )
                weights[number] += stack.size * moved
    with np.errstate(invalid="ignore"):
        return [np.where(w > 0, t / w, np.nan) for t, w in zip(total, weights, strict=True)]


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
    for member, first, second, odds in _judge_pairs(members, angles):
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
    around = {
        member: [o for o in linked if (member, o) not in deaf and (o, member) not in deaf]
        for member, linked in neighbours.items()
    }
    for member, first, second, odds in _judge_pairs(around, angles):
        for other in (first, second):
            as_child[member, other] = as_child.get((member, other), 0.0) + odds
    return {
        (a, b): (as_child.get((a, b), 0.0) - as_child.get((b, a), 0.0)) / 2
        for a in neighbours
        for b in neighbours[a]
        if a < b
    }


def _judge_pairs(
    around: Mapping[int, Collection[int]], angles: StepAngles
) -> Iterator[tuple[int, int, int, float]]:
    """Member, two of its neighbours, and the log-odds that these are siblings."""
    heard = {member: sorted(others)[:NEIGHBOURS_HEARD] for member, others in around.items()}
    heard = {member: others for member, others in heard.items() if len(others) > 1}
    angles.learn(heard)
    for member, others in heard.items():
        cosines = angles.measure(member, others)
        for i, j in itertools.combinations(range(len(others)), 2):
            yield member, others[i], others[j], judge_cosine(float(cosines[i, j]))
