"""Who is next to whom: an undirected tree of maximal gain over a family."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.clustering.copies import Copy
from model_heritage_backend.clustering.merges import Merge

Neighbours = dict[int, set[int]]
COPY_TIE = 10.0
"""Nats by which a copy must beat its source before a third model is hung from the copy."""


def build_skeleton(
    gains: NDArray[np.float64],
    members: Sequence[int],
    copies: Mapping[tuple[int, int], Copy],
    merges: Mapping[int, Merge],
) -> Neighbours:
    """Maximum spanning tree of the members that are no merges, then the merges in their place.

    Parameters
    ----------
    gains : (n, n) nats, symmetric, with copies' preferences already in (``prefer_sources``)
    members : places that take part
    copies : (source, copy) -> how
    merges : by child

    Returns
    -------
    place -> neighbours; a tree over ``members``
    """
    plain = [m for m in members if m not in merges]
    neighbours: Neighbours = {m: set() for m in members}
    for a, b in _maximum_spanning_tree(gains, plain):
        _link(neighbours, a, b)
    waiting, present = dict(merges), set(plain)
    while waiting:
        ready = [m for m, e in waiting.items() if e.first in present and e.second in present]
        child = min(ready or waiting)
        merge = waiting.pop(child)
        if ready:
            _move_descendants(neighbours, gains, merge, set(copies), set(merges))
        parent = merge.main if merge.main in present else min(present)
        _link(neighbours, parent, child)
        present.add(child)
    return neighbours


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


def _maximum_spanning_tree(
    gains: NDArray[np.float64], members: Sequence[int]
) -> Iterable[tuple[int, int]]:
    """Prim's algorithm on the dense matrix; ties go to the member that comes first."""
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
    merges: Collection[int],
) -> None:
    """Members that are nearer to the merge than to their neighbour, off the parents' path, move.

    Copies and other merges stay: their parents are proven.
    """
    path = _find_path(neighbours, merge.first, merge.second)
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


def _find_path(neighbours: Neighbours, start: int, end: int) -> list[int]:
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
