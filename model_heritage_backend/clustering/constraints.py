"""What people know about a family: confirmed and forbidden parents, a pinned root.

Constraints enter the score that decides roots and edges; where the tree that scores best breaks one
all the same, only the members concerned are hung elsewhere, and the rest stays as it is.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.clustering.arborescence import NO_PARENT, find_minimum_arborescence
from model_heritage_backend.clustering.skeleton import Neighbours, find_path
from model_heritage_backend.errors import Conflict, InvalidRequest

Member = TypeVar("Member", int, str)

CONFIRMED = 1000.0
"""Log-odds of a confirmed edge and of a pinned root."""
FORBIDDEN = 3.0
"""Log-odds that a root loses for each forbidden edge: what it costs to hang the child elsewhere."""
UNMET = "No family tree meets all constraints."


@dataclass(frozen=True, kw_only=True)
class Constraints:
    """By model id. Those that name models outside a family do not concern it.

    Attributes
    ----------
    confirmed : child -> its (main) parent
    forbidden : (parent, child) that must not be an edge
    root : the model that descends from no other

    Raises
    ------
    Conflict
        When they contradict each other.
    """

    confirmed: Mapping[str, str] = field(default_factory=dict)
    forbidden: frozenset[tuple[str, str]] = frozenset()
    root: str | None = None

    def __post_init__(self) -> None:
        for child, parent in sorted(self.confirmed.items()):
            if (parent, child) in self.forbidden:
                raise Conflict(
                    f"{parent} is both confirmed and forbidden as the parent of {child}."
                )
        if self.root is not None and self.root in self.confirmed:
            raise Conflict(
                f"{self.root} is pinned as the root, so {self.confirmed[self.root]} cannot be its "
                "parent."
            )
        circle = _find_circle(self.confirmed)
        if circle:
            raise Conflict(f"The confirmed parents make a circle: {', '.join(circle)}.")

    def enforce_on(
        self, ids: Sequence[str], parents: NDArray[np.int64], distances: NDArray[np.float64]
    ) -> NDArray[np.int64]:
        """Parents by place (-1: root), with as few of them changed as the constraints need.

        Of the trees that keep most edges the shortest one: a minimum arborescence.

        Raises
        ------
        Conflict
            When no tree meets all constraints.
        """
        placed = self.place(ids, range(len(ids)))
        chosen = {child: parent for child, parent in enumerate(parents.tolist()) if parent >= 0}
        if placed.are_met(chosen) and placed.root not in chosen:
            return parents
        try:
            return find_minimum_arborescence(placed.weigh(chosen, distances), root=placed.root)
        except InvalidRequest as error:
            raise Conflict(UNMET) from error

    def place(self, ids: Sequence[str], twins: Sequence[int]) -> PlacedConstraints:
        """The same by places in a family; ``twins``: the place that stands for each.

        Members of equal values stand for each other, but for which of them is meant to be the root
        or somebody's child (``choose_leader``).
        """
        places = {name: twins[place] for place, name in enumerate(ids)}
        pairs = [
            (places[c], places[p])
            for c, p in sorted(self.confirmed.items())
            if c in places and p in places and places[c] != places[p]
        ]
        confirmed: dict[int, int] = {}
        for child, parent in pairs:
            if confirmed.setdefault(child, parent) != parent:
                raise Conflict(f"Models equal to {ids[child]} are confirmed to have two parents.")
        forbidden = {
            (places[p], places[c]) for p, c in self.forbidden if p in places and c in places
        }
        root = places.get(self.root) if self.root is not None else None
        circle = _find_circle(confirmed)
        if root in confirmed or circle or any((p, c) in forbidden for c, p in confirmed.items()):
            raise Conflict(
                "Models of equal values are under constraints that contradict each other."
            )
        return PlacedConstraints(confirmed, frozenset(forbidden), root)


@dataclass(frozen=True)
class PlacedConstraints:
    """``confirmed``: child -> parent; ``forbidden``: (parent, child); ``root``. By place."""

    confirmed: Mapping[int, int]
    forbidden: Collection[tuple[int, int]]
    root: int | None

    @property
    def free(self) -> PlacedConstraints:
        """The root alone: what orients a tree, and does not hang anybody elsewhere."""
        return PlacedConstraints({}, frozenset(), self.root)

    def are_concerned(self, children: Iterable[int]) -> bool:
        """Whether something is said of the parents of all these."""
        named = {*self.confirmed, *(child for _, child in self.forbidden)}
        return named.issuperset(children)

    def relink(self, neighbours: Neighbours) -> Neighbours:
        """A tree in which confirmed pairs are next to each other.

        A child that was elsewhere takes with it what hangs from it, and nobody else moves: what is
        cut is its own link on the way to the parent.
        """
        linked = {member: set(others) for member, others in neighbours.items()}
        for child, parent in sorted(self.confirmed.items()):
            if parent in linked[child]:
                continue
            path = find_path(linked, parent, child)
            first, second = next(
                (a, b)
                for a, b in itertools.pairwise(path)
                if self.confirmed.get(b) != a and self.confirmed.get(a) != b
            )
            linked[first].discard(second)
            linked[second].discard(first)
            linked[child].add(parent)
            linked[parent].add(child)
        return linked

    def direct(self, a: int, b: int) -> float | None:
        """Log-odds that a is b's parent, where that is confirmed either way."""
        if self.confirmed.get(b) == a:
            return CONFIRMED
        return -CONFIRMED if self.confirmed.get(a) == b else None

    def score(self, parents: Mapping[int, int]) -> float:
        """Log-odds that a rooted tree loses, <= 0, besides those of its confirmed edges."""
        broken = sum((parent, child) in self.forbidden for child, parent in parents.items())
        displaced = self.root is not None and self.root in parents
        return -FORBIDDEN * broken - CONFIRMED * displaced

    def enforce(
        self, parents: Mapping[int, int], root: int, gains: NDArray[np.float64]
    ) -> Mapping[int, int]:
        """The parents, with as few of them changed as the constraints need.

        Of the trees from one root that keep most edges the one of largest gains: a minimum
        arborescence.

        Raises
        ------
        Conflict
            When no tree meets all constraints.
        """
        if self.are_met(parents):
            return parents
        members = sorted({root, *parents})
        costs = self.weigh(parents, -gains)[np.ix_(members, members)]
        for start in self._list_roots(root, members):
            try:
                found = find_minimum_arborescence(costs, root=members.index(start))
            except InvalidRequest:
                continue
            return {members[i]: members[p] for i, p in enumerate(found) if p != NO_PARENT}
        raise Conflict(UNMET)

    def are_met(self, parents: Mapping[int, int]) -> bool:
        """Whether edges are as they must be; the root is not looked at."""
        met = all(parents.get(c) == p for c, p in self.confirmed.items())
        return met and not any((p, c) in self.forbidden for c, p in parents.items())

    def weigh(self, parents: Mapping[int, int], costs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Costs by which a minimum arborescence meets the constraints and keeps most edges."""
        weighed = costs.copy()
        finite = np.abs(costs[np.isfinite(costs)])
        kept = 2 * len(costs) * float(finite.max(initial=1.0))
        for child, parent in parents.items():
            weighed[parent, child] -= kept
        for child, parent in self.confirmed.items():
            alone = weighed[parent, child]
            weighed[:, child] = np.inf
            weighed[parent, child] = alone
        for parent, child in self.forbidden:
            weighed[parent, child] = np.inf
        return weighed

    def _list_roots(self, root: int, members: Sequence[int]) -> list[int]:
        """Members that may be the root, the one that is best without constraints first."""
        if self.root is not None:
            return [self.root]
        return sorted(set(members) - self.confirmed.keys(), key=lambda m: (m != root, m))


def choose_leaders(twins: Sequence[int], ids: Sequence[str], constraints: Constraints) -> list[int]:
    """Which of several equal members stands for all: one that constraints single out, if any.

    Raises
    ------
    Conflict
        When none of them may be the parent of another.
    """
    groups: dict[int, list[int]] = {}
    for place, leader in enumerate(twins):
        groups.setdefault(leader, []).append(place)
    chosen = list(twins)
    for group in groups.values():
        names = {ids[place] for place in group}
        inner = {constraints.confirmed[n] for n in names if constraints.confirmed.get(n) in names}
        outer = {n for n in names if constraints.confirmed.get(n, n) not in names}
        leader = min(
            group,
            key=lambda m: (
                ids[m] != constraints.root,
                ids[m] not in outer,
                constraints.confirmed.get(ids[m]) in names,
                ids[m] not in inner,
                any((ids[m], name) in constraints.forbidden for name in names),
                m,
            ),
        )
        for place in group:
            chosen[place] = leader
            named = constraints.confirmed.get(ids[place], ids[leader])
            if named in names and (named, ids[place]) in constraints.forbidden:
                raise Conflict(f"{ids[place]} and {named} are equal, one a duplicate of the other.")
    return chosen


def _find_circle(parents: Mapping[Member, Member]) -> list[Member]:
    """Members that are their own ancestors, sorted; empty when there are none."""
    found = set()
    for start in parents:
        member, seen = parents[start], {start}
        while member in parents and member not in seen:
            seen.add(member)
            member = parents[member]
        if member == start:
            found.add(start)
    return sorted(found)


FREE = Constraints()
