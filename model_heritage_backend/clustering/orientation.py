"""One root orients a whole tree: the posterior over roots, and with it over every direction."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.clustering.skeleton import Neighbours

CENTRALITY_WEIGHT = 0.5
"""Weight of the rumour-centrality prior (Shah and Zaman, 2011): a root tends to sit centrally."""


@dataclass(frozen=True)
class Orientation:
    """``parents``: place -> parent (the root is missing). ``order``: parents before children.

    ``posterior``: probability of being the root, by place, (n,); zero for places not in the tree.
    """

    root: int
    parents: Mapping[int, int]
    order: tuple[int, ...]
    posterior: NDArray[np.float64]

    def calculate_certainty(self, child: int) -> float:
        """Probability that the child's edge points this way: that the root is not below it."""
        below = {child}
        for member in self.order:
            if self.parents.get(member) in below:
                below.add(member)
        return float(min(max(1.0 - sum(self.posterior[m] for m in below), 0.0), 1.0))


def orient(
    neighbours: Neighbours,
    log_odds: Mapping[tuple[int, int], float],
    size: int,
    *,
    pinned: int | None = None,
) -> Orientation:
    """Root posterior from the directions of all edges and the shape of the tree.

    score(r) = sum over edges, pointed away from r, of their log-odds
               + CENTRALITY_WEIGHT x (- sum over members of ln(size of its subtree)).

    Parameters
    ----------
    neighbours : a tree
    log_odds : (a, b) -> log-odds that a is the parent, for one order of each edge
    size : number of places, for the posterior's shape
    pinned : the root, where it is known
    """
    start = min(neighbours)
    order, parents = walk(neighbours, start)
    odds = {**log_odds, **{(b, a): -value for (a, b), value in log_odds.items()}}
    below = dict.fromkeys(order, 1)
    for member in reversed(order):
        if member in parents:
            below[parents[member]] += below[member]
    score = {start: sum(odds[parents[m], m] for m in order[1:])}
    centrality = {start: -sum(math.log(below[m]) for m in order)}
    for member in order[1:]:
        above = parents[member]
        score[member] = score[above] - 2 * odds[above, member]
        centrality[member] = (
            centrality[above] + math.log(below[member]) - math.log(len(order) - below[member])
        )
    members = sorted(order)
    total = np.array([score[m] + CENTRALITY_WEIGHT * centrality[m] for m in members])
    if pinned is not None:
        total = np.where(np.array(members) == pinned, 0.0, -np.inf)
    weights = np.exp(total - total.max())
    posterior = np.zeros(size)
    posterior[members] = weights / weights.sum()
    root = int(np.argmax(posterior))
    order, parents = walk(neighbours, root)
    return Orientation(root, parents, tuple(order), posterior)


def point(neighbours: Neighbours, root: int, posterior: NDArray[np.float64]) -> Orientation:
    """The same tree hung from another root, under a given posterior."""
    order, parents = walk(neighbours, root)
    return Orientation(root, parents, tuple(order), posterior)


def link(parents: Mapping[int, int], members: Collection[int]) -> Neighbours:
    """A rooted tree without its directions."""
    neighbours: Neighbours = {member: set() for member in members}
    for child, parent in parents.items():
        neighbours[child].add(parent)
        neighbours[parent].add(child)
    return neighbours


def calculate_centrality(parents: Mapping[int, int], members: Collection[int]) -> float:
    """Log-likelihood of a rooted tree's shape: - sum over members of ln(size of its subtree)."""
    below = dict.fromkeys(members, 0)
    for member in members:
        above: int | None = member
        while above is not None:
            below[above] += 1
            above = parents.get(above)
    return -sum(math.log(count) for count in below.values())


def walk(neighbours: Neighbours, root: int) -> tuple[list[int], dict[int, int]]:
    """Breadth-first order from the root, and each member's parent."""
    order = [root]
    parents: dict[int, int] = {}
    for member in order:
        for other in sorted(neighbours[member]):
            if other != parents.get(member):
                parents[other] = member
                order.append(other)
    return order, parents
