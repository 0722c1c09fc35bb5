"""Who is next to whom: an undirected tree of maximal gain over a family."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.clustering.copies import Copy
from model_heritage_backend.clustering.merges import Merge

Neighbours = dict[int, set[int]]
COPY_TIE = 10.0
"""Nats by which a copy must beat its source before a third model is hung from the copy."""
BETWEEN_BELOW = -0.15
"""Cosine between the steps to two models, seen from one that lies between them. Steps of training
from one model to two others are seldom further apart than that."""


def build_skeleton(
    gains: NDArray[np.float64],
    squared_distances: NDArray[np.float64],
    members: Sequence[int],
    copies: Mapping[tuple[int, int], Copy],
    merges: Mapping[int, Merge],
) -> Neighbours:
    """Maximum spanning tree of the members that are no merges, then the merges in their place.

    A merge lies between its parents and would tie the family's branches together, and so would what
    was trained on from it. Both are left out at first and added when what they come from is there.

    Parameters
    ----------
    gains : (n, n) nats, symmetric, with copies' preferences already in (``prefer_sources``)
    squared_distances : (n, n) over shared matrices
    members : places that take part
    copies : (source, copy) -> how
    merges : by child

    Returns
    -------
    place -> neighbours; a tree over ``members``
    """
    beyond = _find_beyond(gains, squared_distances, members, merges)
    plain = [m for m in members if m not in merges and m not in beyond]
    neighbours: Neighbours = {m: set() for m in members}
    for a, b in grow_spanning_tree(gains, plain):
        _link(neighbours, a, b)
    waiting, present = dict(merges), list(plain)
    while waiting or beyond:
        ready = [m for m, e in waiting.items() if set(e.parents) <= set(present)]
        if ready:
            child = min(ready)
            merge = waiting.pop(child)
            _move_descendants(neighbours, gains, merge, set(copies), merges)
            parent = merge.main
        elif beyond:
            parent, child = _find_nearest(gains, present, sorted(beyond))
            beyond.discard(child)
        else:
            child = min(waiting)
            main = waiting.pop(child).main
            parent = main if main in present else min(present)
        _link(neighbours, parent, child)
        present.append(child)
    return neighbours


def _find_beyond(
    gains: NDArray[np.float64],
    squared_distances: NDArray[np.float64],
    members: Sequence[int],
    merges: Mapping[int, Merge],
) -> set[int]:
    """Members that were trained on from a merge, at any remove.

    Such a member is nearer to the merge than to the merge's parents, and lies between these two;
    seen from an ancestor of both, they are at about a right angle. Those that are nearest to one of
    them, and took its step away from the merge as well, come after it.
    """
    found: dict[int, int] = {}
    if not merges:
        return set()
    nearest: dict[int, int] = {}
    for member in sorted(set(members) - merges.keys()):
        others = (m for m in members if m != member)
        nearest[member] = max(others, key=lambda m: (gains[member, m], -m))
        for merge in merges.values():
            to_parents = gains[member, list(merge.parents)].max()
            cosine = min(
                _measure_cosine(squared_distances, member, first, second)
                for first, second in itertools.combinations(merge.parents, 2)
            )
            if gains[member, merge.child] > to_parents and cosine < BETWEEN_BELOW:
                found[member] = merge.child
    while True:
        new = {
            member: found[other]
            for member, other in nearest.items()
            if member not in found
            and other in found
            and _took_step(squared_distances, found[other], other, member)
        }
        if not new:
            return set(found)
        found |= new


def _measure_cosine(
    squared_distances: NDArray[np.float64], member: int, first: int, second: int
) -> float:
    """Of the angle at ``member`` between two others; 1 where it is one of them."""
    to_first, to_second = squared_distances[member, [first, second]]
    if min(to_first, to_second) <= 0.0:
        return 1.0
    between = squared_distances[first, second]
    return float((to_first + to_second - between) / (2 * np.sqrt(to_first * to_second)))


def _took_step(squared_distances: NDArray[np.float64], start: int, end: int, member: int) -> bool:
    """Whether most of the step from ``start`` to ``end`` is in the member, too."""
    step = squared_distances[start, end]
    share = squared_distances[start, member] + step - squared_distances[end, member]
    return bool(share > step)


def _find_nearest(
    gains: NDArray[np.float64], present: Sequence[int], outside: Sequence[int]
) -> tuple[int, int]:
    """The member that is present and the one outside with the largest gain between them."""
    block = gains[np.ix_(present, outside)]
    row, column = np.unravel_index(int(np.argmax(block)), block.shape)
    return present[int(row)], outside[int(column)]


def prefer_sources(
    gains: NDArray[np.float64],
    copies: Mapping[tuple[int, int], Copy],
    full: float,
) -> NDArray[np.float64]:
    """Gains in which copies hang from their sources and near ties go to the source.

    ``full``: the gain of an identical model, given to every verified copy.
    """
    adjusted = gains.copy()
    for source, copy in copies:
        top = max(adjusted[source, copy], full)
        adjusted[source, copy] = adjusted[copy, source] = top
    for source, copy in copies:
        for other in range(len(gains)):
            if other in (source, copy) or (other, copy) in copies or (copy, other) in copies:
                continue
            if gains[other, copy] - gains[other, source] < COPY_TIE:
                limit = min(adjusted[other, copy], adjusted[other, source] - 1.0)
                adjusted[other, copy] = adjusted[copy, other] = limit
    return adjusted


def grow_spanning_tree(
    gains: NDArray[np.float64], members: Sequence[int]
) -> Iterable[tuple[int, int]]:
    """(member in the tree, next member): Prim's algorithm on the dense matrix.

    Ties go to the member that comes first.
    """
    if not members:
        return
    best = gains[members[0], members].copy()
    via = np.full(len(members), members[0])
    outside = np.ones(len(members), bool)
    outside[0] = False
    while outside.any():
        place = int(np.argmax(np.where(outside, best, -np.inf)))
        outside[place] = False
        yield int(via[place]), members[place]
        row = gains[members[place], members]
        closer = outside & (row > best)
        best[closer], via[closer] = row[closer], members[place]


def _move_descendants(
    neighbours: Neighbours,
    gains: NDArray[np.float64],
    merge: Merge,
    copies: Collection[tuple[int, int]],
    merges: Mapping[int, Merge],
) -> None:
    """Members that are nearer to the merge than to their neighbour, off the parents' path, move.

    Copies and other merges stay: their parents are proven. So do parents of parents.
    """
    main, origins = merge.main, list(merge.parents)
    for member in origins:
        if member in merges:
            origins += [p for p in merges[member].parents if p not in origins]
    path = list(dict.fromkeys(p for o in origins for p in find_path(neighbours, main, o)))
    towards = dict.fromkeys(path, -1)
    queue = list(path)
    for place in queue:
        for other in sorted(neighbours[place]):
            if other not in towards:
                towards[other] = place
                queue.append(other)
    for member, via in towards.items():
        if via < 0 or member in merges or (via, member) in copies or (member, via) in copies:
            continue
        if gains[member, merge.child] > gains[member, via]:
            neighbours[member].discard(via)
            neighbours[via].discard(member)
            _link(neighbours, merge.child, member)


def find_path(neighbours: Neighbours, start: int, end: int) -> list[int]:
    """Members from the end back to the start; only these two where nothing joins them."""
    via = {start: start}
    queue = [start]
    for place in queue:
        for other in sorted(neighbours[place]):
            if other not in via:
                via[other] = place
                queue.append(other)
    if end not in via:
        return [start, end]
    path = [end]
    while path[-1] != start:
        path.append(via[path[-1]])
    return path


def _link(neighbours: Neighbours, a: int, b: int) -> None:
    neighbours[a].add(b)
    neighbours[b].add(a)
