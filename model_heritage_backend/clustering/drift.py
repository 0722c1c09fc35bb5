"""Siblings drift together: what the angles between steps say about who is whose parent.

Children of one parent learn related things, so their steps away from it agree a little, and hardly
ever disagree. A step and the one that follows it agree or disagree at random, and often undo a part
of each other. So two neighbours of a model that lie on the same side of it are likely its children;
two on opposite sides are likely its parent and its child.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence

import numpy as np

from model_heritage_backend.clustering.alignment import AlignedFamily
from model_heritage_backend.clustering.kernels import multiply_steps
from model_heritage_backend.clustering.sample_stacks import stack_samples
from model_heritage_backend.clustering.skeleton import Neighbours
from model_heritage_backend.fingerprints.structure import is_matrix

ACUTE, OBTUSE = 1.7, 2.6
ACUTE_SCALE, OBTUSE_SCALE = 0.2, 0.1
"""Log-odds that two neighbours are siblings rather than parent and child, from the mean cosine of
their steps. Of a logistic regression over 1,191 pairs of eleven zoos of four architectures; left
out one architecture of one kind of zoo at a time, it transferred to each of them."""
NEIGHBOURS_HEARD = 24

Corner = tuple[int, int, int]
"""A member and two others, the first of these with the lower place."""
Judged = list[tuple[int, int, float]]
"""Two neighbours of a member, and the log-odds that these are siblings."""


class StepAngles:
    """Cosines between the steps from a member to two others, each measured once.

    ``known``: what was learnt of models before, by ``name_corner``; read and added to.
    """

    def __init__(self, family: AlignedFamily, known: dict[Hashable, float] | None = None) -> None:
        self._family = family
        self._known = {} if known is None else known
        self._cosines: dict[Corner, float] = {}
        self._judged: dict[tuple[int, tuple[int, ...]], Judged] = {}

    def learn(self, corners: Collection[Corner]) -> None:
        """Measure many at once: it takes less time."""
        names = {c: self._family.name_members(*c) for c in corners if c not in self._cosines}
        new = [corner for corner, name in names.items() if name not in self._known]
        for corner, cosine in zip(new, _measure(self._family, new), strict=True):
            self._known[names[corner]] = cosine
        self._cosines |= {corner: self._known[name] for corner, name in names.items()}

    def measure(self, member: int, first: int, second: int) -> float:
        """Mean cosine over matrices in which both steps are not zero; NaN if there is none."""
        corner = member, min(first, second), max(first, second)
        if corner not in self._cosines:
            self.learn([corner])
        return self._cosines[corner]

    def judge(self, around: Mapping[int, Collection[int]]) -> Iterator[tuple[int, Judged]]:
        """Each member with the log-odds that pairs of its neighbours are siblings. Trees that are
        compared have most of their members' neighbours in common: these are judged once."""
        heard = {m: tuple(sorted(others)[:NEIGHBOURS_HEARD]) for m, others in around.items()}
        pairs = {
            (member, others): list(itertools.combinations(others, 2))
            for member, others in heard.items()
            if (member, others) not in self._judged
        }
        self.learn([(m, *pair) for (m, _), found in pairs.items() for pair in found])
        for (member, others), found in pairs.items():
            self._judged[member, others] = [
                (first, second, judge_cosine(self.measure(member, first, second)))
                for first, second in found
            ]
        for member, others in heard.items():
            yield member, self._judged[member, others]


def _measure(family: AlignedFamily, corners: Sequence[Corner]) -> list[float]:
    """Mean cosines; the same at each corner, whatever others are asked for."""
    if not corners:
        return []
    places = np.array(corners)
    total, weights = np.zeros((2, len(corners)))
    members = [int(m) for m in np.unique(places)]
    for name in family.matrix_names:
        for stack in stack_samples(family, members, name):
            if not is_matrix(stack.shape):
                continue
            within = stack.find(places.ravel()).reshape(-1, 3)
            known = np.flatnonzero((within >= 0).all(1))
            products, first, second = multiply_steps(stack.flat, within[known]).T
            scale = np.sqrt(first) * np.sqrt(second)
            moved = scale > 0
            total[known[moved]] += stack.size * products[moved] / scale[moved]
            weights[known[moved]] += stack.size
    with np.errstate(invalid="ignore"):
        cosines: list[float] = (total / weights).tolist()
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
    for member, judged in angles.judge(members):
        own = parents.get(member)
        for first, second, odds in judged:
            siblings = own not in (first, second)
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
    for member, judged in angles.judge(around):
        for first, second, odds in judged:
            for other in (first, second):
                as_child[member, other] = as_child.get((member, other), 0.0) + odds
    return {
        (a, b): (as_child.get((a, b), 0.0) - as_child.get((b, a), 0.0)) / 2
        for a in neighbours
        for b in neighbours[a]
        if a < b
    }
